"""Schedules the writing of exports, and the end of their files."""

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [("config", "0004_price_sync_schedule")]
    operations = [
        schedule(
            Entry("Write exports", "usage.tasks.continue_exports", 5, 4),
            Entry("Tidy up exports and closed months", "usage.tasks.tidy_exports", 60, 50),
        )
    ]
