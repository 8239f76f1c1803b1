"""Exports, and the charges of closed months that exports repeat for ever."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE FUNCTION usage_frozen_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'charges of a closed month are never changed'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER usage_frozen_guard BEFORE UPDATE OR DELETE ON usage_frozencharge
    FOR EACH ROW EXECUTE FUNCTION usage_frozen_guard();
"""
UNGUARD = """
DROP TRIGGER usage_frozen_guard ON usage_frozencharge;
DROP FUNCTION usage_frozen_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0004_cost_centres"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="closedmonth",
            name="frozen_at",
            field=models.DateTimeField(
                editable=False, help_text="When its charges were kept for exports.", null=True
            ),
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("events", "Events"),
                            ("usage", "Usage"),
                            ("focus", "FOCUS charges"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV"), ("json", "JSON"), ("parquet", "Parquet")],
                        max_length=8,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                (
                    "organization_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), null=True, size=None
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Being written"),
                            ("done", "Ready"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "rows_total",
                    models.BigIntegerField(help_text="About how many there will be.", null=True),
                ),
                ("rows_done", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0, help_text="Bytes of the file.")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="usage.apikey",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-requested_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("data", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="usage.export",
                    ),
                ),
            ],
            options={
                "ordering": ("export_id", "number"),
            },
        ),
        migrations.CreateModel(
            name="FrozenCharge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("billing_month", models.DateField()),
                ("charge_day", models.DateField()),
                ("is_correction", models.BooleanField(default=False)),
                ("columns", models.JSONField()),
                ("consumed_quantity", models.DecimalField(decimal_places=10, max_digits=38)),
                ("pricing_quantity", models.DecimalField(decimal_places=16, max_digits=38)),
                ("effective_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("request_count", models.BigIntegerField()),
                (
                    "frozen_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
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
            ],
            options={
                "ordering": ("organization_id", "charge_day", "id"),
            },
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status__in", ("waiting", "running"))),
                fields=["requested_at"],
                name="usage_export_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportpart",
            constraint=models.UniqueConstraint(
                fields=("export", "number"), name="usage_export_part_once"
            ),
        ),
        migrations.AddIndex(
            model_name="frozencharge",
            index=models.Index(fields=["organization", "charge_day"], name="usage_frozen_org_day"),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
