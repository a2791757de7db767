"""Says what a figure shows, in words and numbers.

All is told by its place in the axes, from 0 at the left and the bottom to 1, and written as the
values there. Two numbers agree if nobody sees them apart. On a logarithmic scale, rounding errors
are seen, and no two machines make the same: a line that scatters there is told by its running
median, and numbers agree the sooner the more it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Transform
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from executed.wording import Description, Number, Said, said

Places = NDArray[np.float64]  # a row for each point: how far it is to the right, and up
Part = str | Number

SEEN = 0.01  # places that are further apart, as a share of the axes, are told apart
ROUGHLY = 0.06  # so are those between the ends of a line, and those of crowds
SCATTERS = 0.003  # a line that strays further from its neighbours, on average, shows its scatter
FEW = 7  # so many points of a line are told, with its ends


def told(figures: Mapping[str, Any]) -> dict[str, Description | str]:
    """Describe figures by their names."""
    return {name: described_or_wrong(figure) for name, figure in figures.items()}


def described_or_wrong(value: object) -> Description | str:
    """Describe a figure, or say why it has no description."""
    try:
        return described(value)
    except Exception as error:
        return str(error)


def described(value: object) -> Description:
    """Describe a figure, or the data of one that moves."""
    if isinstance(value, dict):
        return tuple(of_data(value))
    if not isinstance(value, Figure):
        raise ValueError("this is no Matplotlib figure.")
    value.draw_without_rendering()
    require_whole_texts(value)
    return tuple(of_figure(value))


def aloud(figure: Figure) -> str:
    """Return what is read aloud of a figure that has been drawn: what in it has a name."""
    return " ".join(line.aloud for line in of_figure(figure) if line.aloud)


def require_whole_texts(figure: Figure) -> None:
    """Refuse a text that the edge of the picture cuts off, by more than fonts differ."""
    legends = (one for one in figure.findobj(Legend) if isinstance(one, Legend))
    texts = chain(figure.texts, *(texts_of(axes) for axes in figure.axes))
    for text in chain(texts, *(legend.get_texts() for legend in legends)):
        box = text.get_window_extent().transformed(figure.transFigure.inverted())
        inside = min(box.min) > -2 * SEEN and max(box.max) < 1 + 2 * SEEN
        if text.get_text() and not inside:
            raise ValueError(f"the edge of the picture cuts off the text {text.get_text()!r}.")


def texts_of(axes: Axes) -> list[Text]:
    """Return the texts of axes, but for those of ticks, which have their room."""
    return [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]


# Figures, axes and legends


def of_figure(figure: Figure) -> Iterator[Said]:
    """Describe a figure."""
    for text in figure.texts:
        yield said(f"title {quoted(text.get_text())}")
    for axes in figure.axes:
        yield from of_axes(axes)
    yield from map(of_legend, figure.legends)


def of_axes(axes: Axes) -> Iterator[Said]:
    """Describe axes: what is measured along them, what is drawn, and how that is named."""
    ruler = ruler_of(axes)
    for title in (axes.get_title("left"), axes.get_title(), axes.get_title("right")):
        if title:
            yield said(f"title {quoted(title)}")
    yield from of_axis(axes.xaxis, ruler, 0, axes.get_autoscalex_on())
    yield from of_axis(axes.yaxis, ruler, 1, axes.get_autoscaley_on())
    yield from of_artists(axes, ruler)
    legend = axes.get_legend()
    yield of_legend(legend) if legend else said("no legend")


def of_axis(axis: Axis, ruler: Ruler, k: int, is_free: bool) -> Iterator[Said]:
    """Describe an axis: its scale, its limits, and the ticks that are set by hand."""
    scale = axis.get_scale()
    slack = SEEN + 10 * ruler.stray[k] * is_free  # limits follow the one point that strays most
    start, quarter, end = (ruler.number(k, place, slack) for place in (0, 0.25, 1))
    bent = () if scale in ("linear", "log") else (quarter, " at a quarter to ")
    limits = "as the data have it" if is_free else "as set"
    name = f"{'xy'[k]} axis {quoted(axis.get_label_text())}, {scale}"
    yield said(f"{name}: from ", start, " to ", bent, end, f", {limits}")
    if isinstance(axis.get_major_locator(), FixedLocator):
        corners = np.column_stack([axis.get_majorticklocs()] * 2)
        places = shares(ruler.axes, ruler.axes.transData, corners)[:, k]
        labels = (f" {quoted(label.get_text())} " for label in axis.get_ticklabels())
        numbers = (ruler.number(k, place, SEEN) for place in places)
        yield said("    ticks", chain.from_iterable(zip(labels, numbers, strict=True)))


def of_legend(legend: Legend) -> Said:
    """Describe a legend, from the top."""
    return said("legend " + ", ".join(quoted(text.get_text()) for text in legend.get_texts()))


# What is drawn


def of_artists(axes: Axes, ruler: Ruler) -> Iterator[Said]:
    """Describe what is drawn in axes, bars first."""
    names = names_of(axes)
    charts = [one for one in axes.containers if isinstance(one, BarContainer)]
    for bars in charts:
        name = str(bars.get_label())
        tips = [tip(bar, bars.orientation == "vertical") for bar in bars]
        places = shares(axes, axes.transData, tips)
        yield from of_line(look("bars", bars[0], name), places, ruler, name)
    told = {axes.patch, *chain.from_iterable(charts)}
    for artist in axes.get_children():
        if artist.get_visible() and artist not in told:
            yield from of_artist(artist, ruler, names.get(artist, ""))


def of_artist(artist: Artist, ruler: Ruler, name: str) -> Iterator[Said]:
    """Describe what is drawn at once; refuse what has no description."""
    match artist:
        case Spine() | Axis() | Legend():
            pass
        case Text():
            if artist in ruler.axes.texts:
                yield of_text(artist, ruler)
        case Line2D() if artist.get_linestyle() != "None":
            yield from of_line(look("line", artist, name), placed(artist), ruler, name)
        case Line2D() | Collection() | Patch():
            kind = "points" if isinstance(artist, Line2D) else type(artist).__name__
            yield from of_points(look(kind, artist, name), placed(artist), ruler, name)
        case _:
            raise ValueError(f"no description knows what a {type(artist).__name__} shows.")


def of_line(look: str, places: Places, ruler: Ruler, name: str) -> Iterator[Said]:
    """Describe a line: its ends, its extremes where they are others, and points between."""
    drawn = finite(places)
    if not len(drawn):
        yield said(f"{look}: nothing")
        return
    told = calmed(drawn, ruler.axes)
    ends = ["from ", *ruler.near(drawn, 0).point(told[0])]
    ends += [" to ", *ruler.near(drawn, len(drawn) - 1).point(told[-1])]
    for word, sign in (("lowest", 1), ("highest", -1)):
        row = turn(sign * told[:, 1])
        if min(abs(told[row, 1] - told[[0, -1], 1])) > SEEN:
            local = ruler.near(drawn, row)
            ends += [f", {word} ", *local.point(told[row], SEEN + 4 * max(local.stray))]
    is_curve = len(places) > 2
    named = name or ("a line" if is_curve else "")
    yield said(f"{look}: ", ends, aloud=f"{named}: {said(ends)}." if named else "")
    if is_curve:
        rows = np.unique(np.linspace(0, len(told) - 1, FEW).round().astype(int))[1:-1]
        numbers = (ruler.near(drawn, row).point(told[row], ROUGHLY) for row in rows)
        between = chain.from_iterable((" ", *some) for some in numbers)
        yield said(f"    {counted(places)}, by way of", between)


def of_points(look: str, places: Places, ruler: Ruler, name: str) -> Iterator[Said]:
    """Describe points: each of a few, or where nine tenths and where half of a crowd are."""
    drawn = finite(places)
    if len(drawn) <= FEW:
        each = list(chain.from_iterable((" ", *ruler.point(place)) for place in drawn))
        spoken = f"{name}: at{said(each)}." if name else ""
        yield said(f"{look}: {counted(places)} at", each, aloud=spoken)
        return
    most, half = (room(drawn, parts, ruler) for parts in ((0.05, 0.95), (0.25, 0.75)))
    spoken = f"{name}: {len(places)} points, nine tenths of them {said(most)}." if name else ""
    yield said(f"{look}: {counted(places)}, nine tenths of them ", most, aloud=spoken)
    yield said("    half of them ", half)


def room(places: Places, parts: tuple[float, float], ruler: Ruler) -> list[Part]:
    """Return the numbers between which a part of a crowd is."""
    numbers = [
        [ruler.number(k, place, ROUGHLY) for place in np.quantile(places[:, k], parts)]
        for k in (0, 1)
    ]
    (left, right), (low, high) = numbers
    return ["x from ", left, " to ", right, ", y from ", low, " to ", high]


def of_text(text: Text, ruler: Ruler) -> Said:
    """Describe a text by the place where it is held."""
    held = f"{text.get_horizontalalignment()} {text.get_verticalalignment()}"
    name = f"text {quoted(text.get_text())}, {colour_of(text)}, {held}"
    return said(f"{name}: at ", ruler.point(placed(text)[0]))


def look(kind: str, artist: Artist, name: str) -> str:
    """Say what something is, its name, and its looks, those of a line as in a call of `plot`."""
    looks = [colour_of(artist)]
    if isinstance(artist, Line2D):
        styles = (artist.get_marker(), artist.get_linestyle())
        looks.append("".join(str(style) for style in styles if style != "None"))
    return f"{kind} {quoted(name)}, {' '.join(looks)}"


def counted(places: Places) -> str:
    """Say how many points there are, and how many of them are not in the axes."""
    outside = np.sum(~((places > -SEEN) & (places < 1 + SEEN)).all(axis=1))
    points = f"{len(places)} point{'s' * (len(places) != 1)}"
    return f"{points}, {outside} outside" if outside else points


# Names and colours


def names_of(axes: Axes) -> dict[Artist, str]:
    """Return what names lines and points: their label, or a text near them in their colour."""
    artists = [*axes.lines, *axes.collections]
    labels = ((one, str(one.get_label())) for one in artists)
    names: dict[Artist, str] = {one: label for one, label in labels if label[:1] not in ("_", "")}
    texts: dict[Artist, list[str]] = {}
    for text in axes.texts:
        alike = [one for one in artists if colour_of(one) == colour_of(text) and one not in names]
        if alike:
            nearest = min(alike, key=lambda one: distance(placed(one), placed(text)))
            texts.setdefault(nearest, []).append(text.get_text())
    return names | {one: ", ".join(some) for one, some in texts.items()}


def distance(places: Places, place: Places) -> float:
    """Return how far a place is from the nearest of others."""
    return float(np.linalg.norm(finite(places) - place, axis=1).min(initial=np.inf))


def colour_of(artist: Any) -> str:
    """Return the colour of an artist, as its number in the cycle of colours if it is in it."""
    match artist:
        case Line2D() | Text():
            colour = artist.get_color()
        case Patch():
            colour = artist.get_facecolor()
        case _:
            colour = [*artist.get_facecolor(), *artist.get_edgecolor(), "none"][0]
    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    return f"C{cycle.index(to_hex(colour))}" if to_hex(colour) in cycle else to_hex(colour)


def quoted(text: str) -> str:
    """Return a text in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False)


# Places and numbers


@dataclass(frozen=True)
class Ruler:
    """What reads numbers off axes, along which points stray from their neighbours by so much."""

    axes: Axes
    stray: NDArray[np.float64]

    def near(self, places: Places, row: int) -> Ruler:
        """Return what reads numbers near a point of a line, by how the line strays there."""
        width = max(len(places) // 10, 1)
        part = places[max(row - width, 0) : row + width + 1]
        return self if len(places) <= 2 else Ruler(self.axes, stray(part, self.axes))

    def point(self, place: NDArray[np.float64], slack: float = SEEN) -> list[Part]:
        """Return the numbers of a point."""
        x, y = (self.number(k, place[k], slack) for k in (0, 1))
        return ["(", x, ", ", y, ")"]

    def number(self, k: int, place: float, slack: float) -> Number:
        """Return the number at a place of an axis, which agrees with those at places near it."""
        slack += 6 * self.stray[k]
        places = np.array([place - slack, place, place + slack, 0.0, 1.0])
        to_data = self.axes.transAxes + self.axes.transData.inverted()
        low, value, high, start, end = to_data.transform(np.column_stack([places, places]))[:, k]
        if (self.axes.get_xscale(), self.axes.get_yscale())[k] == "log":
            text = f"{float(f'{value:.3g}'):g}"
        else:
            digits = 3 - int(np.floor(np.log10(abs(end - start))))
            text = f"{round(value, digits) + 0.0:.10g}"
        return Number(text, min(low, high), max(low, high))


def ruler_of(axes: Axes) -> Ruler:
    """Return what reads numbers off axes, by what strays most along each."""
    strays = [stray(finite(placed(one)), axes) for one in (*axes.lines, *axes.collections)]
    return Ruler(axes, np.max([np.zeros(2), *strays], axis=0))


def stray(places: Places, axes: Axes) -> NDArray[np.float64]:
    """Return how far points are, on logarithmic scales, from the median of each and its neighbours.

    On average, that is. On other scales, no rounding errors are seen.
    """
    is_log = np.array([axes.get_xscale(), axes.get_yscale()]) == "log"
    if len(places) < 3:
        return np.zeros(2)
    means = abs(places - running_median(places, 3))[1:-1].mean(axis=0)
    return np.where(is_log, means, 0.0)


def calmed(places: Places, axes: Axes) -> Places:
    """Return the running median of a line that scatters, and any other line as it is."""
    if stray(places, axes)[1] < SCATTERS:
        return places
    return np.column_stack([places[:, 0], running_median(places, len(places) // 20 * 2 + 1)[:, 1]])


def running_median(places: Places, width: int) -> Places:
    """Return the median of so many points around each, which are mirrored at the ends."""
    padded = np.pad(places, ((width // 2, width // 2), (0, 0)), mode="reflect")
    medians: Places = np.median(sliding_window_view(padded, width, axis=0), axis=-1)
    return medians


def turn(heights: NDArray[np.float64]) -> int:
    """Return the row of the lowest point; where a line is flat there, the middle of its flat."""
    (lowest,) = np.nonzero(heights <= heights.min() + SEEN / 10)
    flat = np.split(lowest, np.flatnonzero(np.diff(lowest) > 1) + 1)[0]
    return int(flat[len(flat) // 2])


def placed(artist: Artist) -> Places:
    """Return where in its axes the points of an artist are."""
    axes: Any = artist.axes
    match artist:
        case Line2D():
            return shares(axes, artist.get_transform(), artist.get_xydata())
        case Text():
            return shares(axes, artist.get_transform(), [artist.get_position()])
        case PathCollection():
            return shares(axes, artist.get_offset_transform(), artist.get_offsets())
        case Collection():
            corners = np.concatenate(
                [np.empty((0, 2)), *(path.vertices for path in artist.get_paths())]
            )
            return shares(axes, artist.get_transform(), corners)
        case Patch():
            return shares(axes, artist.get_transform(), artist.get_path().vertices)
    raise TypeError(artist)


def shares(axes: Axes, transform: Transform, points: Any) -> Places:
    """Return where in the axes points are that a transform draws."""
    unmasked: Places = np.ma.filled(np.ma.asarray(points, float), np.nan)
    places: Places = (transform - axes.transAxes).transform(unmasked)
    return places


def finite(places: Places) -> Places:
    """Return the places that are drawn."""
    return places[np.isfinite(places).all(axis=1)]


def tip(bar: Rectangle, is_upright: bool) -> tuple[float, float]:
    """Return the middle of the end of a bar."""
    x, y, width, height = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
    return (x + width / 2, y + height) if is_upright else (x + width, y + height / 2)


# Data of figures that move


def of_data(data: Mapping[str, Any], path: str = "") -> Iterator[Said]:
    """Describe data for a script: their names, and the ends and extremes of lists.

    A lone number may be an error, which rounding makes another one on each machine.
    """
    for name, value in data.items():
        key = f"{path}{quoted(name)}"
        match value:
            case Mapping():
                yield from of_data(value, f"{key} ")
            case list():
                a, b, least, most = map(plain, (value[0], value[-1], min(value), max(value)))
                ends = ("from ", a, " to ", b, ", lowest ", least, ", highest ", most)
                yield said(f"{key}: {len(value)} numbers ", ends)
            case str():
                yield said(f"{key}: {quoted(value)}")
            case _:
                yield said(f"{key}: a number")


def plain(value: float) -> Number:
    """Return a number that agrees with those that are nearly as large."""
    near = SEEN * abs(float(value))
    return Number(f"{float(value):.3g}", float(value) - near, float(value) + near)
