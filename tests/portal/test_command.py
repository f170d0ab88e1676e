"""``ods portal``: starts, says where it is, and ends when it is told to."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from effort import effort

ODS = Path(sys.executable).with_name("ods")


@pytest.fixture
def started(tmp_path):
    running = []

    def start(*options):
        ready = tmp_path / "ready"
        # Buffered output, as a user's log file has it, would hide what was said until the end.
        process = subprocess.Popen(
            [ODS, "portal", "--port", "0", "--ready-file", ready, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        running.append(process)
        until = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < until
            time.sleep(0.02)
        return process, ready.read_text()

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("sign", effort([signal.SIGTERM], at_length=[signal.SIGINT, signal.SIGTERM]))
def test_it_serves_until_it_is_told_to_stop(started, sign):
    process, url = started("--quota", "7", "--api-key", "my-secret")
    answer = requests.get(f"{url}/api/explore/v2.1/catalog/datasets", params={"apikey": "my-secret"}, timeout=60)
    assert answer.headers["x-ratelimit-limit"] == "7"
    process.send_signal(sign)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"A portal at {url} with world-capitals" in said
    assert f"{url}/explore/ shows them in a browser" in said
    assert f"export ODS_HOST={url}" in said and "my-secret" not in said
    assert re.search(r"GET /api/explore/v2.1/catalog/datasets\?apikey=\*\*\* 200 \d+ bytes", said)
    assert "Traceback" not in said


@pytest.mark.at_length
def test_it_stops_while_a_client_hangs_on(started):
    process, url = started()
    requests.post(f"{url}/_control/faults", json={"kind": "stall", "seconds": 600}, timeout=60)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /api/explore/v2.1/catalog/datasets HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 60
        while not requests.get(f"{url}/_control/requests", timeout=60).json():
            assert time.monotonic() < until
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


@pytest.mark.at_length
def test_switches_of_the_automation_api_are_set_and_checked(started):
    _, url = started("--switch", "processing_s=2.5", "--switch", "envelope=old", "--switch", "most_rows=null")
    told = requests.get(f"{url}/_control/automation/switches", timeout=60).json()["done"]
    assert (told["processing_s"], told["envelope"], told["most_rows"]) == (2.5, "old", None)
    for wrong in ("speed=1", "envelope"):
        command = [ODS, "portal", "--port", "0", "--switch", wrong]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "--switch" in done.stderr


@pytest.mark.at_length
def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([ODS, "portal", "--port", port], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"port {port} cannot be used" in done.stderr
    assert "--port" in done.stderr
