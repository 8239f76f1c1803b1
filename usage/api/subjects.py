"""`GET /subjects/{key}/`: one person or service, its usage and its calls."""

from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from usage.api.event_reads import event_as_json
from usage.api.parameters import ParameterReader
from usage.api.reads import ReadView, json_answer, read_frame
from usage.api.rendering.subjects import subject_as_json, subject_summary_as_json
from usage.api.schema.subjects import SUBJECT
from usage.models import Subject
from usage.selectors.access import viewer_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.named import find_subject
from usage.selectors.recent import count_events, recent_events
from usage.selectors.summaries import read_cards

PAGE, MAX_EVENTS = 50, 500
MAX_OFFSET = 10**8


class SubjectView(ReadView):
    """One subject: its cards and series, and its calls, newest first.

    The summary holds usage of this subject only, with `billing_scope` only what that party pays.
    `events_total` counts all its calls, which `limit` and `offset` page through; calls that a
    correction replaced are left out of both. A `limit` of 0 or less means 50, one over 500
    means 500. Where several organizations have the subject, `organization` says which.
    """

    @SUBJECT
    def get(self, request: Request, key: str) -> HttpResponse:
        """Answer for the subject, 404 if the caller sees none of this key."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        subject = find_subject(viewer, key, reader.one(ORGANIZATION) or None)
        if subject is None:
            raise NotFound("user not found")
        filters = {ORGANIZATION: [subject.organization.slug], "subject": [subject.key]}
        frame = read_frame(reader, viewer, filters)
        limit, offset = read_limit(reader), read_offset(reader)
        reader.finish()
        return json_answer(
            {
                **subject_as_json(subject),
                "summary": subject_summary_as_json(frame, read_cards(frame)),
                "effective_limits": self.effective_limits(subject),
                "limit": limit,
                "offset": offset,
                "events_total": count_events(subject),
                "events": [
                    event_as_json(event)
                    for event in recent_events(subject, limit=limit, offset=offset)
                ],
            }
        )

    def effective_limits(self, subject: Subject) -> list[dict[str, Any]]:
        """The limits in force on the subject."""
        return []


def read_limit(reader: ParameterReader) -> int:
    """How many events are asked for, from 1 to 500; 0 and less are 50."""
    asked = _whole(reader, "limit", PAGE)
    return min(asked, MAX_EVENTS) if asked > 0 else PAGE


def read_offset(reader: ParameterReader) -> int:
    """How many of the newest events are passed over."""
    asked = _whole(reader, "offset", 0)
    if 0 <= asked <= MAX_OFFSET:
        return asked
    reader.fault("offset", "out_of_range", f"offset is a whole number from 0 to {MAX_OFFSET}.")
    return 0


def _whole(reader: ParameterReader, name: str, default: int) -> int:
    text = reader.one(name) or str(default)
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        return int(text)
    reader.fault(name, "invalid", f"{name} is a whole number.")
    return default
