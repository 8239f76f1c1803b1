"""What dashboards call the dimensions of usage."""

NOT_GIVEN_NAME = "not given"
OTHER_NAME = "other"
GROUP_NAMES = {
    "model": "model",
    "provider": "provider",
    "organization": "organization",
    "project": "project",
    "team": "team",
    "subject": "person",
    "agent_type": "agent type",
    "action": "action",
    "operation": "operation",
    "billing_scope": "billing",
    "api_key": "API key",
    "session": "session",
    "run": "run",
}
_AGENTS = {
    "implementation": "Implementation",
    "research": "Research",
    "testing": "Testing",
    "release": "Release",
    "security": "Security",
    "documentation": "Documentation",
    "design": "Design",
    "marketing": "Marketing",
    "ui-ux": "UI/UX",
    "uiux": "UI/UX",
    "performance": "Performance",
    "compliance": "Compliance",
    "revenue": "Revenue",
    "dependency": "Dependency",
}


def also_called(name: str, *texts: str | None) -> str:
    """What else a name is called by `texts`, last first, without what the name itself says."""
    told = (_beyond(name, text) for text in reversed(texts) if text)
    return " · ".join(dict.fromkeys(text for text in told if text))


def _beyond(name: str, text: str) -> str:
    """Of a text that is the name, or the name and a remark in brackets, the remark."""
    first, rest = text[: len(name)], text[len(name) :]
    repeats = first.casefold() == name.casefold() and (not rest or rest.startswith(" ("))
    return rest.strip() if repeats else text


def value_name(group: str, value: str | None) -> str:
    """What a value of a dimension is called: known agent types by name whatever their spelling,
    all else as it is given."""
    if not value:
        return NOT_GIVEN_NAME
    if group != "agent_type":
        return value
    return _AGENTS.get(value.lower().replace("_", "-").replace("/", "-"), value)
