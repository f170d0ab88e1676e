"""Plugins are loaded once, each by itself; suppliers are fatal when they fail, observers never."""

import logging
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from textwrap import dedent
from types import SimpleNamespace

import pluggy
import pytest
from plugins.installing import install

from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsBrokenPlugin, OdsConfigError, OdsPluginError
from ods_provider.core.events import JobStarted, Progress
from ods_provider.core.outcome import Wait
from ods_provider.plugins.hookspecs import ODS_PLUGIN_API, PROJECT, hookimpl
from ods_provider.plugins.manager import Plugins, known_hooks
from ods_provider.plugins.run import Run

RUN = Run("cli", "cli-test", "ods_default", logging.getLogger("test"))
OAUTH = from_parts(
    host="https://data.example.org", extra={"auth": "oauth2", "client_id": "x", "client_secret": "y"}, where="a test"
)
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
    from ods_provider.plugins.hookspecs import hookimpl

    class Adapter:
        name = __name__
        def run(self, native, *, connection_ref): ...

    class Store:
        def load(self): return {__name__: 1}
        def save(self, unit, value): ...
        def clear(self): ...

    @hookimpl
    def ods_get_scheduler(name):
        return Adapter()

    @hookimpl
    def ods_checkpoint_store(run):
        return Store()
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
            run = Run(name, "k", "r", logging.getLogger())
            print(plugins.scheduler(name).name, *plugins.checkpoint_store(run).load())
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


def test_an_error_of_ours_within_a_plugin_s_problem_is_named_by_one_class(site):
    install(site, "bad-dist", {"bad": "bad_plugin"}, bad_plugin="ODS_PLUGIN_API_REQUIRES = '>=7'")
    problem = named(Plugins(environ={}), "bad-dist:bad").problem
    assert problem.startswith("it needs the plugin API >=7")
    with pytest.raises(OdsBrokenPlugin) as caught:
        Plugins(environ={"ODS_PLUGINS_STRICT": "1"})
    assert "Ods" not in str(caught.value)


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
                return SimpleNamespace(name=name, run=None.__eq__)

        return Plugin()

    assert build(one=given("one"), two=given("two")).scheduler("cli").name == "two"


@pytest.mark.parametrize(
    ("hook", "ask"),
    [
        ("ods_get_scheduler", lambda plugins: plugins.scheduler("cli")),
        ("ods_checkpoint_store", lambda plugins: plugins.checkpoint_store(RUN)),
        ("ods_open_destination", lambda plugins: plugins.destination("out.csv", RUN)),
        ("ods_last_success", lambda plugins: plugins.last_success("f", RUN)),
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
    assert caught.value.transient


class Adapter:
    name = "mine"

    def run(self, native, *, connection_ref):
        return native


@pytest.mark.parametrize(
    ("hook", "answer", "ask", "said"),
    [
        ("ods_get_scheduler", "cli", lambda p: p.scheduler("cli"), r"a str, which has no run\(\), instead of a Sched"),
        (
            "ods_resolve_connection",
            "ods://:the-key@x",
            lambda p: p.connection("x", "cli"),
            "a str instead of an OdsCon",
        ),
        (
            "ods_checkpoint_store",
            {},
            lambda p: p.checkpoint_store(RUN),
            r"a dict, which has no load\(\), instead of a Ch",
        ),
        ("ods_open_destination", "out.csv", lambda p: p.destination("x", RUN), "a str instead of a Destination"),
        ("ods_last_success", [("rows", 3)], lambda p: p.last_success("f", RUN), "a list instead of a mapping"),
        (
            "ods_wait_policy",
            60,
            lambda p: p.wait_policy(Wait(datetime.now(UTC), "x"), RUN),
            "an? int instead of a Wait",
        ),
        (
            "ods_token_store",
            {},
            lambda p: p.token_store(OAUTH, "cli"),
            r"a dict, which has no lock\(\), instead of a Tok",
        ),
    ],
)
def test_a_supplier_that_gives_another_type_is_named_and_no_retry_can_help(hook, answer, ask, said):
    plugin = type("Odd", (), {hook: hookimpl(lambda self: answer)})()
    silent = type("Silent", (), {hook: hookimpl(lambda self: None)})()
    with pytest.raises(OdsBrokenPlugin, match=f"the plugin odd gave {said}.*{hook}") as caught:
        ask(build(odd=plugin, silent=silent))
    assert not caught.value.transient
    assert "the-key" not in str(caught.value)


def test_a_wrapper_that_makes_a_right_answer_wrong_is_the_one_that_is_named():
    class Wrapping:
        @hookimpl(wrapper=True)
        def ods_open_destination(self):
            yield
            return "out.csv"

    with pytest.raises(OdsBrokenPlugin, match="the plugin wrapping gave a str instead of a Destination"):
        build(wrapping=Wrapping()).destination("out.csv", RUN)


def test_an_adapter_that_gives_no_run_is_named():
    plugin = type("Odd", (), {"ods_get_scheduler": hookimpl(lambda self: Adapter())})()
    with pytest.raises(OdsBrokenPlugin, match=r"test_manager\.Adapter gave None instead of a Run \(SchedulerAdapter"):
        build(odd=plugin).run("mine", None, connection_ref="x")
    with pytest.raises(OdsConfigError, match="no plugin knows the scheduler 'slurm'"):
        build().run("slurm", None, connection_ref="x")


class Slow:
    """A store that times out, whatever it is asked for."""

    where = "somewhere"

    def fail(self, *arguments):
        raise TimeoutError("the-key took too long")

    lock = load = save = clear = fail


@pytest.mark.parametrize(("call", "arguments"), [("load", ()), ("save", ("page-1", {"rows": 1})), ("clear", ())])
def test_a_store_that_fails_later_is_named_and_tried_again(call, arguments):
    plugin = type("Given", (), {"ods_checkpoint_store": hookimpl(lambda self: Slow())})()
    with pytest.raises(
        OdsPluginError, match=rf"test_manager\.Slow failed: TimeoutError.*CheckpointStore\.{call}"
    ) as caught:
        getattr(build(given=plugin).checkpoint_store(RUN), call)(*arguments)
    assert caught.value.transient


def test_a_store_that_says_itself_that_no_retry_helps_is_believed():
    class Sealed(Slow):
        def load(self):
            raise OdsConfigError("the vault is sealed for good", advice="Ask its owner")

    plugin = type("Given", (), {"ods_checkpoint_store": hookimpl(lambda self: Sealed())})()
    with pytest.raises(OdsConfigError, match="sealed for good") as caught:
        build(given=plugin).checkpoint_store(RUN).load()
    assert not caught.value.transient


def test_a_store_that_keeps_no_mapping_is_named():
    class Listing(Slow):
        def load(self):
            return ["page-1"]

    plugin = type("Given", (), {"ods_checkpoint_store": hookimpl(lambda self: Listing())})()
    with pytest.raises(OdsBrokenPlugin, match=r"Listing gave a list instead of a dict"):
        build(given=plugin).checkpoint_store(RUN).load()


def test_what_a_store_of_tokens_says_is_not_repeated_and_what_is_raised_under_its_lock_is_not_its_own():
    class Open(Slow):
        def lock(self):
            return nullcontext()

    def given(store):
        plugin = type("Given", (), {"ods_token_store": hookimpl(lambda self: store)})()
        return build(given=plugin).token_store(OAUTH, "cli")

    for call in (lambda: given(Slow()).load(), lambda: given(Slow()).lock().__enter__()):
        with pytest.raises(OdsPluginError, match="Slow failed: TimeoutError") as caught:
            call()
        assert caught.value.transient
        assert "the-key" not in str(caught.value)
        assert caught.value.__cause__ is None
    with pytest.raises(KeyError), given(Open()).lock():
        raise KeyError("somebody else's")


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


@pytest.mark.at_length
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
