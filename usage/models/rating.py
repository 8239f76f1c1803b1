"""Re-rating: runs that put other prices on stored events, and what each run changes.

A `RatingChange` keeps an event's whole rating before and after, so that a run can be undone to
the last digit. Costs are in the ledger currency; NULL means unpriced.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from usage.models.events import NAME_LENGTH, CallKind
from usage.models.identity import Organization


class ClosedMonth(models.Model):
    """A month (in the organization's time zone) whose sums no re-rating changes any more."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="closed_months"
    )
    month = models.DateField(help_text="Its first day.")
    closed_at = models.DateTimeField(db_default=Now(), editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    frozen_at = models.DateTimeField(
        null=True, editable=False, help_text="When its charges were kept for exports."
    )

    class Meta:
        verbose_name = "closed month"
        ordering = ("-month", "organization_id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "month"), name="usage_closed_month_once"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="usage_closed_month_first_day"),
        )

    def __str__(self) -> str:
        return f"{self.organization} {self.month:%Y-%m}"


class RatingRun(models.Model):
    """One re-rating: planned (a dry run), then perhaps applied, then perhaps rolled back.

    It covers events with `start` <= `occurred_at` < `end`; empty filters mean any. The costs are
    sums over the events that change, unpriced ones counting nothing.
    """

    class Cause(models.TextChoices):
        REQUESTED = "requested", "Asked for"
        OFFERED = "offered", "Prices changed for the past"
        WAITING = "waiting", "Prices for unpriced usage"

    class Status(models.TextChoices):
        PLANNING = "planning", "Being calculated"
        PLANNED = "planned", "Dry run"
        AWAITING = "awaiting", "Waits for a second person"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        ROLLING_BACK = "rolling_back", "Being rolled back"
        ROLLED_BACK = "rolled_back", "Rolled back"
        DISCARDED = "discarded", "Discarded"
        FAILED = "failed", "Failed"

    cause = models.CharField(max_length=10, choices=Cause, default=Cause.REQUESTED)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNING)
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rating_runs",
        help_text="Empty: every organization.",
    )
    start = models.DateTimeField(help_text="Inclusive.")
    end = models.DateTimeField(help_text="Exclusive.")
    provider = models.CharField(max_length=NAME_LENGTH, blank=True)
    model = models.CharField(max_length=NAME_LENGTH, blank=True)
    only_unpriced = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)
    price_revision = models.BigIntegerField(null=True)
    examined = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    adjusted = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    before_cost = models.DecimalField(max_digits=28, decimal_places=10, default=0)
    after_cost = models.DecimalField(max_digits=28, decimal_places=10, default=0)
    before_unpriced = models.BigIntegerField(default=0)
    after_unpriced = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    applied_at = models.DateTimeField(null=True)
    rolled_back_at = models.DateTimeField(null=True)
    rolled_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = "re-rating"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"Re-rating {self.pk}"


class RatingChange(models.Model):
    """What a run does to one event, found by `occurred_at` and `event_pk`."""

    class Outcome(models.IntegerChoices):
        PLANNED = 0, "planned"
        CHANGED = 1, "changed"
        ADJUSTED = 2, "adjusted: its month is closed"
        SKIPPED = 3, "skipped: the event had changed since"
        UNDONE = 4, "undone"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(RatingRun, on_delete=models.CASCADE, related_name="changes")
    organization = models.ForeignKey(
        Organization,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.ForeignKey(
        CallKind, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    occurred_at = models.DateTimeField()
    event_pk = models.BigIntegerField()
    before_version_id = models.IntegerField(null=True)
    before_exchange_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    before_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    before_input_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    before_output_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    before_cache_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    after_version_id = models.IntegerField(null=True)
    after_exchange_rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    after_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    after_input_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    after_output_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    after_cache_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    outcome = models.SmallIntegerField(choices=Outcome, default=Outcome.PLANNED)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=("event_pk",),
                name="usage_change_adjusted",
                condition=Q(outcome=2),
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}: {self.event_pk}"


class PriceWatch(models.Model):
    """One row: the last price change whose effect on stored events has been looked at."""

    price_change_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="usage_price_watch_one_row"),)

    def __str__(self) -> str:
        return str(self.price_change_id)
