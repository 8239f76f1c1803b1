"""A limit and how it stands, as several answers show it."""

from typing import Any, Literal

from usage.api.schema.bodies import Answer, CurrencyCode, Day, Money, Share


class LimitScope(Answer):
    """What a limit holds for; a project of null is all that the organization spends."""

    organization: str
    project: str | None


class EffectiveLimit(Answer):
    """A limit in its period from `start` to before `end`, days of the organization's zone.

    `spent` leaves out `unpriced_events`; `percent` is of the limit, and `state` the level that it
    has reached: from the warning threshold on, or from the limit on.
    """

    id: int
    name: str
    scope: LimitScope
    period: Literal["day", "week", "month", "quarter", "year"]
    start: Day
    end: Day
    currency: CurrencyCode
    limit: Money
    spent: Money
    remaining: Money
    percent: Share
    state: Literal["ok", "warn", "over"]
    unpriced_events: int


EFFECTIVE_LIMIT: dict[str, Any] = {
    "id": 1, "name": "acme / web", "scope": {"organization": "acme", "project": "web"},
    "period": "month", "start": "2026-11-01", "end": "2026-12-01", "currency": "USD",
    "limit": "50.0000000000", "spent": "46.1000000000", "remaining": "3.9000000000",
    "percent": 92.2, "state": "warn", "unpriced_events": 0,
}  # fmt: skip
"""A limit for examples."""
