"""What an end of a job is called, where a connection of Airflow's may name the database."""

from __future__ import annotations

from typing import Any

from ods_provider.jobs import addresses
from ods_provider.jobs.addresses import Place, dataset_link
from ods_provider.jobs.ends import End
from ods_provider.tables.target import Target

__all__ = ["Place", "dataset_link", "place_of"]


def place_of(end: End, portal: str) -> Place:
    """Return what an end is called; a connection is looked up.

    Args:
        end: The end.
        portal: Base URL of the portal.

    Raises:
        OdsError: A destination cannot be read.
    """
    return addresses.place_of(end, portal, _target)


def _target(destination: Any) -> Target:
    from ods_provider.plugins.manager import plugins

    run = plugins().run("airflow", None, connection_ref="")
    return plugins().table_target(destination, run)
