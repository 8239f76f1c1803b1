"""The base of commands with a command tree: errors in one line, exit 2 for bad usage, 1 for
failure; colour and the width of the window only where standard output is a terminal."""

from types import TracebackType
from typing import Any, NoReturn

from django.core.management.base import CommandError
from django_typer.management import TyperCommand
from rich.console import Console, RenderableType
from typer import TyperException

WIDTH_OF_FILES = 1000
"""Columns of output that is no terminal: more than any line needs, so that nothing wraps."""
_PLAIN = dict.fromkeys(map(ord, "\N{EN DASH}\N{EM DASH}\N{MIDDLE DOT}"), "-")


class TypedCommand(TyperCommand, rich_markup_mode=None):
    """A typer command whose bad usage is told in one line instead of a whole help page."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Turn what typer refuses into exit 2, or into CommandError where Python called."""
        leave: Any = super().__exit__
        if isinstance(error, TyperException) and not self._traceback:
            leave(None, None, None)
            self.refuse(_in_one_line(error), returncode=getattr(error, "exit_code", 1))
        return bool(leave(kind, error, trace))

    def refuse(self, reason: str, *, returncode: int = 2) -> NoReturn:
        """End with `reason` on standard error: `returncode` 2 for bad usage, 1 for failure."""
        if getattr(self, "_called_from_command_line", False) and not self._traceback:
            self.stderr.write(f"{self._name}: {reason}")
            raise SystemExit(returncode)
        raise CommandError(reason, returncode=returncode)

    def show(self, *parts: RenderableType) -> None:
        """Print `parts`; plain, unwrapped and without trailing blanks unless to a terminal."""
        terminal = self.stdout.isatty()
        console = Console(
            width=None if terminal else WIDTH_OF_FILES,
            force_terminal=terminal or self.force_color,
            no_color=True if self.no_color else None,
            highlight=False,
        )
        with console.capture() as captured:
            for part in parts:
                console.print(part)
        lines = captured.get().splitlines()
        self.say("".join(f"{line.rstrip()}\n" for line in lines))

    def say(self, text: str) -> None:
        """Write `text` as it is, but for characters that standard output cannot hold."""
        coding = self._coding
        if not self.writes_unicode:
            text = text.translate(_PLAIN)
        self.stdout.write(text.encode(coding, "replace").decode(coding), ending="")

    @property
    def writes_unicode(self) -> bool:
        """Whether standard output can hold every character."""
        return self._coding.lower().replace("-", "").startswith("utf")

    @property
    def _coding(self) -> str:
        return getattr(self.stdout, "encoding", None) or "utf-8"


def _in_one_line(error: TyperException) -> str:
    told = getattr(error, "format_message", error.__str__)()
    return " ".join(str(told).split())
