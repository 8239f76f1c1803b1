"""One expectation made of several: each weighs as much as it was right lately."""

import numpy as np

from usage.forecasting.histories import HISTORY_DAYS, MIN_DAYS, WEEK, Floats, Whole
from usage.forecasting.levels import SEEN_FROM, Levels

_HALF_LIFE = 14
"""After so many days a past error counts half."""
_FLOOR = 0.02
_SHARPNESS = 3


def blend(levels: Levels, calm_totals: Floats, lead: Whole) -> Levels:
    """The weighted mean of all answers, by series and day seen from."""
    weights = _weights(_squared_errors(levels, calm_totals, lead))
    return Levels((weights * levels.level).sum(axis=0), (weights * levels.slope).sum(axis=0))


def _squared_errors(levels: Levels, calm_totals: Floats, lead: Whole) -> Floats:
    """By how much each answer missed the week that came; 0 where it has not come yet."""
    week_end = np.minimum(SEEN_FROM + WEEK, HISTORY_DAYS)
    came = calm_totals[:, week_end] - calm_totals[:, SEEN_FROM]
    is_over = SEEN_FROM + WEEK <= HISTORY_DAYS
    is_known = SEEN_FROM[None, :] - lead[:, None] >= MIN_DAYS
    return np.where(is_over[None, :] & is_known, (levels.level - came) ** 2, 0)


def _weights(errors: Floats) -> Floats:
    """What each answer weighs on each day, by the errors known on that day; together 1."""
    fading = 0.5 ** (1 / _HALF_LIFE)
    missed, so_far = np.zeros_like(errors), np.zeros(errors.shape[:2])
    for day in range(WEEK, errors.shape[2]):
        so_far = fading * so_far + errors[:, :, day - WEEK]
        missed[:, :, day] = so_far
    usual = missed.mean(axis=0)
    weights = (missed / np.where(usual > 0, usual, 1) + _FLOOR) ** -_SHARPNESS
    return np.asarray(weights / weights.sum(axis=0))
