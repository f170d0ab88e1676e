"""What OpenLineage is told of a task. Its provider is optional: nothing of it is imported before it asks.

The provider calls in a process of its own, for ten seconds at most: nothing is asked of the portal here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ods_provider.airflow.places import Place, place_of
from ods_provider.core.asseturis import connection_of, namespace
from ods_provider.core.legible import legible
from ods_provider.core.redact import Secret, scrub
from ods_provider.core.schema import Dataset
from ods_provider.jobs.ends import End, Ends, FileAt, PortalData

_MOST_CHARS = 2_000


class Facets:
    """Makes datasets of OpenLineage of the ends of a job.

    Args:
        portal: Base URL of the portal.
        secrets: The connection's: Airflow's redactor does not know what a task registered.
    """

    def __init__(self, portal: str, secrets: list[Secret]) -> None:
        self._portal = portal
        self._secrets = secrets

    def lineage(self, ends: Ends, error: str | None = None) -> Any:
        """Return the ``OperatorLineage`` of a task."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        read = [(each, self._placed(each)) for each in ends.reads]
        written = [(each, self._placed(each)) for each in ends.writes]
        return OperatorLineage(
            inputs=[self._input(each, place) for each, place in read],
            outputs=[self._output(each, place, ends, read) for each, place in written],
            run_facets={} if error is None else {"errorMessage": self._error(error)},
        )

    def _clean(self, text: Any) -> str:
        return legible(scrub(str(text), self._secrets), most_chars=_MOST_CHARS)

    def _placed(self, end: End) -> Place:
        found = place_of(end, self._portal)
        return Place(self._clean(found.namespace), self._clean(found.name), None)

    def _error(self, said: str) -> Any:
        from openlineage.client.facet_v2 import error_message_run

        return error_message_run.ErrorMessageRunFacet(message=self._clean(said), programmingLanguage="python")

    def _input(self, end: End, place: Place) -> Any:
        from openlineage.client.event_v2 import InputDataset
        from openlineage.client.facet_v2 import input_statistics_input_dataset as statistics

        counted: dict[str, Any] = {}
        if (rows := end.rows) is not None or isinstance(end, FileAt):
            size = end.size_bytes if isinstance(end, FileAt) else None
            counted["inputStatistics"] = statistics.InputStatisticsInputDatasetFacet(rowCount=rows, size=size)
        return InputDataset(place.namespace, place.name, facets=self._about(end), inputFacets=counted)

    def _output(self, end: End, place: Place, ends: Ends, read: list[tuple[End, Place]]) -> Any:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

        about, counted = self._about(end), {}
        size, files = (end.size_bytes, end.files or 1) if isinstance(end, FileAt) else (None, None)
        if end.rows is not None or size is not None:
            counted["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(
                rowCount=end.rows, size=size, fileCount=files
            )
        if not isinstance(end, PortalData):
            about |= self._copied(ends, read)
        if getattr(end, "whole", True) and not isinstance(end, PortalData):
            about["lifecycleStateChange"] = _overwritten()
        return OutputDataset(place.namespace, place.name, facets=about, outputFacets=counted)

    def _about(self, end: End) -> dict[str, Any]:
        """Return the facets of a dataset of the portal; a file has none of its own."""
        if not isinstance(end, PortalData):
            return {}
        from openlineage.client.facet_v2 import dataset_version_dataset, datasource_dataset

        source = datasource_dataset.DatasourceDatasetFacet(name=self._portal, uri=self._clean(self._portal))
        made: dict[str, Any] = {"dataSource": source}
        if end.version is not None:
            made["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=end.version)
        return made if end.dataset is None else made | self._described(end.dataset)

    def _described(self, dataset: Dataset) -> dict[str, Any]:
        from openlineage.client.facet_v2 import documentation_dataset, ownership_dataset

        made: dict[str, Any] = {"schema": self._schema({each.name: each.name for each in dataset.fields}, dataset)}
        said = dataset.metas.get("default")
        metas = said if isinstance(said, Mapping) else {}
        told = [str(metas[name]) for name in ("title", "description") if metas.get(name)]
        told += [f"Licence: {metas['license']}"] if metas.get("license") else []
        if told:
            made["documentation"] = documentation_dataset.DocumentationDatasetFacet(
                description=self._clean("\n".join(told))
            )
        if metas.get("publisher"):
            owner = ownership_dataset.Owner(name=self._clean(metas["publisher"]), type="publisher")
            made["ownership"] = ownership_dataset.OwnershipDatasetFacet(owners=[owner])
        return made

    def _schema(self, columns: Mapping[str, str], dataset: Dataset) -> Any:
        from openlineage.client.facet_v2 import schema_dataset

        fields = []
        for column, name in columns.items():
            field = dataset.field(name)
            assert field is not None  # they were taken from there
            told = self._clean(field.description or field.label or "") or None
            kind = self._clean(field.type)
            fields.append(schema_dataset.SchemaDatasetFacetFields(self._clean(column), kind, told))
        return schema_dataset.SchemaDatasetFacet(fields=fields)

    def _copied(self, ends: Ends, read: list[tuple[End, Place]]) -> dict[str, Any]:
        """Return the schema and the column lineage of what holds fields of a dataset as they are."""
        first, place = read[0]
        if not ends.same or not isinstance(first, PortalData) or first.dataset is None:
            return {}
        from openlineage.client.facet_v2 import column_lineage_dataset as lineage

        as_it_is = [lineage.Transformation(type="DIRECT", subtype="IDENTITY")]
        columns = {
            self._clean(column): lineage.Fields(
                inputFields=[lineage.InputField(place.namespace, place.name, self._clean(name), as_it_is)]
            )
            for column, name in ends.same.items()
        }
        return {
            "schema": self._schema(ends.same, first.dataset),
            "columnLineage": lineage.ColumnLineageDatasetFacet(fields=columns),
        }


def _overwritten() -> Any:
    from openlineage.client.facet_v2 import lifecycle_state_change_dataset as lifecycle

    return lifecycle.LifecycleStateChangeDatasetFacet(lifecycleStateChange=lifecycle.LifecycleStateChange.OVERWRITE)


def dataset_of_asset(asset: Any) -> Any:
    """Return the OpenLineage dataset of an ``ods`` asset, with what an event's extra says of its rows and its state."""
    from openlineage.client.event_v2 import Dataset as LineageDataset
    from openlineage.client.facet_v2 import dataset_version_dataset

    uri = urlsplit(asset.uri)
    ref = connection_of(uri)
    where = f"{uri.scheme}://{uri.netloc}" if ref is None else namespace(portal_of(ref)[0])
    facets = {}
    if version := (asset.extra or {}).get("data_processed"):
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version))
    return LineageDataset(where, uri.path.lstrip("/"), facets=facets)


def portal_of(ods_conn_id: str) -> tuple[str, list[Secret]]:
    """Return the base URL that a connection leads to, and its secrets.

    Raises:
        OdsConfigError: There is no such connection, or it is bad.
    """
    from ods_provider.plugins.manager import plugins

    connection = plugins().connection(ods_conn_id, "airflow")
    return connection.base_url, connection.secrets()
