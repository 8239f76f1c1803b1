"""The database backend, under the name Django looks for."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that asks the server nothing before a request unless something is odd."""

    def is_usable(self) -> bool:
        """Whether the connection still works, as far as its socket tells.

        A server that went away has closed it, which makes it readable. Whatever else the server
        may have said meanwhile, such as a changed setting, makes it readable too: only then, and
        after an error, is a statement sent.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred:
            return super().is_usable()
        socket = select.poll()
        socket.register(self.connection.fileno(), select.POLLIN)
        return not socket.poll(0) or super().is_usable()
