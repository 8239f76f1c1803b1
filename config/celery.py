"""The Celery application: worker, beat and senders of tasks."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

TRANSPORT_ALIASES["pgmq"] = "config.queue:Transport"

app = Celery("tallyman")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
