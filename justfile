# The commands of CONTRIBUTING by name: `just --list` shows them, and `just page docs/learn/norms.md`
# tests one page. just comes from your system's packages, or as rust-just from PyPI.

bin := ".venv/bin"

# run the tests, but those that take longest
test *options:
    {{bin}}/python -m pytest {{options}}

# run every test
all *options:
    CI=true {{bin}}/python -m pytest {{options}}

# test one page
page path:
    {{bin}}/python -m pytest {{path}}

# write what the examples print into the pages
update:
    {{bin}}/python -m pytest --update-outputs docs README.md

# write what checks say and take into their record
record:
    {{bin}}/python -m pytest --update-outputs tests/library/test_recorded.py

# see the page that you write, with what is wrong on it
serve:
    {{bin}}/mkdocs serve --dirty

# build the site
build:
    {{bin}}/mkdocs build --strict

# take the Python of the reader's browser from a copy of its release: a folder or an archive
runtime copy:
    {{bin}}/python src/executed/runtime.py {{copy}}

# follow the links that lead out of the built site
links: build
    {{bin}}/python tests/support/check_links.py site

# format and lint
lint:
    {{bin}}/ruff format && {{bin}}/ruff check

# check the types
types:
    {{bin}}/mypy

# measure: entries, directions, peers, or painted site
benchmark name *options:
    {{bin}}/python tests/benchmarks/{{name}}.py {{options}}

# prove: fuzz, soak, mutants, pages, platforms, successor, honest, verdicts
prove name *options:
    {{bin}}/python tests/proofs/{{name}}.py {{options}}

# do what CI does
ci:
    .ci/run
