"""Messages as channels take them: text, HTML, Slack's blocks, and JSON for webhooks. Pure.

Whatever a message says, none of these is longer than a channel takes, breaks out of its line, or
is read as markup.
"""

from budgets.notices.rendering.html import as_html
from budgets.notices.rendering.payload import as_payload
from budgets.notices.rendering.slack import as_slack
from budgets.notices.rendering.text import as_text

__all__ = ["as_html", "as_payload", "as_slack", "as_text"]
