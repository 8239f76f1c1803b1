"""What kinds of agents are called, and their colours."""

from collections.abc import Mapping

from config.dashboards.colours import OTHER, SERIES
from config.dashboards.names import value_name
from config.dashboards.reading import Reading

AGENT_TYPE = "agent_type"


def agent_label(value: str | None) -> str:
    """The name of a kind of agent."""
    return value_name(AGENT_TYPE, value)


def agent_colours(reading: Reading) -> Mapping[str, int]:
    """The colours that a chart of the question gives to kinds of agents; `colour_in` reads it."""
    top = [row.group[AGENT_TYPE] or "" for row in reading.ranking(AGENT_TYPE).rows[:SERIES]]
    return reading.colours(AGENT_TYPE, top)


def colour_in(colours: Mapping[str, int], value: str | None) -> int:
    """The colour index of a kind of agent: that of "other" where the chart has it there."""
    return colours.get(value or "", OTHER)
