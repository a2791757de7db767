"""Runs blocks in the reader's browser, and says what came of each.

The build sends it there with the library; `docs/assets/python/worker.js` calls it.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from typing import Any, TypedDict

# What a terminal no longer shows, since the line was begun anew.
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)|\r(?=\n)")

os.environ.setdefault("MPLBACKEND", "agg")


class Outcome(TypedDict):
    """What a block printed, its report as HTML if it ends with one, and the line that failed."""

    printed: str
    html: str
    line: int | None


class Program:
    """The blocks that ran so far, and what they have left."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {"__name__": "__main__"}
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")

    def run(self, code: str, name: str) -> Outcome:
        """Run a block; its name is what tracebacks call it."""
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        html, line = "", None
        with redirect_stdout(StringIO()) as printed, redirect_stderr(printed):
            try:
                html = self.report(code, name)
            except BaseException as error:
                shown = without_others(traceback.TracebackException.from_exception(error))
                printed.write("".join(shown.format()))
                line = failed_at(shown, name)
        return {"printed": OVERWRITTEN.sub("", printed.getvalue()), "html": html, "line": line}

    def report(self, code: str, name: str) -> str:
        """Run a block, and return what its last line shows in a notebook: a report as HTML."""
        if find_spec("matplotlib"):
            import_style()
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec", dont_inherit=True), self.variables)
        if not isinstance(last, ast.Expr):
            return ""
        expression = compile(ast.Expression(last.value), name, "eval", dont_inherit=True)
        shown = eval(expression, self.variables)
        return str(shown._repr_html_()) if hasattr(shown, "_repr_html_") else ""

    def drawn(self, names: Iterable[str]) -> dict[str, str]:
        """Return the figures that have these names: as SVG, or the data of one to move."""
        left = {name: self.variables[name] for name in names if name in self.variables}
        data = {name: data_of(one) for name, one in left.items() if isinstance(one, dict)}
        if "matplotlib.figure" not in sys.modules:
            return data
        from matplotlib.figure import Figure

        from executed.drawing import svg

        return data | {
            name: svg(name, one) for name, one in left.items() if isinstance(one, Figure)
        }


def data_of(figure: Mapping[str, Any]) -> str:
    """Return the data of a figure to move.

    Numbers of NumPy are written with as few digits as tell them from their neighbours.
    """
    return json.dumps(figure, default=lambda number: float(str(number)), allow_nan=False)


def import_style() -> None:
    """Let figures have the style of the site; Matplotlib is there only if a block imports it."""
    import matplotlib

    from executed.drawing import STYLE

    matplotlib.rcParams.update(STYLE)


def without_others(error: traceback.TracebackException) -> traceback.TracebackException:
    """Take out of a traceback what is not in a block: lines of the library, NumPy and this."""
    for one in chain_of(error):
        one.stack = traceback.StackSummary.from_list(
            [frame for frame in one.stack if frame.filename.startswith("block ")]
        )
    return error


def chain_of(error: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    """Yield an error, and those that it came from."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def failed_at(error: traceback.TracebackException, name: str) -> int | None:
    """Return the line of a block at which an error was raised, or that is no Python."""
    lines = [frame.lineno for frame in error.stack if frame.filename == name]
    syntax = getattr(error, "lineno", None)
    return lines[-1] if lines else syntax and int(syntax)
