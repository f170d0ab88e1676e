"""One environment per scheduler and version: what `make test` does in one, these do in all of them."""

import os
from pathlib import Path

import nox

# Hundreds of processes import the same packages: what Python compiles of them is kept, as `make` does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parent / ".cache" / "python")
# What `make test` tries a little of is tried at length (tests/effort.py).
os.environ["ODS_THOROUGH"] = "1"

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["core", "cli", "luigi", "airflow", "conformance", "dagster", "prefect", "portal", "s3"]
nox.options.sessions += ["system_airflow", "browser", "distributed", "fuzz", "clients"]

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# Airflow's lowest supported version on the oldest Python, the latest on the newest; `make test` is what lies between.
AIRFLOWS = [("3.11", "3.2"), ("3.13", "3.3"), ("3.14", "3.3")]
# Rooms of many short tests; what starts servers of its own runs one test after the other.
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """The base install alone: no scheduler, no portal."""
    session.install("-c", "constraints/core.txt", "--group", "test", ".")
    session.run("python", "-c", "import importlib.util as u; assert not u.find_spec('airflow')")
    session.run("pytest", *SIDE_BY_SIDE, "tests/core", "tests/bare", *session.posargs)


@nox.session
def cli(session: nox.Session) -> None:
    """The command line where no scheduler is installed; on terminals, interrupted, and as pipx installs it."""
    session.install("-c", "constraints/cli.txt", "--group", "test", ".[portal]")
    session.run("python", "-c", "import importlib.util as u; assert not u.find_spec('airflow')")
    session.run("pytest", *SIDE_BY_SIDE, "tests/cli", "tests/system/cli", *session.posargs)


@nox.session
def luigi(session: nox.Session) -> None:
    """Luigi's real release, run again as cron would."""
    session.install("-c", "constraints/luigi.txt", "--group", "luigi", ".[portal]")
    session.run("pytest", "tests/system/luigi", *session.posargs)


@nox.session
@nox.parametrize(("python", "version"), AIRFLOWS)
def airflow(session: nox.Session, version: str) -> None:
    """The whole of `make test`, and the example DAGs, under the lowest and the latest Airflow that are supported."""
    constraints = f"constraints/airflow-{version}.txt"
    session.install("-c", constraints, "--group", "test", ".[airflow,portal,demo,fast]")
    session.run("pytest", *SIDE_BY_SIDE, "tests", "tests/system/examples", *session.posargs)


def _with_servers(session: nox.Session, tests: str) -> None:
    # What Debian must give besides (PostgreSQL, Redis, Chromium), the tests install themselves where it is missing.
    groups = ("--group", "test", "--group", "system")
    session.install("-c", "constraints/airflow-system.txt", *groups, ".[airflow,portal]")
    session.run("pytest", tests, *session.posargs)


@nox.session
def system_airflow(session: nox.Session) -> None:
    """A real scheduler and triggerer on PostgreSQL, and portals that behave badly."""
    _with_servers(session, "tests/system/airflow")


@nox.session
def browser(session: nox.Session) -> None:
    """The connection form in Chromium."""
    _with_servers(session, "tests/system/browser")


@nox.session
def distributed(session: nox.Session) -> None:
    """CeleryExecutor with two workers."""
    _with_servers(session, "tests/system/distributed")


@nox.session
def dagster(session: nox.Session) -> None:
    """Dagster's real release, with its daemon and its web server; and the types of the face against Dagster's own."""
    groups = [word for group in ("test", "lint", "dagster") for word in ("--group", group)]
    session.install("-c", "constraints/dagster.txt", *groups, ".[dagster,portal]")
    session.run("mypy", "--follow-imports=silent", "ods_provider/schedulers/dagster")
    session.run("pytest", "tests/system/dagster", *session.posargs, env={"DAGSTER_DISABLE_TELEMETRY": "yes"})


@nox.session
def conformance(session: nox.Session) -> None:
    """The suite for adapters of other people, held against the smallest adapter there is, and against broken ones."""
    session.install("-c", "constraints/core.txt", "--group", "test", ".[portal]")
    session.run("pytest", *SIDE_BY_SIDE, "tests/system/conformance", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """On the base install: 40 s (ODS_FUZZ_SECONDS) of other examples for the properties of quoting and parsing.

    Then 10,000 operations (ODS_FUZZ_OPERATIONS) on answers that are changed, of one seed (ODS_FUZZ_SEED).
    """
    session.install("-c", "constraints/airflow-3.3.txt", "--group", "test", ".[portal]")
    session.run("pytest", "-s", "tests/system/fuzz", *session.posargs)


@nox.session
def clients(session: nox.Session) -> None:
    """Clients that others wrote, in environments of their own, against the local portal."""
    session.install("-c", "constraints/core.txt", "--group", "test", ".[portal]")
    session.run("pytest", "tests/system/clients", *session.posargs)


@nox.session
def prefect(session: nox.Session) -> None:
    """A real Prefect server and a served deployment; types too, which are unknown where Prefect is not installed."""
    session.install("-c", "constraints/prefect.txt", "--group", "test", "--group", "lint", ".[prefect,portal]")
    session.run("mypy", "--follow-imports=silent", "ods_provider/schedulers/prefect")
    session.run("pytest", "tests/system/prefect", *session.posargs)


@nox.session
def portal(session: nox.Session) -> None:
    """A million rows through the local portal, and the DAG of its page in Airflow."""
    session.install("-c", "constraints/airflow-3.3.txt", "--group", "test", ".[airflow,portal]")
    session.run("pytest", "tests/system/portal", *session.posargs)


@nox.session
def s3(session: nox.Session) -> None:
    """The sink contract on the real S3 client, against a server that speaks S3."""
    session.install("-c", "constraints/s3.txt", "--group", "test", "--group", "s3", ".")
    session.run("pytest", "tests/system/s3", *session.posargs)
