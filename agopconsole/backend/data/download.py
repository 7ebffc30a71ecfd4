"""Fetches one file: goes on where it broke off, checks the checksum, and only then gives the file its name.

A lock lets one process at a time fetch a file; the others wait and find it there.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, url2pathname, urlopen

from filelock import FileLock, Timeout

from agopconsole.backend.data.dataset import Report
from agopconsole.backend.data.part import Part
from agopconsole.backend.data.progress import Progress
from agopconsole.backend.data.published import RemoteFile
from agopconsole.errors import RequestError, WorkError

PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each new try that follows one without progress."""

_TIMEOUT = 30.0
_BLOCK = 1 << 18
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP answers that may be another one a moment later."""


def download(
    file: RemoteFile, folder: Path, *, mirror: str | None, report: Report, pauses: Sequence[float] = PAUSES
) -> Path:
    """Fetches `file` into `folder`, unless it is there.

    Args:
        file: what to fetch.
        folder: made if need be.
        mirror: fetch from this address or folder, and from nowhere else.
        report: takes lines of progress.
        pauses: seconds before each new try.

    Returns:
        Where the file lies.

    Raises:
        RequestError: if the mirror is neither an address nor a folder.
        WorkError: if the file cannot be had whole; what has arrived stays for the next time.
    """
    places = _places(file, mirror)
    part = Part(folder / file.name)
    with _writing(part.target):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(part.target, report):
            if not part.target.exists():
                _fetch(file, places, part, report, pauses)
    return part.target


def _places(file: RemoteFile, mirror: str | None) -> list[str | Path]:
    """Where to look, in turn: addresses and paths of the file."""
    if mirror is None:
        return list(file.urls)
    scheme = urlsplit(mirror).scheme if "://" in mirror else ""
    if scheme in ("http", "https"):
        return [f"{mirror.rstrip('/')}/{quote(file.name)}"]
    if scheme not in ("", "file"):
        raise RequestError(f"mirror '{mirror}' must be an http, https or file address, or a folder")
    folder = Path(url2pathname(urlsplit(mirror).path)) if scheme else Path(mirror).expanduser()
    return [folder / file.name]


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tells what goes wrong on the disk from what goes wrong on the way, which a new try may cure."""
    try:
        yield
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror or error}") from None


@contextlib.contextmanager
def _alone(target: Path, report: Report) -> Iterator[None]:
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(f"{target.name}: another process is fetching it; waiting")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch(
    file: RemoteFile, places: Sequence[str | Path], part: Part, report: Report, pauses: Sequence[float]
) -> None:
    failures = []
    for place in places:
        try:
            _take(file, place, part, report, pauses)
        except WorkError as error:
            failures.append(str(error))
        else:
            report(f"{file.name}: here, and its checksum is right")
            return
    raise WorkError("; ".join(failures))


def _take(file: RemoteFile, place: str | Path, part: Part, report: Report, pauses: Sequence[float]) -> None:
    begun = part.size > 0
    if isinstance(place, Path):
        _copy(place, part)
    else:
        _receive(place, part, report, pauses)
    if file.is_at(part.path):
        part.finish()
        return
    part.discard()
    if begun and isinstance(place, str):
        report(f"{file.name}: its checksum is wrong; what was begun is thrown away, and it is fetched from the start")
        _take(file, place, part, report, pauses)
        return
    raise WorkError(f"{place} is broken or another file: its checksum is not the published one")


def _copy(source: Path, part: Part) -> None:
    if not source.is_file():
        raise WorkError(f"there is no file {source}")
    part.discard()
    shutil.copyfile(source, part.path)


def _receive(url: str, part: Part, report: Report, pauses: Sequence[float]) -> None:
    """Receives the rest of the part, with new tries as long as they may help."""
    failed = 0
    while True:
        before = part.size
        if before and before == part.recall(url)[1]:
            return
        try:
            with _open(url, part) as response:
                _append(response, url, part, report)
        except (HTTPException, OSError) as error:
            reason = _reason(url, error)
            if not _may_pass(error):
                raise WorkError(reason) from None
            failed = 0 if part.size > before else failed + 1
            if failed > len(pauses):
                kept = f"; the {part.size:,} bytes that have arrived are kept for the next time" if part.size else ""
                raise WorkError(reason + kept) from None
        else:
            return
        pause = (0.0, *pauses)[failed]
        report(f"{part.target.name}: {reason}; trying again in {pause:g} s")
        time.sleep(pause)


def _open(url: str, part: Part) -> HTTPResponse:
    """Asks for what is missing, or for the whole file where the part turns out to be of no use."""
    headers = {"User-Agent": "agopconsole"}
    validator, total = part.recall(url)
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if validator:
            headers["If-Range"] = validator
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=_TIMEOUT)  # noqa: S310
    except HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not part.size:
            raise
        part.discard()
        return _open(url, part)
    if part.size and response.status == HTTPStatus.PARTIAL_CONTENT:
        start, whole = _content_range(response)
        if start == part.size and (total is None or whole == total):
            return response
        response.close()
        part.discard()
        return _open(url, part)
    part.discard()
    return response


def _append(response: HTTPResponse, url: str, part: Part, report: Report) -> None:
    length = response.headers.get("Content-Length")
    total = part.size + int(length) if length else None
    progress = Progress(part.target.name, part.size, total, report)
    with _writing(part.path):
        part.remember(url, _validator(response), total)
        out = part.path.open("ab")
    with out:
        while block := response.read1(_BLOCK):
            with _writing(part.path):
                out.write(block)
                out.flush()
            progress.add(len(block))
    if total is not None and part.size < total:
        raise ConnectionResetError(f"{part.size:,} of {total:,} bytes arrived")


def _content_range(response: HTTPResponse) -> tuple[int | None, int | None]:
    """First byte and whole size that a 206 answer names."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return (int(match[1]), int(match[2])) if match else (None, None)


def _validator(response: HTTPResponse) -> str | None:
    """What If-Range may name: a strong ETag, else the date."""
    etag: str | None = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _may_pass(error: Exception) -> bool:
    """Whether a new try may help: not where there is no way to the server, or it refuses."""
    if isinstance(error, HTTPError):
        return error.code in _PASSING
    return not isinstance(error, URLError) or isinstance(error.reason, ConnectionResetError)


def _reason(url: str, error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"{url} answers {error.code} {error.reason}"
    host = urlsplit(url).netloc
    if isinstance(error, URLError):
        return f"{host} cannot be reached ({getattr(error.reason, 'strerror', None) or error.reason})"
    return f"the connection to {host} broke off ({error})"
