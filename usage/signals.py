"""The two words usage says upwards. A receiver that raises undoes what was done."""

from django.dispatch import Signal

# Sent inside the storing transaction with `rated` (list of usage.ingest.rows.Rated) and
# `superseded` (list of usage.ingest.corrections.Superseded). A receiver that raises undoes
# the storing: what budgets have spent and what is stored never disagree.
events_stored = Signal()

# Sent inside the transaction that puts other ratings on events, with `run` (RatingRun). Its
# status tells which way: APPLIED (changes of outcome CHANGED and ADJUSTED went from before to
# after) or ROLLED_BACK (those now UNDONE went back).
events_rerated = Signal()
