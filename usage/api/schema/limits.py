"""A limit and how it stands, as several answers show it."""

from typing import Any, Literal

from usage.api.schema.bodies import Answer, CurrencyCode, Day, Money, Share


class LimitScope(Answer):
    """What a limit holds for: calls that agree with all of it; null is any."""

    organization: str | None
    project: str | None
    team: str | None
    subject: str | None
    api_key: str | None
    provider: str | None
    model: str | None
    action: str | None
    agent_type: str | None


class EffectiveLimit(Answer):
    """A limit in its period from `start` to before `end` (null: for ever), days of its zone.

    Amounts are in `currency`, or, where that is null, in tokens or requests. Where each of `per`
    has the limit to itself, `member` is the one it is told for. `limit` is null for none; `spent`
    leaves out `unpriced_events`, and `remaining` what is `reserved` as well. `percent` is spent of
    the limit, and `state` the level that it has reached: from its lowest threshold on, or from the
    limit on.
    """

    id: int
    name: str
    scope: LimitScope
    per: Literal["", "organization", "project", "team", "subject", "api_key"]
    member: str | None
    measure: Literal["cost", "tokens", "requests"]
    period: Literal["day", "week", "month", "quarter", "year", "total"]
    enforcement: Literal["soft", "hard"]
    start: Day
    end: Day | None
    currency: CurrencyCode | None
    limit: Money | None
    spent: Money
    reserved: Money
    remaining: Money | None
    percent: Share
    state: Literal["ok", "warn", "over"]
    unpriced_events: int


EFFECTIVE_LIMIT: dict[str, Any] = {
    "id": 1, "name": "acme / web",
    "scope": {
        "organization": "acme", "project": "web",
        **dict.fromkeys(
            ("team", "subject", "api_key", "provider", "model", "action", "agent_type")
        ),
    },
    "per": "", "member": None, "measure": "cost", "period": "month", "enforcement": "soft",
    "start": "2026-11-01", "end": "2026-12-01", "currency": "USD",
    "limit": "50.0000000000", "spent": "46.1000000000", "reserved": "0.0000000000",
    "remaining": "3.9000000000", "percent": 92.2, "state": "warn", "unpriced_events": 0,
}  # fmt: skip
"""A limit for examples."""
