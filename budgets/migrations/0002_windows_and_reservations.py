"""Budgets of any scope with windows, reservations, decisions and a record of changes."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django.contrib.postgres.functions
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F


def keep_warnings(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What budgets warned from becomes a threshold; what they counted so far still counts."""
    budgets = apps.get_model("budgets", "Budget").objects
    thresholds = apps.get_model("budgets", "Threshold")
    rows = budgets.values_list("pk", "warn_percent")
    thresholds.objects.bulk_create(
        [thresholds(budget_id=pk, percent=percent) for pk, percent in rows]
    )
    budgets.update(counts_since=F("created_at") - timedelta(days=400))
    changes = apps.get_model("budgets", "BudgetChange")
    changes.objects.bulk_create(
        changes(budget_id=row.pk, action="set_ai_budget", actor="upgrade", after=said(row))
        for row in budgets.select_related("organization", "project").order_by("pk")
    )


def said(budget: Any) -> dict[str, Any]:
    """What a budget of the former kind says, as later changes of it are recorded."""
    scope = {
        name: [part.pk, part.name or part.slug]
        for name in ("organization", "project")
        if (part := getattr(budget, name)) is not None
    }
    return {
        "name": budget.name,
        "per": "",
        "measure": "cost",
        "period": budget.period,
        "currency": "",
        "enforcement": "soft",
        "unpriced": "estimate",
        "priority": 0,
        "contact": "",
        "channels": [],
        "enabled": budget.enabled,
        "scope": scope,
        "limit": f"{budget.limit.normalize():f}",
        "starts_on": None,
        "thresholds": [f"{budget.warn_percent} %"],
    }


def restore_warnings(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The lowest percentage a budget warns from that it can go back to."""
    budgets = apps.get_model("budgets", "Budget").objects
    rows = (
        apps.get_model("budgets", "Threshold")
        .objects.filter(percent__gte=1, percent__lte=100)
        .order_by("-percent")
    )
    for budget_id, percent in rows.values_list("budget_id", "percent"):
        budgets.filter(pk=budget_id).update(warn_percent=int(percent))


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0001_budgets"),
        ("usage", "0006_week_start"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BudgetChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("set_ai_budget", "Budget set"),
                            ("set_org_ai_cost_policy", "Organization's policy set"),
                            ("set_group_ai_cost_policy", "Group's policy set"),
                            ("set_user_ai_cost_policy", "User's policy set"),
                            ("raise_ai_budget", "Limit raised for a while"),
                            ("repair_ai_budget", "Windows counted again"),
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
                        help_text="The API key or command, where no user did it.",
                        max_length=200,
                    ),
                ),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="BudgetRaise",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("member", models.BigIntegerField(default=0)),
                (
                    "limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=10,
                        help_text="Empty: no limit meanwhile.",
                        max_digits=28,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal(0))],
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ("-since", "-id"),
            },
        ),
        migrations.CreateModel(
            name="BudgetWindow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("member", models.BigIntegerField(default=0)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField(null=True)),
                ("is_hard", models.BooleanField()),
                ("limit", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("limit_until", models.DateTimeField(null=True)),
                ("spent", models.DecimalField(decimal_places=10, default=0, max_digits=28)),
                ("reserved", models.DecimalField(decimal_places=10, default=0, max_digits=28)),
                ("overage", models.DecimalField(decimal_places=10, default=0, max_digits=28)),
                ("unpriced_events", models.BigIntegerField(default=0)),
                (
                    "is_overcommitted",
                    models.BooleanField(
                        default=False,
                        help_text="Its limit was set below what is held; it admits nothing until that has ended.",
                    ),
                ),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("-start", "budget_id", "member"),
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[("allow", "Allow"), ("warn", "Warn"), ("block", "Block")],
                        max_length=5,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("check", "Check"), ("reservation", "Reservation")], max_length=11
                    ),
                ),
                (
                    "estimated_cost",
                    models.DecimalField(decimal_places=10, max_digits=28, null=True),
                ),
                ("retry_at", models.DateTimeField(null=True)),
                ("message", models.TextField()),
                ("call", models.JSONField(default=dict)),
                ("tested", models.JSONField(default=list)),
            ],
            options={
                "ordering": ("-decided_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="DecisionCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[("allow", "Allow"), ("warn", "Warn"), ("block", "Block")],
                        max_length=5,
                    ),
                ),
                ("count", models.BigIntegerField()),
            ],
            options={
                "ordering": ("-hour",),
            },
        ),
        migrations.CreateModel(
            name="DecisionTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.IntegerField()),
                ("outcome", models.CharField(max_length=5)),
                ("decided_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.BigIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=10, max_digits=28)),
            ],
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reservation_key", models.CharField(max_length=128)),
                ("payload", models.BigIntegerField()),
                ("provider", models.CharField(blank=True, max_length=128)),
                ("model", models.CharField(blank=True, max_length=128)),
                ("action", models.CharField(blank=True, max_length=128)),
                ("agent_type", models.CharField(blank=True, max_length=128)),
                ("call", models.JSONField(default=dict)),
                ("amount", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                ("tokens", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("settled", "Settled"),
                            ("released", "Released"),
                            ("expired", "Expired"),
                        ],
                        default="held",
                        max_length=8,
                    ),
                ),
                (
                    "on_expiry",
                    models.CharField(
                        choices=[
                            ("release", "Release what is held"),
                            ("settle", "Settle at the estimate"),
                        ],
                        default="release",
                        max_length=8,
                    ),
                ),
                ("held_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("event_id", models.CharField(blank=True, default="", max_length=128)),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28, null=True)),
                (
                    "is_estimated",
                    models.BooleanField(
                        default=False,
                        help_text="Settled at the estimate; the event that tells corrects it.",
                    ),
                ),
            ],
            options={
                "ordering": ("-held_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Threshold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=6,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0.01")),
                            django.core.validators.MaxValueValidator(Decimal(1000)),
                        ],
                    ),
                ),
                (
                    "amount",
                    models.DecimalField(
                        blank=True,
                        decimal_places=10,
                        max_digits=28,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal(0))],
                    ),
                ),
            ],
            options={
                "ordering": ("budget_id", "percent", "amount"),
            },
        ),
        migrations.AlterModelOptions(
            name="budget",
            options={"ordering": ("organization_id", "project_id", "period", "name", "id")},
        ),
        migrations.RemoveConstraint(
            model_name="budget",
            name="budgets_budget_warn_percent",
        ),
        migrations.RemoveConstraint(
            model_name="budget",
            name="budgets_budget_once",
        ),
        migrations.AddField(
            model_name="budget",
            name="action",
            field=models.CharField(blank=True, default="", max_length=128),
        ),
        migrations.AddField(
            model_name="budget",
            name="agent_type",
            field=models.CharField(blank=True, default="", max_length=128),
        ),
        migrations.AddField(
            model_name="budget",
            name="api_key",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="budgets",
                to="usage.apikey",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="channels",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
        migrations.AddField(
            model_name="budget",
            name="contact",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Whom to ask for more; named in the message of a blocked call.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="counts_since",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                editable=False,
                help_text="Windows that begin earlier are history and count nothing more.",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="currency",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of the limit; empty: the ledger's. Another one is converted by the rate of the day on which a period begins.",
                max_length=3,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z]{3}\\Z", "Three capital letters, such as EUR."
                    )
                ],
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="enforcement",
            field=models.CharField(
                choices=[("soft", "Soft: warns"), ("hard", "Hard: blocks")],
                default="soft",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="measure",
            field=models.CharField(
                choices=[
                    ("cost", "Cost"),
                    ("tokens", "Tokens (input and output)"),
                    ("requests", "Requests"),
                ],
                default="cost",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="model",
            field=models.CharField(
                blank=True, default="", help_text="The model that calls ask for.", max_length=128
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="per",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "All together"),
                    ("organization", "Each organization"),
                    ("project", "Each project"),
                    ("team", "Each team"),
                    ("subject", "Each person"),
                    ("api_key", "Each API key"),
                ],
                default="",
                help_text="Whether all calls of the scope share the limit or each has its own.",
                max_length=12,
                verbose_name="limits",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="priority",
            field=models.IntegerField(
                default=0,
                help_text="Lower comes first in lists. Every budget is tested all the same.",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="provider",
            field=models.CharField(blank=True, default="", max_length=128),
        ),
        migrations.AddField(
            model_name="budget",
            name="starts_on",
            field=models.DateField(
                blank=True,
                help_text="A total counts from this day on; empty: from ever.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="subject",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="budgets",
                to="usage.subject",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="budgets",
                to="usage.team",
            ),
        ),
        migrations.AddField(
            model_name="budget",
            name="unpriced",
            field=models.CharField(
                choices=[
                    ("estimate", "Estimate: at the dearest known price of the provider"),
                    ("block", "Block: what has no price is not allowed"),
                    ("allow", "Allow: what has no price holds nothing"),
                ],
                default="estimate",
                max_length=8,
                verbose_name="calls without a price",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=10,
                help_text="Empty: no limit, usage is only counted. 0: nothing is allowed.",
                max_digits=28,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal(0))],
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="organization",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: all organizations together.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="budgets",
                to="usage.organization",
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="period",
            field=models.CharField(
                choices=[
                    ("day", "Day"),
                    ("week", "Week"),
                    ("month", "Month"),
                    ("quarter", "Quarter"),
                    ("year", "Year"),
                    ("total", "Total: never resets"),
                ],
                default="month",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="budget",
            name="project",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="budgets",
                to="usage.project",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on", None), ("period", "total"), _connector="OR"),
                name="budgets_budget_starts_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.UniqueConstraint(
                condition=models.Q(("enabled", True)),
                fields=(
                    "organization",
                    "project",
                    "team",
                    "subject",
                    "api_key",
                    "provider",
                    "model",
                    "action",
                    "agent_type",
                    "per",
                    "measure",
                    "period",
                    "name",
                ),
                name="budgets_budget_once",
                nulls_distinct=False,
                violation_error_message="There is an enabled budget of this name already.",
            ),
        ),
        migrations.AddField(
            model_name="budgetchange",
            name="budget",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="budgets.budget",
            ),
        ),
        migrations.AddField(
            model_name="budgetchange",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="budgetraise",
            name="budget",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="raises",
                to="budgets.budget",
            ),
        ),
        migrations.AddField(
            model_name="budgetraise",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="budgetwindow",
            name="budget",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="windows",
                to="budgets.budget",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="api_key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.apikey",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="binding",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="decisions",
                to="budgets.budget",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="usage.organization",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.project",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.subject",
            ),
        ),
        migrations.AddField(
            model_name="decisioncount",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="usage.organization",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="window",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="holds",
                to="budgets.budgetwindow",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="api_key",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.apikey",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="usage.organization",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.project",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.subject",
            ),
        ),
        migrations.AddField(
            model_name="reservation",
            name="team",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="usage.team",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="reservation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="holds",
                to="budgets.reservation",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="reservation",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="decisions",
                to="budgets.reservation",
            ),
        ),
        migrations.AddField(
            model_name="threshold",
            name="budget",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="thresholds",
                to="budgets.budget",
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetraise",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gt", models.F("since"))),
                name="budgets_raise_has_an_end",
            ),
        ),
        migrations.AddIndex(
            model_name="budgetwindow",
            index=models.Index(fields=["end"], name="budgets_window_end"),
        ),
        migrations.AddIndex(
            model_name="budgetwindow",
            index=models.Index(
                condition=models.Q(("limit_until__isnull", False)),
                fields=["limit_until"],
                name="budgets_window_limit_until",
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetwindow",
            constraint=models.UniqueConstraint(
                fields=("budget", "member", "start"), name="budgets_window_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_hard", False),
                    ("limit", None),
                    ("is_overcommitted", True),
                    (
                        "limit__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("spent"), "+", models.F("reserved")
                        ),
                    ),
                    _connector="OR",
                ),
                name="budgets_window_never_overspent",
            ),
        ),
        migrations.AddConstraint(
            model_name="budgetwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(("reserved__gte", 0), ("overage__gte", 0)),
                name="budgets_window_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="decisioncount",
            constraint=models.UniqueConstraint(
                fields=("organization", "hour", "outcome"), name="budgets_decision_count_once"
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("status", "held")),
                fields=["expires_at"],
                name="budgets_reservation_due",
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(fields=["organization", "-held_at"], name="budgets_reservation_org"),
        ),
        migrations.AddConstraint(
            model_name="reservation",
            constraint=models.UniqueConstraint(
                fields=("organization", "reservation_key"), name="budgets_reservation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                fields=("reservation", "window"), name="budgets_hold_once"
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["organization", "-decided_at"], name="budgets_decision_org"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["binding", "-decided_at"], name="budgets_decision_binding"),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gte", 0), ("percent", None)),
                    models.Q(("amount", None), ("percent__gt", 0)),
                    _connector="OR",
                ),
                name="budgets_threshold_one_kind",
                violation_error_message="Give either a percentage or an amount.",
            ),
        ),
        migrations.AddConstraint(
            model_name="threshold",
            constraint=models.UniqueConstraint(
                fields=("budget", "percent", "amount"),
                name="budgets_threshold_once",
                nulls_distinct=False,
                violation_error_message="This threshold is there already.",
            ),
        ),
        migrations.RunPython(keep_warnings, restore_warnings),
        migrations.RemoveField(
            model_name="budget",
            name="warn_percent",
        ),
    ]
