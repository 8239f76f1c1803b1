"""Providers, their models, and the rules by which reported names find them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class MatchRule(models.Model):
    """A rule that a reported name, in lower case, either meets or not."""

    class Kind(models.TextChoices):
        """How `text` is compared; all but patterns ignore case."""

        EXACT = "exact"
        PREFIX = "prefix"
        SUFFIX = "suffix"
        CONTAINS = "contains"
        PATTERN = "pattern"

    kind = models.CharField(max_length=8, choices=Kind)
    text = models.TextField()
    origin = models.CharField(max_length=40)

    class Meta:
        abstract = True


class Provider(models.Model):
    """A vendor that bills for model calls."""

    slug = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField(
        default=0, help_text="Providers are tried in this order when an event names none."
    )
    fallbacks = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Slugs of providers whose models this one resells.",
    )

    reported_cost_counts = models.BooleanField(
        default=False,
        help_text="A cost that a call reports is what it costs, instead of what prices say.",
    )

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class ProviderAlias(MatchRule):
    """A rule by which a reported provider name, or a model name alone, finds a provider."""

    class Subject(models.TextChoices):
        """Which of an event's names the rule reads."""

        PROVIDER = "provider"
        MODEL = "model"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="aliases")
    subject = models.CharField(max_length=8, choices=Subject)

    class Meta:
        verbose_name_plural = "provider aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "subject", "kind", "text"], name="pricing_provider_alias_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.kind} {self.text}"


class AIModel(models.Model):
    """A model as one provider sells it."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="models")
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField(
        default=0, help_text="Of several models whose aliases match, the lowest wins."
    )

    class Meta:
        verbose_name = "model"
        ordering = ["provider__slug", "name"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="pricing_model_once")
        ]

    def __str__(self) -> str:
        return self.name


class ModelAlias(MatchRule):
    """A rule by which a reported model name finds a model of its provider."""

    model = models.ForeignKey(AIModel, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        verbose_name_plural = "model aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["model", "kind", "text"], name="pricing_model_alias_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"
