"""The sink contract on a real S3 client (s3fs) against a server that speaks S3 (moto): `nox -s s3`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import s3fs
from moto.server import ThreadedMotoServer
from sinks.test_contract import SinkContract

from ods_provider.sinks.destination import Destination
from ods_provider.sinks.writer import FileWriter

_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


class TestS3(SinkContract):
    @pytest.fixture
    def root(self, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Destination]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fs = s3fs.S3FileSystem(endpoint_url=server, skip_instance_cache=True)
        bucket = f"bucket-{next(_numbers)}"
        fs.mkdir(bucket)
        yield Destination(fs, f"{bucket}/root", f"s3://{bucket}/root")
        pending = fs.call_s3("list_multipart_uploads", Bucket=bucket).get("Uploads")
        assert not pending, "an upload was neither committed nor discarded"

    def test_an_upload_in_many_parts_shows_whole_or_not_at_all(self, root: Destination) -> None:
        place = root.child("big")
        with FileWriter(place, token="t") as writer:
            for _ in range(60):
                writer.write(b"x" * 1_000_000)
            assert root.names() == []
        assert root.names() == []
        with FileWriter(place, token="t") as writer:
            for _ in range(60):
                writer.write(b"x" * 1_000_000)
            writer.commit()
        assert place.size_bytes() == 60_000_000
