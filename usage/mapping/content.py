"""Attributes that hold what was asked and answered, or secrets: no rule ever sees them."""

from usage.mapping.values import fits

_CONTENT = (
    "*prompt", "*prompts", "*.prompt.*", "*.prompts.*", "*completion", "*completions",
    "*.completion.*", "*.completions.*", "input.value", "output.value", "*.messages",
    "*messages.*", "messages", "message", "message.*", "*_messages", "*.content", "*.content.*",
    "content", "*.input", "*.output", "input", "output", "*instructions", "*.text", "body",
    "response", "*.response.object", "*.arguments", "*.arguments.*", "*.tool.call.result",
    "*embedding.vector", "*embedding.text", "*document.*", "*.choices", "*.choices.*",
    "*.choice.*", "gen_ai.event.content", "*classifier_input", "tool_input", "tool_parameters",
)  # fmt: skip
_SECRETS = (
    "*password*", "*passwd*", "*secret*", "*authorization*", "*credential*", "*private_key*",
    "*private-key*", "*privatekey*", "*api_key", "*api-key", "*apikey*", "*token", "*cookie*",
    "*dsn",
)  # fmt: skip
_is_content = fits(*_CONTENT, *_SECRETS)


def is_content(attribute: str) -> bool:
    """Whether an attribute may hold a prompt, an answer, what a tool was given, or a secret."""
    return _is_content(attribute.lower())
