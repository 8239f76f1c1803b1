"""Messages as HTML for e-mails, by a template of its own styles: nothing is loaded from afar."""

from django.template.loader import render_to_string

from budgets.notices.fitting import fit
from budgets.notices.message import Message

_COLOURS = {
    "critical": ("#c23a32", "Critical"),
    "warning": ("#9a6200", "Warning"),
    "info": ("#2b5fad", "Info"),
}


def as_html(message: Message) -> str:
    """The whole page of an e-mail."""
    colour, word = _COLOURS.get(message.severity, _COLOURS["info"])
    context = {"message": fit(message), "colour": colour, "severity": word}
    return render_to_string("notices/email.html", context)
