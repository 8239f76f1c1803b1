"""What may be spent: budgets, the levels that they warn at, and their temporary raises."""

from decimal import Decimal
from typing import ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from usage.models import APIKey, Organization, Project, Subject, Team
from usage.models.events import NAME_LENGTH

_WORDS_READ = {"subject": "person", "api_key": "API key"}

AnyModel = TypeVar("AnyModel", bound=models.Model)

WARN_PERCENT = Decimal(80)
"""Where a budget warns unless its thresholds say otherwise (requirement S2-117)."""

LIMIT_DIGITS, LIMIT_DECIMALS = 28, 10

RELATIONS = ("organization", "project", "team", "subject", "api_key")
"""The parts of a scope that are rows of their own."""
WORDS = ("provider", "model", "action", "agent_type")
"""The parts of a scope that are words of calls; empty means any."""


def read_as(name: str) -> str:
    """What people read for a part of a scope or of a call: person for subject."""
    return _WORDS_READ.get(name, name.replace("_", " "))


def _scope(
    model: type[AnyModel], help_text: str = ""
) -> "models.ForeignKey[AnyModel | None, AnyModel | None]":
    return models.ForeignKey(
        model, null=True, blank=True, on_delete=models.PROTECT, related_name="budgets",
        help_text=help_text,
    )  # fmt: skip


def _word(help_text: str = "") -> "models.CharField[str, str]":
    return models.CharField(max_length=NAME_LENGTH, blank=True, default="", help_text=help_text)


class Budget(models.Model):
    """What usage of one scope should cost or count at most in each period.

    The scope is every call that agrees with all of its fields that are set. With `per` each
    member of it (each subject, say) has the limit to itself. `limit` is in `currency` where the
    measure is cost; NULL means no limit, 0 that nothing is allowed. Periods are those of the
    organization's time zone and week, of the site's for a budget of all organizations. A soft
    budget warns, a hard one blocks.
    """

    class Period(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"
        YEAR = "year", "Year"
        TOTAL = "total", "Total: never resets"

    class Measure(models.TextChoices):
        COST = "cost", "Cost"
        TOKENS = "tokens", "Tokens (input and output)"
        REQUESTS = "requests", "Requests"

    class Enforcement(models.TextChoices):
        SOFT = "soft", "Soft: warns"
        HARD = "hard", "Hard: blocks"

    class Unpriced(models.TextChoices):
        ESTIMATE = "estimate", "Estimate: at the dearest known price of the provider"
        BLOCK = "block", "Block: what has no price is not allowed"
        ALLOW = "allow", "Allow: what has no price holds nothing"

    class Per(models.TextChoices):
        WHOLE = "", "All together"
        ORGANIZATION = "organization", "Each organization"
        PROJECT = "project", "Each project"
        TEAM = "team", "Each team"
        SUBJECT = "subject", "Each person"
        API_KEY = "api_key", "Each API key"

    ADVERBS: ClassVar[dict[str, str]] = {
        Period.DAY: "daily",
        Period.WEEK: "weekly",
        Period.MONTH: "monthly",
        Period.QUARTER: "quarterly",
        Period.YEAR: "yearly",
        Period.TOTAL: "in total",
    }

    name = models.CharField(
        max_length=200, blank=True, help_text="Empty: it is called by what it limits."
    )
    organization = _scope(Organization, "Empty: all organizations together.")
    project = _scope(Project)
    team = _scope(Team)
    subject = _scope(Subject)
    api_key = _scope(APIKey)
    provider = _word()
    model = _word("The model that calls ask for.")
    action = _word()
    agent_type = _word()
    per = models.CharField(
        "limits", max_length=12, choices=Per.choices, blank=True, default=Per.WHOLE,
        help_text="Whether all calls of the scope share the limit or each has its own.",
    )  # fmt: skip
    measure = models.CharField(max_length=8, choices=Measure.choices, default=Measure.COST)
    period = models.CharField(max_length=8, choices=Period.choices, default=Period.MONTH)
    starts_on = models.DateField(
        null=True, blank=True, help_text="A total counts from this day on; empty: from ever."
    )
    limit = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True, blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="Empty: no limit, usage is only counted. 0: nothing is allowed.",
    )  # fmt: skip
    currency = models.CharField(
        max_length=3, blank=True, default="",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", "Three capital letters, such as EUR.")],
        help_text="Of the limit; empty: the ledger's. Another one is converted by the rate of the"
        " day on which a period begins.",
    )  # fmt: skip
    enforcement = models.CharField(
        max_length=4, choices=Enforcement.choices, default=Enforcement.SOFT
    )
    unpriced = models.CharField(
        "calls without a price", max_length=8, choices=Unpriced.choices, default=Unpriced.ESTIMATE
    )
    priority = models.IntegerField(
        default=0, help_text="Lower comes first in lists. Every budget is tested all the same."
    )
    contact = models.CharField(
        max_length=200, blank=True, default="",
        help_text="Whom to ask for more; named in the message of a blocked call.",
    )  # fmt: skip
    channels = models.JSONField(default=list, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    counts_since = models.DateTimeField(
        editable=False, db_default=Now(),
        help_text="Windows that begin earlier are history and count nothing more.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("organization_id", "project_id", "period", "name", "id")
        constraints = (
            models.CheckConstraint(condition=Q(limit__gte=0), name="budgets_budget_limit"),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(period="total"), name="budgets_budget_starts_on"
            ),
            models.UniqueConstraint(
                fields=(*RELATIONS, *WORDS, "per", "measure", "period", "name"),
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
        """What it limits: acme, acme / web, or each person of acme / team core."""
        parts = [self._word_of(name) for name in (*RELATIONS, *WORDS)]
        whole = " / ".join(part for part in parts if part) or "all organizations"
        return f"each {read_as(self.per)} of {whole}" if self.per else whole

    def _word_of(self, name: str) -> str:
        value = getattr(self, name)
        if not value:
            return ""
        if name in ("organization", "project"):
            return str(value.slug)
        shown = {"team": "slug", "subject": "key", "api_key": "name"}.get(name)
        return f"{read_as(name)} {getattr(value, shown) if shown else value}"

    @property
    def is_hard(self) -> bool:
        """Whether it blocks."""
        return self.enforcement == self.Enforcement.HARD

    def clean(self) -> None:
        """Raise ValidationError where parts of the scope belong to different organizations."""
        super().clean()
        faults = {}
        for name in ("project", "team", "subject", "api_key"):
            part = getattr(self, name)
            if part is None:
                continue
            if self.organization is None:
                faults[name] = "Name the organization that it belongs to."
            elif part.organization_id not in (self.organization_id, None):
                faults[name] = f"This {read_as(name)} belongs to another organization."
        if self.per and getattr(self, self.per) is not None:
            faults["per"] = "The scope names one already."
        if self.starts_on and self.period != self.Period.TOTAL:
            faults["starts_on"] = "Only a total counts from a day on."
        if self.currency and self.measure != self.Measure.COST:
            faults["currency"] = "Only a limit of cost has a currency."
        if faults:
            raise ValidationError(faults)


class Threshold(models.Model):
    """A level that a budget warns from: a percentage of the limit, or an amount of the measure.

    An amount of cost is in the budget's currency.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="thresholds")
    percent = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(1000))],
    )  # fmt: skip
    amount = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True, blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )  # fmt: skip

    class Meta:
        ordering = ("budget_id", "percent", "amount")
        constraints = (
            models.CheckConstraint(
                condition=Q(percent=None, amount__gte=0) | Q(amount=None, percent__gt=0),
                name="budgets_threshold_one_kind",
                violation_error_message="Give either a percentage or an amount.",
            ),
            models.UniqueConstraint(
                fields=("budget", "percent", "amount"),
                nulls_distinct=False,
                name="budgets_threshold_once",
                violation_error_message="This threshold is there already.",
            ),
        )

    def __str__(self) -> str:
        if self.percent is not None:
            return f"{self.percent.normalize():f} %"
        return "" if self.amount is None else f"{self.amount.normalize():f}"


class BudgetRaise(models.Model):
    """Another limit for a while: from when it was granted to before `until`.

    `member` is the id of the one it is for, where the budget has a limit for each; 0 means all.
    """

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="raises")
    member = models.BigIntegerField(default=0)
    limit = models.DecimalField(
        max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True, blank=True,
        validators=[MinValueValidator(Decimal(0))], help_text="Empty: no limit meanwhile.",
    )  # fmt: skip
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip

    class Meta:
        ordering = ("-since", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(until__gt=models.F("since")), name="budgets_raise_has_an_end"
            ),
        )

    def __str__(self) -> str:
        return f"{self.budget} until {self.until:%Y-%m-%d %H:%M}"


class Edition(models.Model):
    """One row whose number rises with every change of any budget: what processes remember of
    budgets holds for one edition."""

    number = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.number)
