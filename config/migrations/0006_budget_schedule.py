"""Schedules the end of reservations, the turn of windows, and the counting of decisions."""

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [("config", "0005_export_schedule")]
    operations = [
        schedule(
            Entry(
                "End reservations that nobody has ended", "budgets.tasks.expire_reservations", 5, 4
            ),
            Entry("Turn budget windows", "budgets.tasks.turn_windows", 15, 12),
            Entry("Count decisions", "budgets.tasks.count_decisions", 30, 25),
            Entry(
                "Drop old decisions and reservations", "budgets.tasks.tidy_decisions", 86_400, 3600
            ),
        )
    ]
