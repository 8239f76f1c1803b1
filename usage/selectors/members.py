"""Who of the staff may see or change an organization."""

from dataclasses import dataclass

from usage.models import Membership, Organization


@dataclass(frozen=True, slots=True)
class Member:
    """A staff user in an organization; `name` and `email` are empty where nobody gave them."""

    username: str
    name: str
    email: str
    role: str
    active: bool


def members_of(organization: Organization) -> list[Member]:
    """The members of an organization, administrators first, then by user name."""
    rows = Membership.objects.filter(organization=organization).select_related("user")
    return [
        Member(
            row.user.get_username(),
            row.user.get_full_name(),
            row.user.email,
            row.role,
            row.user.is_active,
        )
        for row in rows.order_by("role", "user__username")
    ]
