"""The pictures show what they claim to, and leave alone what they are given."""

import copy
import importlib
import io
import sys
from collections import namedtuple
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from backproof import Report, check_gradient, course, numerical_gradient
from backproof._objective import CALLS
from backproof._report import ArrayReport, Entry
from backproof.plots import _directions, comparison, v_curve, wrong_entries

X, Y, PARAMETERS = course.gradient_check_n_test_case()
CACHE = course.forward_propagation_n(X, Y, PARAMETERS)[1]
ONES = np.ones(3)
Layer = namedtuple("Layer", ["W", "b"])


def network_cost(parameters: dict[str, Any]) -> float:
    """Return the cost of the course's network."""
    return course.forward_propagation_n(X, Y, parameters)[0]


def network_gradient(backward: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Return the gradient of the network in the structure of its parameters."""
    gradients = backward(X, Y, CACHE)
    return {key: gradients["d" + key] for key in PARAMETERS}


RIGHT = network_gradient(course.backward_propagation_n)
FAULTY = network_gradient(course.faulty_backward_propagation_n)
NUMERICAL = numerical_gradient(network_cost, PARAMETERS)[0]


def squares(nest: Any) -> float:
    """Return the sum of the squares of all entries of a nest."""
    if isinstance(nest, dict):
        return sum(map(squares, nest.values()))
    return float(np.sum(np.square(nest)))


def lines(figure: Figure) -> dict[str, Line2D]:
    """Return the lines of a figure by their labels."""
    return {str(line.get_label()): line for line in figure.axes[0].lines}


def data(line: Line2D) -> tuple[Any, Any]:
    """Return the numbers that a line shows."""
    x, y = line.get_data()
    return np.asarray(x), np.asarray(y)


def legend(figure: Figure) -> list[str]:
    """Return what the legend of a figure says."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def report_of(shape: tuple[int, ...], *wrong: tuple[int, ...]) -> Report:
    """Return a report on an array W whose wrong entries are at some indices."""
    entries = tuple(Entry(index, 2.0, 1.0, 0.0) for index in wrong)
    array = ArrayReport("wrong" if wrong else "correct", shape, 0.0, 0.0, entries=entries)
    return Report(array.verdict, 0.0, {"W": array}, 1, 0)


def marked(figure: Figure) -> list[tuple[int, int]]:
    """Return the rows and columns that are marked, once their cells are seen to be there, too."""
    columns, rows = data(figure.axes[0].lines[0])
    cells = figure.axes[0].collections[0].get_paths()
    centres = [np.mean(np.asarray(cell.vertices)[:4], axis=0) for cell in cells]
    np.testing.assert_allclose(np.reshape(centres, (-1, 2)), np.transpose([columns, rows]))
    return sorted(zip(map(int, rows), map(int, columns), strict=True))


def saved(figure: Figure) -> int:
    """Return how many bytes a figure takes as SVG, which draws all of it."""
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    return len(file.getvalue())


# The claimed gradient against the numerical one.


def test_a_right_gradient_lies_on_the_diagonal() -> None:
    """All points of the course's network do, each array reaching to 1 or to -1."""
    drawn = lines(comparison(RIGHT, NUMERICAL))
    for path in PARAMETERS:
        x, y = data(drawn[path])
        np.testing.assert_allclose(x, y, atol=1e-7)
        assert np.abs(y).max() == pytest.approx(1)
    np.testing.assert_array_equal(*data(drawn["equal"]))


@pytest.mark.parametrize(("path", "slope"), [("W2", 2), ("b1", 4), ("W1", 1), ("b3", 1)])
def test_a_multiple_lies_on_a_line_of_its_slope(path: str, slope: float) -> None:
    """As handed to learners, dW2 is doubled, db1 has 4/m for 1/m, and the others are right."""
    x, y = data(lines(comparison(FAULTY, NUMERICAL))[path])
    np.testing.assert_allclose(y, slope * x, atol=1e-7)


def test_a_line_through_0_is_drawn_straight() -> None:
    """The scale of the axes bends no multiple, and draws twice at the slope root of 2."""
    x = np.array([-0.5, -1e-3, 1e-6, 0.1, 0.5])
    axes = comparison(2 * x, x).axes[0]
    shown = axes.transScale.transform(np.transpose([x, 2 * x]))
    np.testing.assert_allclose(shown[:, 1], 2**0.5 * shown[:, 0])
    np.testing.assert_allclose(axes.transScale.inverted().transform(shown)[:, 0], x)


@pytest.mark.parametrize("scale", [1e-320, 1e-12, 1.0, 1e12, 1e300])
def test_small_arrays_are_seen_beside_large_ones(scale: float) -> None:
    """An array of any size fills the picture, and one that is zero lies at 0."""
    numerical = {"W": scale * np.array([1.0, -2.0]), "b": ONES, "dead": 0 * ONES}
    drawn = lines(comparison(numerical, numerical))
    np.testing.assert_allclose(data(drawn["W"])[0], [0.5, -1.0], rtol=1e-3)
    assert not np.any(data(drawn["dead"]))


def test_a_nest_is_drawn_array_by_array_in_its_order() -> None:
    """The legend names the paths, also those that Matplotlib would take for private."""
    nest = {"layers": [{"W": ONES, "b": 1.0}], "_out": np.float32(2)}
    assert legend(comparison(nest, nest)) == ["layers[0].W", "layers[0].b", "_out", "equal"]
    assert legend(comparison(1.0, 2.0)) == ["parameters", "equal"]


def test_a_plain_tuple_is_drawn_beside_a_named_one() -> None:
    """Its items have the names of the fields, as in a check."""
    layer = Layer(ONES, 1.0)
    assert legend(comparison((ONES, 1.0), layer)) == ["W", "b", "equal"]


def test_of_many_arrays_those_that_differ_most_are_told_apart() -> None:
    """Six have their own colours, in the order of the nest; the others are counted."""
    numerical = {f"W{k}": np.arange(1.0, 4.0) for k in range(9)}
    gradient = {path: (1 + 1e-9 * k) * numerical[path] for k, path in enumerate(numerical)}
    gradient["W1"] = np.array([1.0, np.nan, 3.0])
    expected = ["W1 (1 not finite)", "W4", "W5", "W6", "W7", "W8", "3 other arrays", "equal"]
    figure = comparison(gradient, numerical)
    assert legend(figure) == expected
    assert data(lines(figure)["3 other arrays"])[0].size == 9
    looks = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}
    assert len(looks) == len(expected)


@pytest.mark.parametrize(("count", "others"), [(7, "1 other array"), (8, "2 other arrays")])
def test_the_arrays_without_a_colour_are_counted(count: int, others: str) -> None:
    """The legend counts in words that are right for one."""
    nest = [1.0] * count
    assert legend(comparison(nest, nest))[-2] == others


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_entry_that_is_not_finite_is_counted(bad: float) -> None:
    """It has no place in the picture, and does not disturb the places of the others."""
    drawn = lines(comparison(np.array([bad, 2.0]), np.array([1.0, 4.0])))
    x, y = data(drawn["parameters (1 not finite)"])
    assert (x[1], y[1]) == (1.0, 0.5)


def test_entries_without_a_place_are_counted_in_both_gradients() -> None:
    """One that is not finite in either gradient, or in both, counts once."""
    figure = comparison(np.array([np.nan, np.inf, 2.0, 1.0]), np.array([1.0, np.inf, np.nan, 1.0]))
    assert legend(figure) == ["parameters (3 not finite)", "equal"]


def test_a_large_array_makes_no_large_file() -> None:
    """Above 5,000 points they are drawn as pixels; all of them are there."""
    g = np.random.default_rng(0).standard_normal(50_000)
    figure = comparison(g, g)
    assert data(lines(figure)["parameters"])[0].size == g.size
    assert saved(figure) < 200_000


def test_the_diagonal_lies_below_the_points_and_the_ticks_spread_like_roots() -> None:
    """Both axes are alike; the arrays without a colour lie between the diagonal and the others."""
    figure = comparison([1.0] * 7, [1.0] * 7)
    axes, drawn = figure.axes[0], lines(figure)
    for ticks, limits in (
        (axes.get_xticks(), axes.get_xlim()),
        (axes.get_yticks(), axes.get_ylim()),
    ):
        assert list(ticks) == [-1, -0.3, 0, 0.3, 1]
        assert limits == (-1.2, 1.2)
    assert list(data(drawn["equal"])[0]) == [-1, 1]
    order = [drawn[label].get_zorder() for label in ("equal", "1 other array", "[0]")]
    assert order == sorted(set(order))
    assert [axes.get_xlabel(), axes.get_ylabel()] == [
        "scaled numerical gradient",
        "scaled claimed gradient",
    ]


@pytest.mark.parametrize(("size", "pixels"), [(5000, False), (5001, True)])
def test_only_what_is_large_is_drawn_as_pixels(size: int, pixels: bool) -> None:
    """Points and marked entries, from the same number on."""
    g = np.linspace(1, 2, size)
    assert lines(comparison(g, g))["parameters"].get_rasterized() == pixels
    axes = wrong_entries(report_of((size,), *((i,) for i in range(size))), "W").axes[0]
    assert axes.lines[0].get_rasterized() == axes.collections[0].get_rasterized() == pixels


# The V-curve.


def test_the_curve_is_the_course_s_check_at_each_step() -> None:
    """At 1e-7 it lies above 1e-7, as the check of the right gradient does."""
    x, y = data(v_curve(network_cost, RIGHT, PARAMETERS).axes[0].lines[0])
    at = dict(zip(np.log10(x).round(6), y, strict=True))
    gradients = course.backward_propagation_n(X, Y, CACHE)
    for exponent in (-7, -4):
        difference = course.gradient_check_n(PARAMETERS, gradients, X, Y, 10.0**exponent)
        assert at[exponent] == pytest.approx(difference, rel=0.01)
    assert at[-7] > 1e-7 > at[-4]


def test_the_curve_of_a_right_gradient_has_its_least_value_inside() -> None:
    """It is marked, and both ends are far above it."""
    figure = v_curve(network_cost, RIGHT, PARAMETERS)
    x, y = data(figure.axes[0].lines[0])
    assert (x.size, x[0], x[-1]) == (34, pytest.approx(1e-11), 1.0)
    least = int(np.argmin(y))
    assert 1e-6 < x[least] < 1e-2
    assert min(y[0], y[-1]) > 1e5 * y[least]
    assert [n[0] for n in data(figure.axes[0].lines[1])] == [x[least], y[least]]


def test_the_curve_of_a_wrong_gradient_does_not_come_down() -> None:
    """As handed to learners, the difference is 0.285 at any small step."""
    x, y = data(v_curve(network_cost, FAULTY, PARAMETERS).axes[0].lines[0])
    np.testing.assert_allclose(y[x < 1e-2], 0.285093, atol=1e-3)


@pytest.mark.parametrize("nest", [ONES, {"W": ONES, "b": [1.0]}, np.float32(0.5)])
def test_a_gradient_may_be_a_function(nest: Any) -> None:
    """Its curve is that of what it returns for the parameters, as of the numbers themselves."""
    steps = [1e-1, 1e-3]
    calls = []

    def gradient(w: Any) -> Any:
        calls.append(1)
        return {"W": 2 * w["W"], "b": [2 * w["b"][0]]} if isinstance(w, dict) else 2 * w

    def cost(w: Any) -> float:
        return squares({"W": w["W"], "b": w["b"][0]}) if isinstance(w, dict) else squares(w)

    function = data(v_curve(cost, gradient, nest, steps).axes[0].lines[0])
    assert len(calls) == 1
    numbers = data(v_curve(cost, gradient(nest), nest, steps).axes[0].lines[0])
    np.testing.assert_array_equal(function, numbers)


@pytest.mark.parametrize(("size", "evaluations"), [(64, 2 * 64), (65, 2 * 8), (10_000, 2 * 8)])
def test_many_parameters_are_measured_along_a_few_directions(size: int, evaluations: int) -> None:
    """Each step costs two evaluations an entry up to 64, and 16 above; the curve stays a V."""
    calls = []

    def cost(w: Any) -> float:
        calls.append(1)
        return float(np.sum(np.sin(w)))

    w = np.linspace(0.5, 1, size)
    steps = [1e-1, 1e-3, 1e-11]
    y = data(v_curve(cost, np.cos(w), w, steps).axes[0].lines[0])[1]
    assert 0 <= len(calls) - evaluations * len(steps) <= 10 + 2 * CALLS  # a large step bends
    assert 100 * y[1] < min(y[0], y[2])
    assert data(v_curve(cost, 2 * np.cos(w), w, [1e-5]).axes[0].lines[0])[1] > 0.3


@pytest.mark.parametrize(("size", "count"), [(1, 1), (64, 64), (65, 8)])
def test_a_direction_has_the_length_1(size: int, count: int) -> None:
    """That of each entry, or, of many, a random one."""
    directions = list(_directions(size))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), np.ones(count))
    assert np.array_equal(directions, np.eye(size)) == (size <= 64)


def test_the_same_directions_are_drawn_again() -> None:
    """Two curves of one gradient are equal."""
    w = np.linspace(1, 2, 100)
    first, second = (data(v_curve(squares, 2 * w, w).axes[0].lines[0])[1] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_least_difference_and_the_threshold_are_labelled() -> None:
    """The threshold is that of the course."""
    figure = v_curve(squares, 2 * ONES + 0.02, ONES, [0.25, 1e-3, 0.5])
    _, least, threshold = figure.axes[0].lines
    assert str(least.get_label()).startswith("least: 5e-03 at ")
    assert (threshold.get_label(), set(data(threshold)[1])) == ("threshold 1e-07", {1e-7})


def test_steps_are_drawn_in_order_and_a_difference_of_0_at_the_precision() -> None:
    """A logarithmic axis has no place for 0: it is drawn at the precision of float64."""
    curve, least, _ = v_curve(lambda w: 4 * w, 4.0, 0.0, [0.5, 1.0, 0.25]).axes[0].lines
    x, y = data(curve)
    assert list(x) == [0.25, 0.5, 1.0]
    assert set(y) == {np.finfo(float).eps}
    assert least.get_label() == "least: 2e-16 at 2e-01"


def test_steps_out_of_the_domain_are_left_out() -> None:
    """The logarithm of a negative number is nan, or an error of the math module."""

    def cost(w: float) -> float:
        if w < 0:
            raise ValueError("math domain error")
        return float(np.log(w))

    x, _ = data(v_curve(cost, 100.0, 0.01, [1.0, 1e-3, 1e-4]).axes[0].lines[0])
    assert list(x) == [1e-4, 1e-3]


@pytest.mark.parametrize("cost", [np.sum, lambda w: np.sum(w, keepdims=True)])
def test_a_cost_may_return_an_array_of_one_number(cost: Callable[[Any], Any]) -> None:
    """As anywhere in the library."""
    assert data(v_curve(cost, ONES, ONES, [1e-3]).axes[0].lines[0])[1] < 1e-9


# The wrong entries.


@pytest.mark.parametrize(
    ("shape", "wrong", "cells"),
    [
        ((), [()], [(0, 0)]),
        ((7,), [(2,), (6,)], [(0, 2), (0, 6)]),
        ((3, 5), [(2, 4), (0, 1)], [(0, 1), (2, 4)]),
        ((2, 3, 4), [(1, 2, 3), (1, 0, 0)], [(3, 0), (5, 3)]),
        ((1000, 2000), [(999, 0)], [(999, 0)]),
        ((1, 100_000), [(0, 5)], [(0, 5)]),
        ((3, 5), [], []),
        ((0, 3), [], []),
    ],
)
def test_wrong_entries_are_marked_at_their_places(
    shape: tuple[int, ...], wrong: list[tuple[int, ...]], cells: list[tuple[int, int]]
) -> None:
    """The last axis counts the columns; the others, ravelled, the rows from the top."""
    figure = wrong_entries(report_of(shape, *wrong), "W")
    assert marked(figure) == cells
    assert legend(figure) == [f"{len(wrong)} of {int(np.prod(shape))}"]
    assert saved(figure) > 0
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top


def test_the_whole_array_is_seen() -> None:
    """The picture has the extent of the array, not of its wrong entries."""
    axes = wrong_entries(report_of((30, 40), (3, 3)), "W").axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left <= -0.5
    assert right >= 39.5
    assert top <= -0.5
    assert bottom >= 29.5


def test_a_marked_entry_is_a_square_inside_its_cell() -> None:
    """The array is a rectangle around the middles of its cells."""
    axes = wrong_entries(report_of((2, 5), (1, 3)), "W").axes[0]
    (collection,), (patch,) = axes.collections, axes.patches
    square = collection.get_paths()[0].get_extents()
    assert square.extents == pytest.approx([2.55, 0.55, 3.45, 1.45])
    assert isinstance(patch, Rectangle)
    assert (patch.get_xy(), patch.get_width(), patch.get_height()) == ((-0.5, -0.5), 5, 2)


@pytest.mark.parametrize(
    ("shape", "aspect", "rows"),
    [
        ((1, 12), 1.0, "row"),
        ((13,), "auto", "row"),
        ((24, 2), 1.0, "row"),
        ((25, 2), "auto", "row"),
        ((2, 3, 4), 1.0, "row, of all leading axes"),
    ],
)
def test_only_a_long_array_is_not_drawn_to_scale(
    shape: tuple[int, ...], aspect: Any, rows: str
) -> None:
    """Where more than two axes are drawn as two, the label says so."""
    axes = wrong_entries(report_of(shape), "W").axes[0]
    assert axes.get_aspect() == aspect
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("column", rows)


def test_the_mistake_of_the_course_is_shown() -> None:
    """The title says it, and what is marked are the entries where the doubled one differs."""
    report = check_gradient(network_cost, FAULTY, PARAMETERS)
    figure = wrong_entries(report, "W2")
    assert marked(figure) == [(int(i), int(j)) for i, j in np.argwhere(RIGHT["W2"])]
    mistake = report.arrays["W2"].mistake
    assert mistake is not None
    assert " ".join(figure.get_suptitle().split()) == f"W2: {mistake.text}"
    assert wrong_entries(report, "W1").get_suptitle() == "W1: correct"


def test_rows_and_columns_are_counted_in_whole_numbers() -> None:
    """There is no row between two."""
    axes = wrong_entries(report_of((2, 2), (1, 1)), "W").axes[0]
    assert all(tick.is_integer() for tick in (*axes.get_xticks(), *axes.get_yticks()))


def test_a_name_is_no_formula() -> None:
    """A key with dollar signs is written as it is."""
    report = check_gradient(squares, {"$_$": ONES}, {"$_$": ONES})
    assert saved(wrong_entries(report, "$_$")) > 0


# All of them.


def test_the_arrays_of_the_caller_stay_what_they_are() -> None:
    """No picture changes what it is given."""
    given = (RIGHT, NUMERICAL, PARAMETERS)
    before = copy.deepcopy(given)
    comparison(RIGHT, NUMERICAL)
    v_curve(network_cost, RIGHT, PARAMETERS, steps := np.array([1e-1, 1e-9, 1e-5]))
    for nest, old in zip(given, before, strict=True):
        assert all(np.array_equal(nest[key], old[key]) for key in nest)
    assert list(steps) == [1e-1, 1e-9, 1e-5]


def test_no_window_is_opened() -> None:
    """Pyplot does not know the figures, so that it neither shows nor keeps them."""
    before = pyplot.get_fignums()
    comparison(1.0, 1.0)
    v_curve(squares, 2.0, 1.0)
    wrong_entries(report_of((2,), (1,)), "W")
    assert pyplot.get_fignums() == before


def test_a_figure_shows_itself() -> None:
    """A notebook asks for a picture in PNG; the figure stays one of Matplotlib's."""
    for figure in (
        comparison(1.0, 1.0),
        v_curve(squares, 2.0, 1.0),
        wrong_entries(report_of(()), "W"),
    ):
        assert isinstance(figure, Figure)
        picture = cast(Any, figure)._repr_png_()
        assert picture.startswith(b"\x89PNG")
        pixels = pyplot.imread(io.BytesIO(picture), format="png")
        assert pixels.shape[:2] == (480, 640)
        assert pixels.std() > 0


def test_without_matplotlib_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.delitem(sys.modules, "backproof.plots")
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(ImportError, match=r'`pip install "backproof\[plot\]"`'):
        importlib.import_module("backproof.plots")


def changes(w: Any) -> float:
    """Return a cost that changes its parameters."""
    w += 1
    return 1.0


BAD: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("a missing array", lambda: comparison({}, {"W": 1.0, "b": 1.0}), ValueError, "missing W, b"),
    ("another shape", lambda: comparison(ONES, ONES[:2]), ValueError, r"expected \(2,\)"),
    ("text", lambda: comparison("a", "a"), TypeError, "numerical gradient is of type str"),
    ("misshapen", lambda: v_curve(squares, ONES[:2], ONES), ValueError, r"shape \(2,\): expected"),
    ("integers", lambda: v_curve(squares, ONES, np.arange(3)), TypeError, "dtype int64"),
    ("no number", lambda: v_curve(lambda w: w, ONES, ONES), TypeError, "one real number"),
    (
        "in place",
        lambda: v_curve(changes, ONES, ONES),
        ValueError,
        "cost changes its parameters in",
    ),
    (
        "in place by the gradient",
        lambda: v_curve(squares, changes, np.ones(3)),
        ValueError,
        "gradient changes its parameters in place",
    ),
    (
        "a function of another shape",
        lambda: v_curve(squares, lambda w: w[:2], ONES),
        ValueError,
        r"parameters of the gradient has shape \(2,\): expected \(3,\)",
    ),
    (
        "a function of nothing",
        lambda: v_curve(squares, lambda w: None, ONES),
        TypeError,
        "gradient is None: is a return statement missing",
    ),
    ("a nan gradient", lambda: v_curve(squares, np.nan, 1.0), ValueError, "no step gives"),
    ("no steps", lambda: v_curve(squares, 2.0, 1.0, []), ValueError, "positive, finite"),
    ("a step of 0", lambda: v_curve(squares, 2.0, 1.0, [0, 1]), ValueError, r"steps is \[0, 1\]"),
    ("no end", lambda: v_curve(squares, 2.0, 1.0, [1, np.inf]), ValueError, r"is \[1, inf\]"),
    ("a nan step", lambda: v_curve(squares, 2.0, 1.0, np.nan), ValueError, "steps is nan"),
    ("no report", lambda: wrong_entries(cast(Any, 1.0), "W"), TypeError, "report is of type float"),
    ("an unknown path", lambda: wrong_entries(report_of(()), "W9"), ValueError, "'W9'.*one of W"),
]


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_input_gets_one_clear_error(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    """What, where, and what was expected."""
    with pytest.raises(error, match=message):
        call()
