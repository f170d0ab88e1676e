"""Make the table in docs/comparison.md of what users of Airflow expect of a provider, from installed packages.

Nothing in it is typed by hand: each cell is read from the package that is installed, so it is true of the version that
the table's head names.

Usage: python docs/tools/expected.py, where Airflow and the packages of PROVIDERS are installed (the group ``system``)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

from airflow.sdk import BaseHook, BaseOperator, BaseSensorOperator

PAGE = Path(__file__).resolve().parents[1] / "comparison.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
PROVIDERS = {
    "http": "apache-airflow-providers-http",
    "dbt Cloud": "apache-airflow-providers-dbt-cloud",
    "ods-provider": "ods-provider",
}
Cell = Callable[["Provider"], str]


class Provider:
    """A provider that is installed.

    Args:
        package: Its name as a distribution.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        (entry,) = distribution(package).entry_points.select(group="apache_airflow_provider")
        self.info: dict[str, Any] = entry.load()()
        self.operators = list(self._classes("operators", BaseOperator, but=BaseSensorOperator))
        self.sensors = list(self._classes("sensors", BaseSensorOperator))
        self.hooks = list(self._classes("hooks", BaseHook))

    def _classes(self, kind: str, base: type, *, but: type | None = None) -> Iterator[type]:
        for group in self.info.get(kind, ()):
            for name in group["python-modules"]:
                for _, found in inspect.getmembers(import_module(name), inspect.isclass):
                    own = found.__module__ == name and issubclass(found, base) and not found.__name__.startswith("_")
                    if own and not (but and issubclass(found, but)):
                        yield found

    def of(self, classes: list[type], holds: Callable[[type], bool]) -> str:
        """Return how many of some classes have something."""
        if not classes:
            return "none"
        having = sum(map(holds, classes))
        return f"all {len(classes)}" if having == len(classes) > 1 else f"{having} of {len(classes)}"


def _takes(name: str) -> Callable[[type], bool]:
    def holds(found: type) -> bool:
        return any(name in inspect.signature(each.__init__).parameters for each in found.__mro__[:-1])

    return holds


def _of_its_own(found: type, name: str) -> bool:
    """Return whether a class, or one above it that is not Airflow's, defines a name."""
    return any(
        name in vars(each) for each in found.__mro__ if not each.__module__.startswith(("airflow.sdk", "builtins"))
    )


def _lineage(found: type) -> bool:
    return _of_its_own(found, "get_openlineage_facets_on_complete")


def _links(provider: Provider) -> str:
    own = {type(link).__name__ for each in provider.operators for link in getattr(each, "operator_extra_links", ())}
    every = own | {name.rpartition(".")[2] for name in provider.info.get("extra-links", ())}
    return f"{len(every)}" if every else "none"


def _form(provider: Provider) -> str:
    kinds = provider.info.get("connection-types", ())
    own = sum(len(each.get("conn-fields", {})) for each in kinds)
    named = sum(len(each.get("ui-field-behaviour", {}).get("relabeling", {})) for each in kinds)
    return f"{own} of its own, {named} renamed"


def _described(provider: Provider) -> str:
    return provider.of(
        provider.operators + provider.sensors,
        lambda found: all(_is_told(found, name) for name in _arguments(found)),
    )


def _arguments(found: type) -> list[str]:
    taken = inspect.signature(found.__init__).parameters.values()
    return [
        each.name for each in taken if each.name not in ("self", "args", "kwargs") and each.kind is not each.VAR_KEYWORD
    ]


def _is_told(found: type, name: str) -> bool:
    text = inspect.getdoc(found) or ""
    return f":param {name}:" in text or any(name in line.partition(":")[0].split(", ") for line in _told(text))


def _told(text: str) -> list[str]:
    return [line.strip() for line in text.partition("Args:")[2].splitlines()]


def _typed(provider: Provider) -> str:
    return "yes" if Path(inspect.getfile(provider.hooks[0])).parents[1].joinpath("py.typed").exists() else "no"


def _counted(key: str) -> Cell:
    return lambda provider: str(len(provider.info.get(key, [])) or "none")


def _schemes(provider: Provider) -> str:
    found = [f"`{scheme}://`" for each in provider.info.get("asset-uris", ()) for scheme in each["schemes"]]
    return ", ".join(found) or "none"


def _converter(provider: Provider) -> str:
    return "yes" if any(each.get("to_openlineage_converter") for each in provider.info.get("asset-uris", ())) else "no"


ROWS: dict[str, Cell] = {
    "operators": lambda provider: str(len(provider.operators)),
    "sensors": lambda provider: str(len(provider.sensors)),
    "operators that can wait without a worker (`deferrable`)": lambda provider: provider.of(
        provider.operators, _takes("deferrable")
    ),
    "sensors that can": lambda provider: provider.of(provider.sensors, _takes("deferrable")),
    "fields of the connection form": _form,
    "hooks with a test of the connection": lambda provider: provider.of(
        provider.hooks, lambda found: _of_its_own(found, "test_connection")
    ),
    "links on a task's page": _links,
    "operators that tell OpenLineage what they read and wrote": lambda provider: provider.of(
        provider.operators, _lineage
    ),
    "asset addresses": _schemes,
    "asset addresses are turned into OpenLineage's": _converter,
    "operators and sensors whose arguments are all described": _described,
    "types for mypy (`py.typed`)": _typed,
    "notifiers": _counted("notifications"),
    "commands beside `airflow`": _counted("cli"),
}


def table() -> str:
    """Return the table."""
    providers = {name: Provider(package) for name, package in PROVIDERS.items()}
    heads = [f"{name} {version(each.package)}" if name != "ods-provider" else name for name, each in providers.items()]
    lines = [f"| what | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(cell(each) for each in providers.values())} |" for what, cell in ROWS.items()]
    return "\n".join(lines)


def filled(page: str) -> str:
    """Return the page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
