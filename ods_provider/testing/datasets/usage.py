"""``ods-api-monitoring`` and ``ods-datasets-monitoring``: what a portal keeps of its own use.

Source: the vendor's page on analysing source data, for names and facets of fields; types are inferred from bodies.
"""

from __future__ import annotations

from ods_provider.testing.schema import Column, DatasetState

SOURCE = "monitoring"
API_LOG = "ods-api-monitoring"
STATISTICS = "ods-datasets-monitoring"

_FACETS = ("hostname", "user_id", "domain_id", "api", "api_type", "custom_attributes", "format")
_TEXTS = (
    "user_ip_addr", "hostname", "user_id", "domain_id", "api", "api_type", "query_string", "custom_attributes",
    "format", "error", "attachment_id", "image_id", "user_agent", "referer", "embed_type", "embed_referer",
    "query_field", "query_text", "action", "attributes", "filename",
)  # fmt: skip


def api_log() -> DatasetState:
    """Return the dataset with a row for each call."""
    facet = {"facet": True}
    columns = [
        Column("timestamp", "datetime", "Timestamp", annotations={"timeserie_precision": "second"}),
        *(Column(name, "text", annotations=dict(facet) if name in _FACETS else {}) for name in _TEXTS),
        Column("dataset_id", "text", "Dataset ID", annotations={"multivalued": ",", **facet}),
        Column("facet", "text", annotations={"multivalued": ",", **facet}),
        *(Column(name, "int") for name in ("size_res", "nhits")),
        Column("exec_time", "double"),
        *(Column(name, "boolean", annotations=dict(facet)) for name in ("request_aborted", "in_error", "bot")),
        Column("mobile", "boolean"),
        Column("geo_coordinates", "geo_point_2d"),
    ]
    return DatasetState(API_LOG, "API monitoring", columns, kept_in=SOURCE)


def statistics() -> DatasetState:
    """Return the dataset with a row for each dataset; its headings say more than its names."""
    facet = {"facet": True}
    columns = [
        Column("dataset_id", "text", "Dataset ID", annotations={"id": True, **facet}),
        Column("title", "text", "Title"),
        Column("publisher", "text", "Publisher", annotations=dict(facet)),
        Column("license", "text", "License", annotations=dict(facet)),
        Column("keyword", "text", "Keyword", annotations={"multivalued": ",", **facet}),
        Column("theme", "text", "Theme", annotations={"multivalued": ",", **facet}),
        Column("visibility", "text", "Visibility", annotations=dict(facet)),
        Column("domain_id", "text", "Domain ID", annotations=dict(facet)),
        Column("modified", "datetime", "Modified"),
        Column("records_count", "int", "Records count"),
        Column("records_size", "int", "Records size"),
        Column("api_call_count", "int", "API call count"),
        Column("download_count", "int", "Download count"),
        Column("reuse_count", "int", "Reuse count"),
        Column("popularity_score", "double", "Popularity score"),
    ]
    return DatasetState(STATISTICS, "Datasets monitoring", columns, unique_id=("dataset_id",), kept_in=SOURCE)
