"""Composition root: settings, Celery, URLs, the admin site and the `up` command."""
