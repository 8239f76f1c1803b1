"""Models without a price, from the first call on: what they cost is missing in every sum.

The facts of such an alert: `provider` and `model` as calls name them, how many `calls` and
`tokens` there were in the last 30 days, when the first was seen (`first_seen`) and the last.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from django.utils.dateparse import parse_datetime

from budgets.alerts.keeping import Finding, fitted_key, keep
from budgets.models import Alert
from usage.selectors.unpriced_models import UnpricedModel, unpriced_models

LOOK_BACK = timedelta(days=30)
"""A model that nobody has used for so long is alerted of no more."""
OTHERS = "more models"
MOST = 20
"""So many models of an organization have an alert each, all others one: callers name models."""


def watch_unpriced(now: datetime) -> None:
    """Open an alert for each organization and model without a price; priced ones are over. Where
    an organization has more than MOST of them, those seen last share one alert."""
    live = Alert.objects.filter(kind=Alert.Kind.UNPRICED).exclude(state=Alert.State.RESOLVED)
    first_seen = {alert.key: parse_datetime(alert.facts["first_seen"]) for alert in live}
    found = defaultdict(list)
    for used in unpriced_models(now - LOOK_BACK):
        found[used.organization_id].append(used)
    findings = []
    for models in found.values():
        models.sort(key=lambda used: (_key(used) not in first_seen, used.first_at))
        findings += [_finding(used, first_seen.get(_key(used))) for used in models[:MOST]]
        if rest := _together(models[MOST:]):
            findings.append(_finding(rest, first_seen.get(_key(rest))))
    keep(Alert.Kind.UNPRICED, findings, now)


def _together(models: Sequence[UnpricedModel]) -> UnpricedModel | None:
    if not models:
        return None
    return UnpricedModel(
        models[0].organization_id,
        provider="",
        model=OTHERS,
        calls=sum(used.calls for used in models),
        tokens=sum(used.tokens for used in models),
        first_at=min(used.first_at for used in models),
        last_at=max(used.last_at for used in models),
    )


def _key(used: UnpricedModel) -> str:
    return fitted_key(f"{used.organization_id}:{quote(used.provider, safe=' ')}:{used.model}")


def _finding(used: UnpricedModel, first_seen: datetime | None) -> Finding:
    facts = {
        "provider": used.provider,
        "model": used.model,
        "calls": used.calls,
        "tokens": used.tokens,
        "first_seen": min(used.first_at, first_seen or used.first_at),
        "last_seen": used.last_at,
    }
    return Finding(_key(used), Alert.Severity.WARNING, facts, organization_id=used.organization_id)
