"""Periodic tasks of the composition root."""

from celery import shared_task
from django.utils import timezone

from config.models import Heartbeat


@shared_task
def beat_heartbeat() -> None:
    """Record that beat scheduled and a worker ran: both are alive as of now."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": timezone.now()})
