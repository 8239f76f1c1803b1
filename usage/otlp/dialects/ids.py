"""Ids that name one call and no other."""

import re

_PREFIX = re.compile(r"^[a-z]{1,12}[-_]")
_MOMENT = re.compile(r"1[5-9]\d{8}(\d{3})?")
_LEAST_CHARACTERS = 8
_LEAST_WITHOUT_DIGITS = 16
_LEAST_DIFFERENT = 4


def is_unique(text: str) -> bool:
    """Whether `text` looks drawn at random, as ids of providers do.

    Stand-ins repeat theirs (`chatcmpl-mock`, `unknown`, a nil UUID), Ollama draws from a thousand
    (`chatcmpl-512`), and some gateways write the second or millisecond (`chatcmpl-1763812345`):
    calls must not become one by such a name. Wanted are, after the kind (`msg_`, `chatcmpl-`),
    eight characters with a digit among them, or sixteen in large and small letters, and four
    different ones.
    """
    drawn = _PREFIX.sub("", text, count=1)
    mixed = drawn != drawn.lower() and drawn != drawn.upper()
    least = _LEAST_CHARACTERS if any(map(str.isdigit, drawn)) else _LEAST_WITHOUT_DIGITS
    return (
        _MOMENT.fullmatch(drawn) is None
        and len(drawn) >= least
        and (mixed or least == _LEAST_CHARACTERS)
        and len(set(drawn) - {"-", "_"}) >= _LEAST_DIFFERENT
    )
