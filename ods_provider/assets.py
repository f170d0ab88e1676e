"""Assets of Airflow: ``ods://<host>/<dataset_id>`` names a dataset of a portal, in one spelling."""

from __future__ import annotations

from urllib.parse import SplitResult


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return the one spelling of a dataset's URI, so that two DAGs that mean the same dataset name the same asset.

    Airflow calls it for every asset whose scheme is ``ods``, while a DAG file is parsed.

    Raises:
        ValueError: It names no dataset, or holds what does not belong there.
    """
    advice = "Write it as ods://data.example.org/dataset-id; how to reach the portal stands in the connection"
    if "@" in uri.netloc:
        # Not quoted: what stands before the @ may be a key.
        raise ValueError(f"the URI of an ods asset holds credentials. {advice}")
    if not uri.hostname:
        raise ValueError(f"the URI of an ods asset names no host. {advice}")
    dataset_id = uri.path.strip("/")
    if not dataset_id or "/" in dataset_id or uri.query:
        raise ValueError(f"the URI of an ods asset on {uri.netloc} names no dataset, or more than one. {advice}")
    # Host names know no case; dataset ids do (Q44).
    return uri._replace(netloc=uri.netloc.lower(), path=f"/{dataset_id}")
