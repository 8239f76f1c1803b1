"""Who changed which budget, and how."""

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models

from budgets.models.budgets import Budget


class BudgetChange(models.Model):
    """One change of a budget: what it said before and after. Rows are only ever added."""

    class Action(models.TextChoices):
        """What was done; the words that audits look for."""

        SET = "set_ai_budget", "Budget set"
        ORGANIZATION = "set_org_ai_cost_policy", "Organization's policy set"
        GROUP = "set_group_ai_cost_policy", "Group's policy set"
        USER = "set_user_ai_cost_policy", "User's policy set"
        RAISE = "raise_ai_budget", "Limit raised for a while"
        REPAIR = "repair_ai_budget", "Windows counted again"

    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="changes")
    action = models.CharField(max_length=40, choices=Action.choices)
    made_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    actor = models.CharField(
        max_length=200, blank=True, help_text="The API key or command, where no user did it."
    )
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.action} {self.budget}"
