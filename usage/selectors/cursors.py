"""Opaque page cursors: where the last page ended, tied to the question it answered."""

import base64
import binascii
from collections.abc import Sequence
from datetime import MAXYEAR, datetime
from hashlib import blake2b

import msgspec

from usage.selectors.questions import QuestionError


class _Token(msgspec.Struct, array_like=True):
    question: str
    place: list[str]


_decoder = msgspec.json.Decoder(_Token)


def fingerprint(*parts: object) -> str:
    """A short digest of a question: a cursor of another question is refused."""
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def pack(question: str, place: Sequence[str]) -> str:
    """The cursor that continues `question` (a fingerprint) after `place`."""
    token = msgspec.json.encode(_Token(question, list(place)))
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def unpack(cursor: str, question: str, length: int) -> list[str]:
    """The place a cursor stands for. Raises QuestionError if it was not made for `question`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        token = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise bad_cursor() from error
    if token.question != question or len(token.place) != length or "\0" in "".join(token.place):
        raise bad_cursor()
    return token.place


def read_instant(text: str) -> datetime:
    """An aware time that a page may end at. Raises ValueError, or QuestionError."""
    instant = datetime.fromisoformat(text)
    # Beyond these years an offset may lead out of what the database driver can say.
    if instant.utcoffset() is None or not 1 < instant.year < MAXYEAR:
        raise bad_cursor()
    return instant


def bad_cursor() -> QuestionError:
    """The error for a cursor that does not belong to the question."""
    return QuestionError(
        "cursor", "invalid_cursor", "The cursor does not belong to this question; start over."
    )
