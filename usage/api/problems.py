"""Errors as RFC 9457 problem+json, always with the same members."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from usage.ingest.decode import BodyError
from usage.ingest.values import FieldError
from usage.replica import REPLICA, read_alias
from usage.selectors.questions import QuestionError

logger = logging.getLogger(__name__)
_encode = msgspec.json.encode
_TYPE = "urn:tallyman:problem:"


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """A problem response; `code` is stable, `detail` is for people, `members` are what it tells
    besides."""
    body = {
        "type": _TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": list(errors),
        **(members or {}),
    }
    return HttpResponse(
        _encode(body), status=status, content_type="application/problem+json", headers=headers
    )


def problem_handler(error: Exception, _context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: every known error becomes a problem, never a 500 page.

    A database that is away is 503 with Retry-After, so that callers send again; a question
    without an answer is 400 and names the parameter.
    """
    if isinstance(error, BodyError):
        return problem(
            error.status, error.code, error.message, [FieldError("", error.code, error.message)]
        )
    if isinstance(error, OperationalError | InterfaceError):
        if read_alias() == REPLICA:
            return None  # The middleware lets the primary answer.
        logger.warning("database unavailable: %s", error)
        return problem(
            503, "database_unavailable", "The database is away for a moment; send it again.",
            headers={"Retry-After": "1"},
        )  # fmt: skip
    if isinstance(error, Http404):
        error = exceptions.NotFound(*(error.args[:1] or ()))
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, QuestionError):
        fault = exceptions.ErrorDetail(error.message, code=error.code)
        error = exceptions.ValidationError({error.field: fault})
    if not isinstance(error, exceptions.APIException):
        return None
    return _from_drf(error)


def _from_drf(error: exceptions.APIException) -> HttpResponse:
    headers: dict[str, str] = {}
    challenge, wait = getattr(error, "auth_header", None), getattr(error, "wait", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    if wait:
        headers["Retry-After"] = str(ceil(wait))
    faults = list(_flatten("", error.get_full_details()))
    if isinstance(error, exceptions.ValidationError):
        code, detail = "invalid", "The request is not valid."
    else:
        code, detail = str(error.get_codes()), str(error.detail)
    return problem(error.status_code, code, detail, faults, headers)


def _flatten(path: str, details: Any) -> Iterator[FieldError]:
    if isinstance(details, Mapping):
        if set(details) == {"message", "code"}:
            yield FieldError(path, str(details["code"]), str(details["message"]))
            return
        for name, inner in details.items():
            yield from _flatten(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(details, list | tuple):
        for inner in details:
            yield from _flatten(path, inner)
