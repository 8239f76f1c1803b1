"""Names under which a call is known besides the id of its event."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0006_week_start"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallName",
            fields=[
                ("digest", models.UUIDField(primary_key=True, serialize=False)),
                ("event_id", models.CharField(max_length=128)),
                (
                    "named_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("until", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("until__isnull", False)),
                        fields=["until"],
                        name="usage_callname_until",
                    )
                ],
            },
        ),
    ]
