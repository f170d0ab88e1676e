"""``OdsResource``: a portal and its keys, which no repr and no page of Dagster's UI shows."""

# No `from __future__ import annotations`: Dagster reads the annotations of resources, configs and contexts as objects.
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dagster import ConfigurableResource, EnvVar
from pydantic import Field

from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import DAGSTER
from ods_provider.core.forgetting import forgets
from ods_provider.core.nearest import listed, nearest
from ods_provider.core.outcome import Done, Wait
from ods_provider.core.redact import MASK

if TYPE_CHECKING:
    from ods_provider.client import OdsClient
    from ods_provider.jobs.context import Job

SECRETS = frozenset({"api_key", "push_api_key", "proxy", "client_secret", "refresh_token"})
_SALT = secrets.token_bytes(16)


class OdsResource(ConfigurableResource[Any]):
    """A portal: its host, its keys, and how patient its users are.

    Give keys as ``EnvVar("ODS_API_KEY")``. A key given as text is moved into an environment variable of this process at
    once, because Dagster shows the values of a resource in its UI.

    The fields are those of every connection of this package; an empty one takes the connection's default.
    """

    host: str = Field(description="Host name or URL of the portal, such as data.example.org.")
    api_key: str | None = Field(default=None, description='API key: EnvVar("ODS_API_KEY"). Empty calls anonymously.')
    push_api_key: str | None = Field(
        default=None, description='Push key, or a JSON mapping {"dataset/resource": "key"}, as an EnvVar.'
    )
    auth: str | None = Field(default=None, description="auto, anonymous, apikey, basic or oauth2.")
    client_id: str | None = Field(default=None, description="OAuth2 client, for auth=oauth2.")
    client_secret: str | None = Field(default=None, description="Its secret, as an EnvVar.")
    refresh_token: str | None = Field(default=None, description="First refresh token, as an EnvVar; see `ods login`.")
    login: str | None = Field(default=None, description="User name, for auth=basic.")
    timeout_s: float | None = Field(default=None, description="Longest silence while an answer is read.")
    connect_timeout_s: float | None = Field(default=None, description="Longest wait for a connection.")
    min_bytes_s: float | None = Field(default=None, description="Fewest bytes a second that an answer may bring.")
    max_retries: int | None = Field(default=None, description="Tries again of one request.")
    max_wait_s: float | None = Field(default=None, description="All that one request may sleep in a run.")
    max_quota_wait_s: float | None = Field(default=None, description="Longest wait for a quota; past it a run fails.")
    verify: str | None = Field(default=None, description="true, false or the path of a CA bundle.")
    proxy: str | None = Field(default=None, description="URL of a proxy, as an EnvVar if it holds a password.")
    allowed_hosts: str | None = Field(default=None, description="Other hosts of the same portal, comma separated.")
    private_files: str | None = Field(
        default=None, description="Files on other hosts with private addresses: auto, refuse or allow."
    )

    @forgets
    def __init__(self, **given: Any) -> None:
        _expect_known(given, type(self).model_fields)
        super().__init__(**_hidden(given))

    @classmethod
    @forgets
    def configure_at_launch(cls, **given: Any) -> Any:
        """Return the resource with the rest of its fields left to the run's config; never type a key there."""
        _expect_known(given, cls.model_fields)
        return super().configure_at_launch(**_hidden(given))

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        # pydantic builds both repr and str of this.
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is not None:
                yield name, _Masked() if name in SECRETS else value

    @forgets
    def connection(self) -> OdsConnection:
        """Return the connection as the rest of the package knows it.

        Raises:
            OdsConfigError: A field is bad, or the variable of a key is not set.
        """
        given = {name: _resolved(name, getattr(self, name)) for name in type(self).model_fields}
        parts = {"host": given.pop("host"), "login": given.pop("login"), "password": given.pop("api_key")}
        return from_parts(**parts, extra=given, where="OdsResource", face=DAGSTER)

    def client(self) -> "OdsClient":
        """Return a client of the portal, for code of your own. Use it as a context manager."""
        from ods_provider.client import OdsClient
        from ods_provider.plugins.manager import plugins
        from ods_provider.schedulers.dagster.plugin import NAME

        connection = self.connection()
        return OdsClient(connection, tokens=plugins().token_store(connection, NAME))

    def run_job(self, context: Any, job: "Job") -> Done | Wait:
        """Run a job in a step of your own; ``working.Step.run`` says what to do with what comes back."""
        from ods_provider.schedulers.dagster.working import Step

        return Step(context, self).run(job)


def _expect_known(given: Mapping[str, Any], fields: Iterable[str]) -> None:
    # Dagster drops what it does not know without a word: a timeout would be the default's.
    unknown = [name for name in given if name not in fields]
    if unknown:
        meant = list(dict.fromkeys(each for name in unknown for each in nearest(name, fields)[:1]))
        raise OdsConfigError(
            f"unknown field{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
            where="OdsResource",
            advice=(f"Perhaps {listed(meant)} is meant. " if meant else "") + f"Known are {', '.join(fields)}",
        )


class _Masked:
    def __repr__(self) -> str:
        return MASK


def _hidden(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_variable(value) if name in SECRETS else value for name, value in given.items()}


def _as_variable(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(value, EnvVar):
        return value
    # The name is the same for the same key, and tells nothing of it: it is shown in the UI.
    name = f"ODS_LITERAL_{blake2b(value.encode(), key=_SALT, digest_size=6).hexdigest().upper()}"
    os.environ[name] = value
    return EnvVar(name)


def _resolved(name: str, value: Any) -> Any:
    if not isinstance(value, EnvVar):
        return value
    found = value.get_value()
    if found is None:
        raise OdsConfigError(
            f"the environment variable {value.env_var_name} is not set",
            where=f"OdsResource, field {name}",
            advice="Set it where Dagster runs this code, in the daemon's and in the runs' environment",
        )
    return found
