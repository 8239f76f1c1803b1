"""What is said of an alert, before it is a message."""

from typing import NamedTuple

from budgets.notices.message import Line


class Told(NamedTuple):
    """Of one alert: a sentence or two, its figures, what to do, the path of the page to look at
    ("": its own), and the sessions that cost most, below a row of titles."""

    summary: str
    lines: list[Line]
    advice: list[str]
    path: str = ""
    sessions: tuple[tuple[str, ...], ...] = ()
