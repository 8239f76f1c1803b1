"""The app of organizations, events, rollups and everything read from them."""

from django.apps import AppConfig


class UsageConfig(AppConfig):
    """Usage: identity, ingest, rollups, selectors."""

    name = "usage"
    verbose_name = "Usage"
    default_auto_field = "django.db.models.AutoField"
