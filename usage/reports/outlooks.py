"""What is ahead, what would save money, and who is charged: forecast, advice and chargeback."""

from datetime import UTC

from usage.formats import money, share
from usage.reports.documents import (
    ESTIMATE,
    SUM_COLUMNS,
    Column,
    Document,
    Fact,
    Facts,
    Kind,
    Sheet,
    sum_values,
    unpriced_note,
)
from usage.reports.periods import Period
from usage.reports.scope import Scope
from usage.selectors.advice import Advice, advise
from usage.selectors.chargeback import Account, Chargeback, chargeback
from usage.selectors.currency import ledger_currency
from usage.selectors.forecasts import Forecast, forecast_spend
from usage.selectors.questions import UsageSums

NOT_ASSIGNED = "not assigned"


def forecast_document(scope: Scope, period: Period) -> Document:
    """What a period will have cost, as seen today. Raises QuestionError."""
    forecast = forecast_spend(
        scope.viewer,
        start=period.start,
        end=period.end,
        today=scope.today,
        time_zone=scope.time_zone,
        filters=scope.filters,
        currency=scope.currency,
    )
    return Document(
        title=f"Forecast: {period.title}",
        currency=forecast.currency,
        parts=(_forecast_facts(forecast),),
        notes=(*_history(forecast), ESTIMATE),
        subtitle=scope.words,
    )


def _forecast_facts(forecast: Forecast) -> Facts:
    unpriced = forecast.unpriced_events
    currency = forecast.currency
    facts = [
        Fact("from", "", Kind.DATE, forecast.start, people=False),
        Fact("to", "", Kind.DATE, forecast.end, people=False),
        Fact("spent", "Spent so far", Kind.MONEY, forecast.spent,
             note=f"+ {unpriced:,} unpriced" if unpriced else ""),
        Fact("expected", "Expected in the end", Kind.MONEY, forecast.expected,
             note=_band(forecast, currency), people=forecast.expected is not None),
        Fact("low", "", Kind.MONEY, forecast.low, people=False),
        Fact("high", "", Kind.MONEY, forecast.high, people=False),
        Fact("run_rate", "At the pace so far", Kind.MONEY, forecast.run_rate),
        Fact("back_test_error_percent", "Missed by, on average", Kind.PERCENT,
             forecast.back_test_error, note="by forecasts of as many days in the past",
             people=forecast.back_test_error is not None),
        Fact("coverage_percent", "Within their band", Kind.PERCENT, forecast.coverage,
             note="of them", people=forecast.coverage is not None),
        Fact("days_of_history", "Days of history used", Kind.COUNT, forecast.days_of_history),
    ]  # fmt: skip
    return Facts(facts)


def _band(forecast: Forecast, currency: str) -> str:
    if forecast.low is None or forecast.high is None:
        return ""
    return (
        f"{money(forecast.low, currency)} to {money(forecast.high, currency)}, four times of five"
    )


def _history(forecast: Forecast) -> tuple[str, ...]:
    if forecast.expected is not None:
        return ()
    return ("Fewer than 14 days of history: there is only the pace so far, no forecast.",)


def advice_document(scope: Scope, period: Period) -> Document:
    """What would have saved money in a period. Raises QuestionError."""
    found = advise(
        scope.viewer,
        start=period.start,
        end=period.end,
        time_zone=scope.time_zone,
        filters=scope.filters,
    )
    columns = (
        Column("code", "code", Kind.TEXT, people=False),
        Column("organization", "organization", Kind.TEXT, people=False),
        Column("saving", "saving", Kind.MONEY),
        Column("title", "what", Kind.TEXT, people=False),
        Column("detail", "why", Kind.TEXT, people=False),
        Column("advice", "advice", Kind.TEXT, data=False),
        *(Column(name, name, Kind.TEXT, people=False) for name in _about(found)),
    )
    rows = [
        (
            advice.code,
            advice.organization,
            advice.saving,
            advice.title,
            advice.detail,
            f"{advice.title} ({advice.organization})\n{advice.detail}",
            *(advice.about.get(name) for name in _about(found)),
        )
        for advice in found
    ]
    sheet = Sheet("advice", "", columns, rows, empty="nothing to save that the figures show")
    return Document(
        title=f"Advice: {period.title}",
        currency=ledger_currency(),
        parts=(sheet,),
        notes=("Savings are estimates and may overlap, so they do not add up.",),
        subtitle=scope.words,
        line=_advice_line(found),
    )


def _advice_line(found: list[Advice]) -> str:
    if not found:
        return "no advice: nothing to save that the figures show"
    most = money(max(advice.saving for advice in found), ledger_currency())
    return f"{len(found):,} pieces of advice, of which one would have saved {most}"


def _about(found: list[Advice]) -> list[str]:
    return sorted({name for advice in found for name in advice.about} - {"organization"})


def chargeback_document(scope: Scope, month: Period) -> Document:
    """What a month is charged to which cost centre. Raises QuestionError."""
    charged = chargeback(
        scope.viewer,
        first_month=month.start,
        last_month=month.start,
        organizations=scope.organizations or None,
    )
    totals = charged.totals
    facts = (
        Fact("month", "", Kind.DATE, month.start, people=False),
        Fact("total", "Total cost", Kind.MONEY, totals.cost, note=unpriced_note(totals)),
        Fact("as_of", "", Kind.INSTANT, charged.as_of.astimezone(UTC), people=False),
    )
    return Document(
        title=f"Chargeback: {month.title}",
        currency=charged.currency,
        parts=(Facts(facts), _centre_sheet(charged), _part_sheet(charged)),
        notes=(ESTIMATE,),
        subtitle=", ".join(scope.organizations) or "all organizations, months of each",
    )


def _centre_sheet(charged: Chargeback) -> Sheet:
    rows = [_charged(account, (), sums, charged) for account, sums, _ in charged.by_account()]
    return Sheet("by_cost_centre", "By cost centre", _columns(()), rows, most=len(rows))


def _part_sheet(charged: Chargeback) -> Sheet:
    rows = [
        _charged(account, (part.project, part.team), part.sums, charged)
        for account, _, parts in charged.by_account()
        for part in parts
    ]
    return Sheet("by_part", "By project and team", _columns(("project", "team")), rows, most=200)


def _columns(owners: tuple[str, ...]) -> tuple[Column, ...]:
    return (
        Column("organization", "organization", Kind.TEXT),
        Column("label", "cost centre", Kind.TEXT, data=False),
        Column("cost_centre", "", Kind.TEXT, people=False),
        Column("cost_centre_name", "", Kind.TEXT, people=False),
        *(Column(owner, owner, Kind.TEXT) for owner in owners),
        Column("cost_shown", "cost", Kind.MONEY, data=False),
        Column("percent_of_total", "share", Kind.PERCENT),
        Column("calls", "calls", Kind.COUNT, data=False),
        *SUM_COLUMNS,
    )


def _charged(
    account: Account, owners: tuple[str | None, ...], sums: UsageSums, charged: Chargeback
) -> tuple[object, ...]:
    return (
        account.organization,
        account.code or NOT_ASSIGNED,
        account.code,
        account.name,
        *owners,
        sums.cost,
        share(sums.cost, charged.totals.cost),
        sums.events,
        *sum_values(sums),
    )
