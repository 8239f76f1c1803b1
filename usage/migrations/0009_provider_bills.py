"""What providers bill: where it is read, and its lines day by day."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0008_attribute_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillSource",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=128,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[^\\x00-\\x1f\\x7f]{1,128}\\Z",
                                "Use 1 to 128 characters, no control characters.",
                            )
                        ],
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("anthropic", "Anthropic"),
                            ("openai", "OpenAI"),
                            ("openrouter", "OpenRouter"),
                            ("file", "Files only"),
                        ],
                        max_length=10,
                        verbose_name="provider",
                    ),
                ),
                (
                    "providers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128),
                        default=list,
                        help_text="Names under which calls of this account are recorded, separated by commas.",
                        size=None,
                    ),
                ),
                ("sealed_key", models.TextField(blank=True, default="", editable=False)),
                (
                    "enabled",
                    models.BooleanField(
                        default=True,
                        help_text="Off: only files, and when asked to.",
                        verbose_name="fetched regularly",
                    ),
                ),
                ("first_day", models.DateField(help_text="The first day, UTC, to fetch.")),
                ("fetched_until", models.DateField(editable=False, null=True)),
                ("last_try", models.DateTimeField(editable=False, null=True)),
                ("busy_until", models.DateTimeField(editable=False, null=True)),
                ("worked_at", models.DateTimeField(editable=False, null=True)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("fault", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        help_text="Whose recorded usage the bill is compared with.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bill_sources",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "provider bill",
                "ordering": ("organization_id", "name"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"),
                        name="usage_bill_source_once",
                        violation_error_message="There is a provider bill of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BillProject",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=128)),
                (
                    "external_name",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="name"),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="usage.project",
                        verbose_name="project here",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bill_projects",
                        to="usage.billsource",
                    ),
                ),
            ],
            options={
                "verbose_name": "project of the provider",
                "verbose_name_plural": "projects of the provider",
                "ordering": ("source_id", "external_id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "external_id"), name="usage_bill_project_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BillDay",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                (
                    "report",
                    models.CharField(
                        choices=[
                            ("usage", "Usage"),
                            ("embeddings", "Usage of embeddings"),
                            ("cost", "Cost"),
                            ("activity", "Usage and cost"),
                        ],
                        max_length=10,
                    ),
                ),
                ("digest", models.UUIDField()),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="usage.billsource",
                    ),
                ),
            ],
            options={
                "verbose_name": "day of a provider's report",
                "ordering": ("source_id", "day", "report"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "day", "report"), name="usage_bill_day_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="BillLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("model", models.CharField(blank=True, max_length=128)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("tier", models.CharField(blank=True, max_length=64)),
                ("quantities", models.JSONField(default=dict)),
                ("meter", models.CharField(blank=True, max_length=64)),
                ("amount", models.DecimalField(decimal_places=10, max_digits=24, null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "bill_day",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="usage.billday",
                    ),
                ),
                (
                    "bill_project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="usage.billproject",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a provider's bill",
                "verbose_name_plural": "lines of providers' bills",
                "ordering": ("-bill_day__day", "bill_project_id", "model", "id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", None), ("currency", "")),
                            models.Q(
                                ("amount__isnull", False), models.Q(("currency", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="usage_bill_line_currency",
                    )
                ],
            },
        ),
    ]
