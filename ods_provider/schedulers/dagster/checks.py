"""What Dagster checks of an asset: in a step of its own, from what was told when it was made, without a call.

A step of its own, because a check that the asset's own step declares must be told of: a run that only waits would fail.
Here the checks of an asset that was not made are skipped, and can be evaluated again without making it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    AssetMaterialization,
    AssetRecordsFilter,
    MetadataValue,
    multi_asset_check,
)

from ods_provider.core.counting import counted
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import shown, whole_number
from ods_provider.core.legible import legible
from ods_provider.core.narrate import age
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.spans import span_said
from ods_provider.core.times import parse_time, utc_now
from ods_provider.schedulers.dagster import metadata
from ods_provider.schedulers.dagster.runtags import partition_of

NAMES = ("rows_counted", "min_rows", "schema_unchanged", "fresh")
_TAKES = {"min_rows": "{'min_rows': 1000}", "fresh": "{'fresh': '36 hours'}"}
_ABOUT = {
    "rows_counted": "As many rows stand there as the portal counted.",
    "min_rows": "At least so many rows stand there.",
    "schema_unchanged": "The dataset has the fields and types that it had when the asset was made before.",
    "fresh": "The dataset's records changed lately, by the portal's own time.",
}
_LOOKED_BACK = 50

Checks = Sequence[str] | Mapping[str, Any] | None
Result = tuple[bool, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of an asset that was made: the last time, and in an earlier run.

    Attributes:
        now: The last materialization.
        before: The last one of another run; None where there is none.
    """

    now: AssetMaterialization
    before: AssetMaterialization | None

    def of(self, name: str, *, before: bool = False) -> Any:
        """Return a value of the metadata, None where it was not told."""
        made = self.before if before else self.now
        told = made.metadata.get(name) if made else None
        return told.value if told is not None else None


def wanted(checks: Checks, *, impossible: Mapping[str, str]) -> dict[str, Any]:
    """Return the checks that were asked for, by name, with what each takes.

    Args:
        checks: Names, or a mapping from names to what they take; True asks for one that takes nothing.
        impossible: Why checks say nothing of this asset, by name.

    Raises:
        OdsConfigError: A check is not known, lacks its number or span, or says nothing of this asset.
    """
    if checks is None:
        return {}
    if isinstance(checks, str) or not isinstance(checks, Mapping | Sequence):
        raise _bad(f"{shown(checks)} are no checks", "Pass a list of names, or a mapping such as {'min_rows': 1000}")
    asked = dict(checks) if isinstance(checks, Mapping) else dict.fromkeys(checks, True)
    found = {}
    for name, value in asked.items():
        if name not in NAMES:
            meant = nearest(str(name), NAMES)
            perhaps = f"Perhaps {listed(meant)} is meant. " if meant else ""
            raise _bad(f"there is no check {name}", f"{perhaps}Known are {', '.join(NAMES)}")
        if value is False or value is None:
            continue
        if name in impossible:
            raise _bad(f"the check {name} says nothing here: {impossible[name]}", "Leave it out")
        found[name] = _taken(name, value)
    return found


def _taken(name: str, value: Any) -> Any:
    if name not in _TAKES:
        if value is True:
            return True
        raise _bad(f"the check {name} takes nothing, and {shown(value)} was given", "Pass True")
    if name == "min_rows" and value is not True:
        return whole_number("checks, min_rows", value, least=1)
    span = value if isinstance(value, timedelta) else span_said(str(value))
    if name == "min_rows" or span is None or span <= timedelta():
        raise _bad(f"the check {name}={shown(value)} does not say how much", f"Pass checks={_TAKES[name]}")
    return span


def checks_of(key: AssetKey, asked: Mapping[str, Any]) -> AssetChecksDefinition | None:
    """Return the checks of an asset as one step, None where none were asked for."""
    if not asked:
        return None
    specs = [
        AssetCheckSpec(name, asset=key, blocking=name == "rows_counted", description=_ABOUT[name]) for name in asked
    ]

    @multi_asset_check(
        specs=specs,
        name=f"{key.to_python_identifier()}_checks",
        can_subset=True,
        description="Looks at what was told when the asset was made, and asks the portal for nothing.",
    )
    def checks(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        told = _told(context, key)
        for check in sorted(context.selected_asset_check_keys, key=lambda each: list(asked).index(each.name)):
            passed, said, shows = (
                (False, "It was never made", {}) if told is None else _LOOKS[check.name](told, asked[check.name])
            )
            yield AssetCheckResult(
                passed=passed,
                asset_key=key,
                check_name=check.name,
                description=said,
                metadata=shows,
                severity=_SEVERITIES.get(check.name, AssetCheckSeverity.ERROR),
            )

    return checks


def _told(context: AssetCheckExecutionContext, key: AssetKey) -> Told | None:
    instance, partition = context.instance, partition_of(context.run)
    # A run of a range tells each of its partitions the same.
    first = partition.first if partition else None
    last = instance.fetch_materializations(AssetRecordsFilter(key, asset_partitions=[first] if first else None), 1)
    now = last.records[0] if last.records else None
    if now is None or now.asset_materialization is None:
        return None
    # Whatever the partition: the schema is the dataset's.
    others = instance.fetch_materializations(AssetRecordsFilter(key), _LOOKED_BACK).records
    before = next((each.asset_materialization for each in others if each.run_id != now.run_id), None)
    return Told(now.asset_materialization, before)


def _rows(told: Told) -> Any:
    here = told.of(metadata.PARTITION_ROW_COUNT)
    return told.of(metadata.ROW_COUNT) if here is None else here


def _rows_counted(told: Told, _: Any) -> Result:
    verified, rows = told.of("verified"), _rows(told)
    if verified == "counted":
        return True, f"{counted(rows, 'rows')}, as many as the portal counted", {"rows": rows}
    return False, f"The rows were not counted: verified is {verified}", {}


def _min_rows(told: Told, least: int) -> Result:
    rows = _rows(told)
    passed = rows is not None and rows >= least
    return passed, f"{counted(rows, 'rows')}, {'' if passed else 'fewer than '}{least} expected", {"rows": rows}


def _schema_unchanged(told: Told, _: Any) -> Result:
    now, before = (_columns(told, before=before) for before in (False, True))
    if not now:
        return False, "The schema was not told", {}
    if not before:
        return True, f"{counted(len(now), 'fields')}, seen for the first time", {}
    changes = {
        "added": [name for name in now if name not in before],
        "removed": [name for name in before if name not in now],
        "retyped": [
            f"{name}: {before[name]} became {type_}" for name, type_ in now.items() if before.get(name, type_) != type_
        ],
    }
    said = "; ".join(f"{how} {', '.join(names)}" for how, names in changes.items() if names)
    shows = {how: MetadataValue.json(names) for how, names in changes.items() if names}
    return not said, legible(said) or f"{counted(len(now), 'fields')} as before", shows


def _columns(told: Told, *, before: bool) -> dict[str, str]:
    schema = told.of(metadata.COLUMN_SCHEMA, before=before)
    return {column.name: column.type for column in schema.columns} if schema else {}


def _fresh(told: Told, longest: timedelta) -> Result:
    processed = parse_time(told.of("data_processed"))
    if processed is None:
        return False, "The portal does not say when the records changed", {}
    old = utc_now() - processed
    passed = old <= longest
    too_old = "" if passed else f", which is more than {longest / timedelta(hours=1):g} hours"
    said = f"The records changed {age(old.total_seconds())}{too_old}"
    shows = {
        "dagster/last_updated_timestamp": MetadataValue.timestamp(processed),
        "dagster/fresh_until_timestamp": MetadataValue.timestamp(processed + longest),
    }
    return passed, said, shows


_LOOKS: dict[str, Callable[[Told, Any], Result]] = {
    "rows_counted": _rows_counted,
    "min_rows": _min_rows,
    "schema_unchanged": _schema_unchanged,
    "fresh": _fresh,
}
# What the publisher changed is nobody's failure here.
_SEVERITIES = {"schema_unchanged": AssetCheckSeverity.WARN, "fresh": AssetCheckSeverity.WARN}


def _bad(what: str, advice: str) -> OdsConfigError:
    return OdsConfigError(what, where="argument checks", advice=advice)
