"""How the public functions are called: options that others have, and where errors point to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from traceback import extract_tb
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LIBRARY = Path(__file__).parent

# What other checkers ask for, and why it is not asked for here.
STEPS = dict.fromkeys(
    ("delta", "dx", "eps", "epsilon", "h", "step"),
    "the library chooses the steps and estimates the errors. Leave it out.",
)
TOLERANCES = dict.fromkeys(
    ("atol", "rtol", "threshold", "tol"),
    "pass tolerance, which is relative to the largest entry of each array, or leave it out.",
)

ERRORS = dict.fromkeys(TOLERANCES, "the error is as small as the cost allows. Leave it out.")

ORDER = dict.fromkeys(
    ("fun", "func", "grad", "grads", "jac", "params", "x0"),
    "pass the function, its derivative (True if the function returns both) and the parameters "
    "in this order, without names.",
)
ARGUMENTS = {"args": "let the function fix them, as lambda p: loss(p, X, y) does."}
WORKERS = {
    "workers": "its calls are made one after the other. Pass method='directions' for fewer of "
    "them, or leave it out."
}
# What is said of a function that cannot be called so.
CALLED = (
    "The library calls it with one argument, the parameters. lambda p: loss(p, X, y) fixes "
    "further arguments; lambda _: net.loss(X, y) ignores it, and needs in_place=True."
)
OPTIONS = STEPS | TOLERANCES | ORDER | ARGUMENTS
MEASURED = STEPS | ERRORS | ARGUMENTS


def public(refused: Mapping[str, str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function say why it has no such options, and its errors point to the caller's line."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def called(*arguments: P.args, **options: P.kwargs) -> R:
            __tracebackhide__ = True
            try:
                for name in options:
                    if name in refused:
                        raise TypeError(
                            f"{name} is not an option of {function.__name__}: {refused[name]}"
                        )
                return function(*arguments, **options)
            except (TypeError, ValueError) as error:
                if _is_of_a_call(error):
                    if not hasattr(error, "__notes__"):
                        error.add_note(CALLED)
                elif not is_ours(error):
                    raise
                here = error.with_traceback(None)
                raise here from None

        return called

    return decorated


def _is_of_a_call(error: Exception) -> bool:
    """Tell whether one of the caller's functions was not called with the arguments that it takes.

    Then nothing of it ran, and the last statement is the one that calls it.
    """
    last = extract_tb(error.__traceback__, limit=-1)[0]
    ours = Path(last.filename).parent == LIBRARY and last.filename != __file__
    return ours and not is_ours(error) and "positional argument" in str(error)


def is_ours(error: Exception) -> bool:
    """Tell whether a statement of the library raised an error, and not what it called."""
    last = extract_tb(error.__traceback__, limit=-1)[0]
    return Path(last.filename).parent == LIBRARY and (last.line or "").startswith("raise ")
