"""What a provider billed against what was recorded, by day, model and project."""

from decimal import Decimal
from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


def _amount() -> models.Field[Any, Any]:
    return models.DecimalField(decimal_places=10, default=Decimal(0), max_digits=28)


def _difference() -> list[tuple[str, models.Field[Any, Any]]]:
    return [
        ("billed", _amount()),
        ("recorded", _amount()),
        ("gap", _amount()),
        ("missing_here", _amount()),
        ("missing_there", _amount()),
        ("price", _amount()),
        ("cache", _amount()),
        ("timing", _amount()),
        ("rounding", _amount()),
        ("other", _amount()),
        ("unpriced_events", models.BigIntegerField(default=0)),
    ]


def _sums_up(name: str) -> list[models.CheckConstraint]:
    parts = F("missing_here") + F("missing_there") + F("price") + F("cache")
    conditions = {
        "gap": Q(gap=F("billed") - F("recorded")),
        "classes": Q(gap=parts + F("timing") + F("rounding") + F("other")),
    }
    return [
        models.CheckConstraint(condition=condition, name=f"usage_{name}_{what}")
        for what, condition in conditions.items()
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0009_provider_bills"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                *_difference(),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("tolerance_percent", models.DecimalField(decimal_places=2, max_digits=5)),
                ("tolerance_amount", models.DecimalField(decimal_places=10, max_digits=20)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("within", "Within tolerance"),
                            ("look", "Needs a look"),
                            ("signed", "Signed off"),
                        ],
                        default="open",
                        max_length=6,
                    ),
                ),
                ("days_compared", models.IntegerField(default=0)),
                ("left_out", models.JSONField(default=list)),
                ("digest", models.CharField(max_length=64)),
                (
                    "computed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("signed_at", models.DateTimeField(editable=False, null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliations",
                        to="usage.organization",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reconciliations",
                        to="usage.billsource",
                    ),
                ),
            ],
            options={
                "ordering": ("-first_day", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=~Q(state="signed"),
                        fields=("source", "first_day", "last_day"),
                        name="usage_reconciliation_one_open",
                    ),
                    models.CheckConstraint(
                        condition=Q(first_day__lte=F("last_day")), name="usage_reconciliation_days"
                    ),
                    *_sums_up("reconciliation"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationLine",
            fields=[
                *_difference(),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("model", models.CharField(blank=True, max_length=200)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("billed_tokens", models.JSONField(default=dict)),
                ("recorded_tokens", models.JSONField(default=dict)),
                ("recorded_models", models.JSONField(default=list)),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "reconciliation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="usage.reconciliation",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a reconciliation",
                "verbose_name_plural": "lines of a reconciliation",
                "ordering": ("day", "model", "id"),
                "constraints": _sums_up("reconciliation_line"),
            },
        ),
    ]
