"""Functions of one number whose derivatives are known to any precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

TINY = (-3e-6, 1e-5, 2e-4, -5e-3)
ORDINARY = (0.3, -0.7, 1.0, 2.5, -4.0)
LARGE = (30.0, -120.0, 1e3, 1.7e5, 1e8)
POSITIVE = (1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.1, 1.0, 7.0, 1e3, 1e8)
ANYWHERE = TINY + ORDINARY + LARGE

# No point at which symmetry makes every central difference exact, such as cos at 0:
# there, no method can be near to the best possible.
FUNCTIONS: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[float, ...]]] = [
    ("sin x", math.sin, mpmath.sin, ANYWHERE),
    ("cos x", math.cos, mpmath.cos, ANYWHERE),
    ("tanh x", math.tanh, mpmath.tanh, (*TINY, *ORDINARY, 12.0)),
    ("atan x", math.atan, mpmath.atan, ANYWHERE),
    ("sin 50x", lambda x: math.sin(50 * x), lambda x: mpmath.sin(50 * x), ANYWHERE),
    ("sin 200x", lambda x: math.sin(200 * x), lambda x: mpmath.sin(200 * x), ANYWHERE),
    ("3x", lambda x: 3 * x, lambda x: 3 * x, ANYWHERE),
    ("x^2", lambda x: x * x, lambda x: x * x, ANYWHERE),
    ("x^3 - 2x", lambda x: x**3 - 2 * x, lambda x: x**3 - 2 * x, ANYWHERE),
    ("x^20", lambda x: x**20, lambda x: x**20, (*ORDINARY, *LARGE)),
    ("1 / (1 + x^2)", lambda x: 1 / (1 + x * x), lambda x: 1 / (1 + x * x), ANYWHERE),
    ("sqrt(1 + x^2)", lambda x: math.sqrt(1 + x * x), lambda x: mpmath.sqrt(1 + x * x), ANYWHERE),
    ("exp(-x^2)", lambda x: math.exp(-x * x), lambda x: mpmath.exp(-x * x), TINY + ORDINARY),
    ("exp(x^2)", lambda x: math.exp(x * x), lambda x: mpmath.exp(x * x), ORDINARY),
    ("cos(exp x)", lambda x: math.cos(math.exp(x)), lambda x: mpmath.cos(mpmath.exp(x)), ORDINARY),
    ("exp x", math.exp, mpmath.exp, (0.0, *TINY, *ORDINARY, 30.0, -120.0, 300.0)),
    (
        "sigmoid x",
        lambda x: 1 / (1 + math.exp(-x)),
        lambda x: 1 / (1 + mpmath.exp(-x)),
        (0.0, *TINY, *ORDINARY, 30.0, -120.0),
    ),
    (
        "softplus x",
        lambda x: float(np.logaddexp(0, x)),
        lambda x: mpmath.log(1 + mpmath.exp(x)),
        (0.0, *TINY, *ORDINARY, 30.0, -120.0),
    ),
    ("log x", math.log, mpmath.log, POSITIVE),
    ("x log x", lambda x: x * math.log(x), lambda x: x * mpmath.log(x), POSITIVE),
    ("sqrt x", math.sqrt, mpmath.sqrt, POSITIVE),
    ("1 / x", lambda x: 1 / x, lambda x: 1 / x, POSITIVE),
    ("log gamma x", math.lgamma, mpmath.loggamma, POSITIVE),
    (
        "1e6 + cos x",
        lambda x: 1e6 + math.cos(x),
        lambda x: 1e6 + mpmath.cos(x),
        (*TINY, *ORDINARY, *LARGE),
    ),
    (
        "1e-12 sin x",
        lambda x: 1e-12 * math.sin(x),
        lambda x: mpmath.mpf(1e-12) * mpmath.sin(x),
        ANYWHERE,
    ),
    (
        "1e12 tanh x",
        lambda x: 1e12 * math.tanh(x),
        lambda x: mpmath.mpf(1e12) * mpmath.tanh(x),
        TINY + ORDINARY,
    ),
]
