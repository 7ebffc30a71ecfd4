"""The thread that draws charts: plotext takes up to 0.2 s for many points, and no key must wait for that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from textual.message import Message

from agopconsole.tui.messages import Painted


class Painter:
    """Draws one thing after another, and posts each as it is done."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        self._post = post
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="painter")
        self._open: dict[Future[Any], None] = {}

    @property
    def idle(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self._open

    def paint(self, work: Callable[[], Any], then: Callable[[Any], None]) -> Future[Any]:
        """Has `work` done; `then` gets what it returned, on the screen's own thread, unless it is cancelled first."""
        future = self._thread.submit(work)
        self._open[future] = None
        future.add_done_callback(lambda done: self._post(Painted(done, then)))
        return future

    def hand_over(self, message: Painted) -> None:
        """Shows what is done; an error in drawing is raised here."""
        del self._open[message.future]
        if not message.future.cancelled():
            message.then(message.future.result())

    def stop(self) -> None:
        """Begins nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
