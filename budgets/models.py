"""What may be spent: budgets of organizations and of their projects."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from usage.models import Organization, Project

WARN_PERCENT = 80


class Budget(models.Model):
    """What an organization, or one project of it, should spend at most in each period.

    `limit` is in the ledger currency; 0 means that nothing should be spent. Periods are those of
    the organization's time zone. It warns and blocks nothing.
    """

    class Period(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"
        YEAR = "year", "Year"

    ADVERBS: ClassVar[dict[str, str]] = {
        Period.DAY: "daily",
        Period.WEEK: "weekly",
        Period.MONTH: "monthly",
        Period.QUARTER: "quarterly",
        Period.YEAR: "yearly",
    }

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="budgets")
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="budgets",
        help_text="Empty: everything that the organization spends.",
    )
    name = models.CharField(
        max_length=200, blank=True, help_text="Empty: it is called by what it limits."
    )
    period = models.CharField(max_length=8, choices=Period.choices, default=Period.MONTH)
    limit = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        validators=[MinValueValidator(Decimal(0))],
        help_text="What may be spent in each period, in the ledger currency; 0 means nothing.",
    )
    warn_percent = models.PositiveSmallIntegerField(
        "warning threshold",
        default=WARN_PERCENT,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="From this percentage of the limit on it is shown as near.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("organization_id", "project_id", "period", "name")
        constraints = (
            models.CheckConstraint(condition=Q(limit__gte=0), name="budgets_budget_limit"),
            models.CheckConstraint(
                condition=Q(warn_percent__gte=1, warn_percent__lte=100),
                name="budgets_budget_warn_percent",
            ),
            models.UniqueConstraint(
                fields=("organization", "project", "period", "name"),
                condition=Q(enabled=True),
                nulls_distinct=False,
                name="budgets_budget_once",
                violation_error_message="There is an enabled budget of this name already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name or self.scope} · {self.ADVERBS[self.period]}"

    @property
    def scope(self) -> str:
        """What it limits: acme, or acme / web."""
        slug = self.organization.slug
        return slug if self.project is None else f"{slug} / {self.project.slug}"

    def clean(self) -> None:
        """Raise ValidationError where the project belongs to another organization."""
        super().clean()
        if self.project is not None and self.project.organization_id != self.organization_id:
            raise ValidationError({"project": "This project belongs to another organization."})
