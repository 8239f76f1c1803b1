"""Unusual spend: of organizations, their projects, people and models, today and yesterday.

The facts of such an alert: `what` is unusual as people read it (project web), its `dimension`
(organization, project, person or model) and its `id` (0 of a model); the local `day`; `start` and
`end` of the hours that stand out most; what was `spent` in them, what is `usual` and how many
times that it is (`factor`, None where the usual is nothing); and `causes`, the parts that account
for most of it: [{what, dimension, id, spent}], the largest first.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from budgets.alerts.keeping import Finding, keep
from budgets.models import Alert
from budgets.watching.nesting import Excess, Ledger, dimension_of, told_apart
from budgets.watching.unusual import PAST_DAYS, unusual_stretch
from usage.formats import rounded
from usage.models import Organization, Project, Subject
from usage.selectors.spend_series import (
    Spender,
    SpentDays,
    recent_spenders,
    spent_days,
    spent_hours,
)

LEAST_SHARE = Decimal("0.1")
"""Of what the organization usually spends on a day; less than that is nothing to tell."""
USUAL_DAYS = 28

_HOURS = 24
_ONE_DAY = timedelta(days=1)
_READ_DAYS = PAST_DAYS + 1


def watch_anomalies(now: datetime) -> None:
    """Open an alert for each series and local day that is unusual, `now` being aware.

    Yesterday is looked at as well, as usage arrives late; so an alert is over when the day after
    its own has ended. What was unusual in the morning stays so when the rest of the day is quiet.
    """
    organizations = {each.organization_id: each for each in spent_days(now, _READ_DAYS)}
    least = {pk: _least(each) for pk, each in organizations.items()}
    owners = [Spender(pk) for pk, each in organizations.items() if _is_candidate(each, least[pk])]
    within = {owner.organization_id for owner in owners}
    members = recent_spenders({pk: least[pk] for pk in within}, now)
    ledgers = _ledgers([*owners, *members], organizations, now)
    excesses = [
        excess
        for pk, ledger in ledgers.items()
        for excess in _unusual(ledger, organizations[pk], least[pk], now)
    ]
    told = Alert.objects.filter(
        kind=Alert.Kind.ANOMALY, key__in=[each.key for each in excesses]
    ).values_list("key", flat=True)
    findings = [
        _finding(excess, causes, organizations[excess.spender.organization_id], now)
        for excess, causes in told_apart(excesses, ledgers, set(told))
    ]
    keep(Alert.Kind.ANOMALY, findings, now)


def _least(spent: SpentDays) -> Decimal:
    days = [
        spent.costs.get(spent.today - n * _ONE_DAY, Decimal(0)) for n in range(1, 1 + USUAL_DAYS)
    ]
    minimum: Decimal = settings.TALLYMAN_ANOMALY_MINIMUM
    return max(minimum, LEAST_SHARE * median(days))


def _is_candidate(spent: SpentDays, least: Decimal) -> bool:
    latest = (spent.today, spent.today - _ONE_DAY)
    return any(spent.costs.get(day, Decimal(0)) >= least for day in latest)


def _ledgers(
    spenders: list[Spender], organizations: Mapping[int, SpentDays], now: datetime
) -> dict[int, Ledger]:
    ids = {spender.organization_id for spender in spenders}
    ledgers = {pk: Ledger(organizations[pk].today - _READ_DAYS * _ONE_DAY) for pk in ids}
    for spender in spenders:
        ledgers[spender.organization_id].watch(spender)
    for hour in spent_hours(spenders, ids, now, _READ_DAYS) if ids else ():
        ledgers[hour.organization_id].add(hour)
    return ledgers


def _unusual(ledger: Ledger, spent: SpentDays, least: Decimal, now: datetime) -> Iterable[Excess]:
    hour = now.astimezone(ZoneInfo(spent.time_zone)).hour
    for day, hours in ((spent.today, hour + 1), (spent.today - _ONE_DAY, _HOURS)):
        for spender in ledger.spenders:
            stretch = unusual_stretch(
                ledger.matrix(spender, _READ_DAYS + 1), (day - ledger.first_day).days, hours,
                float(least),
            )  # fmt: skip
            if stretch is not None:
                yield ledger.excess(spender, day, stretch)


def _finding(
    excess: Excess,
    causes: Iterable[tuple[Spender, Decimal]],
    spent: SpentDays,
    now: datetime,
) -> Finding:
    zone = ZoneInfo(spent.time_zone)
    factor = excess.spent / excess.usual if excess.usual > 0 else None
    facts: dict[str, Any] = {
        **_named(excess.spender),
        "day": excess.day.isoformat(),
        "start": _instant(excess.day, excess.stretch.first, zone),
        "end": min(now, _instant(excess.day, excess.stretch.end, zone)),
        "spent": excess.spent,
        "usual": excess.usual,
        "factor": None if factor is None else rounded(factor, 1),
        "causes": [{**_named(spender), "spent": amount} for spender, amount in causes],
    }
    return Finding(excess.key, Alert.Severity.WARNING, facts, organization_id=spent.organization_id)


def _instant(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone) + timedelta(hours=hour)


def _named(spender: Spender) -> dict[str, Any]:
    dimension, what, pk = dimension_of(spender), spender.model or "", 0
    if spender.project_id or spender.subject_id:
        pk = spender.project_id or spender.subject_id or 0
        rows = Project.objects if spender.project_id else Subject.objects
        what = str(rows.get(pk=pk))
    elif spender.model is None:
        pk, what = (
            spender.organization_id,
            str(Organization.objects.get(pk=spender.organization_id)),
        )
    return {"what": f"{dimension} {what}", "dimension": dimension, "id": pk}
