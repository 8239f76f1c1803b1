"""Everything at once: many budgets that cross their limits in the same moment."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()
