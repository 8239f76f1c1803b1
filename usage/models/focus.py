"""FOCUS charges of closed months as they were when the month was frozen. Append-only by trigger."""

from django.db import models
from django.db.models.functions import Now

from usage.models.identity import Organization


class FrozenCharge(models.Model):
    """One row of a FOCUS export that never changes again.

    `billing_month` (its first day) is the closed month it is part of, `charge_day` the day of
    the usage; both in the organization's time zone. `columns` holds every column but the figures,
    unit prices among them: list and contracted cost are what they make of `pricing_quantity`.
    A correction changes a charge of an earlier month; its figures are differences.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        Organization,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    billing_month = models.DateField()
    charge_day = models.DateField()
    is_correction = models.BooleanField(default=False)
    columns = models.JSONField()
    consumed_quantity = models.DecimalField(max_digits=38, decimal_places=10)
    pricing_quantity = models.DecimalField(max_digits=38, decimal_places=16)
    effective_cost = models.DecimalField(max_digits=28, decimal_places=10)
    request_count = models.BigIntegerField()
    frozen_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("organization_id", "charge_day", "id")
        indexes = (
            models.Index(fields=("organization", "charge_day"), name="usage_frozen_org_day"),
        )

    def __str__(self) -> str:
        return f"{self.organization_id} {self.charge_day}"
