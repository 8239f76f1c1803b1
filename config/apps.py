"""Registration of the composition root and of the custom admin site with Django."""

from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig

from config.celery import app as celery_app


class RootConfig(AppConfig):
    """Migrations (message queue, schedule, heartbeat) and commands of the composition root.

    Holding the Celery app here makes it the current one in every process that sets Django up,
    so that tasks sent from a web process go to the configured broker.
    """

    name = "config"
    label = "config"
    default_auto_field = "django.db.models.BigAutoField"
    celery_app = celery_app


class TallymanAdminConfig(AdminConfig):
    """The stock admin with Tallyman's own site class."""

    default_site = "config.admin_site.TallymanAdminSite"

    def ready(self) -> None:
        """Collect every app's admin, less the page of an API key model that nothing uses."""
        super().ready()
        unused = apps.get_model("rest_framework_api_key", "APIKey")
        if admin.site.is_registered(unused):
            admin.site.unregister(unused)
