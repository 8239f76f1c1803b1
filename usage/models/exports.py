"""Exports that a worker makes: what was asked for, how far it is, and the file in parts.

The file lies in the database, where every web process and worker reaches it, until it expires.
"""

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from usage.models.keys import APIKey


class Export(models.Model):
    """One file that somebody asked for.

    `parameters` are those of the query string that asks for the same; `organization_ids` what
    the asker could see then, NULL for every organization.
    """

    class Kind(models.TextChoices):
        EVENTS = "events", "Events"
        USAGE = "usage", "Usage"
        FOCUS = "focus", "FOCUS charges"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        JSON = "json", "JSON"
        PARQUET = "parquet", "Parquet"

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being written"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    format = models.CharField(max_length=8, choices=Format)
    parameters = models.JSONField(default=dict)
    organization_ids = ArrayField(models.IntegerField(), null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    error = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True, help_text="About how many there will be.")
    rows_done = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0, help_text="Bytes of the file.")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    api_key = models.ForeignKey(
        APIKey, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-requested_at", "-id")
        indexes = (
            models.Index(
                fields=("requested_at",),
                name="usage_export_unfinished",
                condition=models.Q(status__in=("waiting", "running")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def file_name(self) -> str:
        """What a browser saves it as."""
        return f"tallyman-{self.kind}-{str(self.pk)[:8]}.{self.format}"


class ExportPart(models.Model):
    """A piece of an export's file, compressed on its own; pieces join in the order of `number`."""

    id = models.BigAutoField(primary_key=True)
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ("export_id", "number")
        constraints = (
            models.UniqueConstraint(fields=("export", "number"), name="usage_export_part_once"),
        )

    def __str__(self) -> str:
        return f"{self.export_id} {self.number}"
