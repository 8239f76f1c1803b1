"""Price changes are recorded, and prices of one card may be in several currencies."""

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FILL_CURRENCY = """
ALTER TABLE pricing_priceversion DISABLE TRIGGER append_only;
UPDATE pricing_priceversion version SET currency = card.currency
FROM pricing_ratecard card WHERE card.id = version.rate_card_id AND card.currency <> 'USD';
ALTER TABLE pricing_priceversion ENABLE TRIGGER append_only;
"""
RESTORE_CURRENCY = """
UPDATE pricing_ratecard card SET currency = version.currency
FROM pricing_priceversion version WHERE card.id = version.rate_card_id
"""


class Migration(migrations.Migration):
    """The record of changes, exchange rates, syncs and reviews; a version has its own currency."""

    dependencies = [
        ("pricing", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceSync",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=40)),
                ("source_version", models.CharField(blank=True, max_length=100)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("changed", "Prices changed"),
                            ("unchanged", "Nothing new"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                (
                    "finished_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("added", models.PositiveIntegerField(default=0)),
                ("closed", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "price sync",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="cataloguesource",
            name="fetched_at",
            field=models.DateTimeField(
                blank=True, help_text="When it was last fetched; empty while as shipped.", null=True
            ),
        ),
        migrations.AddField(
            model_name="price",
            name="graduated",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="priceversion",
            name="currency",
            field=models.CharField(
                default="USD", help_text="ISO 4217 code of every price in it.", max_length=3
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL_CURRENCY, RESTORE_CURRENCY),
        migrations.AlterField(
            model_name="ratecard",
            name="currency",
            field=models.CharField(default="USD", max_length=3),
        ),
        migrations.RemoveField(
            model_name="ratecard",
            name="currency",
        ),
        migrations.AddField(
            model_name="provider",
            name="reported_cost_counts",
            field=models.BooleanField(
                default=False,
                help_text="A cost that a call reports is what it costs, instead of what prices say.",
            ),
        ),
        migrations.CreateModel(
            name="PriceChange",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("sync_ai_pricing", "Synced from a catalogue"),
                            ("update_ai_pricing", "Prices set"),
                            ("update_ai_names", "Names changed"),
                            ("update_ai_provider", "Provider changed"),
                            ("update_ai_contract", "Contract changed"),
                            ("update_exchange_rates", "Exchange rates set"),
                        ],
                        max_length=40,
                    ),
                ),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                    ),
                ),
                (
                    "actor",
                    models.CharField(
                        blank=True,
                        help_text="The API key, command or task, where no user did it.",
                        max_length=200,
                    ),
                ),
                ("origin", models.CharField(max_length=40)),
                ("source_version", models.CharField(blank=True, max_length=100)),
                ("reason", models.TextField(blank=True)),
                (
                    "count",
                    models.PositiveIntegerField(
                        help_text="How many prices, names or rates changed."
                    ),
                ),
                (
                    "holds_from",
                    models.DateTimeField(
                        blank=True,
                        help_text="The earliest time for which a price is another one now.",
                        null=True,
                    ),
                ),
                ("details", models.JSONField(blank=True, default=dict)),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "price change",
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="priceversion",
            name="change",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="pricing.pricechange",
            ),
        ),
        migrations.AddField(
            model_name="priceversion",
            name="ended_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ended_versions",
                to="pricing.pricechange",
            ),
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base", models.CharField(help_text="ISO 4217 code.", max_length=3)),
                ("quote", models.CharField(help_text="ISO 4217 code.", max_length=3)),
                ("day", models.DateField()),
                ("rate", models.DecimalField(decimal_places=12, max_digits=24)),
                ("origin", models.CharField(max_length=40)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exchange_rates",
                        to="pricing.pricechange",
                    ),
                ),
            ],
            options={
                "verbose_name": "exchange rate",
                "ordering": ["-day", "base", "quote", "-id"],
                "indexes": [
                    models.Index(fields=["base", "quote", "day"], name="pricing_exchange_day")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("rate__gt", 0)), name="pricing_exchange_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("base", models.F("quote")), _negated=True),
                        name="pricing_exchange_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceReview",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=40)),
                ("provider", models.CharField(max_length=100)),
                ("model", models.CharField(max_length=200)),
                ("service_tier", models.CharField(max_length=8)),
                ("digest", models.CharField(max_length=64)),
                (
                    "fault",
                    models.CharField(
                        choices=[
                            ("too_far", "More than ten times off the last price"),
                            ("wrong_unit", "Probably the wrong unit"),
                        ],
                        max_length=12,
                    ),
                ),
                ("meter", models.CharField(max_length=64)),
                ("known_price", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ("listed_price", models.DecimalField(decimal_places=10, max_digits=30)),
                ("per", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("effective_from", models.DateTimeField(null=True)),
                (
                    "found_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "price to review",
                "verbose_name_plural": "prices to review",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "provider", "model", "service_tier", "digest"),
                        name="pricing_review_once",
                    )
                ],
            },
        ),
    ]
