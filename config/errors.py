"""Errors that no view answers: problem+json for programs, a page for people."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from usage.api.problems import problem

PROGRAM_PATHS = ("/api/", "/otlp/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a request that Django itself refuses, such as one for a foreign host."""
    if request.path.startswith(PROGRAM_PATHS):
        return problem(400, "bad_request", "The request cannot be read.")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing is here."""
    if request.path.startswith(PROGRAM_PATHS):
        return problem(404, "not_found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def failure(request: HttpRequest) -> HttpResponse:
    """500: a fault of ours; the log has it."""
    if request.path.startswith(PROGRAM_PATHS):
        return problem(500, "internal_error", "This failed here; the server's log says why.")
    return defaults.server_error(request)
