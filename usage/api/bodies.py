"""Reading a request body within its limits, decompressed."""

from typing import Protocol

from rest_framework.request import Request

from usage.ingest.decode import MAX_BODY_BYTES, BodyError, gunzip

_DISCARDED_BYTES = 4 * MAX_BODY_BYTES
_PIECE_BYTES = 256 * 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_body(request: Request) -> bytes:
    """The body, at most 16 MiB as sent and once open. Raises BodyError 400, 411, 413 or 415."""
    stream = _stream(request)
    try:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            _discard(stream)
            raise _too_large()
    except OSError as error:
        raise BodyError(400, "cut_short", "The body ended before it was complete.") from error
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("gzip", "x-gzip"):
        return gunzip(body)
    if coding not in ("", "identity"):
        raise BodyError(415, "unknown_encoding", f"The encoding {coding!r} is not supported.")
    return bytes(body)


def _stream(request: Request) -> _Readable:
    # Django takes a body of unstated length for an empty one. A server that knows where it
    # ends says so.
    if request.headers.get("Content-Length") or "Transfer-Encoding" not in request.headers:
        return request
    if not request.META.get("wsgi.input_terminated"):
        raise BodyError(411, "length_required", "The body needs a Content-Length.")
    stream: _Readable = request.META["wsgi.input"]
    return stream


def _discard(stream: _Readable) -> None:
    # A client that is still sending when the connection closes never sees the answer.
    left = _DISCARDED_BYTES
    while left > 0 and (piece := stream.read(_PIECE_BYTES)):
        left -= len(piece)


def _too_large() -> BodyError:
    return BodyError(413, "body_too_large", f"The body is over {MAX_BODY_BYTES} bytes.")
