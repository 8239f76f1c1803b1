"""Reading a request body within its limits, decompressed."""

from django.http import UnreadablePostError
from rest_framework.request import Request

from usage.ingest.decode import MAX_BODY_BYTES, BodyError, gunzip


def read_body(request: Request) -> bytes:
    """The body, at most 16 MiB as sent and once decompressed. Raises BodyError 400, 413 or 415."""
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        body = request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError as error:
        raise BodyError(400, "cut_short", "The body ended before it was complete.") from error
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("gzip", "x-gzip"):
        return gunzip(body)
    if coding not in ("", "identity"):
        raise BodyError(415, "unknown_encoding", f"The encoding {coding!r} is not supported.")
    return bytes(body)


def _too_large() -> BodyError:
    return BodyError(413, "body_too_large", f"The body is over {MAX_BODY_BYTES} bytes.")
