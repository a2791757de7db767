"""The world of a page: a process of its own, in an empty folder, for a limited time.

What a page sets, patches or breaks ends with its process, and `confined` says what it may not do.
Without os.fork, on Windows, pages run in the process of the tests, without any of this.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import pickle
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TypeVar

from executed.confined.sitecustomize import confine

Item = TypeVar("Item")

CHECKOUT = Path(__file__).parents[2]
CONFINED = Path(__file__).with_name("confined")
MOST_SECONDS = 120  # from one item to the next: no block takes a quarter, on a busy machine


class Died(Exception):
    """What became of a process that ended before its work did."""


def apart(task: Callable[[], Iterable[Item]], reads: Iterable[str]) -> Iterator[Item]:
    """Yield what a task yields in a copy of this process, beside copies of the files it reads."""
    if not hasattr(os, "fork"):
        yield from task()
        return
    with TemporaryDirectory() as folder, open(Path(folder, "trace"), "w+") as trace:
        home = Path(folder, "page")
        home.mkdir()
        for name in reads:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, home / name)
        child, pipe = copied(partial(work, task, home, trace))
        try:
            while answer := pickle.load(pipe):
                yield answer[0]
        except EOFError:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            raise Died(f"{ending(status)}\n{Path(folder, 'trace').read_text()}") from None
        finally:
            pipe.close()
            end(child)


def copied(work: Callable[[IO[bytes]], None]) -> tuple[int, IO[bytes]]:
    """Do work in a copy of this process; return its number, and the end of its pipe."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of any thread: those of BLAS, and no others run here, are ready for it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            os.setpgid(0, 0)
            with open(writer, "wb") as pipe:
                work(pipe)
        finally:
            os._exit(0)
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(child, child)
    os.close(writer)
    return child, open(reader, "rb")


def work(task: Callable[[], Iterable[Item]], home: Path, trace: IO[str], pipe: IO[bytes]) -> None:
    """Do a task at home, and note where that ends if it does so too early."""
    settle(home)
    faulthandler.enable(trace, all_threads=False)
    try:
        faulthandler.dump_traceback_later(MOST_SECONDS, exit=True, file=trace)
        for item in task():
            pickle.dump([item], pipe)
            pipe.flush()
            faulthandler.dump_traceback_later(MOST_SECONDS, exit=True, file=trace)
        pickle.dump([], pipe)
    except BaseException:
        traceback.print_exc(file=trace)
        trace.flush()


def settle(home: Path) -> None:
    """Make this process one that has begun at home, with nothing to read, and confine it."""
    os.chdir(home)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(CONFINED), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    sys.dont_write_bytecode = True
    logging.getLogger().handlers.clear()  # those of pytest
    confine()


def ending(status: int) -> str:
    """Say how a process ended."""
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
    return f"here the process of the page ended, {how}."


def end(child: int) -> None:
    """End a process and all that it started, where they have not ended."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
