"""Identity, keys, kinds of calls, claims, dirty marks and rollups."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import usage.models.identity


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("pricing", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EventKey",
            fields=[
                ("digest", models.UUIDField(primary_key=True, serialize=False)),
                ("payload", models.BigIntegerField()),
                ("occurred_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CallKind",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.UUIDField(editable=False, unique=True)),
                ("provider", models.CharField(blank=True, max_length=128)),
                ("model", models.CharField(max_length=128)),
                ("response_model", models.CharField(blank=True, max_length=128)),
                ("operation", models.CharField(blank=True, max_length=128)),
                ("action", models.CharField(blank=True, max_length=128)),
                ("agent_type", models.CharField(blank=True, max_length=128)),
                ("run_trigger", models.CharField(blank=True, max_length=128)),
                (
                    "billing_scope",
                    models.CharField(
                        choices=[
                            ("org", "The organization pays the provider"),
                            ("user", "The user's own key pays the provider"),
                        ],
                        max_length=4,
                    ),
                ),
                ("service_tier", models.CharField(max_length=16)),
                ("free_tier", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("provider", "model"),
                "indexes": [models.Index(fields=["model"], name="usage_callkind_model")],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        max_length=128,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\\Z",
                                "Use up to 128 letters, digits and . _ -, starting with a letter or digit.",
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        help_text="Days, weeks and months of this organization begin at midnight here.",
                        max_length=64,
                        validators=[usage.models.identity.validate_time_zone],
                    ),
                ),
                (
                    "subject_policy",
                    models.CharField(
                        choices=[
                            ("anyone", "Anyone: subjects are created on first sight"),
                            ("known", "Known only: events of unknown subjects are rejected"),
                        ],
                        default="anyone",
                        max_length=8,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "rate_card",
                    models.ForeignKey(
                        blank=True,
                        help_text="Contracted prices; they win over every other price.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.ratecard",
                    ),
                ),
            ],
            options={
                "ordering": ("slug",),
                "permissions": (("view_all_organizations", "Can see every organization"),),
            },
        ),
        migrations.CreateModel(
            name="APIKey",
            fields=[
                ("prefix", models.CharField(editable=False, max_length=8, unique=True)),
                ("hashed_key", models.CharField(editable=False, max_length=150)),
                ("created", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "name",
                    models.CharField(
                        default=None,
                        help_text="A free-form name for the API key. Need not be unique. 50 characters max.",
                        max_length=50,
                    ),
                ),
                (
                    "revoked",
                    models.BooleanField(
                        blank=True,
                        default=False,
                        help_text="If the API key is revoked, clients cannot use it anymore. (This cannot be undone.)",
                    ),
                ),
                (
                    "expiry_date",
                    models.DateTimeField(
                        blank=True,
                        help_text="Once API key expires, clients cannot use it anymore.",
                        null=True,
                        verbose_name="Expires",
                    ),
                ),
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("ingest", "Send events"),
                                ("read", "Read usage"),
                                ("check", "Check budgets and hold reservations"),
                                ("manage", "Change prices and budgets"),
                            ],
                            max_length=8,
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: a site key, valid for every organization.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ("-created",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
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
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="projects",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization_id", "slug"),
            },
        ),
        migrations.CreateModel(
            name="Subject",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
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
                ("email", models.EmailField(blank=True, default="", max_length=254)),
                ("display_name", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subjects",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization_id", "key"),
            },
        ),
        migrations.CreateModel(
            name="SessionRollup",
            fields=[
                ("events", models.BigIntegerField()),
                ("errors", models.BigIntegerField()),
                ("unpriced_events", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("input_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("output_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("cache_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("session_id", models.CharField(max_length=128)),
                (
                    "main_kind",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
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
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.subject",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "ordering": ("-started_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="RunRollup",
            fields=[
                ("events", models.BigIntegerField()),
                ("errors", models.BigIntegerField()),
                ("unpriced_events", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("input_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("output_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("cache_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("run_id", models.CharField(max_length=128)),
                ("run_trigger", models.CharField(blank=True, max_length=128)),
                (
                    "main_kind",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
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
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.subject",
                    ),
                ),
            ],
            options={
                "verbose_name": "run",
                "ordering": ("-started_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
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
                        related_name="teams",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("organization_id", "slug"),
            },
        ),
        migrations.CreateModel(
            name="MonthlyRollup",
            fields=[
                ("events", models.BigIntegerField()),
                ("errors", models.BigIntegerField()),
                ("unpriced_events", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("input_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("output_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("cache_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                (
                    "api_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.apikey",
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
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.subject",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.team",
                    ),
                ),
            ],
            options={
                "ordering": ("-month", "-id"),
            },
        ),
        migrations.CreateModel(
            name="DailyRollup",
            fields=[
                ("events", models.BigIntegerField()),
                ("errors", models.BigIntegerField()),
                ("unpriced_events", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("input_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("output_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("cache_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                (
                    "api_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.apikey",
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
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.subject",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.team",
                    ),
                ),
            ],
            options={
                "ordering": ("-day", "-id"),
            },
        ),
        migrations.CreateModel(
            name="UsageRollup",
            fields=[
                ("events", models.BigIntegerField()),
                ("errors", models.BigIntegerField()),
                ("unpriced_events", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                ("cache_read_tokens", models.BigIntegerField()),
                ("cache_write_tokens", models.BigIntegerField()),
                ("cache_write_1h_tokens", models.BigIntegerField()),
                ("reasoning_tokens", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                ("cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("input_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("output_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("cache_cost", models.DecimalField(decimal_places=10, max_digits=28)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("bucket", models.DateTimeField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("session_id", models.CharField(max_length=128, null=True)),
                ("run_id", models.CharField(max_length=128, null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.apikey",
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
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.project",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.subject",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="usage.team",
                    ),
                ),
            ],
            options={
                "ordering": ("-bucket", "-id"),
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "Viewer: sees everything of the organization"),
                            ("admin", "Administrator: may also change it"),
                        ],
                        default="viewer",
                        max_length=8,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="usage.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "member",
                "ordering": ("organization_id", "user_id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "organization"), name="usage_membership_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DirtyMark",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("bucket", models.DateTimeField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                "indexes": [
                    models.Index(fields=["organization", "bucket"], name="usage_dirty_org_bucket")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                fields=("organization", "slug"), name="usage_project_slug"
            ),
        ),
        migrations.AddConstraint(
            model_name="subject",
            constraint=models.UniqueConstraint(
                fields=("organization", "key"), name="usage_subject_key"
            ),
        ),
        migrations.AddIndex(
            model_name="sessionrollup",
            index=models.Index(fields=["organization", "started_at"], name="usage_session_started"),
        ),
        migrations.AddConstraint(
            model_name="sessionrollup",
            constraint=models.UniqueConstraint(
                fields=("organization", "session_id"), name="usage_session_once"
            ),
        ),
        migrations.AddIndex(
            model_name="runrollup",
            index=models.Index(fields=["organization", "started_at"], name="usage_run_started"),
        ),
        migrations.AddConstraint(
            model_name="runrollup",
            constraint=models.UniqueConstraint(
                fields=("organization", "run_id"), name="usage_run_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                fields=("organization", "slug"), name="usage_team_slug"
            ),
        ),
        migrations.AddConstraint(
            model_name="monthlyrollup",
            constraint=models.UniqueConstraint(
                fields=("organization", "month", "project", "team", "subject", "api_key", "kind"),
                name="usage_monthly_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="dailyrollup",
            constraint=models.UniqueConstraint(
                fields=("organization", "day", "project", "team", "subject", "api_key", "kind"),
                name="usage_daily_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="usagerollup",
            index=models.Index(fields=["organization", "bucket"], name="usage_rollup_org_bucket"),
        ),
        migrations.AddIndex(
            model_name="usagerollup",
            index=models.Index(
                condition=models.Q(("session_id__isnull", False)),
                fields=["organization", "session_id"],
                name="usage_rollup_session",
            ),
        ),
        migrations.AddIndex(
            model_name="usagerollup",
            index=models.Index(
                condition=models.Q(("run_id__isnull", False)),
                fields=["organization", "run_id"],
                name="usage_rollup_run",
            ),
        ),
    ]
