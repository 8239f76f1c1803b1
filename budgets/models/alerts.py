"""What staff should know: levels that budgets crossed, and what beat's watches found."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS, Budget
from usage.models import Organization

KEY_LENGTH = 250
NAME_LENGTH = 200


class Alert(models.Model):
    """One thing that staff should know, told once.

    `key` names it among its kind: of a threshold the budget, the member, the window's start and
    the level, so that a level is crossed once in a window, whatever happens at the same time.
    An alert that has been resolved and happens again is the same alert on another `occasion`, or
    goes on where it had been told within the hour.
    `facts` (JSON, amounts as decimal strings in the ledger currency, tokens or requests) are the
    figures of that moment. `handled_by` names who acknowledged it or resolved it by hand: a user,
    or an API key. It is its own outbox: `routed_at` NULL means nobody has been told yet.
    """

    class Kind(models.TextChoices):
        THRESHOLD = "threshold", "Threshold crossed"
        BLOCKED = "blocked", "Calls blocked"
        FORECAST = "forecast", "Forecast over the limit"
        ANOMALY = "anomaly", "Unusual spend"
        UNPRICED = "unpriced", "Model without a price"
        STALE = "stale", "Usage stopped arriving"
        SYSTEM = "system", "System"

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    class Resolution(models.TextChoices):
        NONE = "", "Not resolved"
        LIMIT = "limit", "The limit was raised"
        SPEND = "spend", "The spend was corrected"
        WINDOW = "window", "The period is over"
        BUDGET = "budget", "The budget was changed or switched off"
        OVER = "over", "It is no longer so"
        HAND = "hand", "By hand"

    kind = models.CharField(max_length=9, choices=Kind.choices)
    key = models.CharField(max_length=KEY_LENGTH)
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.PROTECT, db_index=False, related_name="+",
        help_text="Empty: of the whole site.",
    )  # fmt: skip
    budget = models.ForeignKey(
        Budget, null=True, on_delete=models.CASCADE, related_name="alerts", db_index=False
    )
    member = models.BigIntegerField(default=0)
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    percent = models.DecimalField(max_digits=6, decimal_places=2, null=True)
    amount = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    occasion = models.PositiveIntegerField(default=1, db_default=1)
    opened_at = models.DateTimeField(db_default=Now())
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    handled_by = models.CharField(max_length=NAME_LENGTH, blank=True, default="", db_default="")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(
        max_length=6, choices=Resolution.choices, blank=True, default="", db_default=""
    )
    routed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-opened_at", "-id")
        indexes = (
            models.Index(fields=("id",), condition=Q(routed_at=None), name="budgets_alert_outbox"),
            models.Index(
                fields=("organization", "kind"),
                condition=~Q(state="resolved"),
                name="budgets_alert_live",
            ),
            models.Index(
                fields=("budget",), condition=Q(resolution="hand"), name="budgets_alert_by_hand"
            ),
            models.Index(fields=("organization", "-opened_at"), name="budgets_alert_org"),
            models.Index(fields=("-opened_at", "-id"), name="budgets_alert_newest"),
            models.Index(fields=("budget", "-opened_at"), name="budgets_alert_budget"),
            models.Index(
                fields=("resolved_at",),
                condition=Q(resolved_at__isnull=False),
                name="budgets_alert_resolved_at",
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=("kind", "key"), name="budgets_alert_once"),
            models.CheckConstraint(
                condition=Q(state="resolved", resolved_at__isnull=False)
                | (~Q(state="resolved") & Q(resolved_at=None, resolution="")),
                name="budgets_alert_resolved",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.key}"

    @property
    def is_live(self) -> bool:
        """Whether it is still so."""
        return self.state != self.State.RESOLVED
