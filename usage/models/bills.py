"""What providers say that they bill: where it is read, and what was read, day by day.

Days are the providers' own: UTC. Amounts are in the currency that the line names.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from usage.models.events import NAME_LENGTH
from usage.models.identity import Organization, Project, validate_name

EXTERNAL_LENGTH = 128
"""Characters of a provider's own id of a project."""
DESCRIPTION_LENGTH = 300
FAULT_LENGTH = 500


class BillSource(models.Model):
    """A provider's account whose reports are read, and the ledger that they are compared with.

    `providers` are the names under which events of the account are recorded. `sealed_key` is
    the key that reads the reports, encrypted; empty means the one of the environment.
    `fetched_until` is the last day that was fetched. `failing_since` and `fault` tell of tries
    since the last one that worked, `worked_at`. Until `busy_until` who fetches it has it to
    itself.
    """

    class Kind(models.TextChoices):
        ANTHROPIC = "anthropic", "Anthropic"
        OPENAI = "openai", "OpenAI"
        OPENROUTER = "openrouter", "OpenRouter"
        FILE = "file", "Files only"

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="bill_sources",
        help_text="Whose recorded usage the bill is compared with.",
    )
    name = models.CharField(max_length=128, validators=[validate_name])
    kind = models.CharField("provider", max_length=10, choices=Kind.choices)
    providers = ArrayField(
        models.CharField(max_length=NAME_LENGTH),
        default=list,
        help_text="Names under which calls of this account are recorded, separated by commas.",
    )
    sealed_key = models.TextField(blank=True, default="", editable=False)
    enabled = models.BooleanField(
        "fetched regularly", default=True, help_text="Off: only files, and when asked to."
    )
    first_day = models.DateField(help_text="The first day, UTC, to fetch.")
    fetched_until = models.DateField(null=True, editable=False)
    last_try = models.DateTimeField(null=True, editable=False)
    busy_until = models.DateTimeField(null=True, editable=False)
    worked_at = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    fault = models.CharField(max_length=FAULT_LENGTH, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "provider bill"
        ordering = ("organization_id", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "name"),
                name="usage_bill_source_once",
                violation_error_message="There is a provider bill of this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class BillProject(models.Model):
    """A project or workspace of the provider, and the project that its calls are recorded under.

    `external_id` "" stands for what belongs to none: the default workspace, or a provider
    without projects. `project` NULL means that nobody has said which it is.
    """

    source = models.ForeignKey(BillSource, on_delete=models.CASCADE, related_name="bill_projects")
    external_id = models.CharField(max_length=EXTERNAL_LENGTH, blank=True)
    external_name = models.CharField("name", max_length=200, blank=True, default="")
    project = models.ForeignKey(
        Project,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name="project here",
    )

    class Meta:
        verbose_name = "project of the provider"
        verbose_name_plural = "projects of the provider"
        ordering = ("source_id", "external_id")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_id"), name="usage_bill_project_once"
            ),
        )

    def __str__(self) -> str:
        return self.external_name or self.external_id or "(none)"


class BillDay(models.Model):
    """What one report of a provider said of one day; read again, it replaces what it said.

    `digest` hashes its lines; `changed_at` is when they last changed.
    """

    class Report(models.TextChoices):
        USAGE = "usage", "Usage"
        EMBEDDINGS = "embeddings", "Usage of embeddings"
        COST = "cost", "Cost"
        ACTIVITY = "activity", "Usage and cost"

    source = models.ForeignKey(BillSource, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    report = models.CharField(max_length=10, choices=Report.choices)
    digest = models.UUIDField()
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "day of a provider's report"
        ordering = ("source_id", "day", "report")
        constraints = (
            models.UniqueConstraint(fields=("source", "day", "report"), name="usage_bill_day_once"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.day} {self.report}"


class BillLine(models.Model):
    """One line of a report.

    `quantities` counts by the meters of events: a whole includes its parts. `amount` is NULL
    in reports of usage alone; `meter` says which meter it pays for, without those parts of it
    that are lines of their own, "" where it pays for all or for no meter. `model` is the
    provider's name, "" for what belongs to none, such as support. `tier` is the provider's
    word: batch, priority, flex; "" is the standard one.
    """

    id = models.BigAutoField(primary_key=True)
    bill_day = models.ForeignKey(BillDay, on_delete=models.CASCADE, related_name="lines")
    bill_project = models.ForeignKey(BillProject, on_delete=models.CASCADE, related_name="lines")
    model = models.CharField(max_length=NAME_LENGTH, blank=True)
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    tier = models.CharField(max_length=64, blank=True)
    quantities = models.JSONField(default=dict)
    meter = models.CharField(max_length=64, blank=True)
    amount = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        verbose_name = "line of a provider's bill"
        verbose_name_plural = "lines of providers' bills"
        ordering = ("-bill_day__day", "bill_project_id", "model", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(amount=None, currency="") | (Q(amount__isnull=False) & ~Q(currency="")),
                name="usage_bill_line_currency",
            ),
        )

    def __str__(self) -> str:
        return f"{self.model or self.description} {self.meter}".strip()
