"""`manage.py cost session` without Django: asks a running server for the line, in well under a
second, for shell prompts and editors' status lines.

Only the standard library is imported here, and of it only what loads quickly: its HTTP client
takes longer to load than the answer takes to arrive. Nothing that goes wrong may break a prompt:
every failure is a short line and exit 0.
"""

import argparse
import contextlib
import json
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn
from urllib.parse import quote, urlencode, urlsplit

COMMAND = ["cost", "session"]
TIMEOUT_SECONDS = 0.25
LONGEST_ANSWER = 8192
_ANSWERS = {
    401: "tallyman: key refused",
    403: "tallyman: key may not read",
    404: "tallyman: nothing recorded yet",
}
NO_ANSWER = "tallyman: no answer"
NO_SESSION = "tallyman: no session"


class _NotOursError(Exception):
    """The command line is for the whole command, which explains and refuses."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotOursError(message)


def answered(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Answer `cost session …` from the server at TALLYMAN_URL with TALLYMAN_KEY.

    False, without a trace, where that is not what was asked or not set up.
    """
    address, key = environ.get("TALLYMAN_URL", ""), environ.get("TALLYMAN_KEY", "")
    if list(arguments[:2]) != COMMAND or not (address and key):
        return False
    try:
        asked = _read(arguments[2:])
    except _NotOursError:
        return False
    session_id = asked.session_id if asked.session_id != "-" else _session_on_stdin()
    if not session_id:
        _write(f"{NO_SESSION}\n")
    elif asked.watch:
        _watch(address, key, session_id, asked.organization, asked.interval)
    else:
        line = fetch_line(address, key, session_id, asked.organization)
        _write(f"{line}\n")
    return True


def fetch_line(address: str, key: str, session_id: str, organization: str = "") -> str:
    """The server's line about a session, or a short one that says why there is none."""
    try:
        status, body = _get(address, key, session_id, organization)
    except (OSError, ValueError):
        return NO_ANSWER
    if status != 200:
        return _ANSWERS.get(status, f"tallyman: answer {status}")
    lines = body.decode(errors="replace").splitlines()
    shown = "".join(c for c in lines[0] if c.isprintable()) if lines else ""
    return shown or NO_ANSWER


def _get(address: str, key: str, session_id: str, organization: str) -> tuple[int, bytes]:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    secure = parts.scheme == "https"
    question = {"format": "line", **({"organization": organization} if organization else {})}
    path = f"{parts.path.rstrip('/')}/api/v1/sessions/{quote(session_id, safe='')}/"
    if not (parts.hostname and key.isascii() and key.isprintable()):
        raise ValueError("no address or no key")
    request = (
        f"GET {path}?{urlencode(question)} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        f"Authorization: Bearer {key}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
    )
    deadline = time.monotonic() + TIMEOUT_SECONDS
    place = (parts.hostname, parts.port or (443 if secure else 80))
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(place, TIMEOUT_SECONDS))
        if secure:
            connection = stack.enter_context(_secured(connection, parts.hostname))
        connection.sendall(request.encode("ascii"))
        return _parse(_receive(connection, deadline))


def _secured(connection: socket.socket, host: str) -> socket.socket:
    # Loaded where it is needed: it takes as long as all the rest.
    context = import_module("ssl").create_default_context()
    wrapped: socket.socket = context.wrap_socket(connection, server_hostname=host)
    return wrapped


def _receive(connection: socket.socket, deadline: float) -> bytes:
    answer = b""
    while len(answer) < LONGEST_ANSWER:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        piece = connection.recv(LONGEST_ANSWER)
        if not piece:
            break
        answer += piece
    return answer


def _parse(answer: bytes) -> tuple[int, bytes]:
    """Status and body of an HTTP answer, of a chunked one its first chunk. Raises ValueError."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, _, headers = head.partition(b"\r\n")
    if not first.startswith(b"HTTP/1."):
        raise ValueError("no HTTP answer")
    if b"transfer-encoding: chunked" in headers.lower():
        size, _, rest = body.partition(b"\r\n")
        body = rest[: int(size.partition(b";")[0], 16)]
    return int(first.split(b" ")[1]), body


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("session_id", nargs="?", default="-")
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--interval", type=float, default=3.0)
    parser.add_argument("--organization", default="")
    asked = parser.parse_args(list(arguments))
    if not asked.interval >= 0.5:
        raise _NotOursError
    return asked


def _session_on_stdin() -> str:
    if sys.stdin.isatty():
        return ""
    try:
        found = json.load(sys.stdin)["session_id"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def _watch(address: str, key: str, session_id: str, organization: str, interval: float) -> None:
    terminal = sys.stdout.isatty()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            line = fetch_line(address, key, session_id, organization)
            _write(f"\r\x1b[2K{line}" if terminal else f"{line}\n")
            time.sleep(interval)
    if terminal:
        _write("\n")


def _write(text: str) -> None:
    coding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(coding, "replace").decode(coding))
    sys.stdout.flush()
