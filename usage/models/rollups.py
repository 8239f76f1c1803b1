"""Pre-summed usage. Every row is recomputed from the level below, never incremented.

UsageRollup (15 minutes UTC) → DailyRollup and MonthlyRollup (in the organization's
time zone), SessionRollup and RunRollup. Sums leave out superseded events and
reversals. Costs are in the ledger currency and leave out unpriced events, which
`unpriced_events` counts.
"""

from typing import ClassVar

from django.db import models

from usage.models.events import NAME_LENGTH, CallKind
from usage.models.identity import Organization, Project, Subject, Team
from usage.models.keys import APIKey


class Sums(models.Model):
    """The columns every rollup sums."""

    COUNTS: ClassVar[tuple[str, ...]] = (
        "events",
        "errors",
        "unpriced_events",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "cache_write_1h_tokens",
        "reasoning_tokens",
        "duration_ms",
    )
    COSTS: ClassVar[tuple[str, ...]] = ("cost", "input_cost", "output_cost", "cache_cost")

    events = models.BigIntegerField()
    errors = models.BigIntegerField()
    unpriced_events = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cache_read_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    cache_write_1h_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    cost = models.DecimalField(max_digits=28, decimal_places=10)
    input_cost = models.DecimalField(max_digits=28, decimal_places=10)
    output_cost = models.DecimalField(max_digits=28, decimal_places=10)
    cache_cost = models.DecimalField(max_digits=28, decimal_places=10)

    class Meta:
        abstract = True

    @property
    def total_tokens(self) -> int:
        """Input plus output tokens."""
        return self.input_tokens + self.output_tokens


def _relation(model: type[models.Model], *, null: bool = True) -> "models.ForeignKey[models.Model]":
    return models.ForeignKey(
        model,
        null=null,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )


class Dimensions(models.Model):
    """The relations every time rollup is split by; NULL means not given."""

    NAMES: ClassVar[tuple[str, ...]] = (
        "project_id",
        "team_id",
        "subject_id",
        "api_key_id",
        "kind_id",
    )

    id = models.BigAutoField(primary_key=True)
    organization = _relation(Organization, null=False)
    project = _relation(Project)
    team = _relation(Team)
    subject = _relation(Subject)
    api_key = _relation(APIKey)
    kind = _relation(CallKind, null=False)

    class Meta:
        abstract = True


class UsageRollup(Dimensions, Sums):
    """The finest sums: a 15-minute UTC bucket, split by session and run as well."""

    bucket = models.DateTimeField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    session_id = models.CharField(max_length=NAME_LENGTH, null=True)
    run_id = models.CharField(max_length=NAME_LENGTH, null=True)

    class Meta:
        ordering = ("-bucket", "-id")
        indexes = (
            models.Index(fields=("organization", "bucket"), name="usage_rollup_org_bucket"),
            models.Index(fields=("organization", "subject", "bucket"), name="usage_rollup_subject"),
            models.Index(
                fields=("organization", "session_id"),
                name="usage_rollup_session",
                condition=models.Q(session_id__isnull=False),
            ),
            models.Index(
                fields=("organization", "run_id"),
                name="usage_rollup_run",
                condition=models.Q(run_id__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.bucket:%Y-%m-%d %H:%M} UTC"


class DailyRollup(Dimensions, Sums):
    """Sums of one day in the organization's time zone."""

    day = models.DateField()

    class Meta:
        ordering = ("-day", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "day", "project", "team", "subject", "api_key", "kind"),
                name="usage_daily_once",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=("organization", "project", "day"), name="usage_daily_project"),
            models.Index(fields=("organization", "subject", "day"), name="usage_daily_subject"),
            models.Index(fields=("organization", "kind", "day"), name="usage_daily_kind"),
        )

    def __str__(self) -> str:
        return self.day.isoformat()


class MonthlyRollup(Dimensions, Sums):
    """Sums of one calendar month in the organization's time zone; `month` is its first day."""

    month = models.DateField()

    class Meta:
        ordering = ("-month", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "month", "project", "team", "subject", "api_key", "kind"),
                name="usage_monthly_once",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=("organization", "project", "month"), name="usage_monthly_project"),
            models.Index(fields=("organization", "subject", "month"), name="usage_monthly_subject"),
            models.Index(fields=("organization", "kind", "month"), name="usage_monthly_kind"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Episode(Sums):
    """A session or run as a whole: where it began and ended, its latest owner, its main model."""

    id = models.BigAutoField(primary_key=True)
    organization = _relation(Organization, null=False)
    project = _relation(Project)
    subject = _relation(Subject)
    main_kind = _relation(CallKind)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        abstract = True


class SessionRollup(Episode):
    """Sums of one conversation."""

    session_id = models.CharField(max_length=NAME_LENGTH)

    class Meta:
        verbose_name = "session"
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "session_id"), name="usage_session_once"
            ),
        )
        indexes = (
            models.Index(fields=("organization", "started_at"), name="usage_session_started"),
            models.Index(
                fields=("organization", "subject", "started_at"), name="usage_session_subject"
            ),
            models.Index(
                fields=("organization", "project", "started_at"), name="usage_session_project"
            ),
        )

    def __str__(self) -> str:
        return self.session_id


class RunRollup(Episode):
    """Sums of one pipeline run; its trigger is the one of its main kind of call."""

    run_id = models.CharField(max_length=NAME_LENGTH)
    run_trigger = models.CharField(max_length=NAME_LENGTH, blank=True)

    class Meta:
        verbose_name = "run"
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("organization", "run_id"), name="usage_run_once"),
        )
        indexes = (models.Index(fields=("organization", "started_at"), name="usage_run_started"),)

    def __str__(self) -> str:
        return self.run_id
