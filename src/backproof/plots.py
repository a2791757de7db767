"""Pictures of a gradient check, drawn with Matplotlib.

`pip install "backproof[plot]"` installs Matplotlib as well.
Each function returns a figure in the current style of Matplotlib:
save it with its `savefig`, or let a notebook show it. No window opens.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backproof._directions import along
from backproof._norms import relative_difference
from backproof._objective import Cost, Objective
from backproof._parameters import FloatArray, Nest, Parameters, Vector, arrays_like
from backproof._report import ArrayReport, Report
from backproof._slopes import central_difference
from backproof.course import THRESHOLD

try:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator
except ImportError as missing:
    raise ImportError(
        'the pictures need Matplotlib: install it with `pip install "backproof[plot]"`.'
    ) from missing

Points = NDArray[np.float64]

# What the axes of a comparison tell: about equally far apart, once the roots are taken.
TICKS = (-1, -0.3, 0, 0.3, 1)

# An array of a comparison is told by its marker, and the others are drawn alike.
MARKERS = "os^Dv*"

# More points than these are drawn as pixels, also where the figure is saved as lines.
MOST_POINTS = 5000

# Up to this many parameters, a V-curve measures every entry; above, along a few directions.
MOST_ENTRIES = 64
DIRECTIONS = 8

# A marked entry is a square in its cell.
SQUARE = 0.45 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])

# An array longer than this, relative to its width, is not drawn to scale.
LONG = 12


def comparison(gradient: Nest, numerical: Nest) -> Figure:
    """Draw the claimed gradient against the numerical one, entry by entry.

    A right gradient lies on the diagonal; a multiple of it lies on a line of another slope.
    Each array is divided by its largest entry in either gradient,
    so that small arrays are visible beside large ones, and a multiple stays the same multiple.
    The axes have square-root scales, which spread the entries near 0, and keep lines through 0
    straight. An entry below a thousandth of the largest in its array looks like 0.

    Parameters
    ----------
    gradient, numerical
        Numbers, arrays or nests of them, with the same structure and shapes,
        such as a claimed gradient and what `numerical_gradient` returns.

    Returns
    -------
    Figure
        If there are more arrays than colours, those that differ most get colours of their own.
        An entry that is not finite is not drawn, but the legend counts it.

    Raises
    ------
    TypeError
        If an entry is not a real number.
    ValueError
        If the structures or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> numerical = {"W": np.array([[1.0, -2.0], [0.5, 4.0]]), "b": np.array([1e-6, 3e-6])}
    >>> figure = comparison(numerical | {"W": 2 * numerical["W"]}, numerical)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['W', 'b', 'equal']

    The lines hold the scaled entries, numerical and claimed, and can be restyled:

    >>> diagonal, W, b = figure.axes[0].lines
    >>> W.get_xydata().tolist()
    [[0.125, 0.25], [-0.25, -0.5], [0.0625, 0.125], [0.5, 1.0]]
    >>> _ = diagonal.set(color="black", linestyle=":")
    """
    measured = arrays_like(numerical, numerical, "numerical gradient")
    claimed = arrays_like(numerical, gradient, "gradient")
    points = {path: _scaled(measured[path], claimed[path]) for path in measured}
    figure, axes = _blank()
    _scale_by_roots(axes)
    (diagonal,) = axes.plot([-1, 1], [-1, 1], color="gray", linewidth=1, label="equal")
    lines = [*_draw_arrays(axes, points), diagonal]
    axes.set(xlabel="scaled numerical gradient", ylabel="scaled claimed gradient", aspect="equal")
    figure.legend(lines, [str(line.get_label()) for line in lines], loc="outside right upper")
    return figure


def v_curve(
    cost: Cost,
    gradient: Nest | Callable[[Nest], Nest],
    parameters: Nest,
    steps: ArrayLike | None = None,
) -> Figure:
    """Draw how far central differences of a cost are from its gradient, against their step.

    The curve of a right gradient is a V: it rises with the truncation error to the right
    and with the round-off error to the left. The curve of a wrong gradient does not come down.

    Parameters
    ----------
    cost
        Takes `parameters` and returns a real number.
    gradient
        The claimed gradient, in the structure and the shapes of `parameters`,
        or a function of the parameters that returns it, which is called once.
    parameters
        A number, an array of floats, or a nest of dicts, lists, tuples and dataclasses of them.
        They are copied once, and never changed.
    steps
        Positive numbers, shape (k,); if left out, 34 steps from 1 down to 1e-11.

    Returns
    -------
    Figure
        The relative difference in the 2-norm, over all entries; steps without one are left out.
        Each entry costs two evaluations at each step: above 64 parameters, slopes along
        8 random directions of length 1, always the same ones, are compared instead.

    Raises
    ------
    TypeError
        If the parameters are not floats, or if `cost` does not return a real number.
    ValueError
        If `cost` is random or not finite at `parameters`;
        if it changes them in place, or the gradient does;
        if the structures or the shapes differ; if the steps are not positive;
        or if none of them gives a difference.

    Examples
    --------
    >>> figure = v_curve(lambda w: w**4, lambda w: 4 * w**3, 1.0)
    >>> steps, differences = figure.axes[0].lines[0].get_data()
    >>> bool(1e-6 < steps[differences.argmin()] < 1e-3)
    True
    >>> len(steps), float(steps.max()), float(steps.min())
    (34, 1.0, 1e-11)
    """
    point = Parameters(parameters)
    g = _claimed(gradient, point)
    steps = _increasing(np.logspace(0, -11, 34) if steps is None else steps)
    differences = _differences(cost, point, g, steps)
    known = np.isfinite(differences)
    if not known.any():
        raise ValueError(
            "no step gives a relative difference: "
            "either the gradient is not finite, or the cost near the parameters is not."
        )
    return _drawn_curve(steps[known], differences[known])


def wrong_entries(report: Report, path: str) -> Figure:
    """Draw where in an array the wrong entries lie.

    Parameters
    ----------
    report
        What `check_gradient` returned.
    path
        The name of the array in `report.arrays`.

    Returns
    -------
    Figure
        The array, with marks on the wrong entries that the check has found.
        The last axis runs to the right; all others, flattened, run down:
        an array of shape (2, 3, 4) is drawn as 6 rows of 4 columns, and one axis as a row.

    Raises
    ------
    TypeError
        If `report` is not a Report.
    ValueError
        If the report has no array of this name.

    Examples
    --------
    >>> import numpy as np
    >>> from backproof import check_gradient
    >>> w = np.array([1.0, 2.0, 3.0])
    >>> report = check_gradient(lambda w: np.sum(w**2), np.array([2.0, 4.0, -6.0]), w)
    >>> figure = wrong_entries(report, "parameters")
    >>> print(figure.get_suptitle())
    parameters: one of its 3 entries is wrong, all
    others are right
    >>> figure.axes[0].lines[0].get_xydata().tolist()  # columns and rows, counted from 0
    [[2.0, 0.0]]
    >>> report = check_gradient(lambda w: np.sum(w**2), lambda w: 2 * w, np.ones((2, 3, 4)))
    >>> cells = wrong_entries(report, "parameters").axes[0].patches[0]
    >>> cells.get_height(), cells.get_width()
    (6, 4)
    """
    array = _array_of(report, path)
    rows, columns = math.prod(array.shape[:-1]), math.prod(array.shape[-1:])
    figure, axes = _blank()
    axes.add_patch(Rectangle((-0.5, -0.5), columns, rows, color="gray", alpha=0.2, linewidth=0))
    _mark(axes, _centres(array), f"{len(array.entries)} of {rows * columns}")
    _count_in_cells(axes, rows, columns)
    axes.set(xlabel="column", ylabel="row, of all leading axes" if array.shape[2:] else "row")
    said = array.mistake.text if array.mistake else array.verdict
    figure.suptitle(fill(f"{path}: {said}", 52), size="medium", parse_math=False)
    figure.legend(title="marked", loc="outside right center")
    return figure


class _Picture(Figure):
    """A figure that a notebook shows by itself, since it is none of pyplot's.

    Once pyplot is there, the notebook knows how to show any figure, and does not ask this one.
    """

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def _blank() -> tuple[Figure, Axes]:
    """Return a figure of one pair of axes that pyplot does not know, and so never shows twice."""
    figure = _Picture(layout="constrained")
    return figure, figure.add_subplot()


def _scale_by_roots(axes: Axes) -> None:
    """Scale both axes by the root of the size; y = f x stays straight, at the slope root of f."""
    functions = (lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: x * np.abs(x))
    axes.set_xscale("function", functions=functions)
    axes.set_yscale("function", functions=functions)
    axes.set(xticks=TICKS, yticks=TICKS, xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))


def _scaled(numerical: FloatArray, gradient: FloatArray) -> Points:
    """Return the entries of an array in both gradients, divided by the largest; shape (2, n)."""
    both = np.array([numerical.reshape(-1), gradient.reshape(-1)], dtype=np.float64)
    largest = np.abs(both[np.isfinite(both)]).max(initial=0.0)
    return both / (largest or 1.0)


def _draw_arrays(axes: Axes, points: dict[str, Points]) -> list[Line2D]:
    """Draw each array in a colour of its own, or those that differ most."""
    worst = sorted(points, key=lambda path: _apart(points[path]), reverse=True)[: len(MARKERS)]
    shown = [path for path in points if path in worst]
    others = [points[path] for path in points if path not in worst]
    lines = [
        _draw(axes, points[path], path, marker=marker, color=f"C{k}", zorder=3)
        for k, (path, marker) in enumerate(zip(shown, MARKERS, strict=False))
    ]
    if others:
        label = f"{len(others)} other arrays" if others[1:] else "1 other array"
        lines.append(_draw(axes, np.hstack(others), label, marker=".", color="gray", zorder=2.5))
    return lines


def _draw(axes: Axes, points: Points, label: str, **style: Any) -> Line2D:
    """Draw points, and count in their label those that have no place."""
    lost = np.count_nonzero(~np.isfinite(points).all(axis=0))
    label += f" ({lost} not finite)" if lost else ""
    many = points.shape[1] > MOST_POINTS
    look = {"linestyle": "", "markersize": 5, "fillstyle": "none", "rasterized": many}
    return axes.plot(*points, label=label, **look, **style)[0]


def _apart(points: Points) -> float:
    """Return the relative difference of the two gradients, the greatest where it is unknown."""
    difference = relative_difference(*points)
    return difference if math.isfinite(difference) else math.inf


def _claimed(gradient: Nest | Callable[[Nest], Nest], point: Parameters) -> Vector:
    """Return the claimed gradient as a vector."""
    if callable(gradient):
        before = point.vector()
        gradient = gradient(point.nest)
        point.require_unchanged(before, "gradient")
    return point.vector_of(gradient, "gradient")


def _increasing(steps: ArrayLike) -> Vector:
    """Return the steps in order, or say what is wrong with them."""
    ordered = np.sort(np.asarray(steps, dtype=np.float64).reshape(-1))
    if not (ordered.size and ordered[0] > 0 and np.isfinite(ordered[-1])):
        raise ValueError(f"steps is {steps!r}: expected positive, finite numbers.")
    return ordered


def _differences(cost: Cost, point: Parameters, g: Vector, steps: Vector) -> Vector:
    """Return the relative difference of the gradient and the cost's slopes at each step."""
    objective = Objective(cost, point)
    claimed, slopes = [], []
    with np.errstate(all="ignore"):  # the largest steps may lead out of the cost's domain
        for direction in _directions(point.size):
            line = along(point, direction, 1.0)
            claimed.append(g @ direction)
            taken = [central_difference(objective, line, float(step)) for step in steps]
            slopes.append([difference.value for difference in taken])
    g_v = np.array(claimed)
    return np.array([relative_difference(g_v, column) for column in np.transpose(slopes)])


def _directions(size: int) -> Iterator[Vector]:
    """Yield the directions of all entries, or a few random ones of length 1."""
    if size <= MOST_ENTRIES:
        yield from np.eye(size)
        return
    draw = np.random.default_rng(0)
    for _ in range(DIRECTIONS):
        direction = draw.standard_normal(size)
        yield direction / np.linalg.norm(direction)


def _drawn_curve(steps: Vector, differences: Vector) -> Figure:
    """Draw differences against steps, with the least one and the course's threshold marked."""
    figure, axes = _blank()
    # A difference of exactly 0 has no place on a logarithmic axis.
    heights = np.maximum(differences, np.finfo(np.float64).eps)
    least = int(np.argmin(heights))
    axes.loglog(steps, heights, ".-", color="C0")
    label = f"least: {heights[least]:.0e} at {steps[least]:.0e}"
    axes.loglog(steps[least], heights[least], "o", color="C2", label=label)
    axes.axhline(THRESHOLD, linestyle="--", color="C1", label=f"threshold {THRESHOLD:.0e}")
    axes.set(xlabel="step", ylabel="relative difference")
    axes.legend()
    return figure


def _array_of(report: Report, path: str) -> ArrayReport:
    """Return what a report says of an array, or say which arrays it knows."""
    if not isinstance(report, Report):
        kind = type(report).__name__
        raise TypeError(f"the report is of type {kind}: expected what check_gradient returned.")
    if path not in report.arrays:
        known = ", ".join(report.arrays)
        raise ValueError(f"the report has no array {path!r}: expected one of {known}.")
    return report.arrays[path]


def _centres(array: ArrayReport) -> Points:
    """Return where the wrong entries lie, as columns and rows; shape (n, 2)."""
    flat = [np.ravel_multi_index(entry.index, array.shape) for entry in array.entries]
    rows, columns = np.divmod(np.array(flat, dtype=int), math.prod(array.shape[-1:]))
    return np.column_stack([columns, rows]).astype(np.float64)


def _mark(axes: Axes, centres: Points, label: str) -> None:
    """Fill cells, and put a marker into each, which is seen where the cell is too small."""
    cells = [centre + SQUARE for centre in centres]
    many = len(cells) > MOST_POINTS
    axes.add_collection(PolyCollection(cells, color="C1", linewidth=0, rasterized=many))
    axes.plot(*centres.T, "s", color="C1", markersize=4, rasterized=many, label=label)


def _count_in_cells(axes: Axes, rows: int, columns: int) -> None:
    """Let the axes count rows downwards and columns to the right, in whole numbers."""
    to_scale = max(rows, columns) <= LONG * min(rows, columns)
    axes.set_aspect("equal" if to_scale else "auto")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.invert_yaxis()
    axes.grid(visible=False)
