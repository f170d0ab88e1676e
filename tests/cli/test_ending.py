"""How a command ends: an exit code to branch on, one line to read, and no secret in either."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ods_provider.cli import main
from ods_provider.cli.ending import Skipped, Waiting, exits
from ods_provider.cli.settings import Settings
from ods_provider.core.errors import OdsConfigError, OdsServerError
from ods_provider.core.redact import Secret

UNTIL = datetime(2026, 12, 1, tzinfo=UTC)


def ended(error: BaseException, settings: Settings | None = None) -> int:
    with pytest.raises(SystemExit) as end, exits(settings or Settings()):
        raise error
    return int(end.value.code)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (OdsServerError("the portal failed", status=503, where="GET x"), 1, "Error: the portal failed (GET x).\n"),
        (OdsConfigError("no host", advice="Set it"), 2, "Error: no host. Set it.\n"),
        (Skipped("cities did not change", {}), 3, "Skipped: cities did not change.\n"),
        (Waiting(UNTIL, "Too many requests"), 75, "Waiting until 2026-12-01T00:00:00+00:00: Too many requests. "),
        (KeyboardInterrupt(), 130, "Stopped."),
        (SystemExit("terminated"), 143, "Stopped by SIGTERM."),
        (ZeroDivisionError("by zero"), 1, "Error: this should not have happened: ZeroDivisionError: by zero."),
    ],
)
def test_each_end_has_its_exit_code_and_one_line(error, code, line, capsys):
    assert ended(error) == code
    said = capsys.readouterr()
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_traceback_comes_with_debug_only_and_without_secrets(capsys):
    settings = Settings(debug=True, secrets=[Secret("k3y/with+signs")])
    assert ended(ValueError("it holds k3y/with+signs and k3y%2Fwith%2Bsigns"), settings) == 1
    said = capsys.readouterr().err
    assert "Traceback (most recent call last)" in said
    assert "k3y" not in said and "***" in said


def test_who_asked_for_json_reads_there_that_it_waits(capsys):
    assert ended(Waiting(UNTIL, "Too many requests"), Settings(json=True)) == 75
    said = capsys.readouterr()
    assert said.err == '{"status": "waiting", "until": "2026-12-01T00:00:00+00:00", "reason": "Too many requests"}\n'
    assert said.out == "", "it is no row"


def test_an_unknown_dataset_is_told_in_one_line(ods):
    failed = ods("download", "nope")
    assert failed.code == 1 and failed.out == ""
    assert failed.err.splitlines()[-1].startswith("Error: The requested dataset nope does not exist (GET http")


def test_wrong_usage_is_2(ods):
    assert ods("download").code == 2
    assert ods("download", "x", "--nonsense").code == 2
    assert ods("nonsense").code == 2
    assert ods("download", "world-capitals", "x.y", "--format", "zap").code == 2
    assert ods("records", "world-capitals", "--refine", "novalue").code == 2


def test_no_portal_named_says_what_can_be_done(ods):
    failed = ods("datasets", ODS_HOST="")
    assert failed.code == 2
    assert "--host" in failed.err and "ODS_HOST" in failed.err and "config.toml" in failed.err


def test_a_failure_leaves_no_file(ods, ods_portal, tmp_path):
    ods_portal.fault("cut", path="exports", times=None, after_bytes=500)
    assert ods("download", "world-capitals", "c.csv", ODS_MAX_RETRIES="0").code == 1
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.at_length
def test_a_reader_that_has_had_enough_is_no_error(ods_portal, start, surroundings):
    command = f"{sys.executable} -m ods_provider.cli records world-capitals --json | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], env=os.environ | surroundings, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.count("\n") == 1
    assert "Error" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [("records", "world-capitals", "--json"), ("quota",)])
def test_a_full_disk_is_an_ordinary_failure(ods_portal, surroundings, words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ods_provider.cli", *words],
            env=os.environ | surroundings,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    said = "Error: the output cannot be written: No space left on device. Make room, or send it elsewhere."
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, said)


def test_debug_tells_every_call_and_no_key(ods, ods_portal):
    told = ods("push", "live-readings", "realtime", "-", "--debug", input='{"sensor_id": "a", "value": 1}\n').err
    assert "POST http" in told and "/push/" in told
    refused = ods("datasets", "--debug", ODS_API_KEY="wrong-k3y", secrets=("wrong-k3y",))
    assert refused.code == 1
    assert "Traceback" in refused.err


def test_quiet_says_nothing_but_the_result(ods):
    assert ods("download", "world-capitals", "-q").err == ""


def test_logging_is_left_as_it_was(ods):
    ours = logging.getLogger("ods_provider")
    before = list(ours.handlers), ours.propagate
    ods("datasets")
    assert (ours.handlers, ours.propagate) == before


def test_completion_knows_commands_options_and_profiles(tmp_path):
    (tmp_path / "config.toml").write_text('[profiles.city]\nhost = "a"\n[profiles.county]\nhost = "b"\n')

    def completed(words: str, index: int) -> list[str]:
        env = {"_ODS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(index)}
        done = CliRunner().invoke(main, [], prog_name="ods", env=env | {"ODS_CONFIG": str(tmp_path / "config.toml")})
        return [line.partition(",")[2] for line in done.output.splitlines()]

    assert completed("ods dow", 1) == ["download"]
    assert "--format-option" in completed("ods download x --for", 3)
    assert completed("ods --profile c", 2) == ["city", "county"]
    assert completed("ods download x --format pa", 4) == ["parquet"]


def test_the_completion_script_is_offered_for_each_shell():
    for shell in ("bash", "zsh", "fish"):
        done = CliRunner().invoke(main, [], prog_name="ods", env={"_ODS_COMPLETE": f"{shell}_source"})
        assert "_ods_completion" in done.output
