"""``OdsCredentials``: a portal and its keys as a Prefect block, whose secrets neither print nor show in the UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field, SecretStr, WithJsonSchema

from ods_provider.core.connection import EXTRAS, OdsConnection, from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import PREFECT
from ods_provider.core.forgetting import forgets
from ods_provider.core.legible import kind_of
from ods_provider.core.nearest import nearest

if TYPE_CHECKING:
    from ods_provider.client import OdsClient

DEFAULT = "ods-default"
_PREFECTS_OWN = {"block_type_slug"}
# What may be left empty is a plain field of Prefect's form, in place of a choice between a value and None.
_Key = Annotated[SecretStr | None, WithJsonSchema({"type": "string", "format": "password", "writeOnly": True})]
_Text = Annotated[str | None, WithJsonSchema({"type": "string"})]


class OdsCredentials(Block):
    """A portal: its host, its keys, and how patient its users are.

    The settings are those of every connection of this package; an empty one takes the connection's default.

    Example:
        Save it once, and name it in your flows::

            OdsCredentials(host="data.example.org", api_key="…").save("ods-default")
    """

    _block_type_name: ClassVar[str | None] = "Opendatasoft Credentials"
    _block_type_slug: ClassVar[str | None] = "ods-credentials"
    _documentation_url: ClassVar[Any] = "https://ods-provider.readthedocs.io/prefect/"
    _logo_url: ClassVar[Any] = "https://ods-provider.readthedocs.io/images/logo.svg"
    # The card beside the form cuts longer ones off.
    _description: ClassVar[str | None] = "An Opendatasoft (Huwise) portal and its keys."
    # Prefect shows what stands in the fence, with the block's name.
    _code_example: ClassVar[str | None] = """\
        ```python
        from ods_provider.schedulers.prefect import ods_download

        ods_download("world-capitals", "data/capitals.parquet", credentials="BLOCK_NAME")
        ```"""

    host: str = Field(description="Host name or URL of the portal, such as data.example.org.")
    api_key: _Key = Field(default=None, title="API Key", description="Empty calls anonymously.")
    push_api_key: _Key = Field(default=None, title="Push Key", description="The push key that serves every resource.")
    # Not a dict of secrets: Prefect's API shows those.
    push_api_keys: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Push Keys",
        description='Where they differ: {"dataset/resource": "key"}.',
    )
    login: _Text = Field(default=None, description="User name, for auth=basic.")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description='Other settings of a connection that are no secrets: {"max_wait_s": 30}.',
    )
    secret_settings: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        description='Those that are secrets: {"proxy": "http://user:…@proxy:3128"}.',
    )

    @forgets
    def block_initialization(self) -> None:
        """Refuse what is no field: Prefect's blocks keep it, in the clear, and nothing would read it.

        Raises:
            OdsConfigError: There is something; the message names it and what may be meant, and shows no value.
        """
        unknown = sorted(set(self.model_extra or {}) - _PREFECTS_OWN)
        if unknown:
            fields = list(type(self).model_fields)
            meant = [
                PREFECT.setting(known) if known in (*EXTRAS, *PREFECT.named) else f"the block's {known}"
                for name in unknown
                for known in nearest(name, (*fields, *EXTRAS))[:1] or ([name] if name in EXTRAS else [])
            ]
            raise OdsConfigError(
                f"unknown field{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
                where="OdsCredentials",
                advice=(f"Perhaps {' and '.join(meant)} is meant. " if meant else "")
                + f"Known are {', '.join(fields)}",
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
            # One that was never saved has no name.
            where=f"OdsCredentials {self._block_document_name or ''}".rstrip(),
            face=PREFECT,
        )

    def client(self) -> OdsClient:
        """Return a client of the portal, for code of your own. Use it as a context manager."""
        from ods_provider.client import OdsClient
        from ods_provider.plugins.manager import plugins
        from ods_provider.schedulers.prefect.native import NAME

        connection = self.connection()
        return OdsClient(connection, tokens=plugins().token_store(connection, NAME))


def expect_credentials(given: Any) -> OdsCredentials | str:
    """Return what a task was given as ``credentials``.

    Raises:
        OdsConfigError: It is neither a block nor the name of one; what it holds is not shown.
    """
    if isinstance(given, (OdsCredentials, str)):
        return given
    raise OdsConfigError(
        f"credentials is {kind_of(given)}, neither a block nor the name of one",
        where="argument credentials",
        advice='Pass OdsCredentials(host=…, api_key=…), or the name of a saved block such as "ods-default"',
    )


def _plain(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
