"""Registration of the budgets application with Django."""

from django.apps import AppConfig


class BudgetsConfig(AppConfig):
    """Budgets, reservations, thresholds and alerts."""

    name = "budgets"
    default_auto_field = "django.db.models.BigAutoField"
