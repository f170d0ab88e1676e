"""Assets of Prefect: what a task read and wrote, with what is known of it, as ``@materialize`` tells of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from prefect.assets import Asset, AssetProperties
from prefect.context import AssetContext

from ods_provider.jobs.addresses import place_of
from ods_provider.jobs.ends import End, FileAt, Heard, PortalData, ends_of
from ods_provider.plugins.manager import plugins
from ods_provider.plugins.run import Run

BY = "ods-provider"
_MOST_CHARS = 512  # that a key may have
_REFUSED = re.compile(r"""[\s\x00#?&%"'<>\[\]{}|\\^`]""")  # in a key, percent-encoding included


def tell(job: Any, heard: Heard, result: Any, run: Run) -> None:
    """Tell the task run's assets of what came of a job.

    What it read becomes an asset that others refer to, and what it wrote one that was made, unless the caller has named
    an asset (``with_options(assets=[...])``): then that one is told of.

    Args:
        job: What was done.
        heard: What was heard meanwhile.
        result: What it returned.
        run: The run, for secrets that name a database.
    """
    context = AssetContext.get()
    if context is None or not isinstance(result, Mapping):
        return
    try:
        ends = ends_of(job, heard, result)
        context.direct_asset_dependencies |= set(_assets(ends.reads, heard.portal, run))
        if not context.downstream_assets and not result.get("unchanged"):
            context.downstream_assets |= set(_assets(ends.writes, heard.portal, run))
        context.materialized_by = context.materialized_by or BY
        said = {name: value for name, value in result.items() if isinstance(value, (str, int, float, bool))}
        for asset in context.downstream_assets:
            context.add_asset_metadata(asset.key, said)
        context.update_tracked_assets()
    except Exception as error:
        # The work is done; an asset that does not hear of it is no reason to do it again.
        run.log.warning("Assets could not be told of the result: %s: %s", type(error).__name__, error)


def _assets(ends: tuple[End, ...], portal: str, run: Run) -> Iterator[Asset]:
    for end in ends:
        # All datasets of a portal are none, and a part of a file is not there yet.
        if (isinstance(end, PortalData) and not end.is_one) or (isinstance(end, FileAt) and not end.whole):
            continue
        uri = place_of(end, portal, lambda destination: plugins().table_target(destination, run)).uri
        if uri is not None and len(uri) <= _MOST_CHARS:
            called = unquote(uri)
            key = _REFUSED.sub("_", called)
            yield Asset(key=key) if key == called else Asset(key=key, properties=AssetProperties(name=called))
