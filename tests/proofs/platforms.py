"""Run what the pages show on every Python that we claim, and build the site twice on each.

    python tests/proofs/platforms.py [--python python3.11 ...] [--oldest]

Each Python gets an environment of its own, with the newest NumPy and then with the oldest that
we claim. There, in a folder with spaces in its name, the doc tests run once for each kernel of
OpenBLAS, each time in another time zone, locale and order of hashes; then two builds of the site
are compared byte by byte. `--oldest` does the same once, on the oldest Python, with every
dependency at the lower bound that pyproject.toml states.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import NamedTuple

from packaging.requirements import Requirement

from executed.commands import EXTRAS, GROUPS, PROJECT

ROOT = Path(__file__).parents[2]
PYTHONS = [
    f"python{version}"
    for classifier in PROJECT["classifiers"]
    if "." in (version := classifier.removeprefix("Programming Language :: Python :: "))
]
FIRST_NUMPY = {"3.13": "2.1", "3.14": "2.3.2"}  # wheels begin after the NumPy that we claim
FILES = """
    .github docs src tests
    CHANGELOG.md CITATION.cff LICENSE README.md hatch_build.py mkdocs.yml pyproject.toml
"""

KERNELS = ("Haswell", "SkylakeX", "Prescott")
PLACES = (
    {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
    {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    # Python takes files, pipes and names for ASCII here.
    {
        "TZ": "Pacific/Chatham",
        "LC_ALL": "POSIX",
        "PYTHONHASHSEED": "2",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    },
)
INSTALL = ["-m", "pip", "install", "--quiet", "--only-binary", "numpy"]  # or it would be compiled
DOC_TESTS = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "docs", "README.md", "src"]
USES_KERNEL = ["-c", "import numpy; numpy.ones((64, 64)) @ numpy.ones((64, 64))"]
VERSIONS = "import numpy, platform; print(platform.python_version(), numpy.__version__)"


class Check(NamedTuple):
    """What was checked, on what, whether it passed, and what is to be said of it."""

    python: str
    numpy: str
    what: str
    passed: bool
    words: str

    def __str__(self) -> str:
        mark = "passed" if self.passed else "FAILED"
        return f"{self.python:10}  {self.numpy:8}  {self.what:20}  {mark}  {self.words}"


# What is checked


def checks(python: Path, source: Path) -> Iterator[Check]:
    """Run the doc tests of a copy under each kernel, then build its site twice."""
    version, numpy = run([python, "-c", VERSIONS], source).stdout.split()
    check = partial(Check, version, numpy)
    for kernel, place in zip(KERNELS, PLACES, strict=True):
        yield check(f"doc tests, {kernel}", *doc_tests(python, source, kernel, place))
    yield check("site, built twice", *same_site(python, source))


def doc_tests(python: Path, source: Path, kernel: str, place: dict[str, str]) -> tuple[bool, str]:
    """Return whether the doc tests pass, and their last words."""
    place = {**place, "OPENBLAS_CORETYPE": kernel}
    if run([python, *USES_KERNEL], source, place).returncode:
        return True, "left out: this CPU cannot run it"
    done = run([python, *DOC_TESTS], source, place)
    if done.returncode:
        return False, f"\n{done.stdout}{done.stderr}"
    return True, done.stdout.rstrip().rpartition("\n")[2]


def same_site(python: Path, source: Path) -> tuple[bool, str]:
    """Return whether two builds, in other places, have the same bytes, and what differs."""
    sites = [source / "site one", source / "site two"]
    for site, place in zip(sites, PLACES[1:], strict=True):
        built = run([python, "-m", "mkdocs", "build", "--strict", "-q", "-d", site], source, place)
        if built.returncode:
            return False, built.stderr
    differing = differing_files(*sites)
    count = sum(path.is_file() for path in sites[0].rglob("*"))
    return not differing, ", ".join(differing) or f"{count} files, the same to the byte"


def differing_files(one: Path, other: Path) -> list[str]:
    """Return the files that are not the same, to the byte, in two folders."""
    paths = {path.relative_to(site) for site in (one, other) for path in site.rglob("*")}
    return sorted(str(path) for path in paths if content(one / path) != content(other / path))


def content(path: Path) -> bytes | bool:
    """Return the bytes of a file, or whether there is a folder."""
    return path.read_bytes() if path.is_file() else path.is_dir()


# Where it is checked


def on_python(name: str, source: Path, *, oldest: bool) -> Iterator[Check]:
    """Check in an environment of a Python, with the packages that are wanted, one after another."""
    with TemporaryDirectory() as folder:
        if problem := venv_problem(name, folder):
            yield Check(name, "", "environment", False, problem)
            return
        python = Path(folder, "bin", "python")
        for pins in [bounds("test")] if oldest else [[], [oldest_numpy(python)]]:
            what = ["--editable", str(source), "--group", "test", *pins]
            installed = run([python, *INSTALL, *what], source)
            if installed.returncode:
                yield Check(name, "", "installation", False, installed.stderr)
            else:
                yield from checks(python, source)


def venv_problem(name: str, folder: str) -> str:
    """Make an environment, and return why that failed, where it did."""
    try:
        made = run([name, "-m", "venv", "--upgrade-deps", folder], ROOT)
        return made.stderr if made.returncode else ""
    except OSError as error:
        return str(error)


def oldest_numpy(python: Path) -> str:
    """Return the requirement that gives a Python the oldest NumPy that we claim for it."""
    code = "import sys; print(*sys.version_info[:2], sep='.')"
    version = run([python, "-c", code], ROOT).stdout.strip()
    claimed = bounds()[0].partition("==")[2]
    return f"numpy=={FIRST_NUMPY.get(version, claimed)}"


def bounds(*groups: str) -> list[str]:
    """Return what the library and groups require, each in the oldest version allowed."""
    required = map(Requirement, PROJECT["dependencies"])
    nested = (requirements(GROUPS[group]) for group in groups)
    return sorted(set(map(at_lower_bound, chain(required, *nested))))


def requirements(listed: list[str | dict[str, str]]) -> Iterator[Requirement]:
    """Yield what is listed, and in the place of groups and extras of ours what these require."""
    for one in listed:
        if isinstance(one, dict):
            yield from requirements(GROUPS[one["include-group"]])
        elif (required := Requirement(one)).name == PROJECT["name"]:
            yield from chain(*(requirements([*EXTRAS[extra]]) for extra in required.extras))
        else:
            yield required


def at_lower_bound(requirement: Requirement) -> str:
    """Return a requirement of the oldest version that another one allows."""
    (oldest,) = (one.version for one in requirement.specifier if one.operator == ">=")
    extras = f"[{','.join(requirement.extras)}]" if requirement.extras else ""
    return f"{requirement.name}{extras}=={oldest}"


def copied(folder: Path) -> Path:
    """Copy what the tests need of this checkout into a new folder."""
    folder.mkdir()
    for name in FILES.split():
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def run(
    command: list[str | Path], folder: Path, place: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder and a place, without the settings of this process for Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # The notice is the theme's, not a warning of ours.
    kept = {**kept, "MPLBACKEND": "agg", "NO_MKDOCS_2_WARNING": "1", **place}
    return subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, encoding="utf-8", check=False
    )


def main() -> None:
    """Check everywhere, print the table, and fail if anything failed."""
    parser = argparse.ArgumentParser(description="Run the doc tests on every platform at hand.")
    parser.add_argument("--python", nargs="+", help="interpreters, in place of all that we claim")
    parser.add_argument("--oldest", action="store_true", help="with the lower bounds of pyproject")
    options = parser.parse_args()
    pythons = options.python or (PYTHONS[:1] if options.oldest else PYTHONS)
    passed = True
    with TemporaryDirectory() as folder:
        source = copied(Path(folder, "a folder with spaces"))
        for name in pythons:
            for check in on_python(name, source, oldest=options.oldest):
                print(check, flush=True)
                passed &= check.passed
    sys.exit(not passed)


if __name__ == "__main__":
    main()
