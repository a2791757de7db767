"""A copy of this process that does work as this process would have done it when it was made.

Tests import what starts threads, JAX for one; a copy of a process that has threads may wait for
ever for a lock that one of them held. So pages run in copies of a process that is as it was before
any test was collected.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, cast

Work = Callable[..., Any]


def served(work: Work) -> Work:
    """Return a function that does this work in a copy of this process, which is made now.

    What it takes, returns and raises is pickled. The copy ends when this process does.
    """
    if not hasattr(os, "fork"):
        return work
    here, there = Pipe()
    if not os.fork():
        here.close()
        try:
            serve(work, there)
        finally:
            os._exit(0)
    there.close()

    def ask(*arguments: object) -> object:
        here.send((arguments, warnings.filters))
        answer, error = here.recv()
        if error:
            raise error
        return answer

    return ask


def serve(work: Work, requests: Connection) -> None:
    """Do work as often as it is asked for, each time under the warnings that hold there."""
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            arguments, filters = requests.recv()
            cast(list[Any], warnings.filters)[:] = filters
            try:
                requests.send((work(*arguments), None))
            except Exception as error:
                requests.send((None, error))
