"""The record of every change of prices: who, when, from where and why. Append-only by trigger."""

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models


class PriceChange(models.Model):
    """One change of prices, names or exchange rates, made in one transaction.

    Numbers rise in the order in which changes were committed.
    """

    class Action(models.TextChoices):
        """What was done; the words that audits look for."""

        SYNC = "sync_ai_pricing", "Synced from a catalogue"
        UPDATE = "update_ai_pricing", "Prices set"
        NAMES = "update_ai_names", "Names changed"
        PROVIDER = "update_ai_provider", "Provider changed"
        CONTRACT = "update_ai_contract", "Contract changed"
        EXCHANGE = "update_exchange_rates", "Exchange rates set"

    action = models.CharField(max_length=40, choices=Action)
    made_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    actor = models.CharField(
        max_length=200, blank=True, help_text="The API key, command or task, where no user did it."
    )
    origin = models.CharField(max_length=40)
    source_version = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    count = models.PositiveIntegerField(help_text="How many prices, names or rates changed.")
    holds_from = models.DateTimeField(
        null=True, blank=True, help_text="The earliest time for which a price is another one now."
    )
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "price change"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.made_at:%Y-%m-%d %H:%M}"
