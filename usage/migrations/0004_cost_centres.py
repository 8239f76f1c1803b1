"""Cost centres, and which project or team is charged to which since when."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0003_re_rating"),
    ]

    operations = [
        migrations.CreateModel(
            name="CostCentre",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
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
                ("name", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cost_centres",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "cost centre",
                "ordering": ("organization_id", "code"),
            },
        ),
        migrations.CreateModel(
            name="CostCentreAssignment",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_month", models.DateField(help_text="First day of the month it holds from.")),
                ("assigned_at", models.DateTimeField(auto_now_add=True)),
                (
                    "cost_centre",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: charged to nobody from then on.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to="usage.costcentre",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cost_centre_assignments",
                        to="usage.project",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cost_centre_assignments",
                        to="usage.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "cost centre assignment",
                "ordering": ("-from_month", "-id"),
            },
        ),
        migrations.AddConstraint(
            model_name="costcentre",
            constraint=models.UniqueConstraint(
                fields=("organization", "code"), name="usage_cost_centre_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="costcentreassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("project__isnull", True), ("team__isnull", True), _connector="XOR"
                ),
                name="usage_assignment_project_or_team",
            ),
        ),
        migrations.AddConstraint(
            model_name="costcentreassignment",
            constraint=models.CheckConstraint(
                condition=models.Q(("from_month__day", 1)), name="usage_assignment_first_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="costcentreassignment",
            constraint=models.UniqueConstraint(
                fields=("project", "from_month"), name="usage_assignment_project_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="costcentreassignment",
            constraint=models.UniqueConstraint(
                fields=("team", "from_month"), name="usage_assignment_team_once"
            ),
        ),
    ]
