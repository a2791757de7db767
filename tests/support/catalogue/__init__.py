"""A catalogue of gradients, right and wrong, over many models and scales."""

from support.catalogue.cases import MODELS, RIGHT, TWICE, WRONG, Right, Wrong, random_case
from support.catalogue.kinks import AT_A_KINK, Kink
from support.catalogue.model import Draw, Model, Planted
from support.catalogue.refused import REFUSED, REFUSED_COSTS, REFUSED_GRADIENTS, Refused

__all__ = [
    "AT_A_KINK",
    "MODELS",
    "REFUSED",
    "REFUSED_COSTS",
    "REFUSED_GRADIENTS",
    "RIGHT",
    "TWICE",
    "WRONG",
    "Draw",
    "Kink",
    "Model",
    "Planted",
    "Refused",
    "Right",
    "Wrong",
    "random_case",
]
