"""Taking files away whose time is over; what was asked for stays on record."""

from datetime import UTC, datetime

from django.db import transaction

from usage.models import Export, ExportPart


def expire_exports() -> int:
    """Delete the files that have expired; return how many."""
    due = Export.objects.filter(status=Export.Status.DONE, expires_at__lte=datetime.now(UTC))
    return sum(_expire(export) for export in due.iterator())


@transaction.atomic
def _expire(export: Export) -> bool:
    mine = Export.objects.filter(pk=export.pk, status=Export.Status.DONE)
    if not mine.update(status=Export.Status.EXPIRED):
        return False
    ExportPart.objects.filter(export_id=export.pk).delete()
    return True
