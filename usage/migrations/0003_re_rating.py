"""Re-rating runs, closed months, and the exchange rate an event was rated at."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0002_partitioned_events"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="provider",
            field=models.CharField(
                blank=True, help_text="The provider of events that name none.", max_length=128
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="rating_needs_approval",
            field=models.BooleanField(
                default=False,
                help_text="Whoever asks for a re-rating cannot apply it alone.",
                verbose_name="re-rating needs a second person",
            ),
        ),
        migrations.AddField(
            model_name="usageevent",
            name="exchange_rate",
            field=models.DecimalField(decimal_places=12, max_digits=24, null=True),
        ),
        migrations.AlterField(
            model_name="usageevent",
            name="state",
            field=models.SmallIntegerField(
                choices=[(0, "counted"), (1, "superseded"), (2, "reversal"), (3, "adjustment")],
                default=0,
            ),
        ),
        migrations.CreateModel(
            name="PriceWatch",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("price_change_id", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="usage_price_watch_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RatingRun",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("requested", "Asked for"),
                            ("offered", "Prices changed for the past"),
                            ("waiting", "Prices for unpriced usage"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planning", "Being calculated"),
                            ("planned", "Dry run"),
                            ("awaiting", "Waits for a second person"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                            ("rolling_back", "Being rolled back"),
                            ("rolled_back", "Rolled back"),
                            ("discarded", "Discarded"),
                            ("failed", "Failed"),
                        ],
                        default="planning",
                        max_length=12,
                    ),
                ),
                ("start", models.DateTimeField(help_text="Inclusive.")),
                ("end", models.DateTimeField(help_text="Exclusive.")),
                ("provider", models.CharField(blank=True, max_length=128)),
                ("model", models.CharField(blank=True, max_length=128)),
                ("only_unpriced", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                ("error", models.TextField(blank=True)),
                ("price_revision", models.BigIntegerField(null=True)),
                ("examined", models.BigIntegerField(default=0)),
                ("changed", models.BigIntegerField(default=0)),
                ("adjusted", models.BigIntegerField(default=0)),
                ("skipped", models.BigIntegerField(default=0)),
                ("before_cost", models.DecimalField(decimal_places=10, default=0, max_digits=28)),
                ("after_cost", models.DecimalField(decimal_places=10, default=0, max_digits=28)),
                ("before_unpriced", models.BigIntegerField(default=0)),
                ("after_unpriced", models.BigIntegerField(default=0)),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("approved_at", models.DateTimeField(null=True)),
                ("applied_at", models.DateTimeField(null=True)),
                ("rolled_back_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: every organization.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rating_runs",
                        to="usage.organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "rolled_back_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "re-rating",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="ClosedMonth",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(help_text="Its first day.")),
                (
                    "closed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closed_months",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "closed month",
                "ordering": ("-month", "organization_id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "month"), name="usage_closed_month_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="usage_closed_month_first_day"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RatingChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("occurred_at", models.DateTimeField()),
                ("event_pk", models.BigIntegerField()),
                ("before_version_id", models.IntegerField(null=True)),
                (
                    "before_exchange_rate",
                    models.DecimalField(decimal_places=12, max_digits=24, null=True),
                ),
                ("before_cost", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                (
                    "before_input_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                (
                    "before_output_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                (
                    "before_cache_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                ("after_version_id", models.IntegerField(null=True)),
                (
                    "after_exchange_rate",
                    models.DecimalField(decimal_places=12, max_digits=24, null=True),
                ),
                ("after_cost", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                (
                    "after_input_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                (
                    "after_output_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                (
                    "after_cache_cost",
                    models.DecimalField(decimal_places=10, max_digits=20, null=True),
                ),
                (
                    "outcome",
                    models.SmallIntegerField(
                        choices=[
                            (0, "planned"),
                            (1, "changed"),
                            (2, "adjusted: its month is closed"),
                            (3, "skipped: the event had changed since"),
                            (4, "undone"),
                        ],
                        default=0,
                    ),
                ),
                (
                    "kind",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.callkind",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.organization",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="usage.ratingrun",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome", 2)),
                        fields=["event_pk"],
                        name="usage_change_adjusted",
                    )
                ],
            },
        ),
    ]
