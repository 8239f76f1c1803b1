"""What was answered to "may it run": warnings and refusals kept, the rest counted."""

from django.db import models

from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS, Budget
from budgets.models.reservations import Reservation
from usage.models import APIKey, Organization, Project, Subject


class Decision(models.Model):
    """A call that was warned about or blocked, with every budget that was tested.

    `estimated_cost` is in the ledger currency, NULL where no price is known; `call` (JSON) is
    what was asked, `tested` the budgets as they stood just before, binding one first.
    """

    class Outcome(models.TextChoices):
        ALLOW = "allow", "Allow"
        WARN = "warn", "Warn"
        BLOCK = "block", "Block"

    class Source(models.TextChoices):
        CHECK = "check", "Check"
        RESERVATION = "reservation", "Reservation"

    decided_at = models.DateTimeField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    outcome = models.CharField(max_length=5, choices=Outcome.choices)
    source = models.CharField(max_length=11, choices=Source.choices)
    binding = models.ForeignKey(
        Budget, null=True, on_delete=models.SET_NULL, db_index=False, related_name="decisions"
    )
    reservation = models.ForeignKey(
        Reservation, null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    project = models.ForeignKey(
        Project, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    subject = models.ForeignKey(
        Subject, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    api_key = models.ForeignKey(
        APIKey, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    estimated_cost = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True
    )
    retry_at = models.DateTimeField(null=True)
    message = models.TextField()
    call = models.JSONField(default=dict)
    tested = models.JSONField(default=list)

    class Meta:
        ordering = ("-decided_at", "-id")
        indexes = (
            models.Index(fields=("organization", "-decided_at"), name="budgets_decision_org"),
            models.Index(fields=("binding", "-decided_at"), name="budgets_decision_binding"),
        )

    def __str__(self) -> str:
        return f"{self.outcome} at {self.decided_at:%Y-%m-%d %H:%M:%S}"


class DecisionTally(models.Model):
    """Questions answered since the last count: rows are only ever added and taken away, so that
    they never wait for each other. A `count` of -1 takes back what another row says."""

    organization_id = models.IntegerField()
    outcome = models.CharField(max_length=5)
    decided_at = models.DateTimeField()
    count = models.SmallIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return f"{self.outcome} in {self.organization_id}"


class DecisionCount(models.Model):
    """How many calls of an organization were answered so in a UTC hour."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()
    outcome = models.CharField(max_length=5, choices=Decision.Outcome.choices)
    count = models.BigIntegerField()

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "hour", "outcome"), name="budgets_decision_count_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.count} {self.outcome} in {self.organization}"
