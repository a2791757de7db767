"""The figure to move: its numbers are the library's, and every reader can move it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from markdown import markdown
from numpy.typing import NDArray
from playwright.sync_api import Browser, Locator, Page, expect

from backproof import derivative
from backproof._directions import of_entry
from backproof._objective import Cost, Objective
from backproof._parameters import Parameters
from backproof._slopes import central_difference
from browsing import WIDTHS, darken, faults, settle, violations
from conftest import DOCS
from executed.figures import Figures
from executed.page import run

PAGE = "learn/step-size.html"
SOURCE = (DOCS / PAGE).with_suffix(".md").read_text("utf-8")
NAMES = re.findall(r'^ +"(.* at .*)": \(', SOURCE, re.MULTILINE)
PRECISIONS = (np.float64, np.float32)

# One list of columns for each position of the slider, from left to right.
COLUMNS = """
    name => {
        const [choice, slider] = document.querySelectorAll(".movable :is(select, input)");
        choice.value = name;
        choice.dispatchEvent(new Event("input"));
        return [...Array(Number(slider.max) + 1).keys()].map(position => {
            slider.value = position;
            slider.dispatchEvent(new Event("input"));
            return [2, 3].map(k => [...document.querySelectorAll(`.movable td:nth-child(${k})`)]
                .map(cell => cell.textContent));
        });
    }
"""
HEIGHT = "document.querySelector('.movable').offsetHeight"


@pytest.fixture(scope="module")
def variables() -> dict[str, Any]:
    """Return what the blocks of the page leave."""
    variables: dict[str, Any] = {}
    list(run(SOURCE, "page", variables))
    return variables


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


@pytest.mark.parametrize("name", NAMES)
def test_its_numbers_are_those_of_numpy(name: str, tab: Page, variables: dict[str, Any]) -> None:
    """At each step, both precisions show costs, slope and errors to the last digit shown."""
    assert not differences(tab, name, variables)


def differences(tab: Page, name: str, variables: dict[str, Any]) -> list[str]:
    """Return where a column of the table is not what Python computes."""
    function, x, slope = variables["choices"][name]
    shown = tab.evaluate(COLUMNS, name)
    assert len(shown) == len(variables["steps"]) > 40
    return [
        f"{name}, step {step}, {dtype.__name__}: {column}, expected {expected}"
        for step, columns in zip(variables["steps"], shown, strict=True)
        for dtype, column in zip(PRECISIONS, columns, strict=True)
        if not np.array_equal(
            read(column, dtype),
            expected := computed(function, dtype(x), dtype(step), slope),
            equal_nan=True,
        )
    ]


def read(column: list[str], dtype: type) -> NDArray[Any]:
    """Return the numbers of a column."""
    return np.array([float(cell.replace("none", "nan")) for cell in column], dtype)


def computed(function: Cost, x: Any, h: Any, slope: float) -> NDArray[Any]:
    """Return costs, slope, its error and the stated error, these two in two digits."""
    plus, minus = function(x + h), function(x - h)
    with np.errstate(invalid="ignore"):
        quotient = (plus - minus) / ((x + h) - (x - h))
    errors = abs(float(quotient) - slope), derivative(function, x).error
    return np.array([plus, minus, quotient, *(float(f"{e:.1e}") for e in errors)], type(x))


@pytest.mark.parametrize("name", NAMES)
def test_its_slopes_are_the_library_s(name: str, tab: Page, variables: dict[str, Any]) -> None:
    """In float64, each slope is the library's central difference at that step."""
    function, x, _ = variables["choices"][name]
    objective = Objective(function, Parameters(x))
    entry = of_entry(objective.parameters, 0)
    shown = [float(columns[0][2]) for columns in tab.evaluate(COLUMNS, name)]
    expected = [central_difference(objective, entry, step).value for step in variables["steps"]]
    assert shown == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("rounded(rounded(start + h) - rounded(start - h))", "rounded(2 * h)"),
        ("Math.abs(quotient - slope)", "Math.abs(quotient / slope - 1)"),
        ("rounded(plus[i])", "rounded(plus[Math.max(i - 1, 0)])"),
    ],
    ids=["step not rounded", "relative error", "another step"],
)
def test_a_wrong_number_is_seen(
    right: str, wrong: str, tab: Page, variables: dict[str, Any]
) -> None:
    """A script with a planted fault differs from Python; the script as it is does not."""
    assert not differences(tab, "exp(x) at 1", variables)
    script = (DOCS / "assets" / "movable.js").read_text("utf-8")
    assert right in script
    faulty = script.replace(right, wrong)
    tab.route("**/movable.js", lambda route: route.fulfill(body=faulty))
    tab.reload()
    assert differences(tab, "exp(x) at 1", variables)


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


def test_the_mark_stands_above_the_slider_s_thumb(tab: Page, slider: Locator) -> None:
    """The slider is as wide as the plot, so that the step is read off without looking twice."""
    track, line = slider.bounding_box(), tab.locator(".movable .now")
    assert track
    for key, edge in (("Home", track["x"]), ("End", track["x"] + track["width"])):
        slider.press(key)
        now = line.bounding_box()
        assert now
        assert abs(now["x"] - edge) < 10  # half of the thumb


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


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_shifted(width: int, tab: Page) -> None:
    """The room that is held for it is what it fills, for each function and step."""
    tab.set_viewport_size({"width": width, "height": 900})
    built = tab.evaluate(HEIGHT)
    for name in NAMES:
        tab.evaluate(COLUMNS, name)
        assert tab.evaluate(HEIGHT) == built
    assert not faults(tab)
    tab.route("**/movable.js", lambda route: route.abort())
    tab.reload()
    assert tab.evaluate(HEIGHT) == pytest.approx(built, abs=4)


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
        ("0.1, 1", "0.1, np.nan", "not JSON compliant"),
        ("np.float32(0.1)", "np.float32('inf')", "not JSON compliant"),
        ("Two numbers.", " ", "figure:data: say what it shows"),
    ],
)
def test_data_that_cannot_be_shown_fails_the_build(sound: str, faulty: str, message: str) -> None:
    """A number that JSON does not have, or no text alternative."""
    assert sound in DATA
    with pytest.raises(ValueError, match=message):
        render(DATA.replace(sound, faulty))
