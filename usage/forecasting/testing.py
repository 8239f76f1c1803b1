"""How forecasts of the past did: by how much they missed, and how often their band held."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from usage.forecasting.bands import FEW, Band, Misses, band_of
from usage.forecasting.histories import WEEK, Floats, Whole
from usage.forecasting.levels import SEEN_FROM

_TESTS = 8
"""So many forecasts, each made a week before the one after it, are tested."""
_ALMOST = 1 - 1e-9


class Tested(NamedTuple):
    """The mean error in percent of what came, and how many percent lay in the band; None where
    there was none to test."""

    error: float | None
    coverage: float | None


def tested(misses: Misses, truth: Floats, expected: Floats) -> list[Tested]:
    """How the latest past forecasts of each series did; each has a band made of older ones."""
    errors, covered = [], []
    for back in range(_TESTS):
        place = len(SEEN_FROM) - 1 - misses.length - WEEK * back
        at = np.maximum(place, 0)[:, None]
        is_known = (place >= 0) & (np.take_along_axis(misses.known, at, axis=1)[:, 0] > 0)
        came, told = (np.take_along_axis(part, at, axis=1)[:, 0] for part in (truth, expected))
        error = np.abs(told - came) * 100 / np.where(came > 0, came, 1)
        errors.append(np.where(is_known & (came > 0), error, np.nan))
        band, has_band = _band_then(misses, place)
        low, high = band.around(told)
        held = (came >= low * _ALMOST) & (came * _ALMOST <= high)
        covered.append(np.where(is_known & has_band, held * 100.0, np.nan))
    return [Tested(*row) for row in zip(_means(errors), _means(covered), strict=True)]


def _band_then(misses: Misses, place: Whole) -> tuple[Band, NDArray[np.bool_]]:
    """The band of the misses that were known at a place, and whether they were enough for one."""
    ended = np.arange(len(SEEN_FROM))[None, :] <= (place - misses.length)[:, None]
    then = Misses(misses.values, misses.known * ended, misses.length)
    nothing = np.zeros(len(place))
    return band_of(then, nothing + 1, nothing), then.stretches >= FEW


def _means(parts: list[Floats]) -> list[float | None]:
    values = np.stack(parts)
    count = (~np.isnan(values)).sum(axis=0)
    total = np.nansum(values, axis=0)
    return [float(total[row] / n) if n else None for row, n in enumerate(count)]
