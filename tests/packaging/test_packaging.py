"""What is installed and what is handed on: complete, small, and telling one story."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from sysconfig import get_path
from zipfile import ZipFile

import pytest
from mkdocs.config import load_config
from mkdocs.utils.yaml import yaml_load
from packaging.requirements import Requirement

from executed.commands import GROUPS, PROJECT
from executed.page import blocks
from proofs.platforms import requirements
from support.browsing import served
from support.check_links import dead_links
from support.checkout import CI, DOCS, ROOT, build, in_ci, planted

README = (ROOT / "README.md").read_text("utf-8")


def test_all_tell_the_same_story() -> None:
    """The package, the site and README say in the same words what this is."""
    words = PROJECT["description"]
    assert load_config(str(ROOT / "mkdocs.yml"))["site_description"] == words
    assert f"Backproof is {words[0].lower()}{words[1:]}" in README


def test_the_version_is_one() -> None:
    """Who cites the package names the version that is installed."""
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in citation


def metadata_in(folder: Path) -> Message:
    """Return what the wheel in a folder says of itself."""
    with ZipFile(next(folder.glob("*.whl"))) as wheel:
        about = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
        return message_from_bytes(wheel.read(about))


def test_the_wheel_is_the_library_alone(packages: Path) -> None:
    """It holds the modules and what describes them, and asks for nothing but NumPy."""
    with ZipFile(next(packages.glob("*.whl"))) as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
        about = next(folder for folder in folders if folder.endswith(".dist-info"))
        licences = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert folders == {"backproof", about}
    assert licences
    metadata = metadata_in(packages)
    needed = metadata.get_all("Requires-Dist", [])
    assert [name for name in needed if "extra ==" not in name] == ["numpy>=2.0"]
    assert set(metadata.get_all("Provides-Extra", [])) == {"dask", "plot"}


@pytest.mark.parametrize(
    ("told", "stated"),
    [
        ({}, []),
        ({"SOURCE_ADDRESS": "https://c.test/d"}, ["c.test/d", "c.test/d/issues"]),
        (
            {"SITE_ADDRESS": "https://a.test/b/"},
            ["a.test/b/", "a.test/b/reference/changelog.html"],
        ),
    ],
)
def test_the_packages_state_the_addresses_that_their_build_is_told(
    told: dict[str, str], stated: list[str], tmp_path: Path
) -> None:
    """The documentation and the source are where whoever publishes them says."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    nowhere = {"SITE_ADDRESS": "", "SOURCE_ADDRESS": ""}
    environment = {**os.environ, **nowhere, **told}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    metadata = metadata_in(tmp_path)
    urls = [url.partition(", https://")[2] for url in metadata.get_all("Project-URL", [])]
    assert sorted(urls) == stated
    links = re.findall(r"\]\(([^)]+)", str(metadata.get_payload()))
    beside = (
        {f"https://c.test/d/blob/v{PROJECT['version']}/LICENSE"}
        if "SOURCE_ADDRESS" in told
        else {"LICENSE"}
    )
    assert beside <= {*links}
    assert len({link.startswith("https://c.test/") for link in links}) == 1


@in_ci
def test_the_wheel_works_in_an_empty_environment(packages: Path, tmp_path: Path) -> None:
    """With nothing but the wheel and its dependency, the example of README prints what it shows."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    python = f"{get_path('scripts', 'venv', {'base': str(tmp_path)})}/python"
    command = [sys.executable, "-m", "pip", "--python", python, "install"]
    wheel = next(packages.glob("*.whl"))
    done = subprocess.run([*command, wheel], check=False, capture_output=True, text=True)
    if "No matching distribution found for numpy" in done.stderr and not CI:
        pytest.skip("This installs NumPy, and no package index can be reached.")
    assert done.returncode == 0, done.stderr
    (example,) = blocks(README)
    assert example.output
    printed = subprocess.run([python, "-c", example.text], capture_output=True, text=True)
    assert printed.stdout.rstrip() == example.output.text, printed.stderr


NOT_INSTALLED = """
import importlib.metadata as metadata

def version(name):
    raise metadata.PackageNotFoundError(name)

metadata.version = version
"""


@pytest.mark.parametrize(
    ("before", "version"), [("", PROJECT["version"]), (NOT_INSTALLED, "unknown")]
)
def test_the_version_is_that_of_the_installation(
    before: str, version: str, with_wheel: dict[str, str]
) -> None:
    """A checkout that is on the path, and not installed, has none."""
    program = f"{before}\nimport backproof\nprint(backproof.__version__)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=with_wheel, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == version


@in_ci
def test_the_pages_pass_from_the_source_distribution(
    packages: Path, with_wheel: dict[str, str], tmp_path: Path
) -> None:
    """Unpacked anywhere, it has what its doc tests need, and they pass with the wheel."""
    with tarfile.open(next(packages.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert {"docs", "src", "tests", "mkdocs.yml", "LICENSE"} <= {p.name for p in source.iterdir()}
    path = os.pathsep.join([with_wheel["PYTHONPATH"], str(source / "src")])
    pages = ["docs/index.md", "docs/learn", "README.md"]
    command = [sys.executable, "-m", "pytest", "--quiet", *pages]
    environment = {**with_wheel, "PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=source, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d+ passed", done.stdout)


def test_dead_links_are_reported(tmp_path: Path) -> None:
    """The script that follows links to other hosts names the dead ones, and where they stand."""
    site = tmp_path / "site"
    site.mkdir()
    with served(site) as address:
        links = [f"{address}page.html#part", f"{address}lost.html", "http://127.0.0.2:9/"]
        page = "".join(f'<a href="{link}">x</a>' for link in links)
        (site / "page.html").write_text(page, "utf-8")
        dead = dead_links(site)
    assert [link.partition(": ")[0] for link in dead] == sorted(links[1:])
    assert "404" in dead[0]
    assert all(link.endswith("    page.html") for link in dead)


INDEX = '# Home\n\nThis is "home" & more.\n\n[Page](page.md)\n'
PAGE = "# A page\n\nOne sentence.\n\n::: backproof.relative_difference\n"


@in_ci
def test_addresses_are_used_where_they_are_known(tmp_path: Path) -> None:
    """Edit links and previews appear with the addresses that they need, and not without."""
    configuration = planted(tmp_path, index=INDEX, page=PAGE)
    build(configuration, tmp_path / "anywhere", SITE_ADDRESS="", EDIT_ADDRESS="")
    addresses = {"SITE_ADDRESS": "https://a.test/b/", "EDIT_ADDRESS": "https://c.test/docs/"}
    build(configuration, tmp_path / "somewhere", **addresses)
    anywhere = (tmp_path / "anywhere" / "page.html").read_text("utf-8")
    somewhere = (tmp_path / "somewhere" / "page.html").read_text("utf-8")
    assert 'href="https://c.test/docs/page.md"' in somewhere
    assert 'content="https://a.test/b/assets/card.png"' in somewhere
    assert (tmp_path / "somewhere" / "assets" / "card.png").read_bytes()[1:4] == b"PNG"
    assert not re.search("c.test|og:image|og:url|canonical|Edit this page", anywhere)
    assert not (tmp_path / "anywhere" / "assets" / "card.png").exists()


def test_pages_describe_themselves(tmp_path: Path) -> None:
    """A page is described by its first paragraph, or by its front matter."""
    page = "---\ndescription: Said.\n---\n# A page\n\nNot said.\n"
    build(planted(tmp_path, index=INDEX, page=page), tmp_path / "site")
    index = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert '<meta name="description" content="This is &#34;home&#34; &amp; more.">' in index
    assert 'content="Said."' in (tmp_path / "site" / "page.html").read_text("utf-8")


def test_machines_read_the_pages_as_markdown(tmp_path: Path) -> None:
    """Beside each page stands its Markdown, with docstrings where the page shows them."""
    build(planted(tmp_path, index=INDEX, page=PAGE), tmp_path / "site")
    assert (tmp_path / "site" / "index.md").read_text("utf-8").strip() == INDEX.strip()
    page = (tmp_path / "site" / "page.md").read_text("utf-8")
    assert "## `backproof.relative_difference(gradient: Nest" in page
    assert ":::" not in page


def test_llms_txt_lists_every_page(site: Path) -> None:
    """It names the site, says what it is, and leads to the Markdown of every page."""
    text = (site / "llms.txt").read_text("utf-8")
    assert text.startswith(f"# Backproof\n\n> {PROJECT['description']}\n")
    links = re.findall(r"^- \[.+\]\((.+?)\): .+", text, re.MULTILINE)
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"index.md"}
    assert pages <= set(links)
    assert all((site / link).is_file() for link in links)


GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
UNPINNED = re.compile(r"uses: (?!\./|\S+@[0-9a-f]{40} # v\d+(?:\.\d+)+$).*", re.MULTILINE)


def workflow_faults(workflow: str) -> list[str]:
    """Return what of a workflow trusts too much, may change under it, or hides a failure."""
    faults = UNPINNED.findall(workflow)
    faults += [] if re.search("^permissions:", workflow, re.MULTILINE) else ["no permissions"]
    return faults + re.findall(r"secrets\.\w+|write-all|\|\|.*|continue-on-error", workflow)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_trust_nobody(path: Path) -> None:
    """Each action is pinned by commit, permissions are stated, and no secret is used."""
    assert not workflow_faults(path.read_text("utf-8"))


SOUND = f"permissions:\n  contents: read\n    - uses: a/b@{'0' * 40} # v1.2\n"


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("read", "read", ""),
        (f"@{'0' * 40} # v1.2", "@v1.2", "uses: a/b@v1.2"),
        (" # v1.2", "", f"uses: a/b@{'0' * 40}"),
        ("permissions:\n  contents: read\n", "", "no permissions"),
        ("read", "${{ secrets.TOKEN }}", "secrets.TOKEN"),
        ("# v1.2", "# v1.2\n    - run: .ci/run || true", "|| true"),
        ("# v1.2", "# v1.2\n      continue-on-error: true", "continue-on-error"),
    ],
)
def test_a_workflow_that_trusts_is_seen(was: str, becomes: str, fault: str) -> None:
    """A tag, no version or permissions, a secret, a failure that passes; what is sound passes."""
    assert workflow_faults(SOUND.replace(was, becomes)) == [fault] * bool(fault)


def test_every_supported_python_is_tested() -> None:
    """What the package says that it runs on, the workflow runs."""
    said = {one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d", one)}
    tests = yaml_load((GITHUB / "workflows" / "tests.yml").read_text("utf-8"))["jobs"]["tests"]
    assert said == {*tests["strategy"]["matrix"]["python"]}


def untested(workflow: str) -> list[str]:
    """Return the jobs of a workflow that may publish, and do not wait for the tests."""
    jobs = yaml_load(workflow)["jobs"]
    given = {name: job.get("needs", []) for name, job in jobs.items()}
    needs = {name: {own} if isinstance(own, str) else set(own) for name, own in given.items()}
    waits = {name for name, job in jobs.items() if "/tests.yml" in job.get("uses", "")}
    for _ in jobs:  # a job also waits for what those wait for that it needs
        waits |= {name for name, own in needs.items() if waits & own}
    return [name for name, job in jobs.items() if "permissions" in job and name not in waits]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_is_published_was_tested(path: Path) -> None:
    """The site and the packages wait for the tests."""
    assert not untested(path.read_text("utf-8"))


@pytest.mark.parametrize(("needs", "fault"), [("tests", []), ("[]", ["publish"])])
def test_publishing_without_tests_is_seen(needs: str, fault: list[str]) -> None:
    """A job with a permission of its own has to need the tests, be it through another one."""
    workflow = f"""
jobs:
  tests: {{uses: ./.github/workflows/tests.yml}}
  build: {{needs: {needs}, runs-on: ubuntu-latest}}
  publish: {{needs: [build], permissions: {{pages: write}}}}
"""
    assert untested(workflow) == fault


def pins_that_lack(pins: str, required: list[Requirement]) -> list[str]:
    """Return the requirements that the exact versions of a constraints file do not meet."""
    versions = dict(line.split("==") for line in pins.split())
    return [
        one.name
        for one in required
        if one.name not in versions or versions[one.name] not in one.specifier
    ]


def test_the_site_is_built_with_exact_versions() -> None:
    """Each dependency of the docs has one, within its bounds, which the workflow uses."""
    path = GITHUB / "constraints.txt"
    required = [*map(Requirement, PROJECT["dependencies"]), *requirements(GROUPS["docs"])]
    assert not pins_that_lack(path.read_text("utf-8"), required)
    workflow = (GITHUB / "workflows" / "site.yml").read_text("utf-8")
    assert f"--constraint {path.relative_to(ROOT)} " in workflow


@pytest.mark.parametrize(("pins", "lacking"), [("a==1.2", []), ("a==1.1", ["a"]), ("b==2", ["a"])])
def test_versions_that_do_not_do_are_seen(pins: str, lacking: list[str]) -> None:
    """One that is too old, and one that is missing; one within its bounds passes."""
    assert pins_that_lack(pins, [Requirement("a>=1.2,<2")]) == lacking
