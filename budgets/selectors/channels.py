"""Channels: who sees them, what budgets may name, and what may be shown of them."""

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from budgets.channels.sealing import Unreadable, mask, unseal
from budgets.models import Budget, Channel
from usage.models import Organization
from usage.selectors.access import Viewer

UNREADABLE = "cannot be read: SECRET_KEY has changed"


def seen_channels(viewer: Viewer) -> QuerySet[Channel]:
    """The channels somebody may see: those of the organizations they see, and of the site for
    who sees everything. The organization is loaded."""
    rows = Channel.objects.select_related("organization")
    if viewer.organization_ids is None:
        return rows
    return rows.filter(organization_id__in=viewer.organization_ids)


def nameable_channels(organization: Organization | None) -> list[Channel]:
    """The channels that budgets of an organization (None: of all organizations) may name.

    Ordered by name; one of the organization hides one of the site that is called the same.
    """
    rows = Channel.objects.filter(Q(organization=organization) | Q(organization=None))
    own_last = Case(
        When(organization=None, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    by_name = {channel.name: channel for channel in rows.order_by("name", own_last)}
    return list(by_name.values())


def budgets_naming(channel: Channel) -> QuerySet[Budget]:
    """The budgets whose alerts go to a channel because they name it."""
    rows = Budget.objects.filter(channels__contains=[channel.name]).select_related(
        "organization", "project", "team", "subject", "api_key"
    )
    if channel.organization_id is not None:
        return rows.filter(organization=channel.organization_id)
    hidden = Channel.objects.filter(name=channel.name, organization__isnull=False)
    return rows.exclude(organization__in=hidden.values("organization"))


def shown_target(channel: Channel) -> str:
    """Where a channel sends to, masked."""
    try:
        return mask(channel.kind, unseal(channel.target))
    except Unreadable:
        return UNREADABLE
