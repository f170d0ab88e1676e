"""Paths of this machine that are no plain files, and files that are worth keeping as they were."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from effort import effort

from ods_provider.core.errors import OdsSinkError
from ods_provider.sinks.destination import destination
from ods_provider.sinks.regular import _plain
from ods_provider.sinks.writer import FileWriter, write_bytes


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(path: Path, data: bytes = b"new") -> None:
    write_bytes(destination(path), data, token="t")


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "real.csv").write_text("old")
    (tmp_path / "a.csv").symlink_to("data/real.csv")
    (tmp_path / "b.csv").symlink_to("a.csv")
    with FileWriter(destination(tmp_path / "b.csv"), token="t") as writer:
        writer.write(b"new")
        assert names(tmp_path / "data") == [".real.csv.t.part", "real.csv"]
        writer.commit()
    assert (tmp_path / "data" / "real.csv").read_bytes() == b"new"
    assert (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "b.csv").is_symlink()
    assert names(tmp_path) == ["a.csv", "b.csv", "data"]
    assert names(tmp_path / "data") == ["real.csv"]


def test_a_link_to_what_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "later" / "real.csv")
    write(tmp_path / "a.csv")
    assert (tmp_path / "later" / "real.csv").read_bytes() == b"new"


def test_links_that_lead_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(OdsSinkError, match="leads to itself") as caught:
        write(tmp_path / "a.csv")
    assert not caught.value.transient


def test_a_pipe_a_socket_and_a_device_are_refused_and_stay(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name, kind in (("pipe", "a pipe"), ("link", "a pipe"), ("socket", "a socket")):
            with pytest.raises(OdsSinkError, match=f"names {kind}, not a file") as caught:
                write(tmp_path / name)
            assert not caught.value.transient
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)
    assert names(tmp_path) == ["link", "pipe", "socket"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes devices")
def test_a_device_is_refused_and_stays(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("no devices can be made here")
    with pytest.raises(OdsSinkError, match="names a device"):
        write(tmp_path / "null")
    assert stat.S_ISCHR((tmp_path / "null").lstat().st_mode)


@pytest.mark.parametrize("how", ["pipe", "file"])
def test_the_standard_output_is_written_through_only_where_it_is_a_file(tmp_path: Path, how: str) -> None:
    # The child's own: a link of links that /proc resolves, and never the machine's.
    code = (
        "from ods_provider.sinks.destination import destination\n"
        "from ods_provider.sinks.writer import write_bytes\n"
        "write_bytes(destination('/proc/self/fd/1'), b'new', token='t')\n"
    )
    with (tmp_path / "out").open("wb") as out:
        target = subprocess.PIPE if how == "pipe" else out
        ran = subprocess.run(
            [sys.executable, "-c", code], stdout=target, stderr=subprocess.PIPE, text=True, check=False
        )
    if how == "file":
        assert (ran.returncode, (tmp_path / "out").read_bytes()) == (0, b"new")
    else:
        assert "names a pipe, not a file" in ran.stderr
        assert ran.stdout == ""


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_of_the_older_file_is_kept_from_the_first_byte_on(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    path.chmod(mode)
    with FileWriter(destination(path), token="t") as writer:
        writer.write(b"new")
        assert stat.S_IMODE((tmp_path / ".a.csv.t.part").stat().st_mode) == mode
        writer.commit()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_owner_of_the_older_file_is_kept_where_we_may_give_files_away(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    os.chown(path, 65_534, 65_534)
    write(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (65_534, 65_534)


def test_a_new_file_is_as_open_as_the_umask_says_and_a_private_one_is_not(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("")
    assert (tmp_path / "a.csv").stat().st_mode == (tmp_path / "b.csv").stat().st_mode
    write_bytes(destination(tmp_path / "c.json"), b"{}", token="t", private=True)
    assert stat.S_IMODE((tmp_path / "c.json").stat().st_mode) == 0o600


def test_a_full_disk_leaves_no_hidden_part(tmp_path: Path) -> None:
    # A limit on the size of files is a full disk that needs no mount; in a process of its own, since it is all of it.
    code = (
        "import resource, signal, sys\n"
        "from ods_provider.core.errors import OdsSinkError\n"
        "from ods_provider.sinks.destination import destination\n"
        "from ods_provider.sinks.writer import FileWriter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "for end in ('commit', 'write'):\n"
        "    try:\n"
        "        with FileWriter(destination(sys.argv[1]), token='t') as writer:\n"
        "            for _ in range(2 if end == 'commit' else 40):\n"
        "                writer.write(b'x' * 65_536)\n"
        "            writer.commit()\n"
        "        print('written')\n"
        "    except OdsSinkError as error:\n"
        "        print(error.transient, error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.csv")], capture_output=True, text=True, check=True
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("False the destination failed: OSError: File too large") for line in lines), lines
    assert names(tmp_path) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root mounts")
def test_a_file_that_is_mounted_by_itself_is_named_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "host.csv").write_text("old")
    (tmp_path / "a b.csv").write_text("")
    code = (
        "import sys\n"
        "from ods_provider.sinks.destination import destination\n"
        "from ods_provider.sinks.writer import write_bytes\n"
        "write_bytes(destination(sys.argv[1]), b'new', token='t')\n"
    )
    # In a mount namespace of its own, which ends with the process.
    script = 'mount --bind "$1" "$2" && exec "$3" -c "$4" "$2"'
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", tmp_path / "host.csv", tmp_path / "a b.csv", sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip("nothing can be mounted here")
    assert "mounted by itself" in ran.stderr
    assert "Mount the folder that it is in" in ran.stderr
    assert (tmp_path / "host.csv").read_text() == "old"
    assert names(tmp_path) == ["a b.csv", "host.csv"]


def test_names_of_mounts_are_read_with_their_escapes() -> None:
    assert _plain(rb"/a\040b\134c") == rb"/a b\c"


@pytest.mark.at_length
def test_no_unfinished_part_of_another_run_is_ever_renamed(tmp_path: Path) -> None:
    """One run commits while another of the same name begins, over and over: what stands is always a whole file."""
    path, stop = tmp_path / "a.csv", threading.Event()
    seen = set()

    def begin() -> None:
        while not stop.is_set():
            other = FileWriter(destination(path), token="t")
            other.write(b"unfinished")
            other._file.flush()
            other.discard()

    threads = [threading.Thread(target=begin) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(effort(150, at_length=400)):
            try:
                write(path, b"whole")
            except OdsSinkError as error:
                assert "another run" in str(error) or "FileExistsError" in str(error), error
            if path.exists():
                seen.add(path.read_bytes())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert seen <= {b"whole"}
