"""The operating system account that the embedded PostgreSQL runs as, and the folders it needs.

PostgreSQL refuses to run as root. Root therefore lends it an unprivileged account that exists
already; anybody else runs it as themselves.
"""

import contextlib
import os
import pwd
import sys
from pathlib import Path
from typing import TypedDict

_LENT_BY_ROOT = ("postgres", "nobody")


class RunAs(TypedDict, total=False):
    """Keyword arguments of `subprocess.Popen` that change the account of a child."""

    user: int
    group: int
    extra_groups: tuple[int, ...]
    cwd: str


class ServerAccount:
    """Who the server runs as; raises LookupError when root has no account to lend."""

    def __init__(self, folder: Path) -> None:
        self._entry = _lent_account(folder) if os.geteuid() == 0 else None

    @property
    def run_as(self) -> RunAs:
        """What to hand to `subprocess` so that a child runs as this account."""
        if self._entry is None:
            return {}
        entry = self._entry
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": (), "cwd": "/"}

    def own(self, folder: Path) -> None:
        """Make a private folder of this account, or check that one is.

        Raises PermissionError when somebody else owns it.
        """
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if self._entry is not None:
                os.chown(folder, self._entry.pw_uid, self._entry.pw_gid)
        owner = self._entry.pw_uid if self._entry else os.geteuid()
        if folder.is_symlink() or folder.stat().st_uid != owner:
            raise PermissionError(f"{folder} belongs to somebody else")

    def let_through(self, path: Path) -> None:
        """Let this account reach a path: parents may be passed through, never listed."""
        if self._entry is None:
            return
        for parent in path.resolve().parents:
            mode = parent.stat().st_mode
            if not mode & 0o001:
                parent.chmod(mode | 0o001)
                sys.stderr.write(f"PostgreSQL cannot run as root: {parent} opened for passing\n")


def _lent_account(folder: Path) -> pwd.struct_passwd:
    if folder.exists() and folder.stat().st_uid != 0:
        return pwd.getpwuid(folder.stat().st_uid)
    for name in _LENT_BY_ROOT:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("PostgreSQL refuses to run as root: start Tallyman as a normal user")
