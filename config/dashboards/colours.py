"""One colour for each name, the same on every page and whatever its rank there."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

SERIES = 5
OTHER = 6


def colours_of(names: Iterable[str], fixed: Mapping[str, int] | None = None) -> dict[str, int]:
    """The colour index (1 to 5) of each of at most five names; `OTHER` is the sixth.

    A name keeps its colour of `fixed`; any other has the one its hash picks or, where that is
    taken, the next free one in alphabetical order, so that a chart shows no colour twice.
    """
    chosen = sorted(dict.fromkeys(names))[:SERIES]
    fixed = fixed or {}
    colours = {name: fixed[name] for name in chosen if name in fixed}
    for name in chosen:
        if name not in colours:
            colours[name] = _free_colour(name, set(colours.values()))
    return colours


def _free_colour(name: str, taken: set[int]) -> int:
    preferred = blake2b(name.encode(), digest_size=4).digest()[0]
    return next(
        colour for step in range(SERIES) if (colour := (preferred + step) % SERIES + 1) not in taken
    )
