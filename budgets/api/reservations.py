"""`/reservations/`: holding money before a call, and settling it after."""

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.api.access import PAGE, BudgetsView, expect_nothing, page_answer
from budgets.api.bodies import Refused, read_as
from budgets.api.checks import read_question
from budgets.api.schema.operations import (
    EXTEND,
    LIST_RESERVATIONS,
    RELEASE,
    RESERVE,
    SETTLE,
    SHOW_RESERVATION,
)
from budgets.api.telling import earlier_answer, reservation_as_json, verdict_as_json
from budgets.asking import read_object
from budgets.models import Reservation
from budgets.reservations.ending import WrongState, extend, release
from budgets.reservations.holding import Denied, KeyTaken, Reserved, reserve
from budgets.reservations.settling import NothingTold, Settled, can_be_estimated, settle
from budgets.selectors.pages import list_reservations
from budgets.selectors.reservations import find_reservation, name_key
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.parameters import MAX_PAGE, ParameterReader
from usage.api.problems import problem
from usage.api.reads import json_answer
from usage.ingest.values import FieldError
from usage.models import APIKey
from usage.selectors.access import Viewer, viewer_of

_LOOKUPS = {
    "organization": "organization__slug", "project": "project__slug", "subject": "subject__key",
    "reservation_key": "reservation_key",
}  # fmt: skip
_STATUSES = {"accepted": 200, "duplicate": 200, "conflict": 409, "rejected": 422}


class _Extension(msgspec.Struct, forbid_unknown_fields=True):
    """For how long to hold, in seconds from now."""

    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300


class ReservationListView(BudgetsView):
    """Money held for calls. POST holds what a call may come to against every budget that it
    counts against: all of them admit it, or nothing is held and the answer is 402.

    The same `reservation_key` and question again find the same reservation. Settle it with the
    event of the call, or release it; otherwise it expires after `ttl_seconds`, and is released
    or, with `on_expiry` = `settle`, settled at the estimate until the event tells better.
    """

    read_scopes = (APIKey.Scope.READ, APIKey.Scope.CHECK)
    write_scopes = (APIKey.Scope.CHECK,)

    @LIST_RESERVATIONS
    def get(self, request: Request) -> HttpResponse:
        """List reservations, the latest first."""
        reader = ParameterReader(request.GET)
        filters: dict[str, Any] = {
            _LOOKUPS[name]: value for name in _LOOKUPS if (value := reader.one(name))
        }
        if status := reader.choice("status", ("", *Reservation.Status.values), ""):
            filters["status"] = status
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        page = list_reservations(viewer_of(request.user), filters, limit, cursor)
        return page_answer(request, page, [reservation_as_json(row) for row in page.rows])

    @RESERVE
    def post(self, request: Request) -> HttpResponse:
        """Hold what a call may come to."""
        ask = read_question(request, known_only=False)
        if ask.terms.on_expiry == "settle" and not can_be_estimated(ask.said):
            message = "To settle at the estimate it needs a model and how many tokens it may use."
            raise Refused([FieldError("on_expiry", "without_estimate", message)])
        viewer = viewer_of(request.user)
        try:
            reserved = reserve(ask, timezone.now())
        except KeyTaken:
            message = "The reservation key has been used for another call."
            return problem(
                409, "reservation_key_taken", message,
                [FieldError("reservation_key", "taken", message)],
            )  # fmt: skip
        except Denied as denial:
            members = verdict_as_json(viewer, denial.verdict)
            return problem(402, "budget_exceeded", members["message"], members=members)
        return _held(request, viewer, reserved)


class ReservationView(BudgetsView):
    """One reservation, and what has become of it."""

    read_scopes = (APIKey.Scope.READ, APIKey.Scope.CHECK)

    @SHOW_RESERVATION
    def get(self, request: Request, reservation_id: str) -> HttpResponse:
        """Show it."""
        ParameterReader(request.GET).finish()
        return json_answer(reservation_as_json(_found(request, reservation_id)))


class SettleView(BudgetsView):
    """Stores the event of a reserved call in place of what was held, in one transaction.

    The body is an event; what it leaves out is as it was reserved. Without any counts the
    reservation is settled at its estimate, until a later event with counts corrects that. Settling
    again with the same is answered again; another event, or a reservation that was released, is
    409. One that has expired can still be settled.
    """

    write_scopes = (APIKey.Scope.CHECK, APIKey.Scope.INGEST)

    @SETTLE
    def post(self, request: Request, reservation_id: str) -> HttpResponse:
        """Settle it."""
        row, holder = _found(request, reservation_id), holder_of(request)
        event = _event(request)
        try:
            settled = settle(
                row,
                event,
                timezone.now(),
                api_key_id=holder.key_id,
                price_revision=holder.price_revision,
            )
        except NothingTold as error:
            message = "The reservation has no estimate in tokens: say what the call used."
            raise Refused([FieldError("", "required", message)]) from error
        return _settled(settled)


class ReleaseView(BudgetsView):
    """Lets go of what is held for a call that does not run. Again it does nothing; one that has
    been settled is 409."""

    write_scopes = (APIKey.Scope.CHECK, APIKey.Scope.INGEST)

    @RELEASE
    def post(self, request: Request, reservation_id: str) -> HttpResponse:
        """Release it."""
        row = _found(request, reservation_id)
        expect_nothing(request)
        try:
            return json_answer(reservation_as_json(release(row, timezone.now())))
        except WrongState as error:
            return _wrong_state(error)


class ExtendView(BudgetsView):
    """Holds for `ttl_seconds` (300 unless said) from now, for a call that takes longer: never for
    less than before. One that has ended is 409."""

    write_scopes = (APIKey.Scope.CHECK, APIKey.Scope.INGEST)

    @EXTEND
    def post(self, request: Request, reservation_id: str) -> HttpResponse:
        """Extend it."""
        row = _found(request, reservation_id)
        wanted = read_as(_Extension, read_body(request) or b"{}")
        try:
            held = extend(row, timedelta(seconds=wanted.ttl_seconds), timezone.now())
        except WrongState as error:
            return _wrong_state(error)
        return json_answer(reservation_as_json(held))


def _found(request: Request, reservation_id: str) -> Reservation:
    row = find_reservation(viewer_of(request.user), reservation_id)
    if row is None:
        raise NotFound(f"There is no reservation {reservation_id!r}.")
    return row


def _event(request: Request) -> dict[str, Any]:
    return read_object(read_body(request) or b"{}")


def _held(request: Request, viewer: Viewer, reserved: Reserved) -> HttpResponse:
    row = reserved.reservation
    where = request.build_absolute_uri(f"{reverse('reservation', args=(row.pk,))}/")
    if reserved.verdict is None:
        status, told = 200, earlier_answer(viewer, row)
    else:
        name_key(row, holder_of(request).prefix)
        status, told = 201, verdict_as_json(viewer, reserved.verdict)
    body = {**told, **reservation_as_json(row)}
    return json_answer(body, status=status, headers={"Location": where})


def _settled(settled: Settled) -> HttpResponse:
    receipt = settled.report.results[0]
    status = _STATUSES[receipt.status]
    members = {**reservation_as_json(settled.reservation), "event": receipt}
    if status == 200:
        return json_answer(members)
    code = "wrong_state" if status == 409 else "invalid"
    errors = [FieldError(e.field, e.code, e.message) for e in receipt.errors]
    detail = errors[0].message if errors else "The event cannot be stored."
    return problem(status, code, detail, errors)


def _wrong_state(error: WrongState) -> HttpResponse:
    return problem(409, "wrong_state", str(error))
