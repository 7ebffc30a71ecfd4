"""What each study said of itself when its runs were asked for last: a report is often read without the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agopconsole.store.connection import transaction, utc_now
from agopconsole.store.session import Session

if TYPE_CHECKING:
    from agopconsole.study import Study


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """One row of `studies`.

    Attributes:
        baseline: label of the method that the others are compared with.
        text: of the TOML file; empty where the study came from none.
        recorded_at: when it last said something new.
    """

    name: str
    description: str
    baseline: str
    text: str
    recorded_at: str


class Studies(Session):
    """The part of `Store` that keeps studies."""

    def record_study(self, study: Study) -> None:
        """Keeps a study; one that says what it said before leaves its row alone."""
        said = (study.description, study.baseline, study.text)
        known = self.study_record(study.name)
        if known is not None and said == (known.description, known.baseline, known.text):
            return
        with transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO studies (name, description, baseline, text, recorded_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (study.name, *said, utc_now()),
            )

    def study_record(self, name: str) -> StudyRecord | None:
        """What the study of that name said last, or None where it was never recorded."""
        row = self._connection.execute(
            "SELECT name, description, baseline, text, recorded_at FROM studies WHERE name = ?", (name,)
        ).fetchone()
        return StudyRecord(*row) if row else None
