"""The schedule that ships with Tallyman; staff may change it, and nothing writes over that."""

from django.db import migrations

from config.scheduling import Entry, schedule


class Migration(migrations.Migration):
    dependencies = [
        ("config", "0001_message_queue"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        schedule(
            Entry("Sum up new usage", "usage.tasks.roll_up", 5, 4),
            Entry("Make partitions ahead", "usage.tasks.make_partitions_ahead", 21_600, 3_600),
            Entry("Beat heartbeat", "config.tasks.beat_heartbeat", 15, 14),
        )
    ]
