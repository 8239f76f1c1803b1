"""`/alerts/` and `/channels/` in the OpenAPI document: what they are told, and their answers."""

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from budgets.api.schema.budgets import ShownLevel
from budgets.api.schema.operations import OWNER, PAGED, name_filters, operation
from usage.api.schema.bodies import Answer, Instant, Link
from usage.api.schema.components import Schema, schema_of
from usage.api.schema.parameters import parameter, path_word, words
from usage.ingest.values import Name

AlertKind = Literal["threshold", "blocked", "forecast", "anomaly", "unpriced", "stale", "system"]
Severity = Literal["info", "warning", "critical"]
Condition = Literal["open", "acknowledged", "resolved"]
ChannelKind = Literal["email", "slack", "webhook", "other"]
NoticeState = Literal["waiting", "sent", "failed", "dropped"]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z", examples=["22:00"])]
Target = Annotated[
    str, Meta(min_length=1, max_length=2000, description="Addresses, or a URL. Never shown again.")
]


class AlertedBudget(Answer):
    """The budget that an alert is about."""

    id: int
    name: str


class AlertedWindow(Answer):
    """The window that an alert is about; an `end` of null is never."""

    start: Instant
    end: Instant | None


class ToldNotice(Answer):
    """What became of the message to one channel; `sent_at` is null until it was taken."""

    id: UUID
    channel: str
    kind: Literal["alert", "repeat", "resolved", "digest", "test"]
    state: NoticeState
    attempts: int
    sent_at: Instant | None


class ShownAlert(Answer):
    """One thing that staff should know; `title` is one line that says what is so.

    `facts` are the figures of the moment it was seen, amounts as decimal strings in the ledger
    currency, tokens or requests. `organization` is null where it is about the whole site. What
    was over and happens again is the same alert on another `occasion`. `resolution` tells why it
    is over, null while it is not. `notices` are the messages of this occasion.
    """

    id: int
    kind: AlertKind
    severity: Severity
    state: Condition
    occasion: int
    organization: str | None
    budget: AlertedBudget | None
    member: str | None
    window: AlertedWindow | None
    threshold: ShownLevel | None
    facts: dict[str, Any]
    title: str
    opened_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    resolved_at: Instant | None
    resolution: Literal["limit", "spend", "window", "budget", "over", "hand"] | None
    url: Link
    notices: list[ToldNotice]


class WholeAlert(ShownAlert):
    """An alert with what its message would say now."""

    summary: str
    advice: list[str]


class AlertList(Answer):
    """A page of alerts."""

    results: list[ShownAlert]
    next: Link | None
    previous: Link | None


class ChannelBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where alerts are sent. `name` is what budgets call it; it stays, as kind and organization
    do. `target` is needed of a new one, and one that has a target keeps it unless told another.

    `organization` may be said with a site key; null is the site's own. A default channel gets
    what no budget sends elsewhere. No `kinds` means all of them. Unless `at_once`, only the
    digest tells. In the quiet hours, of the organization's time zone, critical alerts alone are
    sent.
    """

    organization: Name | UnsetType | None = UNSET
    name: Name | UnsetType = UNSET
    kind: ChannelKind | UnsetType = UNSET
    target: Target | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    kinds: Annotated[list[AlertKind], Meta(max_length=20)] | UnsetType = UNSET
    least_severity: Severity | UnsetType = UNSET
    at_once: bool | UnsetType = UNSET
    tells_resolved: bool | UnsetType = UNSET
    repeat_hours: Annotated[int, Meta(ge=1, le=720)] | UnsetType | None = UNSET
    digest: Literal["", "daily", "weekly"] | UnsetType = UNSET
    digest_hour: Annotated[int, Meta(ge=0, le=23)] | UnsetType = UNSET
    quiet_from: Clock | UnsetType | None = UNSET
    quiet_until: Clock | UnsetType | None = UNSET


class ShownChannel(Answer):
    """A channel, by the names of the body that sets it, its target masked.

    It took a message last at `worked_at`, and none since `failing_since` because of `fault`.
    """

    id: int
    organization: str | None
    name: str
    kind: ChannelKind
    target: Annotated[str, Meta(examples=["https://hooks.slack.com/services/…x7Qa"])]
    is_default: bool
    enabled: bool
    kinds: list[AlertKind]
    least_severity: Severity
    at_once: bool
    tells_resolved: bool
    repeat_hours: int | None
    digest: Literal["", "daily", "weekly"]
    digest_hour: int
    quiet_from: str | None
    quiet_until: str | None
    worked_at: Instant | None
    failing_since: Instant | None
    fault: str
    created_at: Instant
    updated_at: Instant


class MadeChannel(ShownChannel):
    """A new channel; `secret` is what a webhook's messages are signed with, shown only now."""

    secret: str | None


class ChannelSecret(Answer):
    """What messages are signed with from now on, shown only now; the one before holds too."""

    secret: str


class ChannelList(Answer):
    """A page of channels."""

    results: list[ShownChannel]
    next: Link | None
    previous: Link | None


class TestedChannel(Answer):
    """What came of a test message; `detail` says why it was not taken."""

    notice: UUID
    state: NoticeState
    outcome: Literal["sent", "failed", "refused"] | None
    status_code: int | None
    detail: str


_ALERTS, _CHANNELS = "alerts", "channels"
_ID: Schema = {"type": "string", "minLength": 1}
_ALERT_ID = path_word("alert_id", "The alert's id.", _ID)
_CHANNEL_ID = path_word("channel_id", "The channel's id.", _ID)
_NOTHING: Schema = {"type": "object", "additionalProperties": False}
_BODY = schema_of(ChannelBody)
_MADE: dict[str, object] = {
    "name": "ops", "kind": "slack",
    "target": "https://hooks.slack.com/services/T000/B000/secret", "is_default": True,
    "least_severity": "warning", "quiet_from": "22:00", "quiet_until": "07:00",
}  # fmt: skip

LIST_ALERTS = operation(
    "alerts", "Alerts, newest first", _ALERTS, AlertList,
    parameters=[
        OWNER,
        words("state", ("", "live", "open", "acknowledged", "resolved"), "",
              "How it stands; live is whatever is not resolved."),
        words("kind", ("", *get_args(AlertKind)), "", "What it is about."),
        words("severity", ("", *get_args(Severity)), "", "How bad it is."),
        *name_filters(budget="Only those of the budget with this id."),
        parameter("since", {"type": "string"}, "Only those opened since: a UTC day, or a time.",
                  example="2026-11-01"),
        *PAGED,
    ],
)  # fmt: skip
SHOW_ALERT = operation("alert", "An alert", _ALERTS, WholeAlert, parameters=[_ALERT_ID])
ACKNOWLEDGE = operation(
    "alert_acknowledge", "Say that somebody looks after an alert", _ALERTS, WholeAlert,
    parameters=[_ALERT_ID], body=_NOTHING, example={}, refusals=(409,),
)  # fmt: skip
RESOLVE = operation(
    "alert_resolve", "Resolve an alert by hand", _ALERTS, WholeAlert, parameters=[_ALERT_ID],
    body=_NOTHING, example={}, refusals=(409,),
)  # fmt: skip
LIST_CHANNELS = operation(
    "channels", "Channels", _CHANNELS, ChannelList, parameters=[OWNER, *PAGED]
)
MAKE_CHANNEL = operation(
    "channel_make", "Make a channel", _CHANNELS, MadeChannel, status=201, body=_BODY,
    example=_MADE, refusals=(409,),
)  # fmt: skip
SHOW_CHANNEL = operation("channel", "A channel", _CHANNELS, ShownChannel, parameters=[_CHANNEL_ID])
SET_CHANNEL = operation(
    "channel_set", "Set a channel", _CHANNELS, ShownChannel, parameters=[_CHANNEL_ID], body=_BODY,
    example={"is_default": True, "digest": "daily"}, refusals=(409,),
)  # fmt: skip
REMOVE_CHANNEL = operation(
    "channel_remove", "Delete a channel", _CHANNELS, None, status=204, parameters=[_CHANNEL_ID],
    refusals=(409,),
)  # fmt: skip
ROTATE_SECRET = operation(
    "channel_rotate_secret", "Sign with another secret", _CHANNELS, ChannelSecret,
    parameters=[_CHANNEL_ID], body=_NOTHING, example={}, refusals=(409,),
)  # fmt: skip
TEST_CHANNEL = operation(
    "channel_test", "Send a test message", _CHANNELS, TestedChannel, parameters=[_CHANNEL_ID],
    body=_NOTHING, example={}, refusals=(409,),
)  # fmt: skip
