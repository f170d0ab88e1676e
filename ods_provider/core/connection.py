"""A connection as a value: where the portal is, who we are to it, how patient we are. It never prints a secret."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.faces import PLAIN, Face, setting
from ods_provider.core.forgetting import forgets
from ods_provider.core.nearest import nearest
from ods_provider.core.redact import Secret
from ods_provider.core.settings import READERS, Auth, PrivateFiles

EXTRAS = tuple(READERS)
_ATTRIBUTES = {"push_api_key": "push_keys"}


@dataclass(frozen=True, slots=True)
class OdsConnection:
    """Everything a client needs to know about a portal.

    Attributes:
        base_url: ``https://data.example.org``, no trailing slash, no credentials.
        auth: ``auto`` sends the key when there is one.
        login: User name, for ``auth="basic"`` only.
        api_key: The API key (or the password of ``basic``).
        push_keys: Push keys by ``dataset/resource``; the one under ``""`` serves every resource.
        timeout_s: Longest silence accepted while an answer is read. There is no limit on the whole (Q36).
        connect_timeout_s: Longest wait for a connection.
        min_bytes_s: Fewest bytes a second that an answer may bring while it is waited for, over twice ``timeout_s``
            together: a trickle never falls silent for long, and would last for ever. 0 takes any.
        max_retries, max_wait_s: See ``RetryRules``.
        max_quota_wait_s: Longest wait for a quota that a job accepts; past it the job fails and says when it returns.
        verify: True, False, or the path of a CA bundle.
        proxy: URL of a proxy for this portal, as a secret because it may hold a password.
        allowed_hosts: Other hosts of the same portal; a redirect to one is followed with credentials (Q45).
        private_files: Whether a file may be fetched from a private network (of this machine, of this house) that is
            not the portal's own host: a portal, or whoever writes into it, may name any address. ``auto`` refuses
            where the portal itself is on a public address.
        face: How the connection's settings are called where it was made: errors name them so.
        client_id, client_secret: The application, for ``auth="oauth2"``; a public one has no secret.
        refresh_token: Where the tokens of ``oauth2`` begin; those that follow from it live in the token store.
    """

    base_url: str
    auth: Auth = "auto"
    login: str | None = None
    api_key: Secret | None = None
    push_keys: Mapping[str, Secret] = field(default_factory=dict)
    timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    min_bytes_s: float = 100.0
    max_retries: int = 5
    max_wait_s: float = 60.0
    max_quota_wait_s: float = 26 * 3600.0
    verify: bool | str = True
    proxy: Secret | None = None
    allowed_hosts: tuple[str, ...] = ()
    private_files: PrivateFiles = "auto"
    client_id: str | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None
    face: Face = field(default=PLAIN, repr=False, compare=False)

    @property
    def host(self) -> str:
        """The portal's host, with its port when it has one."""
        return urlsplit(self.base_url).netloc

    def secrets(self) -> list[Secret]:
        """Return every secret of the connection, for maskers."""
        proxy_password = urlsplit(self.proxy.reveal()).password if self.proxy else None
        single = (self.api_key, self.proxy, self.client_secret, self.refresh_token, *self.push_keys.values())
        return [secret for secret in single if secret] + ([Secret(unquote(proxy_password))] if proxy_password else [])

    @property
    def signs(self) -> bool:
        """Whether calls carry credentials."""
        return self.auth == "oauth2" or (self.auth != "anonymous" and bool(self.api_key))

    def push_key(self, dataset_id: str, resource_id: str) -> Secret:
        """Return the push key of a resource.

        Raises:
            OdsConfigError: The connection has none for it.
        """
        for name in (f"{dataset_id}/{resource_id}", ""):
            if name in self.push_keys:
                return self.push_keys[name]
        raise OdsConfigError(
            f"no push key for {dataset_id}/{resource_id}",
            where=self.face.setting("push_api_key"),
            advice='Give the key, or a mapping {"dataset/resource": "key"}',
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("an OdsConnection is never pickled: it holds keys; look it up again where it is needed")


@forgets
def from_parts(
    *,
    host: str | None,
    schema: str | None = None,
    port: int | None = None,
    login: str | None = None,
    password: str | None = None,
    extra: Mapping[str, Any] | None = None,
    where: str = "connection",
    face: Face = PLAIN,
) -> OdsConnection:
    """Return a connection from the parts that a scheduler's form has.

    Args:
        host: Host name or URL. A scheme in it wins over ``schema``; without either, http on loopback, else https.
        schema: ``http`` or ``https``.
        port: Port, when the host names none.
        login: User name; an empty login is no login.
        password: API key.
        extra: The optional settings, each coerced from text; empty ones count as absent.
        where: Name of the connection, for messages.
        face: How its settings are called there, for messages.

    Raises:
        OdsConfigError: A part is missing, unknown or bad; the message names it and never shows its value if secret.
    """
    settings = {name: _present(value) for name, value in (extra or {}).items()}
    settings = {name: value for name, value in settings.items() if value is not None}
    unknown = sorted(set(settings) - set(READERS))
    if unknown:
        raise OdsConfigError(
            f"unknown {face.kind}{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}",
            where=where,
            advice=f"{_meant(unknown, face)}Known are {', '.join(READERS)}",
        )
    with face.speaking():
        known = {_ATTRIBUTES.get(name, name): READERS[name](name, value, where) for name, value in settings.items()}
        connection = OdsConnection(
            base_url=_base_url(host, schema, port, where),
            login=login or None,
            # A key that was read from a file brings its line break along.
            api_key=Secret(password.strip()) if password and password.strip() else None,
            face=face,
        )
        connection = replace(connection, **known)
        _check_texts(connection, where)
        _check_auth(connection, where)
    return connection


# What people call a key before they have read what it is called here.
_KEYS = {"key": "api_key", "apikey": "api_key", "password": "api_key", "token": "api_key", "user": "login"}


def _meant(unknown: list[str], face: Face) -> str:
    """Return a sentence on what the unknown settings may be meant for, empty where nothing is like them."""
    found: list[str] = []
    for name in unknown:
        known = _KEYS.get(name.lower(), name)
        near = [known] if known in face.parts else nearest(name, (*face.parts, *READERS))
        found += [face.setting(each) for each in near[:1]]
    said = " and ".join(dict.fromkeys(found))
    return f"Perhaps {said} {'are' if ' and ' in said else 'is'} meant. " if said else ""


def _check_texts(connection: OdsConnection, where: str) -> None:
    texts = [connection.login, connection.client_id, *(secret.reveal() for secret in connection.secrets())]
    try:
        "".join(text for text in texts if text).encode()
    except UnicodeEncodeError:
        # Which of them stays unsaid, and so does the error, which holds them all.
        raise OdsConfigError(
            "a key, a password or a name holds half a character",
            where=where,
            advice="Copy them again: somewhere bytes were read in another encoding than they were written in",
        ) from None


def _check_auth(connection: OdsConnection, where: str) -> None:
    if connection.auth in ("apikey", "basic") and not connection.api_key:
        raise OdsConfigError(
            f"auth={connection.auth} needs a key or password", where=where, advice=f"Give {setting('api_key')}"
        )
    if connection.auth == "basic" and not connection.login:
        raise OdsConfigError("auth=basic needs a user name", where=where, advice=f"Give {setting('login')}")
    if connection.auth == "oauth2" and not connection.client_id:
        raise OdsConfigError(
            "auth=oauth2 needs the application's client id", where=where, advice=f"Give {setting('client_id')}"
        )
    if connection.auth == "auto" and (connection.client_id or connection.refresh_token):
        raise OdsConfigError(
            "an OAuth2 application is given, and nothing says that it is signed in with",
            where=where,
            advice=f"Set {setting('auth')} to oauth2, or to apikey",
        )
    key = connection.api_key.reveal() if connection.api_key else ""
    if connection.auth in ("auto", "apikey") and not (key.isascii() and key.isprintable() and " " not in key):
        raise OdsConfigError(
            "the API key holds a character that no header may hold", where=where, advice="Copy the key again, alone"
        )


def _present(value: Any) -> Any:
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def _base_url(host: str | None, schema: str | None, port: int | None, where: str) -> str:
    text = (host or "").strip().rstrip("/")
    if not text:
        raise OdsConfigError("no host is given", where=where, advice=f"Set {setting('host')}, such as data.example.org")
    explicit = "://" in text
    try:
        parts = urlsplit(text if explicit else f"//{text}")
        named_port = parts.port
    except ValueError:
        named_port, parts = None, urlsplit("")
    scheme = (parts.scheme if explicit else schema or "").lower()
    hostname = parts.hostname or ""
    # A backslash, say, would be the end of the host to one parser and a part of it to another.
    if not re.fullmatch(r"[\w.:-]+", hostname) or parts.path or parts.query or parts.fragment:
        raise OdsConfigError(
            "the host is not a host name or a URL without a path",
            where=where,
            advice=f"Write it as data.example.org or https://data.example.org; a key goes into {setting('api_key')}",
        )
    if parts.username or parts.password:
        raise OdsConfigError(
            "the host holds credentials", where=where, advice=f"Move the key into {setting('api_key')}"
        )
    scheme = scheme or ("http" if is_loopback(hostname) else "https")
    if scheme not in ("http", "https"):
        raise OdsConfigError(f"the scheme {scheme!r} is neither http nor https", where=where, advice="Use https")
    name = f"[{hostname}]" if ":" in hostname else hostname
    final_port = named_port or port
    return f"{scheme}://{name}" + (f":{final_port}" if final_port else "")


def is_loopback(name: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
