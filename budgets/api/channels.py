"""`/channels/`: where alerts are sent."""

from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from msgspec import UNSET
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from budgets.api.access import (
    PAGE,
    BudgetsView,
    actor_of,
    expect_nothing,
    find_owner,
    page_answer,
)
from budgets.api.bodies import given, read_as
from budgets.api.notices import channel_as_json, tested_as_json
from budgets.api.schema.alerts import (
    LIST_CHANNELS,
    MAKE_CHANNEL,
    REMOVE_CHANNEL,
    ROTATE_SECRET,
    SET_CHANNEL,
    SHOW_CHANNEL,
    TEST_CHANNEL,
    ChannelBody,
)
from budgets.channels.saving import remove_channel, rotate_secret, save_channel, signing_secret
from budgets.models import Channel
from budgets.notices.resending import send_test
from budgets.selectors.pages import find_channel, list_channels
from usage.api.authentication import holder_of
from usage.api.bodies import read_body
from usage.api.parameters import MAX_PAGE, ParameterReader
from usage.api.problems import problem
from usage.api.reads import json_answer
from usage.ingest.values import FieldError
from usage.selectors.access import viewer_of

_OWNER, _TARGET = "organization", "target"
_STAYS = ("name", "kind")
_CLOCKS = ("quiet_from", "quiet_until")
_TAKEN = next(
    str(constraint.violation_error_message)
    for constraint in Channel._meta.constraints
    if constraint.name == "budgets_channel_once"
)


class ChannelListView(BudgetsView):
    """Channels, by name. A key of an organization sees and sets those of that one; a key of the
    site all, and makes one of the site unless its body names an organization.

    Budgets name the channels that their alerts go to; all other alerts go to default channels,
    first those of the organization.
    """

    @LIST_CHANNELS
    def get(self, request: Request) -> HttpResponse:
        """List channels."""
        reader = ParameterReader(request.GET)
        slug = reader.one(_OWNER)
        filters = {"organization__slug": slug} if slug else {}
        limit, cursor = reader.number("limit", PAGE, MAX_PAGE), reader.one("cursor")
        reader.finish()
        page = list_channels(viewer_of(request.user), filters, limit, cursor)
        return page_answer(request, page, [channel_as_json(row) for row in page.rows])

    @MAKE_CHANNEL
    def post(self, request: Request) -> HttpResponse:
        """Make a channel."""
        holder = holder_of(request)
        said = given(read_as(ChannelBody, read_body(request)))
        owner = find_owner(holder, said.pop(_OWNER, UNSET), _OWNER, needed=False)
        named = {name: said.pop(name, "") for name in _STAYS}
        return _save(request, Channel(organization=owner, **named), said, is_new=True)


class ChannelView(BudgetsView):
    """One channel. PUT sets all of it but its target, which stays unless the body has one; its
    name, kind and organization cannot be changed. DELETE also deletes the log of what it was
    sent, and is 409 while budgets name it."""

    @SHOW_CHANNEL
    def get(self, request: Request, channel_id: str) -> HttpResponse:
        """Show it."""
        ParameterReader(request.GET).finish()
        return json_answer(channel_as_json(_seen(request, channel_id)))

    @SET_CHANNEL
    def put(self, request: Request, channel_id: str) -> HttpResponse:
        """Set all of it."""
        holder, channel = holder_of(request), _seen(request, channel_id)
        said = given(read_as(ChannelBody, read_body(request)))
        if _OWNER in said:
            channel.organization = find_owner(holder, said.pop(_OWNER), _OWNER, needed=False)
        for name in _STAYS:
            setattr(channel, name, said.pop(name, getattr(channel, name)))
        return _save(request, channel, said, is_new=False)

    @REMOVE_CHANNEL
    def delete(self, request: Request, channel_id: str) -> HttpResponse:
        """Delete it."""
        holder, channel = holder_of(request), _seen(request, channel_id)
        try:
            remove_channel(channel, actor_of(holder))
        except ValidationError as refusal:
            return problem(409, "in_use", " ".join(refusal.messages))
        return HttpResponse(status=204)


class RotateSecretView(BudgetsView):
    """Signs the messages of a webhook with another secret, and until the next time with the one
    before as well. Other kinds of channels have none: 409."""

    @ROTATE_SECRET
    def post(self, request: Request, channel_id: str) -> HttpResponse:
        """Take another secret."""
        holder, channel = holder_of(request), _seen(request, channel_id)
        expect_nothing(request)
        try:
            return json_answer({"secret": rotate_secret(channel, actor_of(holder))})
        except ValidationError as refusal:
            return problem(409, "not_signed", " ".join(refusal.messages))


class TestChannelView(BudgetsView):
    """Sends a test message, and waits for what comes of it."""

    @TEST_CHANNEL
    def post(self, request: Request, channel_id: str) -> HttpResponse:
        """Send it."""
        holder, channel = holder_of(request), _seen(request, channel_id)
        expect_nothing(request)
        return json_answer(tested_as_json(send_test(channel, actor_of(holder))))


def _seen(request: Request, channel_id: str) -> Channel:
    channel = find_channel(viewer_of(request.user), channel_id)
    if channel is None:
        raise NotFound(f"There is no channel {channel_id!r}.")
    return channel


def _save(
    request: Request, channel: Channel, said: dict[str, Any], *, is_new: bool
) -> HttpResponse:
    target, blank = said.pop(_TARGET, None), Channel()
    for field in ChannelBody.__struct_fields__:
        if field not in (_OWNER, _TARGET, *_STAYS):
            setattr(channel, field, said.get(field, getattr(blank, field)))
    for name in _CLOCKS:
        if said.get(name):
            setattr(channel, name, time.fromisoformat(said[name]))
    try:
        saved = save_channel(channel, target, actor_of(holder_of(request)))
    except ValidationError as refusal:
        if _TAKEN in refusal.messages:
            return problem(409, "exists", _TAKEN, [FieldError("name", "exists", _TAKEN)])
        raise
    if not is_new:
        return json_answer(channel_as_json(saved))
    body = {**channel_as_json(saved), "secret": signing_secret(saved) or None}
    where = request.build_absolute_uri(f"{reverse('channel', args=(saved.pk,))}/")
    return json_answer(body, status=201, headers={"Location": where})
