"""The same on every platform, and with the theme's successor: the fast parts of two proofs."""

import shutil
from collections.abc import Set
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from proofs import platforms, successor
from support.checkout import ROOT, build, in_ci

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@in_ci
def test_the_site_is_the_same_to_the_byte(site: Path, tmp_path: Path) -> None:
    """A build at another place, with hashes in another order, gives the same files."""
    build(ROOT / "mkdocs.yml", tmp_path / "site", **platforms.PLACES[2])
    assert not platforms.differing_files(site, tmp_path / "site")


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    """One that has another byte, and one that is missing; equal folders have none."""
    for name in ("one", "other"):
        (tmp_path / name / "folder").mkdir(parents=True)
        (tmp_path / name / "folder" / "same").write_text("x", "utf-8")
    folders = tmp_path / "one", tmp_path / "other"
    assert not platforms.differing_files(*folders)
    (folders[0] / "missing").touch()
    (folders[1] / "folder" / "same").write_text("y", "utf-8")
    assert platforms.differing_files(*folders) == ["folder/same", "missing"]


@pytest.mark.parametrize(
    ("required", "oldest"),
    [("a>=1.2", "a==1.2"), ("a>=1.2,<2", "a==1.2"), ("a[b]>=1.2", "a[b]==1.2")],
)
def test_a_lower_bound_is_read(required: str, oldest: str) -> None:
    """It is the version that `>=` names, whatever stands beside it."""
    assert platforms.at_lower_bound(Requirement(required)) == oldest


def test_every_dependency_has_a_lower_bound_that_is_run() -> None:
    """Those of the library, of the docs and of the tests, with what these groups take in."""
    names = {bound.partition("==")[0] for bound in platforms.bounds("test")}
    assert {"numpy", "mkdocs", "mkdocstrings[python]", "pytest", "distributed"} <= names
    assert "backproof[dask]" not in names


def test_a_python_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    """It is not left out in silence."""
    (check,) = platforms.on_python("python3.0", tmp_path, oldest=False)
    assert not check.passed
    assert "python3.0" in check.words


@pytest.fixture
def two_sites(tmp_path: Path) -> tuple[Path, Path]:
    """Return two sites that have nothing but a page, the same."""
    page = '<article><h1 id="a">A</h1> <a href="b.html">B</a></article>'
    sites = tmp_path / "old", tmp_path / "new"
    for site in sites:
        site.mkdir()
        for name in ("404", "a", "b"):
            (site / f"{name}.html").write_text(page, "utf-8")
    return sites


def test_a_successor_that_loses_nothing_passes(two_sites: tuple[Path, Path]) -> None:
    """The sibling of the losses below."""
    assert not successor.losses(*two_sites)


def test_a_loss_is_seen(two_sites: tuple[Path, Path]) -> None:
    """A page, a link, an anchor and a word; a link to the lost page is no loss of its own."""
    (two_sites[1] / "b.html").unlink()
    (two_sites[1] / "a.html").write_text("<article>A B</article>", "utf-8")
    assert successor.losses(*two_sites) == {"b.html", "every page: anchors"}
    (two_sites[1] / "a.html").write_text('<article><h1 id="a">A</h1></article>', "utf-8")
    shutil.copy(two_sites[0] / "b.html", two_sites[1] / "b.html")
    assert successor.losses(*two_sites) == {"a.html: links", "a.html: words"}


def test_the_losses_are_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are found have to be those of CONTRIBUTING: no more, and no fewer."""
    known = successor.stated(CONTRIBUTING)
    assert "learn/find-the-mistake.html" in known
    assert not ending_with(known, monkeypatch)
    words = str(ending_with(known - {"llms.txt"} | {"x.html"}, monkeypatch))
    assert [line.rpartition(" ")[2] for line in words.split("\n")] == ["x.html", "llms.txt"]
    words = str(ending_with(known, monkeypatch, {"y.html"}))
    assert words == "lost with ProperDocs: y.html"


def ending_with(
    found: set[str], monkeypatch: pytest.MonkeyPatch, lost: Set[str] = frozenset()
) -> str | int | None:
    """Return how the command ends that finds these losses, of the theme and the generator."""
    monkeypatch.setattr(successor, "built", lambda _: ("old", "same", "new"))
    monkeypatch.setattr(successor, "losses", lambda _, new: found if new == "new" else lost)
    with pytest.raises(SystemExit) as ending:
        successor.main()
    return ending.value.code
