"""Gradient checking in NumPy: derivatives by central differences, each with its error."""

from backproof.checking import assert_gradient, check_gradient
from backproof.differences import relative_difference
from backproof.report import Report
from backproof.slopes import Slope, derivative, numerical_gradient

__all__ = [
    "Report",
    "Slope",
    "assert_gradient",
    "check_gradient",
    "derivative",
    "numerical_gradient",
    "relative_difference",
]
