"""Plugins are loaded once, each by itself; suppliers are fatal when they fail, observers never."""

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from textwrap import dedent
from types import SimpleNamespace

import pluggy
import pytest
from plugins.installing import install

from ods_provider.core.errors import OdsConfigError, OdsPluginError
from ods_provider.core.events import JobStarted, Progress
from ods_provider.core.outcome import Wait
from ods_provider.plugins.hookspecs import ODS_PLUGIN_API, PROJECT, hookimpl
from ods_provider.plugins.manager import Plugins, known_hooks
from ods_provider.plugins.run import Run

RUN = Run("cli", "cli-test", "ods_default", logging.getLogger("test"))
EVENT = JobStarted("search", None, resumed=False)


def build(environ=None, **plugins) -> Plugins:
    return Plugins(plugins, entry_points=False, environ=environ or {})


def named(plugins: Plugins, name: str):
    return next(plugin for plugin in plugins.loaded if plugin.name == name)


class Listener:
    def __init__(self):
        self.heard = []

    @hookimpl
    def ods_job_event(self, event):
        self.heard.append(event)


class Raising:
    @hookimpl
    def ods_job_event(self, event, run):
        raise RuntimeError("this listener always fails")


# Loading


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed distributions."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("good_plugin", "bad_plugin", "first_plugin", "second_plugin"):
        sys.modules.pop(name, None)


GOOD = """
    from ods_provider.plugins.hookspecs import hookimpl

    @hookimpl
    def ods_resolve_connection(ref):
        return None
"""


def test_a_plugin_that_cannot_be_imported_is_named_and_the_others_work(site, caplog):
    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin="import a_module_that_is_not_there")
    install(site, "good-dist", {"good": "good_plugin"}, good_plugin=GOOD)
    plugins = Plugins(environ={})
    assert "a_module_that_is_not_there" in named(plugins, "bad-dist:bad").problem
    assert named(plugins, "good-dist:good").problem is None
    assert named(plugins, "good-dist:good").hooks == ("ods_resolve_connection",)
    assert plugins.scheduler("cli").name == "cli"
    assert "The plugin bad-dist:bad is broken" in caplog.text


def test_a_plugin_that_exits_while_it_is_imported_ends_nothing(site):
    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin="import sys; sys.exit(3)")
    assert named(Plugins(environ={}), "bad-dist:bad").problem == "SystemExit: 3"


def test_a_signal_that_comes_while_plugins_are_loaded_still_ends_the_process(site):
    terminated = "class Terminated(SystemExit): pass\nraise Terminated('SIGTERM')"
    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin=terminated)
    with pytest.raises(SystemExit, match="SIGTERM"):
        Plugins(environ={})


def test_two_distributions_may_call_their_entry_point_the_same(site):
    install(site, "first-dist", {"same": "first_plugin"}, first_plugin=GOOD)
    install(site, "second-dist", {"same": "second_plugin"}, second_plugin=GOOD)
    plugins = Plugins(environ={})
    assert named(plugins, "first-dist:same").hooks == named(plugins, "second-dist:same").hooks != ()


ANSWERING = """
    from types import SimpleNamespace
    from ods_provider.plugins.hookspecs import hookimpl

    @hookimpl
    def ods_get_scheduler(name):
        return SimpleNamespace(name=__name__)

    @hookimpl
    def ods_checkpoint_store(run):
        return __name__
"""


@pytest.mark.parametrize("behind", [False, True])
def test_installed_plugins_answer_by_name_and_ours_last_wherever_the_path_finds_them(tmp_path, behind):
    install(tmp_path, "b-dist", {"b": "second_plugin"}, second_plugin=ANSWERING)
    install(tmp_path, "a-dist", {"z": "first_plugin"}, first_plugin=ANSWERING)
    code = """
        import logging, sys
        {place}
        from ods_provider.plugins.manager import Plugins
        from ods_provider.plugins.run import Run
        plugins = Plugins()
        print([each.name for each in plugins.loaded])
        for name in ("cli", "airflow", "prefect", "dagster"):
            print(plugins.scheduler(name).name, plugins.checkpoint_store(Run(name, "k", "r", logging.getLogger())))
    """
    place = f"sys.path.{'append(' if behind else 'insert(0, '}{str(tmp_path)!r})"
    told = subprocess.run(
        [sys.executable, "-c", dedent(code.format(place=place))], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    ours = ["builtin", "airflow", "dagster", "prefect"]
    assert told[0] == str([*(f"ods-provider:{name}" for name in ours), "a-dist:z", "b-dist:b"])
    assert told[1:] == ["second_plugin second_plugin"] * 4


def test_a_hook_that_does_not_take_the_parameter_leaves_nothing_half_registered():
    class Half:
        @hookimpl
        def ods_get_scheduler(self, name):
            raise AssertionError("a rejected plugin was called")

        @hookimpl
        def ods_job_event(self, happening):
            pass

    plugins = build(half=Half())
    assert "happening" in named(plugins, "half").problem
    assert plugins.scheduler("cli").name == "cli"


def test_a_misspelt_hook_is_reported_with_those_that_are_known():
    misspelt = pluggy.HookimplMarker(PROJECT)

    class Misspelt:
        @misspelt
        def ods_job_evnt(self, event):
            pass

    problem = named(build(misspelt=Misspelt()), "misspelt").problem
    assert problem == f"unknown hook ods_job_evnt; known are {', '.join(known_hooks())}"


@pytest.mark.parametrize("hook", ["ods_job_event", "ods_new_secret"])
def test_an_observer_that_is_a_wrapper_is_reported_because_it_would_never_be_called(hook):
    def wrapper(self):
        yield

    plugin = type("Wrapping", (), {hook: hookimpl(wrapper=True)(wrapper)})()
    assert f"{hook} is called listener by listener" in named(build(wrapping=plugin), "wrapping").problem


def test_a_module_can_be_named_in_the_environment(site):
    (site / "good_plugin.py").write_text("from ods_provider.conformance.failing import ods_job_event\n")
    assert named(build({"ODS_PLUGINS": "good_plugin, no_such_module"}), "good_plugin").hooks == ("ods_job_event",)
    assert "no_such_module" in named(build({"ODS_PLUGINS": "good_plugin, no_such_module"}), "no_such_module").problem


@pytest.mark.parametrize(
    ("disable", "left"),
    [
        ("", {"good-dist:good", "ods-provider:airflow"}),
        ("good-dist:good", {"ods-provider:airflow"}),
        ("all", {"ods-provider:airflow"}),
        ("all,ods-provider:airflow", set()),
    ],
)
def test_plugins_are_disabled_by_name_or_all_that_are_not_ours(site, disable, left):
    install(site, "good-dist", {"good": "good_plugin"}, good_plugin=GOOD)
    loaded = {plugin.name for plugin in Plugins(environ={"ODS_PLUGINS_DISABLE": disable}).loaded}
    assert loaded & {"good-dist:good", "ods-provider:airflow"} == left
    assert "ods-provider:builtin" in loaded


def test_a_broken_plugin_is_fatal_where_that_was_asked_for():
    with pytest.raises(OdsPluginError, match=r"the plugin is broken.*no_such_module.*unset ODS_PLUGINS_STRICT"):
        build({"ODS_PLUGINS_STRICT": "1", "ODS_PLUGINS": "no_such_module"})


# The version fence


@pytest.mark.parametrize("needs", [f"=={ODS_PLUGIN_API}", ">=1.0", ">=1.0,<2", "~=1.0"])
def test_a_plugin_that_fits_this_api_is_loaded(needs):
    plugin = Listener()
    plugin.ODS_PLUGIN_API_REQUIRES = needs
    assert named(build(fits=plugin), "fits").problem is None


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (">=2", f"it needs the plugin API >=2, and this is {ODS_PLUGIN_API}"),
        ("two", "ODS_PLUGIN_API_REQUIRES='two' is no version specifier"),
        (2, "ODS_PLUGIN_API_REQUIRES=2 is no version specifier"),
    ],
)
def test_a_plugin_that_needs_another_api_is_named_and_not_called(needs, said):
    plugin = Listener()
    plugin.ODS_PLUGIN_API_REQUIRES = needs
    plugins = build(other=plugin)
    plugins.notify(EVENT, RUN)
    assert said in named(plugins, "other").problem
    assert named(plugins, "other").hooks == ()
    assert plugin.heard == []


# Calling


def test_a_failing_listener_silences_no_other_and_is_named(caplog):
    first, last = Listener(), Listener()
    plugins = build(first=first, raising=Raising(), last=last)
    plugins.notify(EVENT, RUN)
    assert first.heard == last.heard == [EVENT]
    assert "The listener raising failed and is passed over." in caplog.text


def test_a_listener_takes_only_the_parameters_that_it_wants():
    heard = []

    class Nothing:
        @hookimpl
        def ods_job_event(self):
            heard.append("called")

    build(nothing=Nothing()).notify(Progress(1, 2, "rows"), RUN)
    assert heard == ["called"]


def test_the_plugin_that_came_last_answers_first_and_ours_answer_last():
    def given(name):
        class Plugin:
            @hookimpl
            def ods_get_scheduler(self):
                return SimpleNamespace(name=name)

        return Plugin()

    assert build(one=given("one"), two=given("two")).scheduler("cli").name == "two"


@pytest.mark.parametrize(
    ("hook", "ask"),
    [
        ("ods_get_scheduler", lambda plugins: plugins.scheduler("cli")),
        ("ods_checkpoint_store", lambda plugins: plugins.checkpoint_store(RUN)),
        ("ods_open_destination", lambda plugins: plugins.destination("out.csv", RUN)),
        ("ods_wait_policy", lambda plugins: plugins.wait_policy(Wait(datetime.now(UTC), "quota"), RUN)),
    ],
)
def test_a_supplier_that_fails_is_fatal_and_named(hook, ask):
    def fail(self):
        raise KeyError("the vault is sealed")

    plugin = type("Failing", (), {hook: hookimpl(fail)})()
    with pytest.raises(OdsPluginError, match=r"the plugin failing failed: KeyError: 'the vault is sealed'") as caught:
        ask(build(failing=plugin))
    assert hook in str(caught.value)


def test_what_a_store_of_connections_says_is_not_repeated_because_it_may_quote_the_key():
    class Vault:
        @hookimpl
        def ods_resolve_connection(self, ref):
            raise ValueError(f"cannot parse ods://:the-key@{ref}")

    with pytest.raises(OdsPluginError) as caught:
        build(vault=Vault()).connection("data.example.org", "cli")
    assert "the plugin vault failed: ValueError (ods_resolve_connection)" in str(caught.value)
    assert "the-key" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_error_of_ours_that_a_supplier_raises_goes_up_as_it_is():
    class Vault:
        @hookimpl
        def ods_resolve_connection(self):
            raise OdsConfigError("the vault has no such path", where="vault", advice="Write it there")

    with pytest.raises(OdsConfigError, match="no such path"):
        build(vault=Vault()).connection("x", "cli")


def test_nobody_knows_the_scheduler_or_the_connection():
    with pytest.raises(OdsConfigError, match="no plugin knows the scheduler 'slurm'"):
        build().scheduler("slurm")
    with pytest.raises(OdsConfigError, match="no connection 'x' is known to slurm"):
        build().connection("x", "slurm")


def test_a_wait_policy_replaces_the_wait_and_none_keeps_it():
    wait = Wait(datetime.now(UTC) + timedelta(hours=1), "quota")
    later = Wait(wait.until + timedelta(hours=8), "at night")

    class Night:
        @hookimpl(tryfirst=True)
        def ods_wait_policy(self, wait):
            return later

    assert build(night=Night()).wait_policy(wait, RUN) is later
    spread = build().wait_policy(wait, RUN)
    assert wait.until <= spread.until <= wait.until + timedelta(seconds=30)


def test_a_look_every_ten_minutes_is_one_every_ten_minutes():
    look = Wait(datetime.now(UTC) + timedelta(minutes=10), "nothing new", poll=True)
    assert build().wait_policy(look, RUN) == look


# When


def test_importing_jobs_and_parsing_a_dag_load_no_plugin(site):
    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin="raise SystemExit('a plugin was loaded')")
    code = """
        import sys
        import ods_provider.jobs.runner, ods_provider.client, ods_provider.cli
        from ods_provider.plugins.manager import plugins
        assert "bad_plugin" not in sys.modules and plugins.cache_info().currsize == 0
        first = plugins()
        assert plugins() is first
        assert "bad-dist:bad" in [plugin.name for plugin in first.loaded]
    """
    subprocess.run([sys.executable, "-c", dedent(code)], check=True, env={"PYTHONPATH": str(site)})


# `ods plugins`


def ods_plugins(site, **environ):
    command = [sys.executable, "-c", "from ods_provider.cli import main; main()", "plugins"]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env={"PYTHONPATH": str(site), **environ}
    )


def test_ods_plugins_lists_what_is_loaded_and_what_failed(site):
    install(site, "good-dist", {"good": "good_plugin"}, good_plugin=GOOD)
    told = ods_plugins(site)
    assert told.returncode == 0
    assert told.stdout.startswith(f"Plugin API {ODS_PLUGIN_API}\nok      ods-provider:builtin\n")
    assert "ok      good-dist:good\n        ods_resolve_connection\n" in told.stdout

    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin="ODS_PLUGIN_API_REQUIRES = '>=7'")
    told = ods_plugins(site)
    assert told.returncode == 1
    assert "BROKEN  bad-dist:bad\n" in told.stdout
    assert "it needs the plugin API >=7" in told.stdout

    told = ods_plugins(site, ODS_PLUGINS_DISABLE="bad-dist:bad")
    assert (told.returncode, "bad-dist" in told.stdout) == (0, False)

    told = ods_plugins(site, ODS_PLUGINS_STRICT="1")
    assert told.returncode == 1
    assert "Error: the plugin is broken" in told.stderr
