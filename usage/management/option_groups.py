"""Options that several subcommands share: declared once as the fields of a dataclass."""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the dataclasses among its parameters.

    A parameter that is typed with a dataclass of annotated fields turns into one option a field;
    when the command runs, it gets the dataclass made of them.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(function).parameters.values():
        kind = hints.get(parameter.name)
        if isinstance(kind, type) and is_dataclass(kind):
            groups[parameter.name] = kind
            parameters += _options_of(kind)
        else:
            annotation = hints.get(parameter.name, inspect.Parameter.empty)
            parameters.append(parameter.replace(annotation=annotation))

    @wraps(function)
    def command(*args: Any, **given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{f.name: given.pop(f.name) for f in fields(kind)})
        function(*args, **given)

    # Keyword-only, so that an option without default may follow one that has one.
    signature = inspect.Signature(
        [
            p if p.name == "self" else p.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for p in parameters
        ]
    )
    command.__signature__ = signature  # type: ignore[attr-defined] # what typer reads
    command.__annotations__ = {
        p.name: p.annotation for p in signature.parameters.values() if p.name != "self"
    }
    return command


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
