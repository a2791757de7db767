"""The Python that runs in the reader's browser: its files, and how to renew them.

They lie in `docs/assets/python`, with their sums. To take a newer release, write its sums into
`SHA256SUMS`, those of the packages from its lock, and renew the files from any copy of them, which
may be a folder or an archive:

    python src/executed/runtime.py COPY

As a hook of MkDocs, this sends the library there, and what runs its blocks.
"""

from __future__ import annotations

import gzip
import json
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from shutil import unpack_archive
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile, ZipInfo, is_zipfile

from hatchling.builders.wheel import WheelBuilder
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from executed.commands import ROOT, WHEEL

FOLDER = ROOT / "docs" / "assets" / "python"
RUNTIME = ("pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide.mjs", "python_stdlib.zip")
LIBRARY = "backproof"
# What the library needs there, and what its part that draws needs.
BASE, DRAWING = "numpy", "matplotlib"
ENGINE = ("__init__", "drawing", "kernel", "pictures", "wording")


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Put the library there, for the runtime and for those who download it."""
    with TemporaryDirectory() as folder:
        (wheel,) = map(Path, WheelBuilder(str(ROOT)).build(directory=folder))
        name, content = f"assets/python/{wheel.name}", wheel.read_bytes()
    files.append(File.generated(config, name, content=content))


def on_post_build(config: MkDocsConfig, **_: object) -> None:
    """Put what runs blocks, and the list of packages, beside the runtime."""
    target = Path(config.site_dir, "assets", "python")
    with ZipFile(target / "executed.zip", "w") as engine:
        for name in ENGINE:
            text = Path(__file__).with_name(f"{name}.py").read_text("utf-8")
            engine.writestr(ZipInfo(f"executed/{name}.py"), text)  # the same bytes at every build
    (target / "pyodide-lock.json").write_text(json.dumps(lock(target / WHEEL.name)), "utf-8")


def lock(wheel: Path) -> dict[str, Any]:
    """Return the list of packages that a browser can load here, with a wheel of the library."""
    packages = {name: dict(released()["packages"][name]) for name in sorted(needed(DRAWING))}
    packages[DRAWING]["imports"] = [*packages[DRAWING]["imports"], f"{LIBRARY}.plots"]
    packages[LIBRARY] = {
        **packages[BASE],
        "name": LIBRARY,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "sha256": sha256(wheel.read_bytes()).hexdigest(),
        "depends": [BASE],
        "imports": [LIBRARY],
    }
    return {**released(), "packages": packages}


@cache
def released() -> dict[str, Any]:
    """Return the list of all packages of the release."""
    return dict(json.loads((FOLDER / "pyodide-lock.json").read_text("utf-8")))


def needed(package: str) -> set[str]:
    """Return a package with all that it needs."""
    return {package}.union(*map(needed, released()["packages"][package]["depends"]))


@cache
def importable() -> frozenset[str]:
    """Return the modules that a block can import in the browser, which has no processes."""
    modules = [one for name in needed(DRAWING) for one in released()["packages"][name]["imports"]]
    return sys.stdlib_module_names - {"multiprocessing", "subprocess"} | {*modules, LIBRARY}


@cache
def megabytes(package: str) -> int:
    """Return how many million bytes are loaded before a package can be imported."""
    wheels = [released()["packages"][name]["file_name"] for name in needed(package)]
    return round(sum(transferred(FOLDER / name) for name in (*RUNTIME, *wheels)) / 1e6)


def transferred(file: Path) -> int:
    """Return how many bytes of a file are loaded: a host compresses what is no archive."""
    return file.stat().st_size if is_zipfile(file) else len(gzip.compress(file.read_bytes(), 6))


# Renewing


def renew(copy: Path) -> None:
    """Take the files that have a sum from a folder or an archive; refuse any that differs."""
    sums = sums_of(FOLDER)
    with TemporaryDirectory() as folder:
        if copy.is_file():
            unpack_archive(copy, folder, "zip" if is_zipfile(copy) else None)
            copy = Path(folder)
        found = {path.name: path.read_bytes() for path in copy.rglob("*") if path.name in sums}
    for name, expected in sums.items():
        if sha256(found.get(name, b"")).hexdigest() != expected:
            sys.exit(f"{name}: there is none with the sum {expected}. Nothing was renewed.")
    for name, content in found.items():
        (FOLDER / name).write_bytes(content)


def sums_of(folder: Path) -> dict[str, str]:
    """Return the sums that the files of a folder should have, by their names."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: expected for expected, name in map(str.split, lines)}


if __name__ == "__main__":
    renew(Path(sys.argv[1]))
