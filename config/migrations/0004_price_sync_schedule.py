"""Schedules the daily syncs of prices and the work on re-ratings."""

from datetime import time

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [("config", "0003_heartbeat")]
    operations = [
        schedule(
            Entry("Sync prices", "pricing.tasks.sync_prices", 86_400, 43_200, time(6, 17)),
            Entry(
                "Sync OpenRouter's prices",
                "pricing.tasks.sync_openrouter",
                86_400,
                43_200,
                time(6, 47),
            ),
            Entry("Continue re-ratings", "usage.tasks.continue_ratings", 5, 4),
        )
    ]
