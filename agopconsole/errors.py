"""The errors that carry a message for the user; the command line alone prints them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AgopconsoleError(Exception):
    """Something went wrong that one sentence explains.

    Attributes:
        exit_status: what the command line exits with.
    """

    exit_status = 1


class RequestError(AgopconsoleError):
    """The request itself was wrong; the message says what would be right."""

    exit_status = 2


class WorkError(AgopconsoleError):
    """The request was sound, but the work could not be done."""


class NoRoomError(WorkError):
    """The disk is full; what was lost with that can be done again once there is room."""


def unknown_choice(what: str, given: str, choices: Iterable[str]) -> RequestError:
    """The error for a name that is none of `choices`; it names the nearest one, and all."""
    known = list(choices)
    close = difflib.get_close_matches(given, known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return RequestError(f"unknown {what} '{given}'; {hint}choose from {', '.join(known)}")
