"""Names under which a call is known besides the id of its event."""

from django.db import models
from django.db.models.functions import Now

from usage.models.events import NAME_LENGTH


class CallName(models.Model):
    """One more name of a call, or a span whose calls are counted.

    `digest` hashes organization, kind of name and name. A row says only what a call is called:
    whether it is stored the event's own claim tells. After `until` nobody asks for it any more;
    NULL means never.
    """

    digest = models.UUIDField(primary_key=True)
    event_id = models.CharField(max_length=NAME_LENGTH)
    named_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("until",),
                name="usage_callname_until",
                condition=models.Q(until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.event_id
