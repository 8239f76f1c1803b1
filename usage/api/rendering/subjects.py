"""A subject with its summary as JSON values."""

from typing import Any

from usage.api.rendering.summaries import cards_as_json, frame_as_json
from usage.models import Subject
from usage.selectors.frames import Frame
from usage.selectors.summaries import Cards


def subject_as_json(subject: Subject) -> dict[str, Any]:
    """Who a subject is; e-mail and name are empty where nobody gave them."""
    return {
        "organization": subject.organization.slug,
        "key": subject.key,
        "email": subject.email,
        "display_name": subject.display_name,
    }


def subject_summary_as_json(frame: Frame, cards: Cards) -> dict[str, Any]:
    """The usage of the frame's subject alone."""
    return {**frame_as_json(frame, cards), **cards_as_json(cards)}
