"""Which subjects a signed-in person is."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from usage.models import Subject

MAX_SUBJECTS = 100


def email_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """The e-mail that the subjects of a user are looked for by, "" where there is none."""
    return str(getattr(user, "email", "") or "").strip()


def own_subjects(user: AbstractBaseUser | AnonymousUser) -> list[Subject]:
    """The subjects, of whatever organization, whose e-mail is that of an active staff user.

    Upper and lower case are the same; without an e-mail nobody is anybody. By organization and
    key, with their organizations.
    """
    email = email_of(user)
    if not (email and user.is_active and getattr(user, "is_staff", False)):
        return []
    found = Subject.objects.filter(email__iexact=email).select_related("organization")
    return list(found.order_by("organization__slug", "key")[:MAX_SUBJECTS])
