"""Gradient checking in NumPy: derivatives by central differences, each with its error.

How a check travels through the modules, from the public functions to what they rest on:

- `_checks`: the call, the points at which the gradient is claimed, the report;
- `_functions`: cost and gradient as one function, or as functions of arrays of their own;
- `_vjps`: a layer, or a stack of them, as costs that are checked so; `_jacobians`: each row of a
  Jacobian as a gradient;
- `_entries`: every entry, by one difference each (`_rungs`), a closer look where that does not
  do, and what stands still or is 0 (`_zeros`);
- `_search`: all arrays along random directions (`_probes`), and the wrong entries among many,
  read off their residuals (`_locate`);
- `_claims`: what is checked, and what a claim may be off by;
- `_decide`: one claim against one slope: right, wrong, or left open;
- `_slopes`: central differences over a ladder of steps, each with its error;
- `_directions`: what is displaced; `_noise`: how far a value of the cost may be off;
- `_objective`: the cost, a private copy of its parameters, and the count of its calls;
- `_mistakes`, `_evidence`, `_patterns`: what a wrong gradient looks like;
- `_report`, `_reasons`, `_digits`: what was found, in words and numbers.

`_derivatives` has slopes without a claim, `_norms` the relative difference; `_parameters` sees
nests (`_nests`) as vectors, and `_foreign` reads what other libraries have; `_calling` is what the
public functions share, and `_progress` announces what takes long. The method is derived in
docs/explanation/method.md, whose equations the code cites.
"""

from importlib.metadata import PackageNotFoundError, version

from backproof._checks import assert_gradient, check_gradient
from backproof._derivatives import Slope, derivative, numerical_gradient
from backproof._jacobians import JacobianReport, assert_jacobian, check_jacobian
from backproof._norms import relative_difference
from backproof._report import Report
from backproof._vjps import assert_vjp, check_stack, check_vjp

__all__ = [
    "JacobianReport",
    "Report",
    "Slope",
    "assert_gradient",
    "assert_jacobian",
    "assert_vjp",
    "check_gradient",
    "check_jacobian",
    "check_stack",
    "check_vjp",
    "derivative",
    "numerical_gradient",
    "relative_difference",
]

try:
    __version__ = version("backproof")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "unknown"
