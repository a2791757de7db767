"""Families of costs with right gradients, drawn anew from a seed, that nobody tuned to."""

from support.families import disturbed, formulas, networks
from support.families.model import (
    FAMILIES,
    KINDS,
    METHODS,
    METHODS_OF,
    PRECISIONS,
    PRECISIONS_OF,
    Case,
    case_of,
    mistaken,
    planted,
    possible,
)

__all__ = [
    "FAMILIES",
    "KINDS",
    "METHODS",
    "METHODS_OF",
    "PRECISIONS",
    "PRECISIONS_OF",
    "Case",
    "case_of",
    "disturbed",
    "formulas",
    "mistaken",
    "networks",
    "planted",
    "possible",
]
