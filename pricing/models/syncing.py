"""Each try to sync prices from a catalogue, and the prices it would not take unseen."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class PriceSync(models.Model):
    """One try to bring prices up to date; a failed one has changed nothing."""

    class Status(models.TextChoices):
        CHANGED = "changed", "Prices changed"
        UNCHANGED = "unchanged", "Nothing new"
        FAILED = "failed", "Failed"

    source = models.CharField(max_length=40)
    source_version = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=10, choices=Status)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_default=Now())
    added = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "price sync"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.source} {self.finished_at:%Y-%m-%d %H:%M}"


class PriceReview(models.Model):
    """A change that a sync refused and somebody must look at.

    `digest` names exactly the prices refused: accepting them lets the next sync store them,
    dismissing them keeps them out until the catalogue says something else.
    """

    class Fault(models.TextChoices):
        TOO_FAR = "too_far", "More than ten times off the last price"
        WRONG_UNIT = "wrong_unit", "Probably the wrong unit"

    class Status(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    source = models.CharField(max_length=40)
    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=200)
    service_tier = models.CharField(max_length=8)
    digest = models.CharField(max_length=64)
    fault = models.CharField(max_length=12, choices=Fault)
    meter = models.CharField(max_length=64)
    known_price = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    listed_price = models.DecimalField(max_digits=30, decimal_places=10)
    per = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    effective_from = models.DateTimeField(null=True)
    found_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = "price to review"
        verbose_name_plural = "prices to review"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "provider", "model", "service_tier", "digest"],
                name="pricing_review_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.meter}"
