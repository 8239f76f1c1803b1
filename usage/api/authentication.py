"""Who calls: the holder of an API key, or for reads a signed-in member of staff."""

import base64
import binascii
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from usage.keys import KeyHolder, KeyRefused, recognise
from usage.models import APIKey


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer tm_…`, `X-API-Key`, or Basic with the key as password."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, KeyHolder] | None:
        secret = _secret_of(request)
        if secret is None:
            return None
        try:
            holder = recognise(secret)
        except KeyRefused as refusal:
            raise AuthenticationFailed(str(refusal), code="key_refused") from refusal
        return holder, holder

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="tallyman"'


class StaffSession(SessionAuthentication):
    """The admin's own session, for staff only."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        return found if found and found[0].is_staff else None


def holder_of(request: Request) -> KeyHolder:
    """The key holder behind a request. Raises PermissionDenied for a staff session."""
    if not isinstance(request.auth, KeyHolder):
        raise PermissionDenied("This needs an API key.")
    return request.auth


def actor_name(holder: KeyHolder) -> str:
    """What a key is called where changes are recorded."""
    return f"API key {APIKey.objects.get(pk=holder.key_id)}"


def first_held(request: Request, *scopes: str) -> str:
    """The first of `scopes` that a key has: any of them will do. Without a key the first."""
    held = request.user.scopes if isinstance(request.user, KeyHolder) else scopes
    return next((scope for scope in scopes if scope in held), scopes[0])


def _secret_of(request: Request) -> str | None:
    header = request.headers.get("Authorization", "")
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return value
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise AuthenticationFailed("The Basic credentials cannot be read.") from error
        return pair.partition(":")[2]
    return request.headers.get("X-API-Key") or None


class HasScope(BasePermission):
    """A key needs the scope the view names; staff sessions may read."""

    message = "The API key lacks the scope this needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        scope = getattr(view, "scope", APIKey.Scope.READ)
        if isinstance(request.user, KeyHolder):
            self.message = f"The API key lacks the scope {scope}."
            return scope in request.user.scopes
        return bool(getattr(request.user, "is_staff", False)) and scope == APIKey.Scope.READ
