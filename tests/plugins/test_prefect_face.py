"""What of Prefect's face works without Prefect: the plugin beside it is loaded in every environment."""

import io
import logging
import subprocess
import sys

import pytest

from ods_provider.core.redact import Secret
from ods_provider.schedulers.prefect.artifacts import artifact_key
from ods_provider.schedulers.prefect.masking import mask
from ods_provider.schedulers.prefect.plugin import Native, Prefect


def test_loading_the_plugins_imports_no_scheduler():
    code = """
import sys
from ods_provider.plugins.manager import plugins
assert plugins().scheduler("prefect").name == "prefect"
assert not {"prefect", "airflow", "dagster"} & set(sys.modules), sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_run_shows_neither_credentials_nor_context():
    run = Prefect().run(Native("flow/media/1", logging.getLogger("x"), "the credentials"), connection_ref="city")
    assert run.key == "prefect/flow/media/1"
    assert "the credentials" not in repr(run)


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("ods", "search", None), "ods-search"),
        (("ods", "media", "Geo_Names@public"), "ods-media-geo-names-public"),
        (("ods", "download", "--Züge 2026/07--"), "ods-download-z-ge-2026-07"),
    ],
)
def test_an_artifacts_key_is_one_that_prefect_takes(parts, key):
    assert artifact_key(*parts) == key


@pytest.fixture
def heard():
    """What a handler of Prefect's writes, such as the one that sends to its API."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("prefect.flow_runs")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def test_secrets_are_cut_out_of_messages_arguments_and_tracebacks(heard):
    mask([Secret("a-very-secret-key")])
    log = logging.getLogger("prefect.flow_runs.of.a.flow")
    log.warning("the key is %s", "a-very-secret-key")
    try:
        raise ValueError("refused: a-very-secret-key")
    except ValueError:
        log.exception("it failed")
    log.warning("GET /push/?pushkey=never-seen-before")
    text = heard.getvalue()
    assert "the key is ***" in text
    assert "ValueError: refused: ***" in text
    assert "never-seen-before" not in text
    assert "a-very-secret-key" not in text


def test_a_line_without_a_secret_stays_as_it_was(heard):
    mask([Secret("a-very-secret-key")])
    logging.getLogger("prefect.flow_runs").warning("%d of %d", 3, 5)
    assert heard.getvalue() == "3 of 5\n"


class Unshowable:
    def __repr__(self):
        raise RuntimeError("it cannot be shown")


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        ("%d rows", ("many",), "'%d rows' ('many',)"),
        ("%s and %s", ("a-very-secret-key",), "'%s and %s' ('***',)"),
        ("%d rows", (Unshowable(),), "a log line that cannot be formatted"),
    ],
)
def test_a_line_that_does_not_fit_its_arguments_raises_into_nobodys_code(heard, message, arguments, shown):
    mask([Secret("a-very-secret-key")])
    logging.getLogger("prefect.flow_runs").warning(message, *arguments)
    assert heard.getvalue() == f"{shown}\n"
