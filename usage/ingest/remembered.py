"""What a process remembers of the database, within bounds and shared by its threads."""

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_REMEMBERED = 50_000


class Remembered(dict[Key, Value]):
    """Facts that stay true, in two generations of up to `MAX_REMEMBERED` or one batch more.

    What is looked up stays; what nobody asks for while a whole generation fills is forgotten.
    So a thread always finds what it has just made known, whatever other threads learn.
    """

    def __init__(self) -> None:
        super().__init__()
        self._older: dict[Key, Value] = {}

    def __missing__(self, key: Key) -> Value:
        value = self[key] = self._older[key]
        return value

    def knows(self, key: Key) -> bool:
        """Whether `self[key]` has an answer."""
        return key in self or key in self._older

    def grow_old(self) -> None:
        """Begin a new generation if this one is full."""
        if len(self) > MAX_REMEMBERED:
            self._older = dict(self)
            # One by one, because another thread may have added something since.
            for key in self._older:
                self.pop(key, None)

    def forget(self) -> None:
        """Drop everything."""
        self._older = {}
        self.clear()
