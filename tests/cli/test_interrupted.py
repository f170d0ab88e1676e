"""Ctrl-C: nothing half-written stays, and the same command goes on. On a terminal a bar, elsewhere plain lines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
from shell import MEDIA, files, on_a_terminal, plain, stalled


def test_ctrl_c_says_one_line_and_the_same_command_goes_on(start, ods_portal, tmp_path):
    ods_portal.fault("stall", path="/files/", skip=10, times=4, seconds=1)
    process = start(*MEDIA, "-q")
    stalled(ods_portal, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip(), out) == (130, "Stopped. The same command goes on where it stopped.", "")
    assert len([path for path in (tmp_path / "photos").iterdir() if not path.name.startswith(".")]) == 10
    again = start(*MEDIA)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert len(list((tmp_path / "photos").iterdir())) == 41
    counted = {path: files(ods_portal).count(path) for path in files(ods_portal)}
    assert len(counted) == 40
    assert sum(count > 1 for count in counted.values()) <= 4


@pytest.mark.at_length
def test_on_a_terminal_a_bar_moves_and_goes_away(ods_portal, surroundings, tmp_path):
    ods_portal.fault("stall", path="/files/", times=None, seconds=0.1)
    code, shown = on_a_terminal(MEDIA, surroundings, tmp_path)
    assert code == 0
    steps = [int(done) for done in re.findall(r"(\d+) of 40 files", plain(shown))]
    assert len(set(steps)) > 4 and steps == sorted(steps)
    assert "━" in shown and "calls left" in shown
    assert "\x1b[?25h" in shown  # the cursor is back
    assert re.search(r"files +40", plain(shown).splitlines()[-1] + plain(shown))
    assert "demo-key" not in shown


@pytest.mark.at_length
def test_elsewhere_there_are_plain_lines(ods_portal, surroundings, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ods_provider.cli", *MEDIA],
        env=os.environ | surroundings | {"FORCE_COLOR": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[0].startswith("Starting the media fetch of landmark-photos at 127.0.0.1:")
    assert done.stderr.splitlines()[-1].startswith("40 of 40 files")
    assert done.stdout.startswith("40 files, ")
