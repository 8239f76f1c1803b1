"""Rows that the composition root keeps about the installation itself."""

from django.db import models


class Heartbeat(models.Model):
    """When a part of the installation last showed that it works (UTC)."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S} UTC"
