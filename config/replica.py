"""Lets requests that only read be answered by the replica, where there is one."""

from collections.abc import Callable
from math import ceil

from django.conf import settings
from django.core.signals import request_finished
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from usage import replica

COOKIE = "tallyman_wrote"
_READS = frozenset({"GET", "HEAD"})


class ReplicaMiddleware:
    """Offers reads to the replica, except to a browser that has just changed something: what it
    wrote may not have arrived there. If the replica fails half way, the primary answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        # A body that is sent while it is read is read after the call below has returned.
        request_finished.connect(replica.withdraw, dispatch_uid=COOKIE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        is_read = request.method in _READS
        if is_read and COOKIE not in request.COOKIES:
            replica.offer()
        else:
            replica.withdraw()
        response = self._get_response(request)
        if not is_read and settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.set_cookie(
                COOKIE,
                "1",
                # A replica found near enough may be read SECONDS_TRUSTED later.
                max_age=settings.TALLYMAN_REPLICA_LAG + ceil(replica.SECONDS_TRUSTED),
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Ask the view again, and it the primary, if it was the replica that failed."""
        match = request.resolver_match
        failed = isinstance(exception, OperationalError | InterfaceError) and replica.give_up()
        if not failed or match is None:
            return None
        answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return answer
