"""The event table: partitioned by month, made in SQL because Django knows no partitions."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

CREATE = """
CREATE SEQUENCE usage_usageevent_id_seq CACHE 64;
CREATE TABLE usage_usageevent (
    id bigint NOT NULL DEFAULT nextval('usage_usageevent_id_seq'),
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    organization_id integer NOT NULL,
    kind_id integer NOT NULL,
    project_id integer,
    team_id integer,
    subject_id integer,
    api_key_id integer,
    price_version_id integer,
    duration_ms integer,
    input_tokens integer NOT NULL DEFAULT 0,
    output_tokens integer NOT NULL DEFAULT 0,
    cache_read_tokens integer NOT NULL DEFAULT 0,
    cache_write_tokens integer NOT NULL DEFAULT 0,
    cache_write_1h_tokens integer NOT NULL DEFAULT 0,
    reasoning_tokens integer NOT NULL DEFAULT 0,
    status smallint NOT NULL DEFAULT 0,
    state smallint NOT NULL DEFAULT 0,
    estimated boolean NOT NULL DEFAULT false,
    cost numeric(20, 10),
    input_cost numeric(20, 10),
    output_cost numeric(20, 10),
    cache_cost numeric(20, 10),
    event_id varchar(128) NOT NULL,
    session_id varchar(128),
    run_id varchar(128),
    corrects varchar(128),
    superseded_by varchar(128),
    reported_cost numeric(20, 10),
    reported_currency varchar(3),
    meters jsonb,
    tags jsonb,
    PRIMARY KEY (occurred_at, id),
    CONSTRAINT usage_event_input_parts CHECK (
        cache_read_tokens >= 0 AND cache_write_tokens >= 0
        AND cache_read_tokens + cache_write_tokens <= input_tokens
        AND cache_write_1h_tokens BETWEEN 0 AND cache_write_tokens
    ),
    CONSTRAINT usage_event_output_parts CHECK (
        reasoning_tokens BETWEEN 0 AND output_tokens
    ),
    CONSTRAINT usage_event_costs_together CHECK (
        num_nulls(cost, input_cost, output_cost, cache_cost) IN (0, 4)
    )
) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE usage_usageevent_id_seq OWNED BY usage_usageevent.id;
CREATE INDEX usage_event_org_time ON usage_usageevent (organization_id, occurred_at);
CREATE INDEX usage_event_unpriced ON usage_usageevent (organization_id, occurred_at)
    WHERE cost IS NULL;
"""
DROP = "DROP TABLE usage_usageevent;"


class Migration(migrations.Migration):
    dependencies = [("usage", "0001_usage_tables")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, DROP)],
            state_operations=[
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("occurred_at", models.DateTimeField()),
                        (
                            "received_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        ("duration_ms", models.IntegerField(null=True)),
                        ("input_tokens", models.IntegerField(default=0)),
                        ("output_tokens", models.IntegerField(default=0)),
                        ("cache_read_tokens", models.IntegerField(default=0)),
                        ("cache_write_tokens", models.IntegerField(default=0)),
                        ("cache_write_1h_tokens", models.IntegerField(default=0)),
                        ("reasoning_tokens", models.IntegerField(default=0)),
                        (
                            "status",
                            models.SmallIntegerField(
                                choices=[(0, "success"), (1, "error"), (2, "cancelled")], default=0
                            ),
                        ),
                        (
                            "state",
                            models.SmallIntegerField(
                                choices=[(0, "counted"), (1, "superseded"), (2, "reversal")],
                                default=0,
                            ),
                        ),
                        ("estimated", models.BooleanField(default=False)),
                        ("cost", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                        (
                            "input_cost",
                            models.DecimalField(decimal_places=10, max_digits=20, null=True),
                        ),
                        (
                            "output_cost",
                            models.DecimalField(decimal_places=10, max_digits=20, null=True),
                        ),
                        (
                            "cache_cost",
                            models.DecimalField(decimal_places=10, max_digits=20, null=True),
                        ),
                        ("event_id", models.CharField(max_length=128)),
                        ("session_id", models.CharField(max_length=128, null=True)),
                        ("run_id", models.CharField(max_length=128, null=True)),
                        ("corrects", models.CharField(max_length=128, null=True)),
                        ("superseded_by", models.CharField(max_length=128, null=True)),
                        (
                            "reported_cost",
                            models.DecimalField(decimal_places=10, max_digits=20, null=True),
                        ),
                        ("reported_currency", models.CharField(max_length=3, null=True)),
                        ("meters", models.JSONField(null=True)),
                        ("tags", models.JSONField(null=True)),
                        (
                            "api_key",
                            models.ForeignKey(
                                db_constraint=False,
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
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="usage.callkind",
                            ),
                        ),
                        (
                            "organization",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="usage.organization",
                            ),
                        ),
                        (
                            "price_version",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pricing.priceversion",
                            ),
                        ),
                        (
                            "project",
                            models.ForeignKey(
                                db_constraint=False,
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
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="usage.team",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ("-occurred_at", "-id"),
                    },
                ),
                migrations.AddIndex(
                    model_name="usageevent",
                    index=models.Index(
                        fields=["organization", "occurred_at"], name="usage_event_org_time"
                    ),
                ),
                migrations.AddIndex(
                    model_name="usageevent",
                    index=models.Index(
                        condition=models.Q(("cost__isnull", True)),
                        fields=["organization", "occurred_at"],
                        name="usage_event_unpriced",
                    ),
                ),
            ],
        ),
    ]
