"""Load plugins once, on first use, each by itself: a broken one is named and the others work."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, distributions
from traceback import walk_tb
from typing import Any

import pluggy

from ods_provider.core.checkpoint import CheckpointStore
from ods_provider.core.connection import OdsConnection
from ods_provider.core.errors import OdsBrokenPlugin, OdsConfigError, OdsError, OdsPluginError
from ods_provider.core.events import Event
from ods_provider.core.oauth import TokenStore
from ods_provider.core.outcome import Wait
from ods_provider.core.redact import scrub
from ods_provider.plugins import builtin, hookspecs
from ods_provider.plugins.masking import MaskedTokens
from ods_provider.plugins.run import Run, SchedulerAdapter
from ods_provider.plugins.supplied import SpeakingProgress, SpeakingTokens, asking, class_of, misfit
from ods_provider.sinks.destination import Destination
from ods_provider.tables.target import Target

log = logging.getLogger(__name__)

PREFIX = "ods_"
OURS = "ods-provider:"
NAMED = "ODS_PLUGINS"
DISABLE = "ODS_PLUGINS_DISABLE"
STRICT = "ODS_PLUGINS_STRICT"
OBSERVING = ("ods_job_event", "ods_new_secret")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One plugin found: its name, its hooks, and what went wrong, if anything.

    The name is ``distribution:entry-point``, or the module's own where ``ODS_PLUGINS`` named it.
    """

    name: str
    hooks: tuple[str, ...] = ()
    problem: str | None = None


class Plugins:
    """The plugins of this process and the calls to them.

    Args:
        extra: Plugin objects by name, registered last, so that they answer first. Tests pass theirs here.
        entry_points: Whether installed plugins are looked for.
        environ: Environment. ``ODS_PLUGINS`` holds modules that are plugins without being installed as such,
            ``ODS_PLUGINS_DISABLE`` names to leave out (``all``: whatever is not ours), and ``ODS_PLUGINS_STRICT=1``
            makes a broken plugin fatal.
    """

    def __init__(
        self,
        extra: Mapping[str, object] | None = None,
        *,
        entry_points: bool = True,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.loaded: list[Loaded] = []
        self._register(f"{OURS}builtin", lambda: builtin)
        disabled = _names(environ, DISABLE)
        for name, point in _installed() if entry_points else ():
            if name not in disabled and ("all" not in disabled or name.startswith(OURS)):
                self._register(name, point.load)
        for name in _names(environ, NAMED):
            if name not in disabled and "all" not in disabled:
                self._register(name, lambda name=name: import_module(name))  # type: ignore[misc]  # binds the loop's value
        for name, plugin in (extra or {}).items():
            self._register(name, lambda plugin=plugin: plugin)  # type: ignore[misc]  # binds the loop's value
        self._report(strict=environ.get(STRICT, "") == "1")

    def _register(self, name: str, load: Callable[[], object]) -> None:
        try:
            plugin = load()
            _check_version(plugin)
            self._manager.register(plugin, name=name)
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and type(error) is not SystemExit:
                # No plugin that calls sys.exit, but a signal that came while it was loaded: it ends the process.
                raise
            # pluggy keeps the hooks that it had taken when it met the bad one.
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            # Ours say it all; the class of another is half of what it says.
            said = str(error) if isinstance(error, OdsError) else f"{type(error).__name__}: {error}"
            self.loaded.append(Loaded(name, problem=scrub(said).rstrip(".")))
            return
        hooks = tuple(sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ()))
        self.loaded.append(Loaded(name, hooks, self._problem(plugin)))

    def _problem(self, plugin: object) -> str | None:
        unknown = [hook for hook in _hook_names(plugin) if not hasattr(hookspecs, hook)]
        if unknown:
            return f"unknown hook {', '.join(unknown)}; known are {', '.join(known_hooks())}"
        for hook in OBSERVING:
            heard_by = getattr(self._manager.hook, hook).get_hookimpls()
            if any(each.wrapper or each.hookwrapper for each in heard_by if each.plugin is plugin):
                return f"{hook} is called listener by listener and takes no wrapper"
        return None

    def _report(self, *, strict: bool) -> None:
        for plugin in self.loaded:
            if plugin.problem and strict:
                raise OdsBrokenPlugin(
                    f"the plugin is broken: {plugin.problem}", where=plugin.name, advice=f"Mend it, or unset {STRICT}"
                )
            if plugin.problem:
                log.warning("The plugin %s is broken and (partly) ignored: %s", plugin.name, plugin.problem)

    # Hooks that supply

    def scheduler(self, name: str) -> SchedulerAdapter:
        """Return the adapter of a scheduler.

        Raises:
            OdsConfigError: No plugin knows it.
        """
        adapter: SchedulerAdapter | None = self._supply("ods_get_scheduler", name=name)
        if adapter is None:
            raise OdsConfigError(
                f"no plugin knows the scheduler {name!r}",
                where="ods_get_scheduler",
                advice="Install the extra of that scheduler; `ods plugins` lists what is loaded",
            )
        return adapter

    def run(self, scheduler: str, native: Any, *, connection_ref: str) -> Run:
        """Return the run that a scheduler's own context stands for.

        Raises:
            OdsConfigError: No plugin knows the scheduler.
            OdsPluginError: Its adapter failed, or gave something else.
        """
        adapter = self.scheduler(scheduler)
        with asking(adapter, "SchedulerAdapter.run"):
            run = adapter.run(native, connection_ref=connection_ref)
        wrong = misfit("SchedulerAdapter.run", run)
        if wrong:
            raise OdsBrokenPlugin(
                f"{class_of(adapter)} {wrong}",
                where="SchedulerAdapter.run",
                advice="Mend that adapter; docs/plugins.md says what it gives",
            )
        return run

    def connection(self, ref: str, scheduler: str, run: Run | None = None) -> OdsConnection:
        """Return the connection ``ref`` of ``scheduler``; ``run`` is the job's that asks, where one does.

        Raises:
            OdsConfigError: No plugin knows it.
        """
        # What a foreign store of connections says when it fails may quote the connection, keys and all.
        connection: OdsConnection | None = self._supply(
            "ods_resolve_connection", quote=False, ref=ref, scheduler=scheduler, run=run
        )
        if connection is None:
            raise OdsConfigError(
                f"no connection {ref!r} is known to {scheduler}",
                where="ods_resolve_connection",
                advice="Create it there",
            )
        return connection

    def checkpoint_store(self, run: Run) -> CheckpointStore:
        """Return the checkpoint store of ``run``; the built-in one answers when nobody else does."""
        return SpeakingProgress(self._supply("ods_checkpoint_store", run=run))

    def destination(self, place: Any, run: Run) -> Destination:
        """Return the destination that ``place`` names; the built-in plugin answers or raises."""
        if isinstance(place, Destination):
            return place
        found: Destination = self._supply("ods_open_destination", place=place, run=run)
        return found

    def table_target(self, place: Any, run: Run) -> Target:
        """Return the database that ``place`` names; the built-in plugin answers or raises."""
        if isinstance(place, Target):
            return place
        found: Target = self._supply("ods_table_target", place=place, run=run)
        return found

    def opens(self, place: Any, run: Run) -> bool:
        """Return whether a plugin other than the built-in ones opens ``place``.

        Raises:
            OdsPluginError: It failed.
        """
        ours = [plugin for name, plugin in self._manager.list_name_plugin() if name.startswith(OURS)]
        asked = self._manager.subset_hook_caller("ods_open_destination", ours)
        return self._supply("ods_open_destination", asked=asked, place=place, run=run) is not None

    def wait_policy(self, wait: Wait, run: Run) -> Wait:
        """Return ``wait``, or what a plugin made of it."""
        return self._supply("ods_wait_policy", wait=wait, run=run) or wait

    def last_success(self, fingerprint: str, run: Run) -> Mapping[str, Any] | None:
        """Return the Outcome of the last successful run of the work, empty when there is none, None if nobody knows."""
        found: Mapping[str, Any] | None = self._supply("ods_last_success", fingerprint=fingerprint, run=run)
        return found

    def token_store(self, connection: OdsConnection, scheduler: str) -> TokenStore | None:
        """Return the store of the connection's OAuth2 grant, None where it has none.

        Whoever masks secrets hears of every token that passes it.
        """
        if connection.auth != "oauth2":
            return None
        store = self._supply("ods_token_store", quote=False, connection=connection)
        return MaskedTokens(
            SpeakingTokens(store), lambda secret: self._tell("ods_new_secret", secret=secret, scheduler=scheduler)
        )

    def _supply(
        self, hook: str, *, quote: bool = True, asked: Callable[..., Any] | None = None, **arguments: Any
    ) -> Any:
        asked = asked or getattr(self._manager.hook, hook)
        try:
            answer = asked(**arguments)
        except OdsError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}" if quote else type(error).__name__
            raise OdsPluginError(
                f"the plugin {self._culprit(hook, error)} failed: {said}",
                where=hook,
                advice="`ods plugins` lists what is loaded; take the failing one out with ODS_PLUGINS_DISABLE",
            ) from (error if quote else None)
        wrong = None if answer is None else misfit(hook, answer)
        if wrong:
            raise OdsBrokenPlugin(
                f"the plugin {self._giver(hook, arguments)} {wrong}",
                where=hook,
                advice="Mend it, or take it out with ODS_PLUGINS_DISABLE; docs/plugins.md says what it must give",
            )
        return answer

    def _giver(self, hook: str, arguments: Mapping[str, Any]) -> str:
        """Return the name of the plugin that answers: pluggy tells the answer alone, so each is asked once more."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        for each in reversed(implementations):
            if each.wrapper or each.hookwrapper:
                continue
            answer = each.function(*(arguments[name] for name in each.argnames))
            if answer is not None:
                # What is right here was made wrong by somebody who wraps the call.
                wraps = [each.plugin_name for each in implementations if each.wrapper or each.hookwrapper]
                return str(each.plugin_name if misfit(hook, answer) else ", ".join(wraps))
        return "that was asked"

    def _culprit(self, hook: str, error: Exception) -> str:
        """Return the name of the plugin in whose code ``error`` was raised."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        names = {getattr(each.function, "__code__", None): each.plugin_name for each in implementations}
        called = [names[frame.f_code] for frame, _ in walk_tb(error.__traceback__) if frame.f_code in names]
        return called[-1] if called else "that was asked"

    # Hooks that observe

    def notify(self, event: Event, run: Run) -> None:
        """Tell every listener what happened."""
        self._tell("ods_job_event", event=event, run=run)

    def _tell(self, hook: str, **given: Any) -> None:
        # One by one: one that fails silences no other (pluggy's own call would stop).
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            if implementation.wrapper or implementation.hookwrapper:
                continue
            try:
                implementation.function(*(given[name] for name in implementation.argnames))
            except Exception:
                log.warning("The listener %s failed and is passed over.", implementation.plugin_name, exc_info=True)


def known_hooks() -> list[str]:
    """Return the names of all hooks."""
    return sorted(name for name in vars(hookspecs) if name.startswith(PREFIX))


def _check_version(plugin: object) -> None:
    """Raise when the plugin asks for another version of the contract than this one."""
    needs = getattr(plugin, hookspecs.REQUIRES, None)
    if needs is None:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        fits = SpecifierSet(needs).contains(hookspecs.ODS_PLUGIN_API)
    except (InvalidSpecifier, TypeError, AttributeError):
        raise OdsBrokenPlugin(
            f"{hookspecs.REQUIRES}={needs!r} is no version specifier", advice='Write it as ">=1.0,<2"'
        ) from None
    if not fits:
        raise OdsBrokenPlugin(
            f"it needs the plugin API {needs}, and this is {hookspecs.ODS_PLUGIN_API}",
            advice="Install the versions of the plugin and of ods-provider that fit",
        )


def _names(environ: Mapping[str, str], variable: str) -> list[str]:
    return list(dict.fromkeys(environ.get(variable, "").replace(",", " ").split()))


def _hook_names(plugin: object) -> list[str]:
    marked = f"{hookspecs.PROJECT}_impl"
    return sorted(name for name in dir(plugin) if getattr(getattr(plugin, name, None), marked, None) is not None)


def _installed() -> list[tuple[str, EntryPoint]]:
    """Return the installed plugins in the order in which they are registered: ours first, the others by name.

    pluggy asks the one that came last first, so that ours answer last, wherever the path names which distribution.
    """
    # Keyed by distribution: two of them may call their entry point the same. The first on the path is the one in use.
    found: dict[str, EntryPoint] = {}
    for distribution in distributions():
        for point in distribution.entry_points:
            if point.group == hookspecs.PROJECT:
                found.setdefault(f"{distribution.metadata['Name']}:{point.name}", point)
    return sorted(found.items(), key=lambda named: (not named[0].startswith(OURS), named[0]))


@cache
def plugins() -> Plugins:
    """Return the plugins of this process, loaded at the first call."""
    return Plugins()
