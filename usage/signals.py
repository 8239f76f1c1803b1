"""The one word usage says upwards."""

from django.dispatch import Signal

# Sent inside the storing transaction with `rated` (list of usage.ingest.rows.Rated) and
# `superseded` (list of usage.ingest.corrections.Superseded). A receiver that raises undoes
# the storing: what budgets have spent and what is stored never disagree.
events_stored = Signal()
