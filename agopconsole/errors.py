"""The errors that carry a message for the user; the command line alone prints them."""


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
