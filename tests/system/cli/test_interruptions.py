"""Interruptions that take a while: SIGTERM, kill -9, a portal that is silent, a quota waited for."""

from __future__ import annotations

import re
import signal
import time

from shell import MEDIA, files, on_a_terminal, plain, stalled


def test_sigterm_suspends(start, ods_portal, tmp_path):
    ods_portal.fault("stall", path="/files/", skip=10, times=4, seconds=1)
    process = start(*MEDIA, "-q")
    stalled(ods_portal, process)
    process.terminate()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 143
    assert err.strip() == "Stopped by SIGTERM. The same command goes on where it stopped."


def test_a_second_ctrl_c_does_not_wait_for_a_silent_portal(start, ods_portal):
    ods_portal.fault("stall", path="/files/", skip=3, times=4, seconds=300)
    process = start(*MEDIA, "-q")
    stalled(ods_portal, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert time.monotonic() - began < 60


def test_after_kill_9_only_what_was_on_its_way_is_asked_for_again(start, ods_portal, tmp_path):
    ods_portal.fault("stall", path="/files/", skip=10, times=4, seconds=300)
    process = start(*MEDIA)
    stalled(ods_portal, process)
    process.kill()
    process.communicate()
    assert len(files(ods_portal)) == 10
    again = start(*MEDIA)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert sorted(files(ods_portal)) == sorted(set(files(ods_portal)))
    assert len(files(ods_portal)) == 40
    assert not [path.name for path in (tmp_path / "photos").iterdir() if path.name.startswith(".")]


def test_ctrl_c_on_a_terminal_takes_the_bar_away_and_says_one_line(ods_portal, surroundings, tmp_path):
    ods_portal.fault("stall", path="/files/", skip=10, times=4, seconds=2)
    code, shown = on_a_terminal(MEDIA, surroundings, tmp_path, keys=[(b"10 of 40", b"\x03")])
    assert code == 130
    assert plain(shown).rstrip().endswith("Stopped. The same command goes on where it stopped.")
    assert "\x1b[?25h" in shown
    assert "Traceback" not in shown


def test_waiting_on_a_terminal_counts_down(ods_portal, surroundings, tmp_path):
    ods_portal.set_quota(limit=1, remaining=1, reset_after_s=3)
    rows = ("records", "world-capitals", "-o", "rows.jsonl", "--order-by", "name", "--wait")
    code, shown = on_a_terminal(rows, surroundings, tmp_path)
    assert code == 0
    left = re.findall(r"waiting until \d{4}-\d\d-\d\d [\d:]+ .*?0:00:0(\d) to go", plain(shown))
    assert len(set(left)) > 1
