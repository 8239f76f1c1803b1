"""The dated instances of budgets."""

from django.db import models
from django.db.models import F, Q

from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS, Budget

RATE_DECIMALS = 18


class BudgetWindow(models.Model):
    """A budget, or one member's share of it, from `start` to before `end` (NULL: for ever).

    `limit`, `spent`, `reserved` and `overage` are in the ledger currency, or tokens or requests.
    What is used is `spent` plus `overage`: of a hard window `spent` is what fits beside what is
    reserved, and `overage` what was used beyond that. Only the functions of migration 0003 change
    them, in the order of ids. `rate` is what one unit of the budget's currency is in that of the
    ledger. `alert_at` is the lowest level that has not been crossed, NULL where there is none: a
    window that reaches it is looked at by the trigger of migration 0005, and 0 makes sure of it.
    """

    budget = models.ForeignKey(
        Budget, on_delete=models.CASCADE, db_index=False, related_name="windows"
    )
    member = models.BigIntegerField(default=0)
    start = models.DateTimeField()
    end = models.DateTimeField(null=True)
    is_hard = models.BooleanField()
    limit = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    limit_until = models.DateTimeField(null=True)
    rate = models.DecimalField(max_digits=38, decimal_places=RATE_DECIMALS, default=1, db_default=1)
    alert_at = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True, default=0, db_default=0
    )
    spent = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, default=0)
    reserved = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, default=0
    )
    overage = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, default=0)
    unpriced_events = models.BigIntegerField(default=0)
    is_overcommitted = models.BooleanField(
        default=False,
        help_text="Its limit was set below what is held; it admits nothing until that has ended.",
    )
    opened_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-start", "budget_id", "member")
        indexes = (
            models.Index(fields=("end",), name="budgets_window_end"),
            models.Index(
                fields=("limit_until",),
                condition=Q(limit_until__isnull=False),
                name="budgets_window_limit_until",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("budget", "member", "start"), name="budgets_window_once"
            ),
            models.CheckConstraint(
                condition=Q(is_hard=False)
                | Q(limit=None)
                | Q(is_overcommitted=True)
                | Q(limit__gte=F("spent") + F("reserved")),
                name="budgets_window_never_overspent",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(overage__gte=0), name="budgets_window_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget} from {self.start:%Y-%m-%d}"
