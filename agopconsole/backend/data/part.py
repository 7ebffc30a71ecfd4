"""What has arrived of a download, `<file>.part`, and beside it `<file>.part.json`: what it is a part of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """The part of the file that is to lie at `target`; both files outlive a broken connection and a reboot."""

    target: Path

    @property
    def path(self) -> Path:
        """Where the bytes lie."""
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def remember(self, url: str, validator: str | None, total: int | None) -> None:
        """Keeps what the server said of the file: its ETag or date, and its size in bytes."""
        self._notes.write_text(json.dumps({"url": url, "validator": validator, "total": total}), encoding="utf-8")

    def recall(self, url: str) -> tuple[str | None, int | None]:
        """Validator and size, if the part was begun from the same address and the server gave them."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            return (notes["validator"], notes["total"]) if notes["url"] == url else (None, None)
        except (OSError, ValueError, KeyError, TypeError):
            return None, None

    def discard(self) -> None:
        """Throws away what has arrived."""
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    def finish(self) -> None:
        """Gives the whole file its name."""
        self.path.replace(self.target)
        self._notes.unlink(missing_ok=True)

    @property
    def _notes(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part.json")
