"""Digests: one message of what a day or week used, and of what needs a look."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from budgets.models import Alert, Channel
from budgets.notices.digest_reading import Digest, Share, read_digest
from budgets.notices.fitting import fit
from budgets.notices.message import Line, Message, Section
from budgets.notices.webhook_data import as_json
from budgets.notices.writing import absolute
from budgets.selectors.alert_facts import titles_of
from budgets.selectors.standings import BudgetState
from usage.api.rendering.figures import money_text
from usage.formats import dated, money, percent, quantity, share
from usage.selectors.currency import ledger_currency
from usage.selectors.usage import sums_as_json

_TYPES = {Channel.Digest.DAILY: "digest.daily", Channel.Digest.WEEKLY: "digest.weekly"}
_NOTHING = "Nothing was used, and nothing needs a look."


def digest_message(channel: Channel, since: datetime, until: datetime, now: datetime) -> Message:
    """What a digest tells a channel of the time from `since` to before `until` (aware).

    Both are midnights where the channel's days begin: in the zone of its organization, else of
    the site. Money is in the ledger currency. Where there is nothing to tell it is one line.
    """
    digest = read_digest(channel, since, until, now)
    worst = next((alert.severity for alert in digest.alerts), Alert.Severity.INFO)
    owner = channel.organization.slug if channel.organization else "All organizations"
    return fit(
        Message(
            type=_TYPES.get(Channel.Digest(channel.digest), "digest.daily"),
            severity=worst,
            title=f"{owner}, {dated(digest.first, digest.last)}: {_spent(digest)}",
            summary=_NOTHING if digest.is_empty else _summary(digest),
            url=absolute(reverse("admin:index")),
            lines=() if digest.is_empty else tuple(_lines(digest)),
            sections=() if digest.is_empty else tuple(_sections(digest, channel)),
            data=_data(digest, owner if channel.organization else None),
        )
    )


def _spent(digest: Digest) -> str:
    if not digest.sums.events:
        return "nothing was used"
    return f"{_money(digest.sums.cost)} spent"


def _summary(digest: Digest) -> str:
    calls = f"{quantity(digest.sums.events)} call{'' if digest.sums.events == 1 else 's'}"
    used = f"{calls} cost {_money(digest.sums.cost)}" if digest.sums.events else "Nothing was used"
    parts = [f"{used}, {_change(digest.sums.cost, digest.before.cost)}."]
    if digest.budgets:
        are = "budget is" if digest.pressing == 1 else "budgets are"
        parts.append(f"{digest.pressing} {are} near or over the limit.")
    if digest.live:
        parts.append(f"{digest.live} alert{' is' if digest.live == 1 else 's are'} not resolved.")
    return " ".join(parts)


def _change(cost: Decimal, before: Decimal) -> str:
    """Such as $1.20 (12 %) more than in the time before."""
    if cost == before:
        return "as much as in the time before"
    part = share(cost - before, before)
    shown = f" ({percent(abs(part))})" if part is not None else ""
    how = "more" if cost > before else "less"
    return f"{_money(abs(cost - before))}{shown} {how} than in the time before"


def _lines(digest: Digest) -> Iterator[Line]:
    yield Line("Spent", _money(digest.sums.cost))
    yield Line("The time before", _money(digest.before.cost))
    yield Line("Calls", quantity(digest.sums.events))
    yield Line("Tokens", quantity(digest.sums.total_tokens))
    if digest.sums.errors:
        yield Line("Failed calls", quantity(digest.sums.errors))
    if digest.sums.unpriced_events:
        yield Line("Without a price", f"{quantity(digest.sums.unpriced_events)}, not in these sums")
    if digest.opened or digest.resolved:
        yield Line("Alerts", f"{digest.opened} opened, {digest.resolved} resolved")
    yield from _month(digest)


def _month(digest: Digest) -> Iterator[Line]:
    forecast = digest.forecast
    if forecast is None:
        return
    yield Line("This month so far", _money(forecast.spent))
    if forecast.expected is None or forecast.low is None or forecast.high is None:
        yield Line("At this rate by its end", _money(forecast.run_rate))
        return
    band = f"{_money(forecast.low)} to {_money(forecast.high)} four times of five"
    yield Line("Expected by its end", f"{_money(forecast.expected)}, {band}")


def _sections(digest: Digest, channel: Channel) -> Iterator[Section]:
    if digest.shares:
        what = "Project" if channel.organization else "Organization"
        titles = (what, "Spent", "Before", "Calls")
        rows = tuple(_share_row(each) for each in digest.shares)
        yield Section(f"{what}s that cost most", table=(titles, *rows))
    if digest.budgets:
        rows = tuple(_budget_row(state) for state in digest.budgets)
        yield Section("Budgets near or over", table=(("Budget", "Used", "Limit", "Left"), *rows))
    if digest.alerts:
        levels = [each.get_severity_display() for each in digest.alerts]
        told = zip(levels, titles_of(digest.alerts), strict=True)
        lines = tuple(Line(level, title) for level, title in told)
        yield Section("Alerts that are not resolved", lines=lines)


def _share_row(each: Share) -> tuple[str, ...]:
    return each.name, _money(each.sums.cost), _money(each.before), quantity(each.sums.events)


def _budget_row(state: BudgetState) -> tuple[str, ...]:
    whom = f", {state.member_name}" if state.member_name else ""
    left = state.remaining_text
    return f"{state.budget}{whom}", state.percent_text, state.limit_text, left


def _data(digest: Digest, organization: str | None) -> dict[str, object]:
    forecast = digest.forecast
    expected = forecast.expected if forecast else None
    return as_json(
        {
            "organization": organization,
            "from": digest.first,
            "through": digest.last,
            "time_zone": digest.zone,
            "currency": ledger_currency(),
            "usage": sums_as_json(digest.sums),
            "usage_before": sums_as_json(digest.before),
            "top": [
                {"name": each.name, "cost": money_text(each.sums.cost)} for each in digest.shares
            ],
            "budgets": [
                {"id": state.budget.pk, "name": str(state.budget), "state": state.level}
                for state in digest.budgets
            ],
            "alerts": {
                "live": digest.live,
                "opened": digest.opened,
                "resolved": digest.resolved,
            },
            "month_expected": None if expected is None else money_text(expected),
        }
    )


def _money(value: Decimal) -> str:
    return money(value, ledger_currency())
