"""Filled in by whoever builds it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("usage", "0009_provider_bills"),
    ]

    operations = []
