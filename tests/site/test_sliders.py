"""The figures with a point, an error or a mistake to choose: they draw what their data say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browsing import WIDTHS, plant, settle, violations
from support.checkout import DOCS, in_ci, left_by

SCRIPTS = DOCS / "assets" / "movable"
# With the slider at a position: the table, what is said, and where dots and ticks are drawn.
DRAWN = """
    ([name, position]) => {
        const movable = document.querySelector(".movable");
        const choice = movable.querySelector("select"), slider = movable.querySelector("input");
        if (choice) choice.value = name;
        slider.value = position;
        slider.dispatchEvent(new Event("input"));
        const frame = movable.querySelector("svg").getBoundingClientRect();
        const places = selector => [...movable.querySelectorAll(selector)].map(one => {
            const {left, right, top, bottom} = one.getBoundingClientRect();
            return [(left + right) / 2 - frame.left, (top + bottom) / 2 - frame.top];
        });
        return {
            rows: [...movable.querySelectorAll("tr")].map(row =>
                [...row.children].map(cell => cell.textContent)),
            said: movable.querySelector("output").textContent,
            dots: places("circle"),
            columns: places(".frame path[d*=V]").map(([x]) => x),
            lines: places(".frame path[d*=H]").map(([, y]) => y),
        };
    }
"""


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page, with one of its scripts changed."""
    tab = browser.new_page()

    def open_with(page: str, *fault: str) -> Page:
        if fault:
            plant(tab, SCRIPTS, *fault)
        tab.goto(f"{address}learn/{page}.html")
        settle(tab)
        return tab

    yield open_with
    tab.close()


# A point over a kink


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: np.maximum(x, 0),
    "|x|": np.abs,
    "softplus": lambda x: np.log1p(np.exp(x)),
}


def wrong_at_a_kink(tab: Page) -> Iterator[str]:
    """Yield what is drawn or said otherwise than the functions have it."""
    h = 0.5
    for name, f in FUNCTIONS.items():
        for position, x in enumerate(np.linspace(-1, 1, 41)):
            drawn = tab.evaluate(DRAWN, [name, position])
            slopes = {
                "backward": (f(x) - f(x - h)) / h,
                "forward": (f(x + h) - f(x)) / h,
                "central": (f(x + h) - f(x - h)) / (2 * h),
            }
            rows = {row: float(cell.replace("−", "-")) for row, cell in drawn["rows"]}
            if rows != pytest.approx(slopes, abs=0.00501):
                yield f"{name} at {x}: {rows}, expected {slopes}"
            gap = float(drawn["said"].rstrip(".").split()[-1])
            if abs(gap - abs(slopes["forward"] - slopes["backward"])) > 0.00501:
                yield f"{name} at {x}: {drawn['said']}"
            left, _, right = drawn["columns"]
            places = [-1.6 + 3.2 * (dot - left) / (right - left) for dot, _ in drawn["dots"]]
            if places != pytest.approx([x - h, x, x + h], abs=0.02):
                yield f"{name} at {x}: the points are at {places}"
            heights, values = [-dot for _, dot in drawn["dots"]], f(np.array([x - h, x, x + h]))
            rises, expected = np.diff(heights), np.diff(values)
            if not np.allclose(rises * expected[::-1], (rises * expected[::-1])[::-1], atol=0.5):
                yield f"{name} at {x}: the points rise by {rises}, expected {expected}"


@in_ci
def test_quotients_at_a_kink_are_those_of_numpy(open_page: Callable[..., Page]) -> None:
    """For each function, at each place of the slider."""
    assert not [*wrong_at_a_kink(open_page("kinks"))]


@in_ci
@pytest.mark.parametrize(
    ("sound", "faulty"),
    [
        ('"backward", "forward", "central"', '"forward", "backward", "central"'),
        ("(plus[i] - minus[i]) / (2 * h)", "(plus[i] - minus[i]) / h"),
        ("Math.abs(gap)", "gap / 2"),
        ("[x[i] + h, plus[i]]", "[x[i] + 2 * h, plus[i]]"),
        ("[x[i], at[i]]", "[x[i], minus[i] - 1]"),
        ("functions[choice.value], i))", 'functions["|x|"], i))'),
    ],
)
def test_a_wrong_quotient_is_seen(sound: str, faulty: str, open_page: Callable[..., Page]) -> None:
    """A script with a planted fault."""
    assert [*wrong_at_a_kink(open_page("kinks", sound, faulty))]


def test_the_data_are_those_of_the_page() -> None:
    """What the script is given is what NumPy computes for the functions that are named."""
    crossing = left_by((DOCS / "learn" / "kinks.md").read_text("utf-8"))["crossing"]
    for name, f in FUNCTIONS.items():
        shown, x = crossing["functions"][name], np.array(crossing["x"])
        for key, places in (("at", x), ("plus", x + 0.5), ("minus", x - 0.5)):
            assert np.allclose(shown[key], f(places), rtol=1e-12)
        assert np.allclose(shown["curve"]["y"], f(np.array(shown["curve"]["x"])), rtol=1e-12)


# An error that is spread


def wrong_norms(tab: Page) -> Iterator[str]:
    """Yield which norms are drawn or said otherwise than NumPy has them."""
    entries = [k * 10**n for n in range(6) for k in (1, 2, 5)] + [10**6]
    for position, n in enumerate(entries):
        drawn = tab.evaluate(DRAWN, ["", position])
        error = np.full(n, 1 / n)
        norms = {f"ord={ord}": np.linalg.norm(error, ord) for ord in (1, 2, np.inf)}
        rows = {row: float(cell) for row, cell in drawn["rows"]}
        if rows != pytest.approx(norms, rel=0.06):
            yield f"{n} entries: {rows}, expected {norms}"
        if f"{'one' if n == 1 else f'{n:,}'} entr" not in drawn["said"]:
            yield f"{n} entries: {drawn['said']}"
        left, *_, right = drawn["columns"]
        bottom, *_, top = drawn["lines"]  # from 1e-6 to 10
        for (x, y), norm in zip(drawn["dots"], norms.values(), strict=True):
            place = 6 * (x - left) / (right - left), -6 + 7 * (y - bottom) / (top - bottom)
            if place != pytest.approx((np.log10(n), np.log10(norm)), abs=0.05):
                yield f"{n} entries: a norm is drawn at {place}"


@in_ci
def test_norms_of_a_spread_error_are_those_of_numpy(open_page: Callable[..., Page]) -> None:
    """At each place of the slider, in numbers and in the drawing."""
    assert not [*wrong_norms(open_page("norms"))]


@in_ci
@pytest.mark.parametrize(
    ("sound", "faulty"),
    [
        ('cy="${up(norms[name][i])}"', 'cy="${up(2 * norms[name][i])}"'),
        ("brief(norms[name][i])", "brief(norms[names[0]][i])"),
        ("const place = across(entries[i])", "const place = across(2 * entries[i])"),
        ('entries[i].toLocaleString("en")', "i"),
    ],
)
def test_a_wrong_norm_is_seen(sound: str, faulty: str, open_page: Callable[..., Page]) -> None:
    """A script with a planted fault."""
    assert [*wrong_norms(open_page("norms", sound, faulty))]


# A mistake that travels


MISTAKES = {
    "a factor of 2": "2×",
    "the sign": "-1×",
    "the mean is missing": "10×",
    "the mean is taken twice": "0.1×",
    "no slope of relu": "wrong",
}


ALL = {f"{kind}{k}" for kind in "Wb" for k in (1, 2, 3)}


def reached(line: str) -> set[str]:
    """Return which gradients a mistake in a line makes wrong: its own, and all made from it."""
    layer = int(line[-1])
    if not line.startswith("dZ"):
        return {line}
    return {f"d{kind}{k}" for kind in "ZWb" for k in range(1, layer + 1)}


def marks(figure: Locator) -> dict[str, str]:
    """Return the names in the boxes that are marked, with their marks."""
    boxes = figure.locator(".box.series-1")
    return dict(box.locator("text").all_text_contents() for box in boxes.all())


def wrongly_watched(tab: Page) -> Iterator[str]:
    """Yield which mistakes are drawn or said to reach something else."""
    figure = tab.locator(".movable").first
    line, mistake = figure.locator("select").all()
    for name in line.locator("option").evaluate_all("all => all.map(one => one.value)"):
        line.select_option(name)
        for text in mistake.locator("option").all_text_contents():
            mistake.select_option(text)
            if marks(figure) != dict.fromkeys(reached(name), MISTAKES[text]):
                yield f"{name}, {text}: {marks(figure)}"
            said = figure.locator("output").inner_text()
            arrays = {one[1:] for one in reached(name) if one[1] != "Z"}
            if arrays != (set(re.findall(r"[Wb]\d", said.split("in ")[1])) or ALL):
                yield f"{name}, {text}: {said}"


def wrongly_guessed(tab: Page) -> Iterator[str]:
    """Yield which guesses are answered wrongly, for all mistakes, or show what is to be guessed."""
    figure = tab.locator(".movable").nth(1)
    (line,) = figure.locator("select").all()
    names = [*filter(None, line.locator("option").evaluate_all("all => all.map(one => one.value)"))]
    seen = set()
    for _ in range(27):
        asked = marks(figure)
        if any("Z" in name for name in asked):
            yield f"it shows {asked}"
        for name in names:
            line.select_option(name)
            said = figure.locator("output").inner_text()
            is_it = {one for one in reached(name) if "Z" not in one} == asked.keys()
            if said.startswith("Yes") != is_it:
                yield f"{asked}: {name} is answered by {said}"
            if is_it:
                seen.add((name, said))
        figure.get_by_role("button").click()
    if len(seen) != 27:
        yield f"{len(seen)} mistakes are asked for"


@in_ci
def test_a_mistake_travels_as_it_does(open_page: Callable[..., Page]) -> None:
    """Each of all mistakes in each line, and each as a riddle."""
    tab = open_page("how-a-mistake-travels")
    assert not [*wrongly_watched(tab), *wrongly_guessed(tab)]


@in_ci
@pytest.mark.parametrize(
    ("sound", "faulty"),
    [
        ("box(name, marks[name])", 'box(name, marks["dZ3"])'),
        ("const { line: changed, marks, said } = cases[line.value][mistake.value]",
         "const { line: changed, marks, said } = cases.dW3[\"the sign\"]"),
        ("line.value === name", "line.value !== name"),
        ('!name.startsWith("dZ")', 'name'),
        ("at += STRIDE", "at += 3 * STRIDE"),
    ],
)  # fmt: skip
def test_a_mistake_that_travels_wrongly_is_seen(
    sound: str, faulty: str, open_page: Callable[..., Page]
) -> None:
    """A script with a planted fault."""
    tab = open_page("how-a-mistake-travels", sound, faulty)
    assert [*wrongly_watched(tab), *wrongly_guessed(tab)]


# All of them


MOVED = ["kinks", "norms", "how-a-mistake-travels"]


@in_ci
@pytest.mark.parametrize("page", ["kinks", "norms"])
def test_the_keyboard_moves_it(page: str, open_page: Callable[..., Page]) -> None:
    """An arrow key goes to the next place, which is told; nothing in it is hard to read."""
    tab = open_page(page)
    slider, said = tab.get_by_role("slider"), tab.locator(".movable output")
    before = said.inner_text()
    slider.press("ArrowRight")
    expect(said).not_to_have_text(before)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        tab.reload()
        settle(tab)
        assert not violations(tab)


@in_ci
@pytest.mark.parametrize("page", MOVED)
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_shifted(width: int, page: str, open_page: Callable[..., Page]) -> None:
    """The room that is held for it is what it fills."""
    tab = open_page(page)
    tab.set_viewport_size({"width": width, "height": 900})
    height = "document.querySelector('.movable').offsetHeight"
    built = tab.evaluate(height)
    tab.route("**/movable/*.js", lambda route: route.abort())
    tab.reload()
    assert tab.evaluate(height) == pytest.approx(built, abs=4)
