"""Files in private networks: refused by name, by address, behind redirects, and when a name changes its address."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import replay as play
import trustme
from replay import replay

from ods_provider.core.connection import from_parts
from ods_provider.core.errors import OdsConfigError
from ods_provider.core.wire import Request, Response
from ods_provider.transport.networks import Networks, Resolve, addresses, is_public
from ods_provider.transport.session import RequestsTransport

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1",
        "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1", "no address",
        "::10.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b:1::10.0.0.1", "fec0::1", "5f00::1", "",
    ],
)  # fmt: skip
def test_an_address_that_not_everybody_reaches_is_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_that_everybody_reaches_is_public(address: str) -> None:
    assert is_public(address)


def names(**known: list[str]) -> Resolve:
    return lambda name: known.get(name.partition(".")[0], [])


@pytest.mark.parametrize(
    ("chosen", "portal", "refused"),
    [
        ("auto", [PUBLIC], True),
        ("auto", [PUBLIC, "10.0.0.1"], True),
        ("auto", ["10.0.0.1"], False),
        ("auto", ["127.0.0.1", "::1"], False),
        ("auto", [], True),
        ("refuse", ["10.0.0.1"], True),
        ("allow", [PUBLIC], False),
    ],
)
def test_files_in_private_networks_are_refused_where_the_portal_is_public(
    chosen: Any, portal: list[str], refused: bool
) -> None:
    networks = Networks("portal.example", chosen, resolve=names(portal=portal, files=["10.0.0.2"]))
    if refused:
        with pytest.raises(OdsConfigError, match="private network"):
            networks.expect_public("files.example")
        with pytest.raises(OdsConfigError, match="private_files"):
            networks.expect_public_peer("files.example", "10.0.0.2")
    else:
        networks.expect_public("files.example")
        networks.expect_public_peer("files.example", "10.0.0.2")


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_name() -> None:
    networks = Networks("portal", "refuse", resolve=names(mixed=[PUBLIC, "127.0.0.1"], fine=[PUBLIC]))
    networks.expect_public("fine.example")
    with pytest.raises(OdsConfigError):
        networks.expect_public("mixed.example")


def test_a_public_portal_does_not_become_private_by_another_address_of_its_name() -> None:
    networks = Networks("portal.example", "auto", resolve=names(portal=["10.0.0.1"], files=["10.0.0.2"]))
    networks.met_portal(PUBLIC)
    networks.met_portal("10.0.0.1")
    with pytest.raises(OdsConfigError):
        networks.expect_public("files.example")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "0x7f000001", "2130706433", "127.1", "localhost"])
def test_every_spelling_of_this_machine_is_its_address(host: str) -> None:
    with pytest.raises(OdsConfigError):
        Networks("portal", "refuse").expect_public(host)


@contextmanager
def transport(url: str, *, resolve: Resolve = addresses, **extra: Any) -> Iterator[RequestsTransport]:
    made = RequestsTransport(from_parts(host=url, password="k3y", extra={"timeout_s": 5, **extra}), resolve=resolve)
    try:
        yield made
    finally:
        made.close()


def fetch(made: RequestsTransport, url: str) -> Response:
    response = made.send(Request(url, kind="file", dataset_id="d"))
    if response.stream:
        response.stream.close()
    return response


def test_a_portal_on_this_machine_may_name_files_on_it_unless_that_is_refused() -> None:
    with replay(play.answer(b"file")) as elsewhere, replay() as portal:
        with transport(portal.url) as made:
            assert fetch(made, f"{elsewhere.url}/f").status == 200
        with transport(portal.url, private_files="refuse") as made, pytest.raises(OdsConfigError, match="private"):
            fetch(made, f"{elsewhere.url}/f")
    assert len(elsewhere.requests) == 1


def test_a_redirect_into_a_private_network_is_refused_and_the_portals_own_files_are_not() -> None:
    with replay(play.answer(b"secret")) as elsewhere:
        redirect = play.answer(b"", "302 Found", f"Location: {elsewhere.url}/f")
        with replay(play.answer(b"file"), redirect) as portal, transport(portal.url, private_files="refuse") as made:
            assert fetch(made, "/own").status == 200
            with pytest.raises(OdsConfigError, match="private"):
                fetch(made, "/away")
        assert elsewhere.requests == []


def test_allowed_hosts_are_the_portals_own_wherever_they_are() -> None:
    with replay(play.answer(b"file")) as elsewhere, replay() as portal:
        allowed = f"127.0.0.1:{elsewhere.port}"
        with transport(portal.url, private_files="refuse", allowed_hosts=allowed) as made:
            assert fetch(made, f"{elsewhere.url}/f").status == 200


def test_a_name_that_changes_its_address_in_between_is_refused_before_anything_is_sent() -> None:
    with replay(play.answer(b"secret")) as elsewhere, replay() as portal:
        # When it is looked at the name leads out, when it is connected to it leads here.
        with (
            transport(portal.url, private_files="refuse", resolve=lambda host: [PUBLIC]) as made,
            pytest.raises(OdsConfigError, match="private"),
        ):
            fetch(made, f"http://localhost:{elsewhere.port}/f")
        assert elsewhere.requests == []


def test_a_public_portal_behind_a_proxy_names_no_address_of_this_network(tmp_path: Path) -> None:
    # The proxy knows the portal's name, this machine does not: https, and not in any network of ours.
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("data.invalid").configure_cert(context)
    with replay() as proxy:
        extra = {"proxy": proxy.url, "verify": str(bundle)}
        with transport("https://data.invalid", **extra) as made, pytest.raises(OdsConfigError, match="private"):
            fetch(made, "https://169.254.169.254/latest/meta-data/")
        assert proxy.requests == []
