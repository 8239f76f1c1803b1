"""When names of spans are forgotten and provider bills are fetched."""

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [
        ("config", "0007_alert_schedule"),
    ]
    operations = [
        schedule(
            Entry("Forget old names of spans", "usage.tasks.forget_span_names", 21_600, 3_600),
            Entry("Fetch provider bills", "usage.tasks.fetch_bills", 10_800, 3_600),
        )
    ]
