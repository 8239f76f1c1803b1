"""Rules by which attributes of telemetry become fields of events, with those that are shipped."""

import django.core.validators
import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from usage.mapping.shipped import FIRST_POSITION, SHIPPED, STEP


def ship(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    rules = apps.get_model("usage", "AttributeRule")
    rules.objects.bulk_create(
        rules(
            position=FIRST_POSITION + place * STEP,
            attribute=rule.attribute,
            value=rule.value,
            target=rule.target,
            tag=rule.tag,
            shipped=rule.code,
        )
        for place, rule in enumerate(SHIPPED)
    )


_printable = django.core.validators.RegexValidator(
    "^[^\\x00-\\x1f\\x7f]*\\Z", "Control characters cannot stand here."
)


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0007_call_names"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttributeRule",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=500,
                        help_text="Lower comes first; the first rule that fits an attribute decides about it.",
                    ),
                ),
                (
                    "attribute",
                    models.CharField(
                        help_text="The attribute's name; * stands for anything, as in host.*",
                        max_length=128,
                        validators=[_printable],
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        blank=True,
                        help_text="Empty: whatever it is. * stands for anything, as in unknown_service*",
                        max_length=256,
                        validators=[_printable],
                        verbose_name="if the value is",
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("organization", "organization"),
                            ("project", "project"),
                            ("team", "team"),
                            ("subject", "person (key)"),
                            ("subject_email", "person's e-mail address"),
                            ("subject_name", "person's name"),
                            ("session_id", "session"),
                            ("run_id", "run"),
                            ("run_trigger", "run trigger"),
                            ("action", "action"),
                            ("agent_type", "agent type"),
                            ("billing_scope", "billing scope (org or user)"),
                            ("tag", "tag"),
                            ("ignore", "nothing: leave it out"),
                        ],
                        max_length=16,
                        verbose_name="what it becomes",
                    ),
                ),
                (
                    "tag",
                    models.CharField(
                        blank=True,
                        help_text="For tags; empty: as the attribute is called.",
                        max_length=64,
                        validators=[_printable],
                        verbose_name="tag's name",
                    ),
                ),
                (
                    "becomes",
                    models.CharField(
                        blank=True,
                        help_text="Empty: the value itself. {value} stands for it, as in team-{value}",
                        max_length=256,
                        validators=[_printable],
                        verbose_name="written as",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="switched on")),
                ("shipped", models.CharField(blank=True, editable=False, max_length=128)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: for every organization. An organization's own rules come first.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attribute_rules",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "attribute rule",
                "ordering": ("organization_id", "position", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("shipped", ""), _negated=True),
                        fields=("shipped",),
                        name="usage_shipped_rule_once",
                    )
                ],
            },
        ),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
