"""Uploads: whole or not at all, whatever breaks, in memory that does not grow."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tracemalloc
from itertools import pairwise

import pytest

from ods_provider.core.errors import OdsConfigError, OdsQueryError, OdsSinkError
from ods_provider.core.plans.automation import resources
from ods_provider.core.upload import MultipartBody, Upload
from ods_provider.sources.uploads import upload_of


def stored(desk, uid, file):
    return desk.office.drafts.find(uid).files[file["uid"]].path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"a", bytes(range(256)) * 5_000 + b"\r\n--" * 9_000])
def test_a_file_arrives_as_it_is(desk, tmp_path, content):
    uid = desk.new()
    heard = []
    made = desk.automation.resources.upload(uid, desk.file(tmp_path, 'Bäume "neu".csv', content), sent=heard.append)
    assert stored(desk, uid, made) == content
    assert (made["filename"], made["mimetype"]) == ("Bäume %22neu%22.csv", "text/csv")
    assert heard == sorted(heard)
    assert heard[-1:] == [len(content)] * bool(content)


def test_a_file_of_any_filesystem_is_uploaded_under_any_name(desk):
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.pipe("/of-uploads/a.parquet", b"PAR1")
    uid = desk.new()
    made = desk.automation.resources.upload(uid, "memory://of-uploads/a.parquet", filename="b.zzz", mimetype="x/y")
    assert (made["uid"], made["filename"], made["mimetype"]) == ("b.zzz", "b.zzz", "x/y")
    assert stored(desk, uid, made) == b"PAR1"


@pytest.mark.parametrize("fault", [{"kind": "cut_upload", "after_bytes": 300_000}, {"kind": "lost"}, {"kind": "drop"}])
def test_an_upload_that_breaks_off_begins_anew(desk, tmp_path, fault):
    uid, content = desk.new(), bytes(range(256)) * 8_000
    path, heard = desk.file(tmp_path, "a.bin", content), []
    desk.portal.fault(path="/files/", times=2, **fault)
    made = desk.automation.resources.upload(uid, path, sent=heard.append)
    assert stored(desk, uid, made) == content
    assert len(desk.calls("POST", "/files/")) == 3
    if fault["kind"] != "drop":
        assert sum(1 for before, after in pairwise(heard) if after < before) >= 1
    # Nothing that broke off is there as a file.
    for file in desk.office.drafts.find(uid).files.values():
        assert file.path.read_bytes() == content


def test_a_file_that_is_too_large_is_refused_in_the_portals_words(desk, tmp_path):
    uid = desk.new()
    desk.office.switch(most_file_bytes=100_000)
    with pytest.raises(OdsQueryError, match=r"at most 100000 bytes.*larger than the portal takes: split it"):
        desk.automation.resources.upload(uid, desk.file(tmp_path, "a.csv", b"x" * 2_000_000))


def test_what_is_no_file_is_said_before_anything_is_sent(desk, tmp_path):
    uid = desk.new()
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(OdsConfigError, match="there is no file"):
            desk.automation.resources.upload(uid, path)
    assert desk.calls("POST", "/files/") == []


@pytest.mark.parametrize(("size", "how"), [(5, "longer"), (20, "shorter")])
def test_a_file_that_changes_while_it_is_sent_is_never_taken(desk, size, how):
    uid = desk.new()
    file = Upload(lambda: io.BytesIO(b"x" * 10), size, "a.csv")
    with pytest.raises(OdsSinkError, match=f"became {how} while it was sent") as caught:
        desk.client.run(resources.upload(uid, file))
    assert not caught.value.transient
    assert desk.office.drafts.find(uid).files == {}


def test_a_filesystem_that_fails_is_not_the_portals_fault(desk, tmp_path):
    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    uid = desk.new()
    with pytest.raises(OdsSinkError, match=r"cannot be read .*Input/output error.*upload of a.csv"):
        desk.client.run(resources.upload(uid, Upload(Broken, 10, "a.csv")))
    path = desk.file(tmp_path)
    upload = upload_of(path)
    path.unlink()
    with pytest.raises(OdsSinkError, match="FileNotFoundError"):
        desk.client.run(resources.upload(uid, upload))


def test_memory_holds_a_piece_of_a_file_only():
    size = 200_000_000
    block = bytes(1_000_003)

    class Endless(io.RawIOBase):
        left = size

        def read(self, count=-1):
            piece = block[: min(count, self.left)]
            self.left -= len(piece)
            return piece

    body = MultipartBody(Upload(Endless, size, "a.bin", texts=(("title", "T"),)))
    tracemalloc.start()
    try:
        sent, digest = 0, hashlib.sha256()
        for piece in body:
            sent += len(piece)
            digest.update(piece[:16])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sent == len(body)
    assert peak < 2_000_000


@pytest.mark.at_length
def test_a_gigabyte_takes_twenty_megabytes_at_most(desk, tmp_path):
    uid, size = desk.new(), 1_000_000_000
    desk.office.switch(most_file_bytes=2 * size)
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(size)
    program = f"""
import resource, sys
from ods_provider import OdsClient
with OdsClient({desk.portal.url!r}, api_key={desk.portal.api_key!r}) as client:
    client.automation.resources.upload({uid!r}, __file__)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client.automation.resources.upload({uid!r}, sys.argv[1])
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    script = tmp_path / "program.py"
    script.write_text(program)
    told = subprocess.run([sys.executable, script, path], check=True, capture_output=True, text=True).stdout
    assert desk.office.drafts.find(uid).files["large.bin"].path.stat().st_size == size
    assert int(told) <= 20
