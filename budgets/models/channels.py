"""Where alerts go: channels, the notices that they are to get, and each try to deliver one."""

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from budgets.models.alerts import Alert
from usage.models import Organization

DETAIL_LENGTH = 500


class Channel(models.Model):
    """Where alerts are sent: addresses of e-mail, a Slack or other webhook, or another service.

    `target` is what it takes to send (addresses or a URL), `secret` what webhooks are signed
    with: both are sealed, see `budgets.channels.sealing`. It took a message last at `worked_at`,
    and none since `failing_since` (NULL: it works), because of `fault`. A budget names the
    channels that its alerts go to. Those of a budget that names none, and all others, go to the
    default channels of the organization; where it has none, and for what concerns the whole
    site, to the default ones of the site.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"
        OTHER = "other", "Another service"

    class Digest(models.TextChoices):
        NONE = "", "No digest"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"

    organization = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="channels",
        help_text="Empty: of the site. Every budget may name it.",
    )  # fmt: skip
    name = models.SlugField(
        max_length=100, db_index=False, help_text="What budgets call it, such as ops. It stays."
    )
    kind = models.CharField(max_length=7, choices=Kind.choices)
    target = models.TextField(editable=False)
    secret = models.TextField(editable=False, default="", blank=True)
    is_default = models.BooleanField(
        "default", default=False,
        help_text="Gets what no budget sends elsewhere.",
    )  # fmt: skip
    enabled = models.BooleanField(default=True)
    kinds = models.JSONField(
        "only these alerts", default=list, blank=True, help_text="None chosen: all of them."
    )
    least_severity = models.CharField(
        "from", max_length=8, choices=Alert.Severity.choices, default=Alert.Severity.INFO
    )
    at_once = models.BooleanField(
        "each alert at once", default=True, help_text="Off: only what the digest tells."
    )
    tells_resolved = models.BooleanField(
        "tells what is resolved", default=False, help_text="One more message when it is over."
    )
    repeat_hours = models.PositiveSmallIntegerField(
        "repeat after (hours)", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text="Tell an alert again while nobody has acknowledged it. Empty: never.",
    )  # fmt: skip
    digest = models.CharField(max_length=6, choices=Digest.choices, blank=True, default="")
    digest_hour = models.PositiveSmallIntegerField(
        default=8, validators=[MaxValueValidator(23)],
        help_text="The hour of the day it is sent at; every week on its first day.",
    )  # fmt: skip
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From here to the end nothing is sent but critical alerts."
    )
    quiet_until = models.TimeField("quiet until", null=True, blank=True)
    worked_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    fault = models.CharField(
        max_length=DETAIL_LENGTH, blank=True, default="", db_default="", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("organization_id", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "name"),
                nulls_distinct=False,
                name="budgets_channel_once",
                violation_error_message="There is a channel of this name already.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="budgets_channel_quiet_hours",
                violation_error_message="Quiet hours need a beginning and an end.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """One message that a channel is to get: sent at least once, always with the same id.

    `occasion` is that of the alert it tells of, `turn` counts its repetitions (from 0); a digest
    tells of the time from `since` to before `until`. `content` is what it says, kept so that
    every try says the same. `lease_until` is how long the one who is sending it has it to itself.
    """

    class Kind(models.TextChoices):
        ALERT = "alert", "Alert"
        REPEAT = "repeat", "Repetition"
        RESOLVED = "resolved", "Resolved"
        DIGEST = "digest", "Digest"
        TEST = "test", "Test"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"
        DROPPED = "dropped", "Not sent"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    alert = models.ForeignKey(Alert, null=True, on_delete=models.CASCADE, related_name="notices")
    occasion = models.PositiveIntegerField(default=1)
    turn = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    content = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (
            models.Index(
                fields=("due_at",), condition=Q(state="waiting"), name="budgets_notice_due"
            ),
            models.Index(fields=("-created_at", "id"), name="budgets_notice_newest"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "channel", "occasion", "kind", "turn"),
                condition=Q(alert__isnull=False),
                name="budgets_notice_once",
            ),
            models.UniqueConstraint(
                fields=("channel", "until"),
                condition=Q(kind="digest"),
                name="budgets_notice_digest_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.channel}"


class Delivery(models.Model):
    """One try to send a notice, and what came of it."""

    class Outcome(models.TextChoices):
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Refused: the address is not allowed"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    status_code = models.PositiveSmallIntegerField(null=True)
    detail = models.CharField(max_length=DETAIL_LENGTH, blank=True, default="")

    class Meta:
        ordering = ("-started_at", "-id")
        indexes = (models.Index(fields=("-started_at", "-id"), name="budgets_delivery_newest"),)
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} at {self.started_at:%Y-%m-%d %H:%M:%S}"
