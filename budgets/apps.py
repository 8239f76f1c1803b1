"""Registration of the budgets application with Django."""

from importlib import import_module

from django.apps import AppConfig


class BudgetsConfig(AppConfig):
    """Budgets, reservations, thresholds and alerts."""

    name = "budgets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what usage says; receivers need the models of every app."""
        import_module("budgets.receivers")
