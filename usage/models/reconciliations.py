"""What a provider billed against what was recorded: the difference by day, model and project.

Amounts are in `currency`, the ledger's when it was computed. A gap is billed less recorded, and
every gap is the exact sum of its classes, which the database checks.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from usage.models.bills import BillSource
from usage.models.identity import Organization, Project

CLASSES = ("missing_here", "missing_there", "price", "cache", "timing", "rounding", "other")
"""The classes of a difference, in the order in which they are shown."""


def _amount() -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=28, decimal_places=10, default=Decimal(0))


def _sums_up(name: str) -> tuple[models.CheckConstraint, models.CheckConstraint]:
    whole = F("missing_here") + F("missing_there") + F("price") + F("cache")
    whole = whole + F("timing") + F("rounding") + F("other")
    return (
        models.CheckConstraint(
            condition=Q(gap=F("billed") - F("recorded")), name=f"usage_{name}_gap"
        ),
        models.CheckConstraint(condition=Q(gap=whole), name=f"usage_{name}_classes"),
    )


class Difference(models.Model):
    """Both sides of a comparison, their gap, and the classes that it is made of.

    See `usage.reconciling.classing` for what each class means. `unpriced_events` are recorded
    calls without a price: they are in `recorded` with nothing.
    """

    billed = _amount()
    recorded = _amount()
    gap = _amount()
    missing_here = _amount()
    missing_there = _amount()
    price = _amount()
    cache = _amount()
    timing = _amount()
    rounding = _amount()
    other = _amount()
    unpriced_events = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Reconciliation(Difference):
    """The comparison of one bill with the ledger over UTC days, `last_day` included.

    It is within tolerance when neither the gap nor any class of it is more than
    `tolerance_amount` or, if that is more, `tolerance_percent` of what is billed. `digest`
    hashes both sides; `left_out` says in words what could not be compared. It is open as long
    as days are not billed yet. One that is signed
    off never changes again.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        WITHIN = "within", "Within tolerance"
        LOOK = "look", "Needs a look"
        SIGNED = "signed", "Signed off"

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="reconciliations"
    )
    source = models.ForeignKey(BillSource, on_delete=models.PROTECT, related_name="reconciliations")
    first_day = models.DateField()
    last_day = models.DateField()
    currency = models.CharField(max_length=3)
    tolerance_percent = models.DecimalField(max_digits=5, decimal_places=2)
    tolerance_amount = models.DecimalField(max_digits=20, decimal_places=10)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    days_compared = models.IntegerField(default=0)
    left_out = models.JSONField(default=list)
    digest = models.CharField(max_length=64)
    computed_at = models.DateTimeField(db_default=Now(), editable=False)
    signed_at = models.DateTimeField(null=True, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.TextField(blank=True)

    class Meta:
        ordering = ("-first_day", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "first_day", "last_day"),
                condition=~Q(state="signed"),
                name="usage_reconciliation_one_open",
            ),
            models.CheckConstraint(
                condition=Q(first_day__lte=F("last_day")), name="usage_reconciliation_days"
            ),
            *_sums_up("reconciliation"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.first_day} to {self.last_day}"

    @property
    def figures(self) -> str:
        """A mark of what it says: another one as soon as a side or a class is another."""
        return " ".join((self.digest, *(f"{getattr(self, name):.10f}" for name in CLASSES)))


class ReconciliationLine(Difference):
    """One UTC day, model and project of a comparison.

    `model` is the name in the price list, else the one that was told, "" for what belongs to
    no model; `project` NULL stands for all that is matched to none. `billed_tokens` and
    `recorded_tokens` count by `usage.reconciling.classing.PARTS`. `recorded_models` are the
    names under which events tell the model.
    """

    id = models.BigAutoField(primary_key=True)
    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, related_name="lines"
    )
    day = models.DateField()
    model = models.CharField(max_length=200, blank=True)
    project = models.ForeignKey(
        Project, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    description = models.CharField(max_length=300, blank=True)
    billed_tokens = models.JSONField(default=dict)
    recorded_tokens = models.JSONField(default=dict)
    recorded_models = models.JSONField(default=list)

    class Meta:
        verbose_name = "line of a reconciliation"
        verbose_name_plural = "lines of a reconciliation"
        ordering = ("day", "model", "id")
        constraints = _sums_up("reconciliation_line")

    def __str__(self) -> str:
        return f"{self.day} {self.model}"
