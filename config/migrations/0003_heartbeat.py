"""Where the parts of an installation show that they are alive."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("config", "0002_schedule")]
    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        )
    ]
