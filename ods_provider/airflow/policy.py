"""How tasks of ours wait and fail under Airflow: decided once, for operators and sensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

DEFAULT_CONN_ID = "ods_default"


def deferrable_by_default() -> bool:
    """Return ``[operators] default_deferrable`` where somebody set it, else True.

    Airflow ships it as False, and writes that into every airflow.cfg that it generates, which says nothing about what a
    user wants; only a value of the user's own counts.
    """
    from airflow.sdk.configuration import conf

    # No commands and no secret stores, which Airflow would otherwise run for every option that may stand there; it then
    # insists on showing sensitive values, of which the sources of one section are looked at.
    shown = conf.as_dict(
        display_source=True, display_sensitive=True, raw=True, include_cmds=False, include_secret=False
    )
    sources = {name: source for name, (_, source) in shown.get("operators", {}).items()}
    chosen = bool(conf.getboolean("operators", "default_deferrable", fallback=True))
    return chosen or not _set_by_a_person(sources)


def _set_by_a_person(sources: Mapping[str, str]) -> bool:
    source = sources.get("default_deferrable", "default")
    # A generated file states every option of a section; one that a person or a chart wrote states a few.
    generated = source == "airflow.cfg" and "default" not in sources.values()
    return source != "default" and not generated


def fail(error: Any, *, kind: str | None = None) -> NoReturn:
    """Raise ``error`` as Airflow should see it: an error that no retry can cure fails the task at once.

    Without its context: Airflow logs every traceback of a chain, and the message says it all.

    Args:
        error: What went wrong.
        kind: The name of its class, where it was another one's before it came through an event.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from ods_provider.core.faces import AIRFLOW

    AIRFLOW.retold(error)
    if error.transient:
        raise error from None
    raise AirflowFailException(f"{kind or type(error).__name__}: {error}") from None
