"""Tables of providers, models, rate cards and dated prices."""

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AIModel",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Of several models whose aliases match, the lowest wins.",
                    ),
                ),
            ],
            options={
                "verbose_name": "model",
                "ordering": ["provider__slug", "name"],
            },
        ),
        migrations.CreateModel(
            name="CatalogueSource",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("version", models.CharField(max_length=100)),
                ("digest", models.CharField(max_length=64)),
                ("loaded_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Provider",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.CharField(max_length=100, unique=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Providers are tried in this order when an event names none.",
                    ),
                ),
                (
                    "fallbacks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Slugs of providers whose models this one resells.",
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ["slug"],
            },
        ),
        migrations.CreateModel(
            name="RateCard",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("list", "catalogue"),
                            ("manual", "set by hand"),
                            ("contracted", "contracted"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        help_text="ISO 4217 code of every price on the card.", max_length=3
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="PriceVersion",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "service_tier",
                    models.CharField(
                        choices=[
                            ("standard", "Standard"),
                            ("batch", "Batch"),
                            ("flex", "Flex"),
                            ("priority", "Priority"),
                            ("fast", "Fast"),
                        ],
                        default="standard",
                        max_length=8,
                    ),
                ),
                (
                    "utc_from",
                    models.TimeField(
                        blank=True,
                        help_text="Time of day (UTC) from which it holds, inclusive.",
                        null=True,
                    ),
                ),
                (
                    "utc_until",
                    models.TimeField(
                        blank=True,
                        help_text="Exclusive; before utc_from when it spans midnight.",
                        null=True,
                    ),
                ),
                ("effective_from", models.DateTimeField(help_text="Inclusive.")),
                (
                    "effective_to",
                    models.DateTimeField(
                        blank=True, help_text="Exclusive; open if empty.", null=True
                    ),
                ),
                ("origin", models.CharField(max_length=40)),
                ("source_version", models.CharField(blank=True, max_length=100)),
                ("reason", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="pricing.aimodel",
                    ),
                ),
                (
                    "rate_card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="pricing.ratecard",
                    ),
                ),
            ],
            options={
                "verbose_name": "price version",
                "ordering": ["-effective_from", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("meter", models.CharField(max_length=60)),
                ("unit_price", models.DecimalField(decimal_places=10, max_digits=20)),
                ("per", models.PositiveIntegerField(default=1000000)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="pricing.priceversion",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="aimodel",
            name="provider",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="models",
                to="pricing.provider",
            ),
        ),
        migrations.CreateModel(
            name="ProviderAlias",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("exact", "Exact"),
                            ("prefix", "Prefix"),
                            ("suffix", "Suffix"),
                            ("contains", "Contains"),
                            ("pattern", "Pattern"),
                        ],
                        max_length=8,
                    ),
                ),
                ("text", models.TextField()),
                ("origin", models.CharField(max_length=40)),
                (
                    "subject",
                    models.CharField(
                        choices=[("provider", "Provider"), ("model", "Model")], max_length=8
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="pricing.provider",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "provider aliases",
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="pricing_revision_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelAlias",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("exact", "Exact"),
                            ("prefix", "Prefix"),
                            ("suffix", "Suffix"),
                            ("contains", "Contains"),
                            ("pattern", "Pattern"),
                        ],
                        max_length=8,
                    ),
                ),
                ("text", models.TextField()),
                ("origin", models.CharField(max_length=40)),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="pricing.aimodel",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "model aliases",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("model", "kind", "text"), name="pricing_model_alias_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceTier",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("above", models.PositiveBigIntegerField()),
                ("unit_price", models.DecimalField(decimal_places=10, max_digits=20)),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tiers",
                        to="pricing.price",
                    ),
                ),
            ],
            options={
                "ordering": ["above"],
                "constraints": [
                    models.UniqueConstraint(fields=("price", "above"), name="pricing_tier_once"),
                    models.CheckConstraint(
                        condition=models.Q(("unit_price__gte", 0)), name="pricing_tier_not_negative"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.UniqueConstraint(
                fields=("version", "meter"), name="pricing_price_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("per__gt", 0), ("unit_price__gte", 0)),
                name="pricing_price_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="aimodel",
            constraint=models.UniqueConstraint(
                fields=("provider", "name"), name="pricing_model_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="provideralias",
            constraint=models.UniqueConstraint(
                fields=("provider", "subject", "kind", "text"), name="pricing_provider_alias_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="priceversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("effective_to__isnull", True),
                    ("effective_to__gt", models.F("effective_from")),
                    _connector="OR",
                ),
                fields=(
                    "rate_card",
                    "model",
                    "service_tier",
                    "utc_from",
                    "utc_until",
                    "effective_from",
                ),
                name="pricing_version_one_start",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="priceversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("effective_to__isnull", True)),
                fields=("rate_card", "model", "service_tier", "utc_from", "utc_until"),
                name="pricing_version_one_open",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="priceversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("effective_to__isnull", True),
                    ("effective_to__gte", models.F("effective_from")),
                    _connector="OR",
                ),
                name="pricing_version_end_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("utc_from__isnull", True), ("utc_until__isnull", True)),
                    models.Q(("utc_from__isnull", False), ("utc_until__isnull", False)),
                    _connector="OR",
                ),
                name="pricing_version_whole_window",
            ),
        ),
    ]
