"""``OdsHook``: an Airflow connection turned into a client, and jobs run for a task."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from ods_provider.get_provider_info import CONNECTION_TYPE

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.core.connection import OdsConnection
    from ods_provider.core.events import Emit
    from ods_provider.core.outcome import Done, Wait
    from ods_provider.jobs.context import Job

SCHEDULER = "airflow"


class OdsHook(BaseHook):
    """Talk to an Opendatasoft portal through an Airflow connection of type ``ods``.

    Args:
        ods_conn_id: The connection.
    """

    conn_name_attr = "ods_conn_id"
    default_conn_name = "ods_default"
    conn_type = CONNECTION_TYPE
    hook_name = "Opendatasoft portal"

    def __init__(self, ods_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ods_conn_id = ods_conn_id

    def get_conn(self, *, hear: Emit | None = None) -> OdsClient:
        """Return a client; close it, or use it in a ``with`` block.

        Args:
            hear: Hears what happens; None tells Airflow's hook lineage which datasets are read and written.

        Raises:
            OdsConfigError: The connection is bad; the message names what.
        """
        from ods_provider.hooks.lineage import HookLineage

        connection = self._connection()
        return self._client(connection, hear or HookLineage(self, connection.base_url))

    def _connection(self) -> OdsConnection:
        from ods_provider.plugins.manager import plugins

        return plugins().connection(self.ods_conn_id, SCHEDULER)

    def _client(self, connection: OdsConnection, hear: Emit) -> OdsClient:
        from ods_provider.client import OdsClient
        from ods_provider.plugins.manager import plugins

        return OdsClient(connection, tokens=plugins().token_store(connection, SCHEDULER), emit=hear)

    async def aget_conn(self) -> OdsClient:
        """Return a client without blocking the event loop: for triggers.

        In a thread, so that plugins answer here as they do in tasks, and loading ``requests`` is not felt by every
        other trigger; Airflow's own lookup is made for calls from a thread beside the triggerer's loop.

        Raises:
            OdsConfigError: As ``get_conn``.
        """
        from ods_provider.core.events import ignore

        # A trigger's looks are no lineage: many tasks share its process.
        return await asyncio.to_thread(self.get_conn, hear=ignore)

    def run_job(
        self,
        job: Job,
        *,
        context: Any,
        checkpoint: Mapping[str, Any] | None = None,
        cancel: threading.Event | None = None,
        hear: Emit | None = None,
    ) -> Done | Wait:
        """Run a job for the task of ``context``; see ``ods_provider.jobs.runner.run_job``."""
        from ods_provider.core.events import ignore
        from ods_provider.jobs.runner import run_job

        return run_job(
            job,
            scheduler=SCHEDULER,
            native=context,
            connection_ref=self.ods_conn_id,
            checkpoint=checkpoint,
            cancel=cancel,
            hear=hear or ignore,
        )

    def test_connection(self) -> tuple[bool, str]:
        """Try the connection with one call and say in one sentence what came of it.

        Returns:
            Whether the portal answered as one, and the sentence: whether a key was sent and not refused, how many
            datasets are visible, and what is left of the quota; or what is wrong and what to do.
        """
        from ods_provider.client.trying import tried
        from ods_provider.core.errors import OdsError
        from ods_provider.core.events import ignore

        try:
            # Not tried again: somebody sits before the form and waits.
            with self._client(replace(self._connection(), max_retries=0), ignore) as client:
                return True, tried(client)
        except OdsError as error:
            return False, str(error)
