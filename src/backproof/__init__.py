"""Gradient checking in NumPy: derivatives by central differences, each with its error."""

from backproof.differences import relative_difference
from backproof.slopes import Slope, derivative, numerical_gradient

__all__ = ["Slope", "derivative", "numerical_gradient", "relative_difference"]
