"""Who uses the admin."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest


def signed_in(request: HttpRequest) -> User:
    """Who asks: admin pages are shown to nobody who is not signed in."""
    return cast("User", request.user)
