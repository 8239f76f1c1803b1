"""The words usage says upwards. A receiver that raises undoes what was done."""

from django.dispatch import Signal

# Sent before storing with `prepared`, the events that name a reservation (list of
# usage.ingest.prepare.Prepared). A receiver answers with a dict of usage.ingest.values.Rejection by
# index, for those that may not, and may say which event another one corrects.
events_offered = Signal()

# Sent inside the storing transaction with `rated` (list of usage.ingest.rows.Rated) and
# `superseded` (list of usage.ingest.corrections.Superseded). A receiver that raises undoes the
# storing: what budgets have spent and what is stored never disagree. When it raises Overtaken, the
# events are offered again.
events_stored = Signal()

# Sent inside the transaction that puts other ratings on events, with `run` (RatingRun). Its
# status tells which way: APPLIED (changes of outcome CHANGED and ADJUSTED went from before to
# after) or ROLLED_BACK (those now UNDONE went back).
events_rerated = Signal()

# Sent inside the transaction that lets the days or weeks of an `organization` begin elsewhere.
calendar_changed = Signal()


class Overtaken(Exception):
    """What a receiver has answered to `events_offered` does not hold any more."""
