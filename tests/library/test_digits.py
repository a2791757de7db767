"""Numbers are written with the digits that are known."""

import math
import sys

import pytest

from backproof._digits import digits_for, power_above, rounded_up


@pytest.mark.parametrize(
    ("number", "power"),
    [
        (0.0003, "1e-03"),
        (0.001, "1e-03"),
        (1e-8, "1e-08"),
        (1.0, "1e+00"),
        (1.0000000000000002, "1e+01"),
        (200.0, "1e+03"),
        (5e-324, "1e-323"),
        (1.5e308, "1e+309"),
        (0.0, "0"),
    ],
)
def test_a_number_is_bounded_by_a_power_of_ten(number: float, power: str) -> None:
    """A power of ten is its own bound, and that of the largest floats is no float."""
    assert power_above(number) == power


@pytest.mark.parametrize(
    ("number", "digits", "written"),
    [
        (0.0123, 2, "0.013"),
        (0.012, 2, "0.012"),
        (1.01e-9, 2, "1.1e-09"),
        (9.91e-5, 2, "0.0001"),
        (2.1e-7, 1, "3e-07"),
        (0.0, 2, "0"),
        (sys.float_info.max, 2, "1.8e+308"),
    ],
)
def test_an_error_is_rounded_up(number: float, digits: int, written: str) -> None:
    """Unless it has no more digits, so that it is never understated."""
    assert rounded_up(number, digits) == written


@pytest.mark.parametrize(
    ("one", "other", "error", "digits"),
    [
        (2.5, 1 / 3, 1e-9, 6),  # the usual ones
        (2.5, 1 / 3, 0.1, 3),  # two digits of the error
        (1 / 3, 2.5, 0.1, 3),
        (2.5, 1 / 3, 9.9, 2),
        (2.5, 1 / 3, 99.0, 1),
        (1.4999, 1.5001, 0.1, 5),  # 1.5 and 1.5, though 1 and 2
        (1.0, 1 + 1e-12, 1e-15, 13),
        (1.0, 1 + 2**-52, 0.0, 17),
        (0.1, 0.1, 0.0, 6),
        (0.1, 0.1, 0.01, 3),
        (1.0, math.nan, 1e-3, 5),
        (1.0, 2.0, math.inf, 6),
    ],
)
def test_two_numbers_are_told_apart(one: float, other: float, error: float, digits: int) -> None:
    """With as many digits as the error justifies, six at the most, unless it takes more."""
    assert digits_for(one, other, error) == digits
