"""How tasks of ours wait and fail under Airflow: decided once, for operators and sensors."""

from __future__ import annotations

from typing import Any, NoReturn

DEFAULT_CONN_ID = "ods_default"


def deferrable_by_default() -> bool:
    """Return ``[operators] default_deferrable`` where somebody set it, else True.

    Airflow ships it as False, which says nothing about what a user wants; only a value of the user's own counts.
    """
    from airflow.sdk.configuration import conf

    if conf.has_option("operators", "default_deferrable", lookup_from_deprecated=False) and _set_by_user(conf):
        return bool(conf.getboolean("operators", "default_deferrable"))
    return True


def _set_by_user(conf: Any) -> bool:
    # No commands and no secret stores, which Airflow would otherwise run for every option that may stand there; it then
    # insists on showing sensitive values, of which only the source of one is looked at.
    shown = conf.as_dict(
        display_source=True, display_sensitive=True, raw=True, include_cmds=False, include_secret=False
    )
    source = shown.get("operators", {}).get("default_deferrable")
    return isinstance(source, tuple) and source[1] != "default"


def fail(error: Any) -> NoReturn:
    """Raise ``error`` as Airflow should see it: an error that no retry can cure fails the task at once."""
    from airflow.sdk.exceptions import AirflowFailException

    if error.transient:
        raise error
    raise AirflowFailException(f"{type(error).__name__}: {error}") from error
