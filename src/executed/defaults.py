"""An extension of mkdocstrings that shows the value of a default in place of its name."""

from __future__ import annotations

from griffe import Attribute, ExprName, Extension, Function, Module


class Defaults(Extension):
    """Show `tolerance: float = 1e-07`, and not `TOLERANCE`."""

    def on_package(self, *, pkg: Module, **_: object) -> None:
        """Replace the names of constants in the signatures of a package."""
        for module in pkg.modules.values():
            for function in module.functions.values():
                _show_values(function, pkg)


def _show_values(function: Function, package: Module) -> None:
    for parameter in function.parameters:
        name = parameter.default
        if isinstance(name, ExprName) and name.canonical_path.startswith(f"{package.name}."):
            named = package.modules_collection[name.canonical_path]
            parameter.default = named.value if isinstance(named, Attribute) else name
