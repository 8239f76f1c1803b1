"""The ids of events that reservations make themselves."""

from uuid import UUID


def event_id_of(reservation: UUID | str) -> str:
    """The id of the event that settles a reservation, where the caller names none."""
    return f"reservation-{reservation}"


def estimate_id_of(reservation: UUID | str) -> str:
    """The id of the event that settles a reservation at its estimate."""
    return f"{event_id_of(reservation)}-estimate"


def is_estimate(reservation: UUID | str, event_id: str) -> bool:
    """Whether an event only says what a reservation was expected to cost."""
    return event_id == estimate_id_of(reservation)
