"""Dated exchange rates. Append-only: of several rates for one day the last recorded one holds."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from pricing.models.changes import PriceChange

RATE_DECIMALS = 12
"""Decimals of a stored exchange rate, and of the one an event keeps."""


class ExchangeRate(models.Model):
    """One `base` buys `rate` of `quote` from `day` (UTC) until the next day that has a rate."""

    base = models.CharField(max_length=3, help_text="ISO 4217 code.")
    quote = models.CharField(max_length=3, help_text="ISO 4217 code.")
    day = models.DateField()
    rate = models.DecimalField(max_digits=24, decimal_places=RATE_DECIMALS)
    origin = models.CharField(max_length=40)
    change = models.ForeignKey(PriceChange, on_delete=models.PROTECT, related_name="exchange_rates")
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        verbose_name = "exchange rate"
        ordering = ["-day", "base", "quote", "-id"]
        indexes = [models.Index(fields=["base", "quote", "day"], name="pricing_exchange_day")]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="pricing_exchange_positive"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="pricing_exchange_two"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote} from {self.day}"
