"""``ods login``: authorise an OAuth2 application once, so that workers can go on from there."""

from __future__ import annotations

import os
import secrets
import socket
import time
from urllib.parse import SplitResult, parse_qs, urlsplit

import click

from ods_provider.cli.reading import typed_file
from ods_provider.cli.settings import Settings
from ods_provider.core.connection import OdsConnection, from_parts
from ods_provider.core.errors import OdsError
from ods_provider.core.faces import LOGIN
from ods_provider.core.legible import legible
from ods_provider.core.redact import Secret

REDIRECT_URI = "http://127.0.0.1:8914/"
_PAGE = b"<!DOCTYPE html><title>ods login</title><p>The portal has answered. You can close this page.</p>"
_NO_PAGE = b"<!DOCTYPE html><title>ods login</title><p>This is not the answer that is waited for.</p>"
_ASK = "ask"


def _host(ctx: click.Context, option: click.Parameter, value: str | None) -> str:
    # It may stand before the command, as with every other one.
    found = value or ctx.ensure_object(Settings).host or os.environ.get("ODS_HOST")
    if not found:
        raise click.MissingParameter(ctx=ctx, param=option)
    return found


@click.command()
@click.option("--host", callback=_host, help="The portal, such as data.example.org; else ODS_HOST.")
@click.option("--client-id", required=True, envvar="ODS_CLIENT_ID", help="Client id of the application.")
@click.option(
    "--client-secret-file",
    metavar="FILE",
    help="File that holds the client secret; else ODS_CLIENT_SECRET, else you are asked. A public one has none.",
)
@click.option(
    "--redirect-uri", default=REDIRECT_URI, show_default=True, help="The redirect URL that the application registered."
)
@click.option(
    "--code",
    is_flag=False,
    flag_value=_ASK,
    help="For a machine without a browser: the code, or the address that the browser ended at. Alone, it asks for it.",
)
@click.option("--login", help="The connection's login, where several users share one application.")
@click.option("--seed", is_flag=True, help="Store nothing here: print the refresh token for the connection.")
@click.option("--verify", help="Path of a CA bundle for a portal with a private certificate.")
@click.option("--wait-s", default=600.0, show_default=True, help="How long to wait for the browser.")
def login(
    host: str,
    client_id: str,
    client_secret_file: str | None,
    redirect_uri: str,
    code: str | None,
    login: str | None,
    seed: bool,
    verify: str | None,
    wait_s: float,
) -> None:
    """Authorise an OAuth2 application of yours on a portal, and keep its tokens where workers find them.

    Register the application first, under My applications on the portal. Its tokens go to the token store: the folder
    ODS_TOKEN_STORE, else the user's state folder. With --seed they do not; put what is printed into the connection.
    """
    try:
        connection = from_parts(
            host=host,
            login=login,
            extra={
                "auth": "oauth2",
                "client_id": client_id,
                "client_secret": _client_secret(client_secret_file),
                "verify": verify,
            },
            where="ods login",
            face=LOGIN,
        )
        found = _obtain_code(connection, redirect_uri, code, wait_s)
        with LOGIN.speaking():
            _exchange(connection, found, redirect_uri, seed=seed)
    except OdsError as error:
        raise click.ClickException(str(error)) from None


def _client_secret(file: str | None) -> str:
    if file is not None:
        return typed_file(file, where="--client-secret-file").strip()
    given = os.environ.get("ODS_CLIENT_SECRET")
    if given is not None:
        return given
    asked: str = click.prompt("Client secret (empty for a public application)", default="", hide_input=True, err=True)
    return asked


def _obtain_code(connection: OdsConnection, redirect_uri: str, code: str | None, wait_s: float) -> Secret:
    if code and code != _ASK:
        return _pasted(code, state=None)
    from ods_provider.core.oauth import authorize_url

    state = secrets.token_urlsafe(24)
    url = authorize_url(connection, redirect_uri=redirect_uri, state=state)
    if code == _ASK:
        click.echo(f"Open this address in a browser and allow the application:\n\n  {url}\n", err=True)
        click.echo("It ends at an address that begins with the redirect URL and may show an error; copy it.", err=True)
        return _pasted(click.prompt("That address, or its code", err=True), state=state)
    with _listen(redirect_uri) as server:
        click.echo(f"Open this address in a browser of this machine and allow the application:\n\n  {url}\n", err=True)
        return _redirected(server, path=_parts(redirect_uri).path or "/", state=state, wait_s=wait_s)


def _pasted(text: str, *, state: str | None) -> Secret:
    text = text.strip()
    if "://" not in text:
        return Secret(text)
    return _code(_parts(text).query, state=state)


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port  # read where it is asked for
    except ValueError:
        return urlsplit("")
    return parts


def _code(query: str, *, state: str | None) -> Secret:
    """Return the code of a redirect; ``state`` None leaves the state unchecked, where nobody remembers it."""
    answered = {name: values[0] for name, values in parse_qs(query).items()}
    if state is not None and not secrets.compare_digest(answered.get("state", "").encode(), state.encode()):
        raise click.ClickException(
            "the answer belongs to another login (its state is not the one that was sent). Run `ods login` again."
        )
    if "code" not in answered:
        said = legible(answered.get("error", "it did not say why"), most_chars=200)
        raise click.ClickException(f"the portal gave no code: {said}.")
    return Secret(answered["code"])


def _listen(redirect_uri: str) -> socket.socket:
    parts = _parts(redirect_uri)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or not parts.port:
        raise click.ClickException(
            f"nothing can listen at {redirect_uri}: use --code, or register a redirect URL such as {REDIRECT_URI}"
        )
    try:
        return socket.create_server(("127.0.0.1", parts.port))
    except OSError as error:
        raise click.ClickException(
            f"port {parts.port} cannot be listened at: {error.strerror}. Use --code, or another redirect URL."
        ) from None


def _redirected(server: socket.socket, *, path: str, state: str, wait_s: float) -> Secret:
    """Wait for the browser to come back; whatever else calls (an icon, another page) is sent away."""
    deadline = time.monotonic() + wait_s
    while True:
        server.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            browser, _ = server.accept()
        except TimeoutError:
            raise click.ClickException(f"nobody came back within {wait_s:.0f} s. Run `ods login` again.") from None
        with browser:
            target = _parts(_request_target(browser))
            ours = target.path == path and ("code=" in target.query or "error=" in target.query)
            _respond(browser, "200 OK" if ours else "404 Not Found", _PAGE if ours else _NO_PAGE)
        if ours:
            return _code(target.query, state=state)


def _request_target(browser: socket.socket) -> str:
    browser.settimeout(5.0)
    head = b""
    try:
        while b"\r\n\r\n" not in head and len(head) < 65_536 and (piece := browser.recv(8192)):
            head += piece
    except OSError:
        return ""
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    return rest.partition(" ")[0] if method == "GET" else ""


def _respond(browser: socket.socket, status: str, page: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
    try:
        browser.sendall(head.encode() + page)
    except OSError:  # the browser has gone; what it brought is here
        pass


def _exchange(connection: OdsConnection, code: Secret, redirect_uri: str, *, seed: bool) -> None:
    from ods_provider.core.drive import Terms, drive
    from ods_provider.core.oauth import Grant, exchange_code
    from ods_provider.core.retry import RetryRules
    from ods_provider.core.times import utc_now
    from ods_provider.plugins.manager import plugins
    from ods_provider.transport.session import RequestsTransport

    transport = RequestsTransport(connection)
    store = plugins().token_store(connection, "cli")
    assert store is not None  # it signs in with oauth2
    try:
        # Not repeated: a code works once.
        terms = Terms(transport, rules=RetryRules(max_retries=0))
        tokens = drive(exchange_code(connection, code=code, redirect_uri=redirect_uri), terms)
    finally:
        transport.close()
    if tokens.refresh_token is None:
        raise click.ClickException("the portal gave an access token and no refresh token, which workers would need.")
    click.echo("Put this into the connection's extras (the client secret too, where there is one):\n")
    shared = f'"auth": "oauth2", "client_id": "{connection.client_id}"'
    if seed:
        click.echo(f'  {{{shared}, "refresh_token": "{tokens.refresh_token.reveal()}"}}\n')
        click.echo("It works once: the first worker spends it, and its successors are kept in the token store.")
        return
    with store.lock():
        store.save(Grant(tokens.refresh_token).renewed(tokens, utc_now()))
    click.echo(f"  {{{shared}}}\n")
    click.echo(f"The tokens are kept in {store.where}; leave refresh_token out of the connection.")
    click.echo("Workers find them when ODS_TOKEN_STORE names the same folder for them as for you.")
