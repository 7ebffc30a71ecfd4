"""A web server on this machine that serves one file, and misbehaves on demand."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, how, and what was asked for.

    Attributes:
        content: of the file, at whatever path.
        etag: its ETag, if any; If-Range is heeded.
        ranges: whether Range is heeded.
        cut_after: for each request to come, break the connection after that many bytes of its body.
        answers: for each request to come, an HTTP status to give in place of the file.
        asked: path and Range header of each request.
    """

    content: bytes
    etag: str | None = '"1"'
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append((request.path, wanted))
        if self.answers:
            request.send_error(self.answers.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if_range = request.headers.get("If-Range")
        if if_range and if_range != self.etag:
            start = 0
        if start >= len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        if start:
            last = len(self.content) - 1
            request.send_header("Content-Range", f"bytes {start}-{last}/{len(self.content)}")
        request.send_header("Content-Length", str(len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        request.wfile.write(body[: self.cut_after.pop(0)] if self.cut_after else body)


@contextlib.contextmanager
def serving(content: bytes, **behaviour: object) -> Iterator[FileServer]:
    served = FileServer(content, **behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.respond(self)

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
