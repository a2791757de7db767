"""A copy of this process that does work as this process would have done it when it was made.

Tests import what starts threads, JAX for one; a copy of a process that has threads may wait for
ever for a lock that one of them held. So pages run in copies of a process that is as it was before
any test was collected, or any page was served.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any, cast

ONE_BY_ONE = Lock()


def elsewhere(work: Callable[..., Any], *arguments: object) -> Any:
    """Do work in the copy of this process; what it takes, returns and raises is pickled."""
    if not hasattr(os, "fork"):
        return work(*arguments)
    with ONE_BY_ONE:
        pipe = server(os.getpid())
        pipe.send((work, arguments, warnings.filters))
        answer, error = pipe.recv()
    if error:
        raise error
    return answer


@cache
def server(process: int) -> Connection:
    """Return the pipe to the copy of a process, which is made when this is first asked for.

    The copy ends when the process does.
    """
    here, there = Pipe()
    if not os.fork():
        here.close()
        try:
            serve(there)
        finally:
            os._exit(0)
    there.close()
    return here


def serve(requests: Connection) -> None:
    """Do work as often as it is asked for, each time under the warnings that hold there."""
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            work, arguments, filters = requests.recv()
            cast(list[Any], warnings.filters)[:] = filters
            try:
                requests.send((work(*arguments), None))
            except Exception as error:
                requests.send((None, error))
