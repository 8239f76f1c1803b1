"""What the price tables were last changed by, for caches and for syncing."""

from django.db import models


class Revision(models.Model):
    """One row whose number changes with every change of prices, models or aliases."""

    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="pricing_revision_one_row")
        ]

    def __str__(self) -> str:
        return str(self.number)


class CatalogueSource(models.Model):
    """A price source with the digest of what was last loaded from it."""

    name = models.CharField(max_length=40, unique=True)
    version = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    fetched_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last fetched; empty while as shipped."
    )
    loaded_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
