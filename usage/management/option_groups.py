"""Options that several subcommands share: declared once as the fields of a dataclass."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the dataclasses among its parameters.

    A parameter that is typed with a dataclass of annotated fields turns into one option a field,
    a field that is such a dataclass into its options; when the command runs, it gets the dataclass
    made of them.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        kind = hints.get(parameter.name)
        if _is_group(kind):
            groups[parameter.name] = kind
            parameters += _options_of(kind)
        else:
            annotation = hints.get(parameter.name, inspect.Parameter.empty)
            parameters.append(parameter.replace(annotation=annotation))

    @wraps(function)
    def command(*args: Any, **given: Any) -> None:
        for name, kind in groups.items():
            given[name] = _made(kind, given)
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


def _is_group(kind: object) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    options: list[inspect.Parameter] = []
    for field in fields(group):
        if _is_group(hints[field.name]):
            options += _options_of(hints[field.name])
        else:
            options.append(_option_of(field, hints[field.name]))
    return options


def _option_of(field: "Field[Any]", annotation: object) -> inspect.Parameter:
    made = field.default_factory
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=field.default if made is MISSING else made(),
        annotation=annotation,
    )


def _made(group: Any, given: dict[str, Any]) -> object:
    """The dataclass of what was given, which is taken out of it."""
    hints = get_type_hints(group)
    return group(
        **{
            field.name: _made(hints[field.name], given)
            if _is_group(hints[field.name])
            else given.pop(field.name)
            for field in fields(group)
        }
    )
