"""What people are told of each class of a difference."""

from typing import NamedTuple


class Described(NamedTuple):
    """A class: its name for people, what it means, and what to do about it."""

    label: str
    meaning: str
    remedy: str


DESCRIPTIONS = {
    "missing_here": Described(
        "Missing here",
        "Billed, but never recorded.",
        "Find the service that calls the provider without telling this server, and connect it.",
    ),
    "missing_there": Described(
        "Missing there",
        "Recorded, but not on the bill.",
        "Look for calls of another account, for free credits, and for test data; list the "
        "account that pays for them as a bill of its own.",
    ),
    "price": Described(
        "Price",
        "The same tokens at another price than ours.",
        "Set the price that you pay, or a contract, from the day it holds, and re-rate.",
    ),
    "cache": Described(
        "Cache",
        "The same input, but other shares of it written to and read from a cache.",
        "Update the instrumentation to one that reports cached tokens.",
    ),
    "timing": Described(
        "Timing",
        "Used on one day, billed on the day before or after.",
        "Nothing needs doing: over both days it is nothing.",
    ),
    "rounding": Described(
        "Rounding",
        "Less than the last decimal of the bill can hide.",
        "Nothing needs doing.",
    ),
    "other": Described(
        "Other",
        "What no tokens cost, such as searches and support, and amounts without tokens.",
        "Look at the lines of the bill that name no model.",
    ),
}
"""By the names of `usage.models.reconciliations.CLASSES`."""
