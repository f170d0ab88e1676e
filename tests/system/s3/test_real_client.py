"""The sink contract on a real S3 client (s3fs) against a server that speaks S3 (moto): `nox -s s3`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import botocore.session
import pytest
import requests
import s3fs
from moto.server import ThreadedMotoServer
from sinks.test_contract import SinkContract

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import Destination
from ods_provider.sinks.litter import sweep
from ods_provider.sinks.marks import mark_of, marks_below
from ods_provider.sinks.writer import FileWriter, write_bytes
from ods_provider.stores.checkpoints import FolderStore

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

    def test_a_misspelt_bucket_is_named_and_never_made(self, root: Destination) -> None:
        place = Destination(root.fs, "misspelt-bucket/a.csv", "s3://misspelt-bucket/a.csv")
        with pytest.raises(OdsSinkError, match=r"FileNotFoundError.*misspelt-bucket") as caught:
            write_bytes(place, b"x", token="t")
        assert not caught.value.transient
        root.fs.invalidate_cache()
        assert not [name for name in root.fs.ls("") if "misspelt" in name]

    def test_progress_that_nobody_takes_up_is_removed_and_files_are_not(self, root: Destination) -> None:
        write_bytes(root.child(".a.csv.0123456789ab.progress").child("page.json"), b"{}", token="t")
        write_bytes(root.child("a.csv"), b"x", token="t")
        sweep(root, now=datetime.now(UTC))
        assert len(root.names()) == 2
        sweep(root, now=datetime.now(UTC) + timedelta(days=8))
        assert root.names() == ["a.csv"]


_PUTTER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::closed/*"}],
}


def test_a_user_who_may_put_objects_and_nothing_else_gets_its_file(server: str) -> None:
    def client(service: str) -> object:
        known = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return botocore.session.get_session().create_client(service, endpoint_url=server, **known)

    client("s3").create_bucket(Bucket="closed")
    client("iam").create_user(UserName="putter")
    client("iam").put_user_policy(UserName="putter", PolicyName="put", PolicyDocument=json.dumps(_PUTTER))
    key = client("iam").create_access_key(UserName="putter")["AccessKey"]
    # From here on the server looks at who asks.
    requests.post(f"{server}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()
    try:
        fs = s3fs.S3FileSystem(
            key=key["AccessKeyId"],
            secret=key["SecretAccessKey"],
            endpoint_url=server,
            skip_instance_cache=True,
            client_kwargs={"region_name": "us-east-1"},
        )
        place = Destination(fs, "closed/day/a.csv", "s3://closed/day/a.csv")
        with pytest.raises(PermissionError):
            fs.ls("closed")
        sweep(place.above(), now=datetime.now(UTC))
        store = FolderStore(place.sibling(".a.csv.0123456789ab.progress"), needed=False)
        assert store.load() == {}
        store.save("page-0000", {"rows": []})
        store.clear()
        for size in (1_000, 60_000_000):
            with FileWriter(place, token="t") as writer:
                for _ in range(size // 1_000):
                    writer.write(b"x" * 1_000)
                writer.commit()
        assert (mark_of(place), marks_below(place.above())) == (None, {})
        with pytest.raises(OdsSinkError, match="PermissionError") as caught:
            write_bytes(Destination(fs, "other/a.csv", "s3://other/a.csv"), b"x", token="t")
        assert not caught.value.transient
    finally:
        requests.post(f"{server}/moto-api/reset-auth", data=b"inf", timeout=10)
    assert client("s3").head_object(Bucket="closed", Key="day/a.csv")["ContentLength"] == 60_000_000
    assert [found["Key"] for found in client("s3").list_objects_v2(Bucket="closed")["Contents"]] == ["day/a.csv"]
