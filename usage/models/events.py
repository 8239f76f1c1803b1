"""Metered calls and the narrow tables around them.

`UsageEvent` is partitioned by month of `occurred_at`; its columns are ordered by
width and its words live in `CallKind`, because there may be hundreds of millions
of rows. Relations carry no database constraint: identities are never deleted, and
six look-ups a row would cost more than the row.
"""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from usage.models.identity import Organization, Project, Subject, Team
from usage.models.keys import APIKey

NAME_LENGTH = 128
BUCKET = timedelta(minutes=15)
"""The finest stretch of time that is summed; every zone's days are made of whole ones."""


class CallKind(models.Model):
    """One combination of the words that many events share; empty text means not given."""

    class BillingScope(models.TextChoices):
        ORG = "org", "The organization pays the provider"
        USER = "user", "The user's own key pays the provider"

    digest = models.UUIDField(unique=True, editable=False)
    provider = models.CharField(max_length=NAME_LENGTH, blank=True)
    model = models.CharField(max_length=NAME_LENGTH)
    response_model = models.CharField(max_length=NAME_LENGTH, blank=True)
    operation = models.CharField(max_length=NAME_LENGTH, blank=True)
    action = models.CharField(max_length=NAME_LENGTH, blank=True)
    agent_type = models.CharField(max_length=NAME_LENGTH, blank=True)
    run_trigger = models.CharField(max_length=NAME_LENGTH, blank=True)
    billing_scope = models.CharField(max_length=4, choices=BillingScope.choices)
    service_tier = models.CharField(max_length=16)
    free_tier = models.BooleanField(default=False)

    class Meta:
        ordering = ("provider", "model")
        indexes = (models.Index(fields=("model",), name="usage_callkind_model"),)

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}" if self.provider else self.model


class UsageEvent(models.Model):
    """One metered AI call. Costs are in the ledger currency; NULL cost means unpriced."""

    class Status(models.IntegerChoices):
        SUCCESS = 0, "success"
        ERROR = 1, "error"
        CANCELLED = 2, "cancelled"

    class State(models.IntegerChoices):
        COUNTED = 0, "counted"
        SUPERSEDED = 1, "superseded"
        REVERSAL = 2, "reversal"
        ADJUSTMENT = 3, "adjustment"

    id = models.BigAutoField(primary_key=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    organization = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    kind = models.ForeignKey(
        CallKind, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    project = models.ForeignKey(
        Project, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    team = models.ForeignKey(
        Team, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    subject = models.ForeignKey(
        Subject, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    api_key = models.ForeignKey(
        APIKey, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    price_version = models.ForeignKey(
        "pricing.PriceVersion",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    duration_ms = models.IntegerField(null=True)
    input_tokens = models.IntegerField(default=0)
    output_tokens = models.IntegerField(default=0)
    cache_read_tokens = models.IntegerField(default=0)
    cache_write_tokens = models.IntegerField(default=0)
    cache_write_1h_tokens = models.IntegerField(default=0)
    reasoning_tokens = models.IntegerField(default=0)
    status = models.SmallIntegerField(choices=Status.choices, default=Status.SUCCESS)
    state = models.SmallIntegerField(choices=State.choices, default=State.COUNTED)
    estimated = models.BooleanField(default=False)
    cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    input_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    output_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    cache_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    event_id = models.CharField(max_length=NAME_LENGTH)
    session_id = models.CharField(max_length=NAME_LENGTH, null=True)
    run_id = models.CharField(max_length=NAME_LENGTH, null=True)
    corrects = models.CharField(max_length=NAME_LENGTH, null=True)
    superseded_by = models.CharField(max_length=NAME_LENGTH, null=True)
    reported_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    reported_currency = models.CharField(max_length=3, null=True)
    meters = models.JSONField(null=True)
    tags = models.JSONField(null=True)
    exchange_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)

    class Meta:
        ordering = ("-occurred_at", "-id")
        indexes = (
            models.Index(fields=("organization", "occurred_at"), name="usage_event_org_time"),
            models.Index(
                fields=("organization", "occurred_at"),
                name="usage_event_unpriced",
                condition=models.Q(cost__isnull=True),
            ),
            models.Index(
                fields=("organization", "occurred_at"),
                name="usage_event_odd",
                condition=models.Q(state__gt=0),
            ),
            models.Index(
                fields=("organization", "status", "occurred_at"),
                name="usage_event_failed",
                condition=models.Q(status__gt=0),
            ),
        )

    def __str__(self) -> str:
        return self.event_id

    @property
    def total_tokens(self) -> int:
        """Input plus output tokens; cached and reasoning tokens are parts of these."""
        return self.input_tokens + self.output_tokens


class EventKey(models.Model):
    """The claim on one `(organization, event_id)`: proof that the event counts once.

    `digest` hashes organization and event id, `payload` the normalised event; the
    event lies at `occurred_at`. Claim and event commit in one transaction.
    """

    digest = models.UUIDField(primary_key=True)
    payload = models.BigIntegerField()
    occurred_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.digest)


class DirtyMark(models.Model):
    """An append-only note that a 15-minute bucket of an organization must be recomputed."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    bucket = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=("organization", "bucket"), name="usage_dirty_org_bucket"),)

    def __str__(self) -> str:
        return f"{self.organization_id} {self.bucket:%Y-%m-%dT%H:%MZ}"
