"""Rate cards and dated prices. Rows of versions, prices and tiers are append-only.

A trigger lets only a version's end move, and only to an earlier time. A version whose end equals
its start was withdrawn before it ever held.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from pricing.models.changes import PriceChange
from pricing.models.providers import AIModel

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of prices that have no start date, and of what holds whatever the date."""


class RateCard(models.Model):
    """A named set of prices."""

    class Kind(models.TextChoices):
        """Who sets the prices; a contracted card precedes the manual one, that one the list."""

        LIST = "list", "catalogue"
        MANUAL = "manual", "set by hand"
        CONTRACTED = "contracted", "contracted"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PriceVersion(models.Model):
    """All prices of one model on one card for one stretch of time."""

    class ServiceTier(models.TextChoices):
        """What the provider was asked for; standard where the others have no prices."""

        STANDARD = "standard"
        BATCH = "batch"
        FLEX = "flex"
        PRIORITY = "priority"
        FAST = "fast"

    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="versions")
    model = models.ForeignKey(AIModel, on_delete=models.PROTECT, related_name="versions")
    service_tier = models.CharField(max_length=8, choices=ServiceTier, default=ServiceTier.STANDARD)
    currency = models.CharField(max_length=3, help_text="ISO 4217 code of every price in it.")
    utc_from = models.TimeField(
        null=True, blank=True, help_text="Time of day (UTC) from which it holds, inclusive."
    )
    utc_until = models.TimeField(
        null=True, blank=True, help_text="Exclusive; before utc_from when it spans midnight."
    )
    effective_from = models.DateTimeField(help_text="Inclusive.")
    effective_to = models.DateTimeField(
        null=True, blank=True, help_text="Exclusive; open if empty."
    )
    change = models.ForeignKey(
        PriceChange, on_delete=models.PROTECT, null=True, blank=True, related_name="versions"
    )
    ended_by = models.ForeignKey(
        PriceChange, on_delete=models.PROTECT, null=True, blank=True, related_name="ended_versions"
    )
    origin = models.CharField(max_length=40)
    source_version = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name = "price version"
        ordering = ["-effective_from", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "rate_card",
                    "model",
                    "service_tier",
                    "utc_from",
                    "utc_until",
                    "effective_from",
                ],
                condition=Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from")),
                nulls_distinct=False,
                name="pricing_version_one_start",
            ),
            models.UniqueConstraint(
                fields=["rate_card", "model", "service_tier", "utc_from", "utc_until"],
                condition=Q(effective_to__isnull=True),
                nulls_distinct=False,
                name="pricing_version_one_open",
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="pricing_version_end_after_start",
            ),
            models.CheckConstraint(
                condition=Q(utc_from__isnull=True, utc_until__isnull=True)
                | Q(utc_from__isnull=False, utc_until__isnull=False),
                name="pricing_version_whole_window",
            ),
        ]

    def __str__(self) -> str:
        always = self.effective_from == BEGINNING
        start = "always" if always else f"from {self.effective_from:%Y-%m-%d %H:%M}"
        return f"{self.service_tier}, {start}"


class Price(models.Model):
    """What `per` units of one meter cost in a version, in its currency.

    Its tiers are cliffs: once an event's total input tokens exceed a tier's bound, all units cost
    that tier's price. Graduated, only the units of this meter beyond the bound do.
    """

    version = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="prices")
    meter = models.CharField(max_length=60)
    unit_price = models.DecimalField(max_digits=20, decimal_places=10)
    per = models.PositiveIntegerField(default=1_000_000)
    graduated = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "meter"], name="pricing_price_once"),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, per__gt=0), name="pricing_price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.unit_price.normalize():f} per {self.per:,}"


class PriceTier(models.Model):
    """The price that holds above a bound; see `Price`."""

    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="tiers")
    above = models.PositiveBigIntegerField()
    unit_price = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        ordering = ["above"]
        constraints = [
            models.UniqueConstraint(fields=["price", "above"], name="pricing_tier_once"),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0), name="pricing_tier_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_price.normalize():f} above {self.above:,}"
