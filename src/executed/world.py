"""The world of a page: a process of its own, in an empty folder, for a limited time.

What a page sets, patches or breaks ends with its process, and `confined` says what it may not do.
Without os.fork, on Windows, pages run in the process of the tests, without any of this.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import shutil
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, TypeVar

from executed.commands import ROOT
from executed.confined.sitecustomize import confine

Item = TypeVar("Item")
Task = Callable[[], Iterable[Item]]

CONFINED = Path(__file__).with_name("confined")


class Died(Exception):
    """What became of a process that ended before its work did."""


def apart(
    task: Task[Item], reads: Iterable[str] = (), seconds: float | None = None
) -> Iterator[Item]:
    """Yield what a task yields in a copy of this process, each item within some seconds.

    It works in a folder that has copies of the files it reads, and nothing else.
    """
    if not hasattr(os, "fork"):
        yield from task()
        return
    with TemporaryDirectory() as folder, open(Path(folder, "trace"), "w+") as trace:
        home = Path(folder, "page")
        home.mkdir()
        for name in reads:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, home / name)
        child, answers = copied(partial(work, task, home, trace))
        try:
            with suppress(EOFError):
                while answers.poll(seconds):
                    if not (answer := answers.recv()):
                        return
                    yield answer[0]
                os.kill(child, signal.SIGABRT)  # which lets it write where it is
            raise Died(f"{ending(child, seconds)}\n{Path(trace.name).read_text()}")
        finally:
            end(child)


def copied(work: Callable[[Connection], None]) -> tuple[int, Connection]:
    """Do work in a copy of this process; return its number, and where its answers come from."""
    reader, writer = Pipe(duplex=False)
    with warnings.catch_warnings():
        # Python warns of threads, among them those of BLAS, which no copy waits for.
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        try:
            os.setpgid(0, 0)
            work(writer)
        finally:
            os._exit(0)
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(child, child)
    writer.close()
    return child, reader


def work(task: Task[Item], home: Path, trace: IO[str], answers: Connection) -> None:
    """Do a task at home, and note where that ends if it does so too early."""
    settle(home)
    faulthandler.enable(trace, all_threads=False)
    try:
        for item in task():
            answers.send([item])
        answers.send([])
    except BaseException:
        traceback.print_exc(file=trace)
        trace.flush()


def settle(home: Path) -> None:
    """Make this process one that has begun at home, with nothing to read, and confine it."""
    os.chdir(home)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    paths = [str(CONFINED), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    sys.dont_write_bytecode = True
    # What pytest would keep to itself, a terminal shows.
    logging.getLogger().handlers.clear()
    sys.unraisablehook = sys.__unraisablehook__
    threading.excepthook = threading.__excepthook__
    warnings.showwarning = show_warning
    confine()


def show_warning(*warning: Any, **_: object) -> None:
    """Write a warning that is no error to stderr, as Python does."""
    sys.stderr.write(warnings.formatwarning(*warning[:4]))


def ending(child: int, seconds: float | None) -> str:
    """Wait for a process to end, and say how it did."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGABRT:
        return f"here the process of the page aborted, or took longer than {seconds} seconds."
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
    return f"here the process of the page ended, {how}."


def end(child: int) -> None:
    """End a process and all that it started, where they have not ended."""
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)
