"""What people do with alerts: acknowledge them, or resolve them by hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import transaction

from budgets.models import Alert
from budgets.models.alerts import NAME_LENGTH
from budgets.setting import Actor


class Handled(NamedTuple):
    """Ids of the alerts that are now as asked, those that were so already among them, and of
    those that cannot be: they have been resolved otherwise, or are gone."""

    done: list[int]
    refused: list[int]


def acknowledge(alerts: Iterable[Alert | int], actor: Actor, now: datetime) -> Handled:
    """Let it be known that somebody looks after these alerts: they are not told again.

    Again it changes nothing. What has been resolved is refused. `now` is an aware time; commit
    before returning.
    """
    said = {
        "state": Alert.State.ACKNOWLEDGED,
        "acknowledged_at": now,
        "acknowledged_by_id": actor.user_id,
        "handled_by": _name_of(actor),
    }
    return _handle(alerts, {Alert.State.OPEN}, {"state": Alert.State.ACKNOWLEDGED}, said)


def resolve_by_hand(alerts: Iterable[Alert | int], actor: Actor, now: datetime) -> Handled:
    """Resolve alerts though what they tell may still be so; they open again only once it has
    been over, or another limit is reached.

    Again it changes nothing. What has been resolved otherwise is refused. `now` is an aware time;
    commit before returning.
    """
    by_hand = {"state": Alert.State.RESOLVED, "resolution": Alert.Resolution.HAND}
    said = {**by_hand, "resolved_at": now, "handled_by": _name_of(actor)}
    return _handle(alerts, {Alert.State.OPEN, Alert.State.ACKNOWLEDGED}, by_hand, said)


def _handle(
    alerts: Iterable[Alert | int],
    states: set[str],
    asked: Mapping[str, str],
    said: Mapping[str, Any],
) -> Handled:
    """Say of the alerts in `states` what is `said`; all that are as `asked` then are done."""
    ids = {alert if isinstance(alert, int) else alert.pk for alert in alerts}
    rows = Alert.objects.filter(pk__in=ids)
    with transaction.atomic():
        locked = rows.select_for_update(no_key=True).filter(state__in=states).order_by("pk")
        Alert.objects.filter(pk__in=list(locked.values_list("pk", flat=True))).update(**said)
        done = sorted(rows.filter(**asked).values_list("pk", flat=True))
    return Handled(done, sorted(ids.difference(done)))


def _name_of(actor: Actor) -> str:
    if actor.name or actor.user_id is None:
        return actor.name[:NAME_LENGTH]
    user = get_user_model().objects.filter(pk=actor.user_id).first()
    return user.get_username()[:NAME_LENGTH] if user else ""
