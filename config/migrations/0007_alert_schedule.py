"""Schedules the life of alerts, what is looked for, forecasts, and the sending of notices."""

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [("config", "0006_budget_schedule")]
    operations = [
        schedule(
            Entry("Send notices", "budgets.tasks.send_notices", 5, 4),
            Entry("Settle alerts", "budgets.tasks.settle_alerts", 15, 12),
            Entry("Watch usage and the installation", "budgets.tasks.watch_usage", 60, 50),
            Entry("Watch for unusual spend", "budgets.tasks.watch_spend", 900, 800),
            Entry("Forecast", "budgets.tasks.forecast", 3_600, 3_000),
            Entry("Drop old alerts", "budgets.tasks.tidy_alerts", 86_400, 3_600),
        )
    ]
