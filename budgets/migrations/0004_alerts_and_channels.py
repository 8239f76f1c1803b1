"""Alerts, channels, notices, deliveries and forecasts; windows know their next level."""

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("budgets", "0003_window_functions"),
        ("usage", "0006_week_start"),
    ]

    operations = [
        migrations.AddField(
            model_name="budgetwindow",
            name="alert_at",
            field=models.DecimalField(
                db_default=0, decimal_places=10, default=0, max_digits=28, null=True
            ),
        ),
        migrations.AddField(
            model_name="budgetwindow",
            name="rate",
            field=models.DecimalField(db_default=1, decimal_places=18, default=1, max_digits=38),
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("threshold", "Threshold crossed"),
                            ("blocked", "Calls blocked"),
                            ("forecast", "Forecast over the limit"),
                            ("anomaly", "Unusual spend"),
                            ("unpriced", "Model without a price"),
                            ("stale", "Usage stopped arriving"),
                            ("system", "System"),
                        ],
                        max_length=9,
                    ),
                ),
                ("key", models.CharField(max_length=250)),
                ("member", models.BigIntegerField(default=0)),
                ("window_start", models.DateTimeField(null=True)),
                ("window_end", models.DateTimeField(null=True)),
                ("percent", models.DecimalField(decimal_places=2, max_digits=6, null=True)),
                ("amount", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("info", "Info"),
                            ("warning", "Warning"),
                            ("critical", "Critical"),
                        ],
                        max_length=8,
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("occasion", models.PositiveIntegerField(db_default=1, default=1)),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "handled_by",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not resolved"),
                            ("limit", "The limit was raised"),
                            ("spend", "The spend was corrected"),
                            ("window", "The period is over"),
                            ("budget", "The budget was changed or switched off"),
                            ("over", "It is no longer so"),
                            ("hand", "By hand"),
                        ],
                        db_default="",
                        default="",
                        max_length=6,
                    ),
                ),
                ("routed_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "budget",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="budgets.budget",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Empty: of the whole site.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-opened_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("routed_at", None)),
                        fields=["id"],
                        name="budgets_alert_outbox",
                    ),
                    models.Index(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=["organization", "kind"],
                        name="budgets_alert_live",
                    ),
                    models.Index(
                        condition=models.Q(("resolution", "hand")),
                        fields=["budget"],
                        name="budgets_alert_by_hand",
                    ),
                    models.Index(fields=["organization", "-opened_at"], name="budgets_alert_org"),
                    models.Index(fields=["-opened_at", "-id"], name="budgets_alert_newest"),
                    models.Index(fields=["budget", "-opened_at"], name="budgets_alert_budget"),
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", False)),
                        fields=["resolved_at"],
                        name="budgets_alert_resolved_at",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "key"), name="budgets_alert_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolved_at__isnull", False), ("state", "resolved")),
                            models.Q(
                                models.Q(("state", "resolved"), _negated=True),
                                ("resolution", ""),
                                ("resolved_at", None),
                            ),
                            _connector="OR",
                        ),
                        name="budgets_alert_resolved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Channel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.SlugField(
                        db_index=False,
                        help_text="What budgets call it, such as ops. It stays.",
                        max_length=100,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("slack", "Slack"),
                            ("webhook", "Webhook"),
                            ("other", "Another service"),
                        ],
                        max_length=7,
                    ),
                ),
                ("target", models.TextField(editable=False)),
                ("secret", models.TextField(blank=True, default="", editable=False)),
                (
                    "is_default",
                    models.BooleanField(
                        default=False,
                        help_text="Gets what no budget sends elsewhere.",
                        verbose_name="default",
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "kinds",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="None chosen: all of them.",
                        verbose_name="only these alerts",
                    ),
                ),
                (
                    "least_severity",
                    models.CharField(
                        choices=[
                            ("info", "Info"),
                            ("warning", "Warning"),
                            ("critical", "Critical"),
                        ],
                        default="info",
                        max_length=8,
                        verbose_name="from",
                    ),
                ),
                (
                    "at_once",
                    models.BooleanField(
                        default=True,
                        help_text="Off: only what the digest tells.",
                        verbose_name="each alert at once",
                    ),
                ),
                (
                    "tells_resolved",
                    models.BooleanField(
                        default=False,
                        help_text="One more message when it is over.",
                        verbose_name="tells what is resolved",
                    ),
                ),
                (
                    "repeat_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Tell an alert again while nobody has acknowledged it. Empty: never.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(720),
                        ],
                        verbose_name="repeat after (hours)",
                    ),
                ),
                (
                    "digest",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No digest"),
                            ("daily", "Every day"),
                            ("weekly", "Every week"),
                        ],
                        default="",
                        max_length=6,
                    ),
                ),
                (
                    "digest_hour",
                    models.PositiveSmallIntegerField(
                        default=8,
                        help_text="The hour of the day it is sent at; every week on its first day.",
                        validators=[django.core.validators.MaxValueValidator(23)],
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        blank=True,
                        help_text="From here to the end nothing is sent but critical alerts.",
                        null=True,
                    ),
                ),
                (
                    "quiet_until",
                    models.TimeField(blank=True, null=True, verbose_name="quiet until"),
                ),
                ("worked_at", models.DateTimeField(editable=False, null=True)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                (
                    "fault",
                    models.CharField(
                        blank=True, db_default="", default="", editable=False, max_length=500
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: of the site. Every budget may name it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="channels",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization_id", "name"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"),
                        name="budgets_channel_once",
                        nulls_distinct=False,
                        violation_error_message="There is a channel of this name already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("quiet_from", None), ("quiet_until", None)),
                            models.Q(("quiet_from__isnull", False), ("quiet_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="budgets_channel_quiet_hours",
                        violation_error_message="Quiet hours need a beginning and an end.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("member", models.BigIntegerField(default=0)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("made_at", models.DateTimeField()),
                ("spent", models.DecimalField(decimal_places=10, max_digits=28)),
                ("expected", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("low", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("high", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("run_rate", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("error", models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                ("coverage", models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                ("days_of_history", models.PositiveIntegerField()),
                ("limit", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("crosses_on", models.DateField(null=True)),
                ("chance", models.DecimalField(decimal_places=2, max_digits=12, null=True)),
                (
                    "budget",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="forecasts",
                        to="budgets.budget",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="usage.organization",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
            ],
            options={
                "ordering": ("-start", "id"),
                "indexes": [models.Index(fields=["made_at"], name="budgets_forecast_made")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("budget", "organization", "project", "member", "start"),
                        name="budgets_forecast_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expected", None), ("high", None), ("low", None)),
                            models.Q(
                                ("expected__isnull", False),
                                ("high__isnull", False),
                                ("low__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="budgets_forecast_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
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
                            ("alert", "Alert"),
                            ("repeat", "Repetition"),
                            ("resolved", "Resolved"),
                            ("digest", "Digest"),
                            ("test", "Test"),
                        ],
                        max_length=8,
                    ),
                ),
                ("occasion", models.PositiveIntegerField(default=1)),
                ("turn", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("content", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("failed", "Given up"),
                            ("dropped", "Not sent"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="budgets.alert",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="budgets.channel",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["due_at"],
                        name="budgets_notice_due",
                    ),
                    models.Index(fields=["-created_at", "id"], name="budgets_notice_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("alert__isnull", False)),
                        fields=("alert", "channel", "occasion", "kind", "turn"),
                        name="budgets_notice_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "digest")),
                        fields=("channel", "until"),
                        name="budgets_notice_digest_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("refused", "Refused: the address is not allowed"),
                        ],
                        max_length=7,
                    ),
                ),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="budgets.notice",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ("-started_at", "-id"),
                "indexes": [
                    models.Index(fields=["-started_at", "-id"], name="budgets_delivery_newest")
                ],
            },
        ),
    ]
