"""Request middleware of the composition root."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


class SafeSlashMiddleware(CommonMiddleware):
    """Django's common middleware, except that only reads are ever redirected to a slash.

    Clients that post take a redirect for success and lose what they sent.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Say whether a slash may be appended: for GET and HEAD, where Django would."""
        return request.method in {"GET", "HEAD"} and super().should_redirect_with_slash(request)
