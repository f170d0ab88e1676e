"""One environment per scheduler and version; what `make test` tries in one is tried in each where it can differ."""

import os
import shutil
import sys
import tempfile
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
nox.options.sessions += ["system_airflow", "browser", "distributed", "fuzz", "clients", "tables", "docs"]

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
# Airflow's lowest supported version on the oldest Python, the latest on the newest; `make test` is what lies between.
AIRFLOWS = [("3.11", "3.2"), ("3.13", "3.3"), ("3.14", "3.3")]
if not any(shutil.which(f"python{python}") for python, _ in AIRFLOWS[1:]):
    # What is tried at length is tried there only: where neither is, on the Python that is.
    AIRFLOWS.append((f"3.{sys.version_info.minor}", AIRFLOWS[-1][1]))
# What has a session of its own; `make test` and the bare machine run it with all the rest.
ELSEWHERE = tuple(f"--ignore=tests/{room}" for room in ("core", "bare", "cli"))
# What leans on Airflow, or on what its constraints pin: DuckDB, pyarrow, Starlette.
PINNED = tuple(f"tests/{room}" for room in ("airflow", "plugins", "docs", "tables", "sinks", "sources", "portal"))
# Rooms of many short tests; what starts servers of its own runs one test after the other.
SIDE_BY_SIDE = ("-n", "auto", "--dist", "worksteal")
# What waits for real schedulers, or is tried at length, takes minutes on a busy machine, and does not hang yet.
PATIENT = ("-o", "faulthandler_timeout=1200")


def _pytest(session: nox.Session, *what: str, env: dict[str, str] | None = None) -> None:
    # Of a session that is run once more (.ci/lanes.py), what has failed.
    again = ("--last-failed",) if os.environ.get("ODS_ONCE_MORE") else ()
    remembered = f"cache_dir={session.virtualenv.location}/pytest"
    session.run("pytest", "-o", remembered, *again, *what, *session.posargs, env=env)


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """The base install alone: no scheduler, no portal."""
    session.install("-c", "constraints/core.txt", "--group", "test", ".")
    session.run("python", "-c", "import importlib.util as u; assert not u.find_spec('airflow')")
    # Nothing that takes long differs between versions of Python.
    env = {"ODS_THOROUGH": "1" if session.python == PYTHONS[0] else ""}
    _pytest(session, *SIDE_BY_SIDE, "tests/core", "tests/bare", env=env)


@nox.session
def cli(session: nox.Session) -> None:
    """The command line where no scheduler is installed; on terminals, interrupted, and as pipx installs it."""
    session.install("-c", "constraints/cli.txt", "--group", "test", ".[portal,sql]")
    session.run("python", "-c", "import importlib.util as u; assert not u.find_spec('airflow')")
    _pytest(session, *SIDE_BY_SIDE, "tests/cli", "tests/system/cli")


@nox.session
def docs(session: nox.Session) -> None:
    """The site of docs/: strict, every link leads somewhere; and its pages in a browser, on a phone too."""
    session.install("-c", "constraints/docs.txt", "--group", "docs")
    session.run("python", "docs/tools/site.py")
    if "--build" not in session.posargs:
        # Nothing of ours is installed here, and the tests' common fixtures need it.
        session.run("pytest", "--noconftest", "-o", "filterwarnings=error", "tests/system/site")


@nox.session
def luigi(session: nox.Session) -> None:
    """Luigi's real release, run again as cron would."""
    session.install("-c", "constraints/luigi.txt", "--group", "luigi", ".[portal]")
    _pytest(session, "tests/system/luigi")


@nox.session
@nox.parametrize(("python", "version"), AIRFLOWS)
def airflow(session: nox.Session, version: str) -> None:
    """The example DAGs, Airflow's own tests, and what is tried at length; under the lowest, what can differ there."""
    constraints = f"constraints/airflow-{version}.txt"
    session.install("-c", constraints, "--group", "test", ".[airflow,portal,demo,fast,sql]")
    latest = version == AIRFLOWS[-1][1]
    tests = ("tests", *ELSEWHERE) if latest else PINNED
    # What takes long does not differ between versions of Airflow: it is tried under the latest, which `make test` and
    # the bare machine have tried all the rest with.
    env = {"ODS_THOROUGH": "only" if latest else ""}
    _pytest(session, *SIDE_BY_SIDE, *PATIENT, *tests, "tests/system/examples", env=env)


def _with_servers(session: nox.Session, tests: str) -> None:
    # What Debian must give besides (PostgreSQL, Redis, Chromium), the tests install themselves where it is missing.
    groups = ("--group", "test", "--group", "system")
    session.install("-c", "constraints/airflow-system.txt", *groups, ".[airflow,portal,sql]")
    _pytest(session, *PATIENT, tests)


def _with_dagster(session: nox.Session, tests: str) -> None:
    groups = [word for group in ("test", "lint", "dagster") for word in ("--group", group)]
    session.install("-c", "constraints/dagster.txt", *groups, ".[dagster,portal,sql]")
    _pytest(session, *PATIENT, tests, env={"DAGSTER_DISABLE_TELEMETRY": "yes"})


def _with_prefect(session: nox.Session, tests: str) -> None:
    groups = [word for group in ("test", "lint", "browser") for word in ("--group", group)]
    session.install("-c", "constraints/prefect.txt", *groups, ".[prefect,portal,sql]")
    _pytest(session, *PATIENT, tests)


@nox.session
def system_airflow(session: nox.Session) -> None:
    """A real scheduler and triggerer on PostgreSQL, and portals that behave badly."""
    _with_servers(session, "tests/system/airflow")


@nox.session
def browser(session: nox.Session) -> None:
    """The connection form, a load's log, and the local portal's pages in Chromium."""
    _with_servers(session, "tests/system/browser")


@nox.session
@nox.parametrize("of", ["airflow", "dagster", "prefect"])
def pictures(session: nox.Session, of: str) -> None:
    """Make the pictures of docs/images anew, out of what browser tests see, in the environment of each scheduler."""
    with_it = {"airflow": _with_servers, "dagster": _with_dagster, "prefect": _with_prefect}[of]
    # Not nox's own folder for what is temporary: pages show paths, and pictures whose checkout it was.
    with tempfile.TemporaryDirectory() as folder:
        session.env["ODS_SCREENSHOTS"] = folder
        with_it(session, "tests/system/browser" if of == "airflow" else f"tests/system/{of}/test_on_screen.py")
        session.run("python", "docs/tools/pictures.py", folder)


@nox.session
def distributed(session: nox.Session) -> None:
    """CeleryExecutor with two workers, and a queue of fifty publications on them."""
    _with_servers(session, "tests/system/distributed")


@nox.session
@nox.parametrize("by", ["servers", "dlt"])
def tables(session: nox.Session, by: str) -> None:
    """The contract of all tables on real servers, which are killed, locked and filled up; and through dlt."""
    groups = ("--group", "test", "--group", "tables")
    session.install("-c", "constraints/tables.txt", *groups, ".[sql,dlt,mysql,delta,iceberg,portal,fast]")
    through_dlt = ["tests/system/tables/test_dlt.py", "tests/system/tables/test_dlt_source.py"]
    tests = through_dlt if by == "dlt" else ["tests/system/tables", *(f"--ignore={each}" for each in through_dlt)]
    # Two workers, each with servers of its own.
    _pytest(session, "-n", "2", "--dist", "worksteal", *tests)


@nox.session
def dagster(session: nox.Session) -> None:
    """Dagster's real release, with its daemon and its web server; and the types of the face against Dagster's own."""
    _with_dagster(session, "tests/system/dagster")
    session.run("mypy", "--follow-imports=silent", "ods_provider/schedulers/dagster")


@nox.session
def conformance(session: nox.Session) -> None:
    """The suite for adapters of other people, held against the smallest adapter there is, and against broken ones.

    And the plugins that docs/plugins.md shows, with what they stand on: APScheduler, a Redis server, prometheus_client.
    """
    session.install("-c", "constraints/plugins.txt", "--group", "test", "--group", "plugins", ".[portal]")
    _pytest(session, *SIDE_BY_SIDE, "tests/system/conformance")


@nox.session
def fuzz(session: nox.Session) -> None:
    """40 s (ODS_FUZZ_SECONDS) of other examples for quoting and parsing, where no scheduler is installed.

    Then 10,000 operations (ODS_FUZZ_OPERATIONS) on answers that are changed, of one seed (ODS_FUZZ_SEED).
    """
    session.install("-c", "constraints/airflow-3.3.txt", "--group", "test", ".[portal,sql]")
    _pytest(session, "-s", "tests/system/fuzz")


@nox.session
def clients(session: nox.Session) -> None:
    """Clients that others wrote, in environments of their own, against the local portal."""
    session.install("-c", "constraints/core.txt", "--group", "test", ".[portal]")
    _pytest(session, "tests/system/clients")


@nox.session
def prefect(session: nox.Session) -> None:
    """A real Prefect server and a served deployment; types too, which are unknown where Prefect is not installed."""
    _with_prefect(session, "tests/system/prefect")
    session.run("mypy", "--follow-imports=silent", "ods_provider/schedulers/prefect")


@nox.session
def portal(session: nox.Session) -> None:
    """A million rows through the local portal, and the DAG of its page in Airflow."""
    session.install("-c", "constraints/airflow-3.3.txt", "--group", "test", ".[airflow,portal]")
    _pytest(session, "tests/system/portal")


@nox.session
def s3(session: nox.Session) -> None:
    """The sink contract on the real S3 client, against a server that speaks S3."""
    session.install("-c", "constraints/s3.txt", "--group", "test", "--group", "s3", ".")
    _pytest(session, "tests/system/s3")
