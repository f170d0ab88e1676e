"""``OdsCredentials``: a portal and its keys as a Prefect block, whose secrets neither print nor show in the UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field, SecretStr

from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import PREFECT
from ods_provider.core.forgetting import forgets

if TYPE_CHECKING:
    from ods_provider.client import OdsClient

DEFAULT = "ods-default"


class OdsCredentials(Block):
    """A portal: its host, its keys, and how patient its users are.

    The settings are those of every connection of this package; an empty one takes the connection's default.

    Example:
        Save it once, and name it in your flows::

            OdsCredentials(host="data.example.org", api_key="…").save("ods-default")
    """

    _block_type_name: ClassVar[str | None] = "Opendatasoft Credentials"
    _block_type_slug: ClassVar[str | None] = "ods-credentials"
    _documentation_url: ClassVar[Any] = "https://help.huwise.com/"

    host: str = Field(description="Host name or URL of the portal, such as data.example.org.")
    api_key: SecretStr | None = Field(default=None, description="API key; empty calls anonymously.")
    push_api_key: SecretStr | None = Field(default=None, description="The push key that serves every resource.")
    # Not a dict of secrets: Prefect's API shows those.
    push_api_keys: SecretDict = Field(
        default_factory=lambda: SecretDict({}), description='Push keys by "dataset/resource", where they differ.'
    )
    login: str | None = Field(default=None, description="User name, for auth=basic.")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Other settings of a connection that are no secrets: auth, timeout_s, max_wait_s, verify, …",
    )
    secret_settings: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        description="Other settings of a connection that are secrets, such as proxy.",
    )

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the block saved under ``name``.

        Raises:
            OdsConfigError: There is none, or Prefect's API cannot be asked.
        """
        try:
            block: Self = cls.load(name)  # type: ignore[assignment]  # only within a loop it would be awaited
        except ValueError as error:
            raise OdsConfigError(
                f"no block {name!r} of type {cls._block_type_slug}: {str(error).partition('.')[0]}",
                where="OdsCredentials",
                advice=f"Save it: OdsCredentials(host=…, api_key=…).save({name!r}), or create it in Prefect's UI",
            ) from None
        return block

    @property
    def ref(self) -> str:
        """The name under which it is saved, or the usual one."""
        return self._block_document_name or DEFAULT

    @forgets
    def connection(self) -> OdsConnection:
        """Return the connection as the rest of the package knows it.

        Raises:
            OdsConfigError: A part is bad; the message names it and shows no secret.
        """
        extra = {**self.settings, **self.secret_settings.get_secret_value()}
        push_keys = dict(self.push_api_keys.get_secret_value())
        if self.push_api_key is not None:
            push_keys[""] = _plain(self.push_api_key)
        if push_keys:
            extra["push_api_key"] = push_keys
        return from_parts(
            host=self.host,
            login=self.login,
            password=_plain(self.api_key),
            extra=extra,
            where=f"OdsCredentials {self.ref}",
            face=PREFECT,
        )

    def client(self) -> OdsClient:
        """Return a client of the portal, for code of your own. Use it as a context manager."""
        from ods_provider.client import OdsClient
        from ods_provider.plugins.manager import plugins
        from ods_provider.schedulers.prefect.native import NAME

        connection = self.connection()
        return OdsClient(connection, tokens=plugins().token_store(connection, NAME))


def _plain(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
