"""Money held before a call."""

import uuid

from django.db import models
from django.db.models import Q

from budgets.models.budgets import LIMIT_DECIMALS, LIMIT_DIGITS, AnyModel
from budgets.models.windows import BudgetWindow
from usage.models import APIKey, Organization, Project, Subject, Team
from usage.models.events import NAME_LENGTH


def _relation(
    model: type[AnyModel],
) -> "models.ForeignKey[AnyModel | None, AnyModel | None]":
    return models.ForeignKey(
        model, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip


class Reservation(models.Model):
    """What one call may cost: held until it is settled, released, or expires.

    `amount` and `cost` are in the ledger currency; `amount` NULL means that no price is known.
    The columns from `project` on tell what kind of call it is for, `call` (JSON) all that its
    event will say unless the settling event says otherwise.
    """

    class Status(models.TextChoices):
        HELD = "held", "Held"
        SETTLED = "settled", "Settled"
        RELEASED = "released", "Released"
        EXPIRED = "expired", "Expired"

    class OnExpiry(models.TextChoices):
        RELEASE = "release", "Release what is held"
        SETTLE = "settle", "Settle at the estimate"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    reservation_key = models.CharField(max_length=NAME_LENGTH)
    payload = models.BigIntegerField()
    api_key = _relation(APIKey)
    project = _relation(Project)
    team = _relation(Team)
    subject = _relation(Subject)
    provider = models.CharField(max_length=NAME_LENGTH, blank=True)
    model = models.CharField(max_length=NAME_LENGTH, blank=True)
    action = models.CharField(max_length=NAME_LENGTH, blank=True)
    agent_type = models.CharField(max_length=NAME_LENGTH, blank=True)
    call = models.JSONField(default=dict)
    amount = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    tokens = models.BigIntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.HELD)
    on_expiry = models.CharField(max_length=8, choices=OnExpiry.choices, default=OnExpiry.RELEASE)
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    event_id = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    cost = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS, null=True)
    is_estimated = models.BooleanField(
        default=False, help_text="Settled at the estimate; the event that tells corrects it."
    )

    class Meta:
        ordering = ("-held_at", "-id")
        indexes = (
            models.Index(
                fields=("expires_at",), condition=Q(status="held"), name="budgets_reservation_due"
            ),
            models.Index(fields=("organization", "-held_at"), name="budgets_reservation_org"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "reservation_key"), name="budgets_reservation_once"
            ),
        )

    def __str__(self) -> str:
        return self.reservation_key


class Hold(models.Model):
    """What an open reservation holds of one window, in the window's measure."""

    reservation = models.ForeignKey(
        Reservation, on_delete=models.CASCADE, db_index=False, related_name="holds"
    )
    window = models.ForeignKey(BudgetWindow, on_delete=models.CASCADE, related_name="holds")
    amount = models.DecimalField(max_digits=LIMIT_DIGITS, decimal_places=LIMIT_DECIMALS)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reservation", "window"), name="budgets_hold_once"),
        )

    def __str__(self) -> str:
        return f"{self.amount} of {self.window_id}"
