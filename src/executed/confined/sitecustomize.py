"""Confines a process: it reaches no other machine, and leaves the checkout as it is.

The process of a page is confined, and each Python that it starts, which imports this at its start;
it starts no other program. What the library logs of how long a check takes, no page can show.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Any

CHECKOUT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
LOCAL = re.compile(r"127(\.\d+){3}|::1|localhost|0\.0\.0\.0")
REACHING = {"connect", "getaddrinfo", "gethostbyname", "sendmsg", "sendto"}
CHANGING = {"chmod", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate", "utime"}
STARTING = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def confine() -> None:
    """Confine this process, until it ends."""
    logging.getLogger("backproof").addHandler(logging.NullHandler())
    sys.addaudithook(refuse)


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise where a call would do what no block may do."""
    module, _, name = event.partition(".")
    if module == "socket" and name in REACHING and is_remote(arguments):
        raise PermissionError(f"no block may reach another machine: {arguments[-1]}")
    if event in STARTING and os.fsdecode(arguments[0]) != sys.executable:
        raise PermissionError(f"no block may start a program but sys.executable: {arguments[0]}")
    if writes(event, arguments) or (module == "os" and name in CHANGING):
        for path in filter(is_in_checkout, arguments[: 1 if event == "open" else None]):
            raise PermissionError(f"no block may write into the checkout: {path}")


def is_remote(arguments: tuple[Any, ...]) -> bool:
    """Whether a call of a socket, or for an address, names another machine."""
    where = arguments[1] if hasattr(arguments[0], "fileno") else arguments[:1]
    if not isinstance(where, tuple) or not where[0]:
        return False
    host = os.fsdecode(where[0])
    return not (LOCAL.fullmatch(host) or host == os.uname().nodename)


def writes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be written, or a folder, in which files can be opened then."""
    if event != "open":
        return event == "sqlite3.connect"
    path, _, flags = arguments
    return bool((flags or 0) & WRITING) or (not isinstance(path, int) and os.path.isdir(path))


def is_in_checkout(path: object) -> bool:
    """Whether this is a path in the checkout."""
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    return os.path.realpath(os.fsdecode(path)).startswith(CHECKOUT + os.sep)


if __name__ == "sitecustomize":
    confine()
