"""API keys: random, shown once, stored as a digest with a visible prefix."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from rest_framework_api_key.crypto import KeyGenerator
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from usage.models.identity import Organization

KEY_MARK = "tm_"


class APIKeyManager(BaseAPIKeyManager):
    """Makes keys with an integer primary key, so that every event can carry it in four bytes."""

    key_generator = KeyGenerator(prefix_length=8, secret_key_length=32)

    def assign_key(self, obj: AbstractAPIKey) -> str:
        """Give `obj` a fresh prefix and digest; return the key, which is stored nowhere."""
        key, prefix, hashed_key = self.key_generator.generate()
        obj.prefix, obj.hashed_key = prefix, hashed_key
        return KEY_MARK + key


class APIKey(AbstractAPIKey):
    """A credential of one organization, or of the whole site when it names none."""

    class Scope(models.TextChoices):
        INGEST = "ingest", "Send events"
        READ = "read", "Read usage"
        CHECK = "check", "Check budgets and hold reservations"
        MANAGE = "manage", "Change prices and budgets"

    # Four bytes in every event instead of the 150 characters the library would use.
    id = models.AutoField(primary_key=True)  # type: ignore[assignment]
    organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="api_keys",
        help_text="Empty: a site key, valid for every organization.",
    )
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope.choices), default=list)
    provider = models.CharField(
        max_length=128,
        blank=True,
        help_text="The provider of events that name none.",
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = APIKeyManager()  # type: ignore[assignment,misc]

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        ordering = ("-created",)

    def __str__(self) -> str:
        return f"{self.name} ({KEY_MARK}{self.prefix}…)"
