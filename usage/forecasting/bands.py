"""How far sums may lie from what is expected: as far as in the past."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from usage.forecasting.histories import WEEK, Floats, Whole

_FARTHEST = 0.9
_OUTSIDE = 0.1
"""The share of sums that lie below the band, and of those above."""
FEW = 3
"""Fewer stretches than this, laid end to end, say too little about errors."""
_CAUTION = 0.8
_HALF_BAND = 1.28 / 2


@dataclass(frozen=True, slots=True)
class Misses:
    """Past errors: (truth - expected) / (truth + expected), by series and day seen from, where
    `known`; each was of a stretch that ended `length` days later."""

    values: Floats
    known: Floats
    length: Whole

    @classmethod
    def between(cls, truth: Floats, expected: Floats, known: Floats, length: Whole) -> "Misses":
        """The errors of expectations; none where there was neither use nor expectation."""
        both = truth + expected
        missed = np.where(both > 0, (truth - expected) / np.where(both > 0, both, 1), 0)
        return cls(missed, known, length)

    @property
    def stretches(self) -> Floats:
        """How many of the stretches would fit end to end into what is known."""
        return np.asarray(self.known.sum(axis=1) / np.maximum(self.length, 1) + 1)


@dataclass(frozen=True, slots=True)
class Band:
    """The misses that four of five lie between, the lower one below zero."""

    low: Floats
    high: Floats

    def around(self, expected: Floats) -> tuple[Floats, Floats]:
        """The sums that lie as far below and above what is expected."""
        return (
            expected * (1 + self.low) / (1 - self.low),
            expected * (1 + self.high) / (1 - self.high),
        )


def band_of(misses: Misses, scale: Floats, spread: Floats) -> Band:
    """The band of past misses, wider the fewer they were, times `scale`; not narrower than the
    `spread` of weeks tells where they are very few."""
    wider = (1 + _CAUTION / misses.stretches) * scale
    low, high = quantiles(misses, (_OUTSIDE, 1 - _OUTSIDE))
    low, high = np.minimum(low, 0) * wider, np.maximum(high, 0) * wider
    at_least = np.where(misses.stretches < FEW, spread, 0)
    low, high = np.minimum(low, -at_least), np.maximum(high, at_least)
    return Band(np.clip(low, -_FARTHEST, 0), np.clip(high, 0, _FARTHEST))


def quantiles(misses: Misses, shares: Sequence[float]) -> list[Floats]:
    """The misses that these shares of the known ones of each series lie below; 0 where none is."""
    ordered = np.sort(np.where(misses.known > 0, misses.values, np.inf), axis=1)
    count = misses.known.sum(axis=1).astype(np.int64)
    ordered[count == 0] = 0
    last = np.maximum(count - 1, 0)
    return [_interpolated(ordered, last, last * share) for share in shares]


def _interpolated(ordered: Floats, last: Whole, place: Floats) -> Floats:
    below = np.floor(place).astype(np.int64)
    lower, upper = (
        np.take_along_axis(ordered, at[:, None], axis=1)[:, 0]
        for at in (below, np.minimum(below + 1, last))
    )
    return np.asarray(lower + (upper - lower) * (place - below))


def spread_of(sums: Floats, known: Floats, length: Whole) -> Floats:
    """How far `length` days may lie from what is expected by how much whole weeks differ."""
    count = known.sum(axis=0)
    mean = sums.sum(axis=0) / np.maximum(count, 1)
    variance = (known * (sums - mean) ** 2).sum(axis=0) / np.maximum(count - 1, 1)
    part = np.sqrt(variance) / np.where(mean > 0, mean, 1)
    caution = (1 + 4 / np.maximum(count, 1) ** 2) * np.sqrt(WEEK / np.maximum(length, 1) + 1 / 3)
    return np.asarray(_HALF_BAND * part * caution)
