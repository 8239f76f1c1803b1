"""One colour for each name, the same on every page and whatever its rank."""

from collections.abc import Iterable
from hashlib import blake2b

SERIES = 5
OTHER = 6


def colours_of(names: Iterable[str]) -> dict[str, int]:
    """The colour index (1 to 5) of each of at most five names; `OTHER` is the sixth.

    A name has the colour its hash picks. Where two pick the same, the one that comes later in
    the alphabet takes the next free one, so that a chart never shows one colour twice.
    """
    taken: dict[int, str] = {}
    for name in sorted(set(names))[:SERIES]:
        colour = blake2b(name.encode(), digest_size=4).digest()[0] % SERIES
        while colour in taken:
            colour = (colour + 1) % SERIES
        taken[colour] = name
    return {name: colour + 1 for colour, name in taken.items()}
