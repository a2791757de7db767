"""A catalogue of gradients, right and wrong, over many models and scales."""

from catalogue.cases import MODELS, RIGHT, TWICE, WRONG, Right, Wrong, random_case
from catalogue.kinks import AT_A_KINK, Kink
from catalogue.model import Draw, Model, Planted
from catalogue.refused import REFUSED, REFUSED_COSTS, REFUSED_GRADIENTS, Refused

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
