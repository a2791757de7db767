"""The figures to move: their numbers are Python's, and every reader can move them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from bs4 import BeautifulSoup
from markdown import markdown
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from backproof import derivative
from backproof._directions import of_entry
from backproof._objective import Cost, Objective
from backproof._parameters import Parameters
from backproof._slopes import central_difference
from executed.figures import Figures
from support.browsing import WIDTHS, darken, faults, plant, settle, violations, written
from support.checkout import CI, DOCS, in_ci, left_by

PAGE = "learn/step-size.html"
SOURCE = (DOCS / PAGE).with_suffix(".md").read_text("utf-8")
NAMES = re.findall(r'^ +"(.* at .*)": \(', SOURCE, re.MULTILINE)
SOME = NAMES if CI else NAMES[:1]
Reading = Callable[[float], float]
Measured = dict[str, float]
PRECISIONS = (np.float64, np.float32)
KINDS = [(difference, taken) for difference in ("central", "forward") for taken in (False, True)]
SCRIPTS = DOCS / "assets" / "movable"

# One list of columns for each position of the slider, from left to right.
COLUMNS = """
    ([name, difference, isTaken]) => {
        const [choice, kind] = document.querySelectorAll(".movable select");
        const [taken, slider] = document.querySelectorAll(".movable input");
        [choice.value, kind.value, taken.checked] = [name, difference, isTaken];
        choice.dispatchEvent(new Event("input"));
        return [...Array(Number(slider.max) + 1).keys()].map(position => {
            slider.value = position;
            slider.dispatchEvent(new Event("input"));
            return [2, 3].map(k => [...document.querySelectorAll(`.movable td:nth-child(${k})`)]
                .map(cell => cell.textContent));
        });
    }
"""
# What is drawn for a function with the slider at a step: where, and what stands there.
DRAWN = """
    ([name, position]) => {
        const movable = document.querySelector(".movable");
        const [choice] = movable.querySelectorAll("select");
        const slider = movable.querySelector("[type=range]");
        choice.value = name;
        choice.dispatchEvent(new Event("input"));
        slider.value = position;
        slider.dispatchEvent(new Event("input"));
        const plot = movable.querySelector(".errors-plot");
        const frame = plot.getBoundingClientRect();
        const all = (selector, within = plot) => [...within.querySelectorAll(selector)];
        const middle = one => {
            const {left, right, top, bottom} = one.getBoundingClientRect();
            return [(left + right) / 2 - frame.left, (top + bottom) / 2 - frame.top];
        };
        const middles = (selector, within) => all(selector, within).map(middle);
        const [curves, marks] = [...plot.children].filter(one => !one.matches(".frame"));
        return {
            columns: middles(".frame path[d*=V]").map(([x]) => x),
            lines: middles(".frame path[d*=H]").map(([, y]) => y),
            words: all(".frame text").map(one => [one.textContent, ...middle(one)]),
            heads: all("table th[scope=col]", movable).map(one => one.textContent),
            rows: all("table tr:has(td + td)", movable).slice(-6).map(row =>
                [row.querySelector("th").textContent, ...all("td", row).map(td => td.textContent)]),
            said: movable.querySelector("output").textContent,
            now: middle(plot.querySelector(".now")),
            curves: [".float64", ".float32"].map(one => ({
                points: middles(`${one} :is(circle, rect)`, curves),
                shape: all(`${one} :is(circle, rect)`, curves)[0].tagName,
                bound: middles(`${one} .bound path`, curves)[0],
                star: middles(`${one} .bound text`, curves).at(-1),
                theory: all(`${one} .theory path`, curves).map(line =>
                    [0, line.getTotalLength()].map(length => {
                        const matrix = line.getScreenCTM();
                        const end = line.getPointAtLength(length).matrixTransform(matrix);
                        return [end.x - frame.left, end.y - frame.top];
                    })),
                marks: middles(`${one} :is(circle, rect)`, marks),
            })),
        };
    }
"""
HEIGHT = "document.querySelector('.movable').offsetHeight"


@pytest.fixture(scope="module")
def variables() -> dict[str, Any]:
    """Return what the blocks of the page leave."""
    return left_by(SOURCE)


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page on a device with a touch screen."""
    tab = browser.new_context(has_touch=True).new_page()
    tab.goto(address + PAGE)
    settle(tab)
    yield tab
    tab.context.close()


@pytest.fixture
def slider(tab: Page) -> Locator:
    """Return the slider, in sight."""
    slider = tab.get_by_role("slider", name="Step")
    slider.scroll_into_view_if_needed()
    return slider


@pytest.mark.parametrize("name", SOME)
def test_its_numbers_are_those_of_numpy(name: str, tab: Page, variables: dict[str, Any]) -> None:
    """At each step, both precisions show costs, slope and errors to the last digit shown."""
    for kind in KINDS:
        assert not differences(tab, name, variables, kind)


def differences(
    tab: Page, name: str, variables: dict[str, Any], kind: tuple[str, bool] = ("central", True)
) -> list[str]:
    """Return where a column of the table is not what Python computes."""
    function, x, (slope, *_) = variables["choices"][name]
    shown = tab.evaluate(COLUMNS, [name, *kind])
    assert len(shown) == len(variables["steps"]) > 40
    return [
        f"{name}, step {step}, {dtype.__name__}: {column}, expected {expected}"
        for step, columns in zip(variables["steps"], shown, strict=True)
        for dtype, column in zip(PRECISIONS, columns, strict=True)
        if not np.array_equal(
            read(column, dtype),
            expected := computed(function, dtype(x), dtype(step), slope, kind),
            equal_nan=True,
        )
    ]


def read(column: list[str], dtype: type) -> NDArray[Any]:
    """Return the numbers of a column."""
    return np.array([float(cell.replace("none", "nan")) for cell in column], dtype)


def computed(function: Cost, x: Any, h: Any, slope: float, kind: tuple[str, bool]) -> NDArray[Any]:
    """Return costs, slope, its error, and the library's error and bound, these in two digits."""
    is_forward, is_taken = kind[0] == "forward", kind[1]
    below = x if is_forward else x - h
    plus, minus = function(x + h), function(below)
    with np.errstate(invalid="ignore"):
        quotient = (plus - minus) / ((x + h) - below if is_taken else h if is_forward else 2 * h)
    library = derivative(function, x)
    errors = abs(float(quotient) - slope), abs(library.value - slope), library.error
    return np.array([plus, minus, quotient, *(float(f"{e:.1e}") for e in errors)], type(x))


@pytest.mark.parametrize("name", SOME)
def test_its_slopes_are_the_library_s(name: str, tab: Page, variables: dict[str, Any]) -> None:
    """In float64, divided by the step taken, each is the library's central difference there."""
    function, x, _ = variables["choices"][name]
    objective = Objective(function, Parameters(x))
    entry = of_entry(objective.parameters, 0)
    shown = [float(columns[0][2]) for columns in tab.evaluate(COLUMNS, [name, "central", True])]
    expected = [central_difference(objective, entry, step).value for step in variables["steps"]]
    assert shown == pytest.approx(expected, rel=1e-15)


@in_ci
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("isTaken ? taken : isForward", "isForward"),
        ("Math.abs(quotient - derivatives[0]) }", "Math.abs(quotient / derivatives[0] - 1) }"),
        ("errors = [error, Math.abs(value - chosen.derivatives[0])", "errors = [error, error"),
        ("rounded(plus[i])", "rounded(plus[Math.max(i - 1, 0)])"),
    ],
    ids=["step not rounded", "relative error", "another error", "another step"],
)
def test_a_wrong_number_is_seen(
    right: str, wrong: str, tab: Page, variables: dict[str, Any]
) -> None:
    """A script with a planted fault differs from Python; the script as it is does not."""
    assert not differences(tab, "exp(x) at 1", variables)
    replaced(tab, right, wrong)
    assert differences(tab, "exp(x) at 1", variables)


# What is drawn


SHAPES = {"circle": "●", "rect": "■"}
POSITIONS = (0, 24, 45)


@pytest.fixture(scope="module")
def data(site: Path) -> dict[str, Any]:
    """Return the data that the page hands to the script."""
    soup = BeautifulSoup((site / PAGE).read_text("utf-8"), "html.parser")
    found: dict[str, Any] = json.loads(soup.select(".movable script")[0].get_text())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_its_data_are_those_of_the_function_that_it_names(name: str, data: dict[str, Any]) -> None:
    """The slope is the true one, to the last digits, and so is each cost, at its precision."""
    assert not untrue(name, data["functions"][name], data["steps"])


def untrue(name: str, curve: dict[str, Any], steps: list[float]) -> list[str]:
    """Return what in the data of a function differs from what mpmath computes from its name."""
    formula, _, place = name.rpartition(" at ")
    code = formula.replace("³", "**3").replace("50 x", "50*x").replace("|x|", "fabs(x)")
    function = eval(f"lambda x: {code}", vars(mpmath))
    x = mpmath.mpf(place)
    told = {"x": (curve["x"], x, 1e-15)}
    for n, shown in enumerate(curve["derivatives"], 1):
        told[f"derivative {n}"] = shown, mpmath.diff(function, x, n), 1e-15
    for place, height in zip(curve["curve"]["x"], curve["curve"]["y"], strict=True):
        told[f"curve at {place}"] = height, function(place), 1e-15
    for dtype in PRECISIONS:
        near, start = 100 * float(np.finfo(dtype).eps), dtype(float(x))
        costs = curve[dtype.__name__]
        for h, plus, minus in zip(steps, costs["plus"], costs["minus"], strict=True):
            for cost, where in ((plus, start + dtype(h)), (minus, start - dtype(h))):
                if where > 0 or "log" not in name:
                    told[f"{dtype.__name__} at {where}"] = cost, function(float(where)), near
    return [
        f"{name}, {what}: {shown}, expected {true}"
        for what, (shown, true, near) in told.items()
        if abs(shown - true) > near * max(abs(true), 1)
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("exp(x) at 1", {"derivatives": [np.e, np.e, 2.0]}),
        ("log(x) at 2", {"x": 4.0}),
        ("x³ at 1", {"derivatives": [3 + 1e-13, 6.0, 6.0]}),
        ("sin(x) at 1", {"float32": "float64"}),
    ],
)
def test_untrue_data_are_seen(name: str, fault: dict[str, Any], data: dict[str, Any]) -> None:
    """Another slope, another place, and costs of another function."""
    curve = data["functions"][name]
    other = data["functions"]["|x| at 0.001"]
    planted = {
        key: other[value] if isinstance(value, str) else value for key, value in fault.items()
    }
    assert untrue(name, {**curve, **planted}, data["steps"])


@pytest.mark.parametrize("name", SOME)
def test_it_draws_what_its_data_say(name: str, tab: Page, data: dict[str, Any]) -> None:
    """As a reader takes it from the ticks: each point, each stated error, and the marks."""
    assert not undrawn(tab, name, data)


def undrawn(tab: Page, name: str, data: dict[str, Any]) -> list[str]:
    """Return what is drawn or said otherwise than the data have it."""
    return [
        f"{name}, position {position}: {fault}"
        for position in POSITIONS
        for fault in misdrawn(tab.evaluate(DRAWN, [name, position]), position, name, data)
    ]


def misdrawn(
    drawn: dict[str, Any], position: int, name: str, data: dict[str, Any]
) -> Iterator[str]:
    """Yield what is drawn or said otherwise than the data have it, with the slider at a step."""
    steps, curve = data["steps"], data["functions"][name]
    step = brief(steps[position], 0)
    across, _ = readings(drawn)
    yield from misnamed(drawn)
    if not near(across(drawn["now"][0]), power(steps[position])):
        yield f"the line is not at the step {step}"
    if not drawn["said"].startswith(f"h = {step}: "):
        yield f"{step} is not the step that is said: {drawn['said']}"
    for column, dtype in enumerate(PRECISIONS):
        measured = [measured_at(h, curve, i, dtype) for i, h in enumerate(steps)]
        yield from misplaced(drawn, column, measured, measured[position], theory_of(curve, dtype))
        yield from misread(drawn, column, measured[position])


def misnamed(drawn: dict[str, Any]) -> Iterator[str]:
    """Yield which axis, or which shape of points, has the name of another."""
    places = {text: (x, y) for text, x, y in drawn["words"]}
    if places.get("step h", (0, 0))[1] < max(drawn["lines"]):
        yield "the step is not named below"
    if places.get("error of the slope", (np.inf, 0))[0] > min(drawn["columns"]):
        yield "the error is not named to the left"
    heads = [
        f"{SHAPES[one['shape']]} {dtype.__name__}"
        for one, dtype in zip(drawn["curves"], PRECISIONS, strict=True)
    ]
    if drawn["heads"] != heads:
        yield f"the table has the heads {drawn['heads']}, expected {heads}"


def theory_of(curve: dict[str, Any], dtype: Any) -> list[list[tuple[float, float]]]:
    """Return the ends of the lines of truncation and round-off error, in powers of ten."""
    third, cost = abs(curve["derivatives"][2]), abs(curve[dtype.__name__]["at"])
    at_1 = [(third / 6, 2), (np.finfo(dtype).eps * cost, -1)]
    return [[(h, np.log10(error) + rise * h) for h in (-15, 0)] for error, rise in at_1 if error]


def misplaced(
    drawn: dict[str, Any], column: int, measured: list[Measured], now: Measured, theory: Any
) -> Iterator[str]:
    """Yield which points, lines or marks of a precision are not where its errors are."""
    across, up = readings(drawn)
    shown = drawn["curves"][column]
    for kind, wanted in (("points", measured), ("marks", [now])):
        places = [(power(one["h"]), power(one["error"])) for one in wanted if one["error"] >= 0]
        read = [(across(x), up(y)) for x, y in shown[kind]]
        if np.shape(read) != np.shape(places) or not np.allclose(read, places, atol=0.1):
            yield f"the {kind} in column {column} are at {read}, expected {places}"
    if not near(up(shown["bound"][1]), power(now["bound"])):
        yield f"the bound in column {column} is elsewhere"
    if not near(up(shown["star"][1]), power(now["library"]), 0.4):
        yield f"the star in column {column} is elsewhere"
    lines = [[(across(x), up(y)) for x, y in line] for line in shown["theory"]]
    if np.shape(lines) != np.shape(theory) or not np.allclose(lines, theory, atol=0.2):
        yield f"the lines of the theory in column {column} are at {lines}, expected {theory}"


def misread(drawn: dict[str, Any], column: int, now: Measured) -> Iterator[str]:
    """Yield which numbers of a precision are said or in the table otherwise than the data."""
    error = f"error {brief(now['error'])} in {PRECISIONS[column].__name__}"
    if now["error"] >= 0 and error not in drawn["said"]:
        yield f"{error} is not said: {drawn['said']}"
    for row, *cells in drawn["rows"]:
        cell, expected = float(cells[column].replace("none", "nan")), now[ROWS[row]]
        if not np.isclose(cell, expected, rtol=0.06, atol=0, equal_nan=True):
            yield f"{row} is {cell} in column {column}, expected {expected}"


# The rows of the table by what they are of a measured slope.
ROWS = {
    "f(x + h)": "plus",
    "f(x − h)": "minus",
    "slope": "slope",
    "error": "error",
    "library: error": "library",
    "library: bound": "bound",
}


def measured_at(h: float, curve: dict[str, Any], i: int, dtype: Any) -> Measured:
    """Return the slope at a step with its errors, and the costs that it is computed from."""
    costs, true = curve[dtype.__name__], curve["derivatives"][0]
    plus, minus, step = map(dtype, (costs["plus"][i], costs["minus"][i], h))
    slope = float((plus - minus) / (2 * step))
    library = costs["library"]
    named = {"h": h, "slope": slope, "error": abs(slope - true), "bound": library["error"]}
    errors = {"library": abs(library["value"] - true)}
    return {**named, **errors, "plus": float(plus), "minus": float(minus)}


def readings(drawn: dict[str, Any]) -> tuple[Reading, Reading]:
    """Return how a reader takes powers of ten from the ticks, across and up."""
    labels = [(text, x, y) for text, x, y in drawn["words"] if text.startswith("1")]
    below = [(x, exponent(text)) for text, x, y in labels if y > max(drawn["lines"]) + 2]
    left = [(y, exponent(text)) for text, x, y in labels if x < min(drawn["columns"]) - 2]
    return reading(below, drawn["columns"]), reading(left, drawn["lines"])


def reading(labels: list[tuple[float, int]], lines: list[float]) -> Reading:
    """Return the power of ten at a place, as the label nearest to a line tells it."""
    places = [min(lines, key=lambda line: abs(place - line)) for place, _ in labels]
    slope, start = np.polyfit(places, [power for _, power in labels], 1)
    return lambda place: float(slope * place + start)


def exponent(text: str) -> int:
    """Return the power of ten that a label shows."""
    return 0 if text == "1" else int(text.removeprefix("10").replace("−", "-"))


def near(one: float, other: float, distance: float = 0.1) -> bool:
    """Whether two powers of ten are so far apart at most."""
    return abs(one - other) < distance


def power(x: float) -> float:
    """Return the power of ten of a number; one for which the plot has no room is at its edge."""
    return float(np.log10(np.clip(x, 1e-18, 1e4)))


def brief(x: float, digits: int = 1) -> str:
    """Return a number in so many digits after the first, as JavaScript writes it."""
    return "0" if x == 0 else re.sub("e([+-])0", r"e\1", f"{x:.{digits}e}")


FAULTY_DRAWINGS = {
    "ticks a power off": ("superscript(least + i * every)]", "superscript(least + i * every + 1)]"),
    "no minus": ('String(power).replace("-", "−")', "String(Math.abs(power))"),
    "ten times the error": ("[across(h), up(error)]", "[across(h), up(10 * error)]"),
    "ten times the step": ("[across(h), up(error)]", "[across(10 * h), up(error)]"),
    "another logarithm": ("Math.log10(error)", "Math.log(error)"),
    "swapped costs": ("[f, g, quotient].map", "[g, f, quotient].map"),
    "swapped errors": ('"library: error", "library: bound"', '"library: bound", "library: error"'),
    "swapped slope": ('"slope", "error", ', '"error", "slope", '),
    "swapped shapes": ('float64: "●", float32: "■"', 'float64: "■", float32: "●"'),
    "swapped titles": ('"step h", "error of the slope"', '"error of the slope", "step h"'),
    "another bound": ("${ERRORS.left} ${up(error)}", "${ERRORS.left} ${up(error / 9)}"),
    "another star": ("up(Math.abs(value", "up(9 * Math.abs(value"),
    "another truncation": ("(h ** 2 / 6)", "(h ** 2 / 2)"),
    "another round-off": ("roundoff / h,", "roundoff / h ** 2,"),
    "another line": ("M${across(h)} ${ERRORS.top}V", "M${across(h / 10)} ${ERRORS.top}V"),
    "fewer points": (
        "${points.map((point) => mark(point",
        "${points.slice(1).map((point) => mark(point",
    ),
    "another error said": ("`error ${brief(error)}", "`error ${brief(2 * error)}"),
    "another step said": ("`h = ${h.toExponential()}", "`h = ${(2 * h).toExponential()}"),
    "another function": (
        "const chosen = functions[choice.value]",
        'const chosen = functions["exp(x) at 1"]',
    ),
    "another mark": ("points[slider.value])", "points[Math.max(slider.value - 3, 0)])"),
}


def replaced(tab: Page, sound: str, faulty: str) -> None:
    """Open the page with a script that has a fault."""
    plant(tab, SCRIPTS, sound, faulty)
    tab.reload()


@in_ci
@pytest.mark.parametrize(("sound", "faulty"), FAULTY_DRAWINGS.values(), ids=FAULTY_DRAWINGS)
def test_a_wrong_drawing_is_seen(sound: str, faulty: str, tab: Page, data: dict[str, Any]) -> None:
    """A script with a planted fault draws or says something else than the data."""
    replaced(tab, sound, faulty)
    assert undrawn(tab, "sin(x) at 1", data)


@in_ci
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "left: 64, right: 392, top: 10, bottom: 250",
            "left: 70, right: 380, top: 20, bottom: 230",
        ),
        ("[ERRORS.bottom, ERRORS.top]", "[ERRORS.top, ERRORS.bottom]"),
        ("mark(point, 1.8)", "mark(point, 2.5)"),
    ],
    ids=["smaller", "upside down", "larger points"],
)
def test_another_look_is_no_fault(one: str, other: str, tab: Page, data: dict[str, Any]) -> None:
    """Points are read off the ticks, wherever these stand."""
    replaced(tab, one, other)
    assert not undrawn(tab, "sin(x) at 1", data)


@in_ci
def test_the_keyboard_moves_it(tab: Page, slider: Locator) -> None:
    """Arrow keys go to the next step, which is told to a screen reader with its errors."""
    status = tab.get_by_role("status").filter(has_text="error")
    slider.focus()
    for key, step in (("Home", "1e-15"), ("ArrowRight", "2e-15"), ("End", "1e+0")):
        tab.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", step)
        expect(status).to_contain_text(f"h = {step}: error ")
    tab.get_by_role("combobox", name="Function").focus()
    before = tab.locator(".numbers").inner_text()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".numbers")).not_to_have_text(before)


@in_ci
def test_a_finger_and_a_mouse_move_it(tab: Page, slider: Locator) -> None:
    """A tap moves the mark to where it lands, and the slider can be dragged on."""
    box = slider.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    tab.touchscreen.tap(box["x"] + 0.25 * box["width"], y)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"e-1[12]$"))
    tab.mouse.move(box["x"] + 0.25 * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.75 * box["width"], y, steps=5)
    tab.mouse.up()
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"e-[34]$"))


@in_ci
def test_the_mark_stands_above_the_slider_s_thumb(tab: Page, slider: Locator) -> None:
    """The slider is as wide as the plot, so that the step is read off without looking twice."""
    track, line = slider.bounding_box(), tab.locator(".movable .now")
    assert track
    for key, edge in (("Home", track["x"]), ("End", track["x"] + track["width"])):
        slider.press(key)
        now = line.bounding_box()
        assert now
        assert abs(now["x"] - edge) < 10  # half of the thumb


@in_ci
def test_it_follows_the_scheme(tab: Page, slider: Locator) -> None:
    """Its marks have the colours of the figures, in either scheme; nothing in it is hard to see."""
    slider.press("End")
    colours = {}
    for scheme in ("light", "dark"):
        if scheme == "dark":
            darken(tab)
        colours[scheme] = [
            tab.locator(f".movable svg > g .{dtype.__name__} :is(circle, rect)").last.evaluate(
                "mark => getComputedStyle(mark).fill"
            )
            for dtype in PRECISIONS
        ]
        assert not violations(tab)
    assert len({*colours["light"], *colours["dark"]}) == 4


@in_ci
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_shifted(width: int, tab: Page) -> None:
    """The room that is held for it is what it fills, for each function and step."""
    tab.set_viewport_size({"width": width, "height": 900})
    built = tab.evaluate(HEIGHT)
    for name in NAMES:
        tab.evaluate(COLUMNS, [name, "forward", False])
        assert tab.evaluate(HEIGHT) == built
    assert not faults(tab)
    tab.route("**/movable/*.js", lambda route: route.abort())
    tab.reload()
    assert tab.evaluate(HEIGHT) == pytest.approx(built, abs=4)


@in_ci
def test_without_scripts_it_is_described(browser: Browser, address: str) -> None:
    """Where no script runs, a text says what would be there, and no room is held."""
    tab = browser.new_context(java_script_enabled=False).new_page()
    tab.goto(address + PAGE)
    words, height = (
        tab.evaluate("document.querySelector('.movable noscript').innerText"),
        tab.evaluate(HEIGHT),
    )
    tab.context.close()
    assert "for a function of your choice" in words
    assert height < 200


OWN = '"cube at 2": (lambda x: x**3, 2.0, [12.0, 12.0, 6.0]),'


@in_ci
def test_a_function_of_the_reader_s_own_is_drawn(tab: Page) -> None:
    """What is put among the choices of the block is there to choose once it has run."""
    tab.set_default_timeout(60_000)
    holder = tab.locator(".language-python", has_text="choices = {")
    block = holder.locator("code")
    code = (block.text_content() or "").replace("choices = {", f"choices = {{{OWN}")
    written(block, code)
    tab.keyboard.press("Control+Enter")
    choice = tab.get_by_role("combobox", name="Function")
    expect(choice.locator("option")).to_have_count(len(NAMES) + 1, timeout=120_000)
    assert tab.evaluate(COLUMNS, ["cube at 2", "central", False])[-1][0][:2] == ["27", "1"]
    holder.get_by_role("button", name="Reset").click()
    expect(choice.locator("option")).to_have_count(len(NAMES))


DATA = """
```python
import numpy as np

data = {"<b>": [np.float32(0.1), 0.1, 1]}
```

![Two numbers.](figure:data)
"""


def render(page: str) -> str:
    """Return the HTML of a page."""
    html: str = markdown(page, extensions=["fenced_code", Figures()])
    return html


def test_data_is_handed_over_as_it_is() -> None:
    """The shortest digits of each precision; text that cannot end the script; words beside it."""
    html = render(DATA)
    script = html.partition('<script type="application/json">')[2].partition("</script>")[0]
    assert json.loads(script) == {"<b>": [0.1, 0.1, 1]}
    assert "<" not in script
    assert "<noscript>Two numbers.</noscript>" in html


@pytest.mark.parametrize(
    ("sound", "faulty", "message"),
    [
        ("0.1, 1", "0.1, np.nan", "figure:data: .*not JSON compliant"),
        ("np.float32(0.1)", "np.float32('inf')", "figure:data: .*not JSON compliant"),
        ("Two numbers.", " ", "figure:data: say what it shows"),
    ],
)
def test_data_that_cannot_be_shown_fails_the_build(
    sound: str, faulty: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A number that JSON does not have, or no text alternative: a warning stops strict builds."""
    assert sound in DATA
    assert 'class="admonition failure' in render(DATA.replace(sound, faulty))
    (said,) = caplog.messages
    assert re.search(message, said)
