"""The process in which dlt runs waits for the next load, and is taken for it only where a new one would be the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ods_provider.tables.engines.dltprocess import Process, give_back, take

# Answers each line with it, and says more to people than they should read; ends at the word "end".
ECHO = """
import sys
for line in sys.stdin:
    if line == "end\\n":
        sys.exit(3)
    print("secret of " + line, file=sys.stderr, flush=True)
    print(line, end="", flush=True)
"""


@pytest.fixture
def command(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    made = (sys.executable, str(script))
    yield made
    take(made).close()


def test_it_is_taken_again_and_what_it_said_before_is_told_to_nobody(command: tuple[str, ...]) -> None:
    first = take(command)
    first.send(b"one load")
    assert first.receive() == b"one load"
    give_back(first)
    second = take(command)
    assert second.pid == first.pid
    second.send(b"end")
    assert second.receive() is None
    assert second.last_words() == (3, "")
    second.close()


def test_what_it_says_in_a_load_is_told(command: tuple[str, ...]) -> None:
    process = take(command)
    process.send(b"a load")
    assert process.receive() == b"a load"
    process.send(b"end")
    assert process.receive() is None
    assert process.last_words() == (3, "secret of a load")
    process.close()


def test_another_environment_folder_or_command_has_one_of_its_own(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(process: Process) -> Process:
        give_back(process)
        found = take(command)
        assert found.pid != process.pid
        assert not process.running
        return found

    process = take(command)
    monkeypatch.setenv("AWS_PROFILE", "other")
    process = again(process)
    monkeypatch.chdir(tmp_path)
    process = again(process)
    give_back(process)
    other = take((*command, "other"))
    assert other.pid != process.pid
    assert not process.running
    other.close()


def test_one_that_has_ended_is_not_taken_and_of_two_one_waits(command: tuple[str, ...]) -> None:
    one, two = take(command), take(command)
    assert one.pid != two.pid
    give_back(one)
    give_back(two)
    assert not one.running
    two.send(b"end")
    assert two.receive() is None
    assert two.last_words() == (3, "")
    three = take(command)
    assert three.pid != two.pid
    three.close()


def test_a_forked_process_has_one_of_its_own_and_the_interpreter_s_end_is_its_end(command: tuple[str, ...]) -> None:
    script = f"""
import os
from ods_provider.tables.engines.dltprocess import give_back, take
command = {command!r}
give_back(take(command))
inside, outside = os.pipe()
if not (pid := os.fork()):
    process = take(command)
    process.send(b"forked")
    os.write(outside, b"%d %s" % (process.pid, process.receive()))
    process.close()
    os._exit(0)
os.waitpid(pid, 0)
process = take(command)
process.send(b"here")
other, _, said = os.read(inside, 100).partition(b" ")
assert (process.receive(), said) == (b"here", b"forked")
assert int(other) != process.pid
give_back(process)
print(process.pid)
"""
    words = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert not Path(f"/proc/{done.stdout.strip()}").exists()


def test_the_real_one_ends_by_itself_without_work() -> None:
    command = (sys.executable, "-m", "ods_provider.tables.engines.dltchild", "0.1")
    process = Process(command)
    assert process.receive() is None
    assert process.last_words() == (143, "")
    process.close()
    process = Process((*command[:-1], "600"))
    process.send(json.dumps({"do": "query", "statement": "SELECT 1"}).encode())
    told = json.loads(process.receive() or b"")["error"]
    assert told["kind"] in {"IndexError", "ModuleNotFoundError"}  # nothing is open; or dlt is not installed
    process.close()
