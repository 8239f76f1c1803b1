"""What periods are expected to come to, as beat last reckoned it."""

from django.db import models
from django.db.models import Q

from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS, Budget
from usage.models import Organization, Project


class Forecast(models.Model):
    """A window of a budget, or a month of an organization or project, when it will be over.

    It is about exactly one of `budget` (and its `member`), `organization` and `project`, from
    `start` to before `end`. Amounts are in the ledger currency, or in what the budget measures:
    `spent` at `made_at`, `expected` in the end, with `low` to `high` holding four times of five;
    these three are NULL with less than 14 days of history. `run_rate` is what the pace so far
    comes to. `error` is by how many percent forecasts of the past missed on average, `coverage`
    how many percent of them had the truth in their band. `chance` is how probable it is, in
    percent, that `limit` is passed, and `crosses_on` the day on which it is expected to be.
    """

    budget = models.ForeignKey(
        Budget, null=True, on_delete=models.CASCADE, related_name="forecasts", db_index=False
    )
    organization = models.ForeignKey(
        Organization, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="+")
    member = models.BigIntegerField(default=0)
    start = models.DateTimeField()
    end = models.DateTimeField()
    made_at = models.DateTimeField()
    spent = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS)
    expected = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True
    )
    low = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    high = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    run_rate = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True
    )
    error = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    coverage = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    days_of_history = models.PositiveIntegerField()
    limit = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    crosses_on = models.DateField(null=True)
    chance = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta:
        ordering = ("-start", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("budget", "organization", "project", "member", "start"),
                nulls_distinct=False,
                name="budgets_forecast_once",
            ),
            models.CheckConstraint(
                condition=Q(expected=None, low=None, high=None)
                | Q(expected__isnull=False, low__isnull=False, high__isnull=False),
                name="budgets_forecast_whole",
            ),
        )
        indexes = (models.Index(fields=("made_at",), name="budgets_forecast_made"),)

    def __str__(self) -> str:
        return f"{self.budget or self.organization or self.project} from {self.start:%Y-%m-%d}"
