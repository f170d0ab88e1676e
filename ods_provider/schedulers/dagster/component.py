"""``OdsPortalComponent``: datasets of a portal as assets, written down in a project's YAML."""

# No `from __future__ import annotations`: Dagster makes the YAML's schema of the annotations as objects. One mistake
# here, and `dg` lists, scaffolds and checks nothing in the user's whole environment.
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from dagster import (
    AssetSpec,
    AutomationCondition,
    BackfillPolicy,
    ComponentLoadContext,
    Definitions,
    Model,
    PartitionsDefinition,
    Resolvable,
    Resolver,
    StateBackedComponent,
    scaffold_with,
)
from dagster.components import DefsStateConfig, DefsStateConfigArgs, ResolvedDefsStateConfig, Scaffolder
from dagster.components.component_scaffolding import scaffold_component
from dagster.components.resolved.core_models import (
    DailyPartitionsDefinitionModel,
    HourlyPartitionsDefinitionModel,
    MultiRunBackfillPolicyModel,
    SingleRunBackfillPolicyModel,
    StaticPartitionsDefinitionModel,
    TimeWindowPartitionsDefinitionModel,
    WeeklyPartitionsDefinitionModel,
    resolve_backfill_policy,
    resolve_partitions_def,
)
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import Field

from ods_provider.core.errors import OdsConfigError
from ods_provider.schedulers.dagster.catalogued import Catalogued, Listed, refresh, selection_digest, slug
from ods_provider.schedulers.dagster.listedassets import asset_of, base_spec, expect_apart
from ods_provider.schedulers.dagster.resource import OdsResource
from ods_provider.schedulers.dagster.together import ods_definitions

_SCAFFOLDED: dict[str, Any] = {
    "portal": "{{ env.ODS_HOST }}",
    "api_key": "{{ env.ODS_API_KEY }}",
    "catalog": {"where": "records_count > 0 and records_count < 100000", "limit": 5},
    "path": "data/{dataset}.parquet",
    "checks": {"rows_counted": True},
    "group_name": "portal",
}


class OdsDataset(Model):
    """One dataset of the portal, and what is special about it."""

    dataset: str = Field(description="The dataset's id.", examples=["world-capitals"])
    name: str | None = Field(
        default=None, description="The asset's name; without one it is made of the id.", examples=["capitals"]
    )
    path: str | None = Field(
        default=None, description="The file, in place of the component's path.", examples=["data/capitals.csv"]
    )
    table: str | None = Field(
        default=None,
        description="The table, in place of one that is called like the asset.",
        examples=["capitals"],
    )
    partition_field: str | None = Field(
        default=None, description="The field that tells its partitions apart.", examples=["updated_at"]
    )
    checks: dict[str, Any] | None = Field(
        default=None, description="Checks, in place of the component's.", examples=[{"min_rows": 100}]
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="What the download or the load takes besides: select, where, min_rows, …",
        examples=[{"where": "population > 1000000"}],
    )


class OdsCatalog(Model):
    """A query of the catalogue: every dataset that it finds becomes an asset."""

    where: str | None = Field(
        default=None, description="An ODSQL filter of datasets.", examples=[_SCAFFOLDED["catalog"]["where"]]
    )
    refine: dict[str, Any] | None = Field(
        default=None, description="Facets and the values that datasets have.", examples=[{"theme": "Transport"}]
    )
    exclude: dict[str, Any] | None = Field(
        default=None, description="Facets and the values that they have not.", examples=[{"keyword": "archive"}]
    )
    limit: int | None = Field(default=None, description="Datasets at most, those with the lowest ids.", examples=[20])


class OdsPortalScaffolder(Scaffolder):
    """Writes a ``defs.yaml`` that works once ``ODS_HOST`` is set."""

    def scaffold(self, request: Any) -> None:
        """Write it."""
        scaffold_component(request, _SCAFFOLDED)


def _told(description: str, example: Any) -> Resolver:
    """Return a plain attribute with what Dagster's pages and `dg docs` show of it."""
    made: Resolver = Resolver.default(description=description, examples=[example])
    return made


_Partitions = (
    HourlyPartitionsDefinitionModel
    | DailyPartitionsDefinitionModel
    | WeeklyPartitionsDefinitionModel
    | TimeWindowPartitionsDefinitionModel
    | StaticPartitionsDefinitionModel
)


@scaffold_with(OdsPortalScaffolder)
@dataclass
class OdsPortalComponent(StateBackedComponent, Resolvable):
    """Datasets of an Opendatasoft (Huwise) portal as assets: files or tables that hold exactly the portal's rows.

    What the portal says of the datasets is kept as the component's state: only a refresh calls the portal.
    """

    portal: Annotated[str, _told("Host or URL of the portal: data.example.org.", _SCAFFOLDED["portal"])]
    api_key: Annotated[
        str | None,
        _told("Without one the portal is called anonymously.", _SCAFFOLDED["api_key"]),
    ] = field(default=None, repr=False)
    connection: Annotated[
        dict[str, Any] | None, _told("Other fields of OdsResource: max_wait_s, timeout_s, …", {"max_wait_s": 60})
    ] = field(default=None, repr=False)
    datasets: Annotated[Sequence[OdsDataset], Resolver.default(description="Datasets by their ids.")] = ()
    catalog: Annotated[
        OdsCatalog | None, Resolver.default(description="A query of the catalogue; {} finds all datasets.")
    ] = None
    path: Annotated[
        str | None, _told("Files: data/{dataset}.parquet, or s3://bucket/{dataset}.csv.", _SCAFFOLDED["path"])
    ] = None
    destination: Annotated[
        str | None,
        _told("Tables instead of files: the URL of a database.", "{{ env.WAREHOUSE_URL }}"),
    ] = field(default=None, repr=False)
    arguments: Annotated[dict[str, Any] | None, _told("What each download or load takes besides.", {"min_rows": 1})] = (
        None
    )
    partitions_def: Annotated[
        PartitionsDefinition | None,
        Resolver(
            resolve_partitions_def,
            model_field_type=_Partitions,
            description="Partitions of every asset.",
            examples=[{"type": "daily", "start_date": "2026-01-01"}],
        ),
    ] = None
    partition_field: Annotated[str | None, _told("The field that tells the partitions apart.", "updated_at")] = None
    backfill_policy: Annotated[
        BackfillPolicy | None,
        Resolver(
            resolve_backfill_policy,
            model_field_type=SingleRunBackfillPolicyModel | MultiRunBackfillPolicyModel,
            description="Whether a range of partitions is one run, which tables can serve, or several.",
            examples=[{"type": "single_run"}],
        ),
    ] = None
    checks: Annotated[
        dict[str, Any] | None,
        _told(
            "What is checked of each asset: rows_counted, min_rows, schema_unchanged, fresh.",
            {"rows_counted": True, "schema_unchanged": True, "fresh": "36 hours"},
        ),
    ] = None
    group_name: Annotated[str | None, _told("The assets' group.", _SCAFFOLDED["group_name"])] = None
    upstream: Annotated[
        bool, _told("Whether the portal's datasets stand before the assets, and are observed.", True)
    ] = True
    observe: Annotated[str | None, _told("When they are observed by themselves, as cron says it.", "*/15 * * * *")] = (
        None
    )
    translation: Annotated[
        TranslationFn[Listed] | None,
        TranslationFnResolver[Listed](lambda dataset: {"dataset": dataset}),
    ] = None
    defs_state: ResolvedDefsStateConfig = field(default_factory=DefsStateConfigArgs.local_filesystem)

    def __post_init__(self) -> None:
        if not self.portal:
            # What the template of a variable that is not set becomes.
            raise OdsConfigError(
                "portal is empty",
                where="OdsPortalComponent",
                advice="Write a host, or set the variable that the YAML names",
            )

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """Where the state lies: a key for each portal and selection."""
        digest = selection_digest([self.portal, self._ids, self._query])
        return DefsStateConfig.from_args(
            self.defs_state, default_key=f"OdsPortalComponent[{slug(self.portal)}-{digest}]"
        )

    def write_state_to_path(self, state_path: Path) -> None:
        """Ask the portal which datasets there are, and how they are described."""
        refresh(state_path, self._resource(), self._ids, self._query)

    def build_defs_from_state(self, context: ComponentLoadContext, state_path: Path | None) -> Definitions:
        """Return the assets of the state; before the first refresh, those of the datasets that are named."""
        known = None if state_path is None else Catalogued.read(state_path)
        listed = self._listed(known)
        made = [asset_of(self, each, self.get_asset_spec(each), resource_key=self._resource_key) for each in listed]
        expect_apart(listed, [pair.asset.key for pair in made])
        if not made:
            return Definitions()
        condition = AutomationCondition.on_cron(self.observe) if self.observe else None
        options = {"group_name": self.group_name, "automation_condition": condition}
        return ods_definitions(
            *made,
            resources={self._resource_key: self._resource()},
            upstream=self.upstream,
            upstream_prefix=slug(self.portal),
            upstream_options={name: value for name, value in options.items() if value is not None},
            resumes=f"{self._resource_key}_resumes",
        )

    def get_asset_spec(self, dataset: Listed) -> AssetSpec:
        """Return what Dagster is told of an asset; override it, or write ``translation``, to tell something else."""
        spec = base_spec(self, dataset)
        return self.translation(spec, dataset) if self.translation else spec

    @property
    def _ids(self) -> list[str]:
        return [each.dataset for each in self.datasets]

    @property
    def _query(self) -> dict[str, Any] | None:
        return None if self.catalog is None else self.catalog.model_dump()

    @property
    def _resource_key(self) -> str:
        return f"ods_{slug(self.portal)}_{selection_digest([self._ids, self._query, self.path, self.group_name])}"

    def _resource(self) -> OdsResource:
        return OdsResource(host=self.portal, api_key=self.api_key or None, **(self.connection or {}))

    def _listed(self, known: Catalogued | None) -> list[Listed]:
        own = {each.dataset: each for each in self.datasets}
        ids = [*own, *(each for each in (known.ids if known and self.catalog is not None else ()) if each not in own)]
        if known is not None:
            known.expect(own, self.portal)
        return [Listed.of(each, known.found.get(each) if known else None, own.get(each)) for each in ids]
