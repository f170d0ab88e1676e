"""Which Airflow the provider needs: the one place that says so while it runs."""

from __future__ import annotations

from airflow import __version__

OLDEST = (3, 2)


def require_airflow(version: str = __version__) -> None:
    """Stop here where Airflow is too old, before an import fails that says nothing of it.

    Args:
        version: The version that is installed.

    Raises:
        RuntimeError: It is older than ``OLDEST``.
    """
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise RuntimeError(
            f"ods-provider needs Apache Airflow {oldest} or later, and {version} is installed. Update Airflow: "
            f"pip install 'apache-airflow>={oldest}'. Without it, the command ods runs the same jobs from any scheduler"
        )
