"""Processes that begin without the library, and copies of them that a change cannot spoil."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 120  # what computes for longer, does not end
WAITING = 5  # how many times longer it may take where others compute, too
MOST_BYTES = 4 * 2**30  # what takes more, does not end either


def warm() -> None:
    """Import what the tests need, but nothing of the library."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT / "tests"))
    os.environ["MPLBACKEND"] = "agg"
    for name in ("matplotlib.pyplot", "mpmath", "numpy.ma", "playwright.sync_api"):
        if find_spec(name.split(".")[0]):
            __import__(name)


def processes(count: int, initializer: Callable[..., None], *arguments: Any) -> ProcessPoolExecutor:
    """Return processes that begin afresh, without the library."""
    return ProcessPoolExecutor(count, get_context("spawn"), initializer, arguments)


def in_child(task: Callable[[], Any], seconds: int = MOST_SECONDS) -> Any:
    """Return what a task gives in a copy of this process, or None if that dies or hangs."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.alarm(WAITING * seconds)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(task(), pipe)
            pipe.flush()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None
