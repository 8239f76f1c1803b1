"""Django registration of the pricing app."""

from django.apps import AppConfig


class PricingConfig(AppConfig):
    """The leaf app: what each model costs, and when."""

    name = "pricing"
    default_auto_field = "django.db.models.AutoField"
