"""A whole portal in one task: the report is what it returns, and a dataset that fails fails it."""

from __future__ import annotations

import pytest
from prefect import flow

from ods_provider.errors import OdsIncomplete
from ods_provider.schedulers.prefect import OdsCredentials, ods_mirror
from ods_provider.testing.portal import LocalPortal

WHERE = "dataset_id in ('world-capitals', 'all-types')"


def test_a_flow_mirrors_a_portal(server, tmp_path):
    with LocalPortal() as portal:
        key = OdsCredentials(host=portal.url, api_key=portal.api_key)

        @flow
        def mirroring(name):
            return ods_mirror(str(tmp_path / name), format="csv", where=WHERE, credentials=key)

        assert mirroring("one")["done"] == 2
        portal.fault("status", status=403, times=None, path="/all-types/exports")
        with pytest.raises(OdsIncomplete, match="1 of 2 datasets failed"):
            mirroring("two")
        assert (tmp_path / "two" / "world-capitals.csv").exists()
