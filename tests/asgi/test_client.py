"""The client's address cannot be forged, and has one canonical form."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgi import client as addresses_module
from asgi.client import MAX_HOPS, UNKNOWN, Address, client_address, client_of, is_secure, throttle_key
from domain.session import MAX_USER_AGENT
from domain.text import without_control_characters

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))

addresses = st.ip_addresses().map(str)
hops = st.text(max_size=30) | addresses | addresses.map("[{}]:80".format)


def scope(
    *headers: tuple[bytes, bytes], client: tuple[str, int] | None = ("192.0.2.1", 5), **more: Any
) -> dict[str, Any]:
    return {"type": "http", "scheme": "http", "client": client, "headers": list(headers)} | more


class TestForwarding:
    @pytest.mark.parametrize(
        ("peer", "forwarded_for", "address"),
        [
            ("192.0.2.1", [], "192.0.2.1"),
            ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not a trusted proxy
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the left one is the client's invention
            ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7", "10.0.0.3,10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", ["198.51.100.7, , "], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7, garbage, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", ["unknown"], "10.0.0.1"),
            ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
            ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            (None, ["198.51.100.7"], UNKNOWN),
            ("", ["198.51.100.7"], UNKNOWN),
            ("testclient", ["198.51.100.7"], UNKNOWN),
        ],
    )
    def test_the_header_is_read_from_the_right_past_trusted_proxies(
        self, peer: str | None, forwarded_for: list[str], address: str
    ) -> None:
        """The client is the first address from the right that is not a trusted proxy."""
        assert client_address(peer, forwarded_for, PROXIES) == address

    def test_without_trusted_proxies_the_header_is_ignored(self) -> None:
        """By default a client cannot choose an address with a header."""
        assert client_address("10.0.0.1", ["198.51.100.7"], ()) == "10.0.0.1"

    @pytest.mark.parametrize(
        ("written", "canonical"),
        [
            ("1.2.3.4:55", "1.2.3.4"),
            ("[::1]:123", "::1"),
            ("[::1]", "::1"),
            ("::FFFF:1.2.3.4", "1.2.3.4"),
            ("[::ffff:1.2.3.4]:5", "1.2.3.4"),
            ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("fe80::1%" + "x" * 50, "fe80::1"),
            ("fe80::1%" + "x" * 1000, None),
            ("1.2.3.4:", None),
            ("1.2.3.4:x", None),
            ("1.2.3", None),
            ("01.2.3.4", None),
            ("[1.2.3.4", None),
            ("[::1]x", None),
            ("[[::1]]", None),
            ("١.2.3.4", None),
            ("_hidden", None),
        ],
    )
    def test_an_address_has_one_canonical_form(self, written: str, canonical: str | None) -> None:
        """Brackets, ports, zones, mapped addresses and capitals are removed; anything else is no address."""
        assert client_address("10.0.0.1", [written], PROXIES) == (canonical or "10.0.0.1")
        assert client_address(written, [], ()) == (canonical or UNKNOWN)

    @given(peer=st.none() | hops, forwarded_for=st.lists(st.lists(hops, max_size=4).map(", ".join), max_size=4))
    def test_any_header_gives_an_address_or_unknown(self, peer: str | None, forwarded_for: list[str]) -> None:
        """The address and its key are canonical and short, or unknown."""
        address = client_address(peer, forwarded_for, PROXIES)
        assert address == UNKNOWN or str(ip_address(address)) == address
        assert len(address) <= 45
        assert throttle_key(address)

    @given(peer=addresses, chain=st.lists(hops.filter(lambda hop: "," not in hop)), invented=st.lists(hops))
    def test_a_client_cannot_choose_its_address(self, peer: str, chain: list[str], invented: list[str]) -> None:
        """Text to the left of the client's own address has no effect."""
        honest = [*chain, "198.51.100.7", "10.0.0.2"]
        assert client_address(peer, [",".join([*invented, *honest])], PROXIES) == client_address(
            peer, [",".join(honest)], PROXIES
        )


class Unread(bytes):
    """A value that must not be read."""

    def decode(self, *_: object) -> str:
        """Must not be called."""
        raise AssertionError("it was read")


class TestWork:
    def test_a_header_of_an_untrusted_client_is_not_read(self) -> None:
        """Only headers of trusted proxies are decoded."""
        headers = [(b"x-forwarded-for", Unread(b"198.51.100.7")), (b"x-forwarded-proto", Unread(b"https"))]
        for trusted in ((), PROXIES):
            assert client_of(scope(*headers), trusted).address == "192.0.2.1"
            assert not is_secure(scope(*headers), trusted)

    @pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1"])
    @pytest.mark.parametrize(
        "value",
        ["10.0.0.2," * 7_000, "," * 64_000, "1" * 64_000, "[" * 64_000, ("1" * 500 + ",") * 120, "10.0.0.2, " * 6_000],
    )
    def test_a_long_header_costs_little(self, monkeypatch: pytest.MonkeyPatch, peer: str, value: str) -> None:
        """Few addresses of a long header are read, and only short ones are cached."""
        read: list[str] = []
        parse = addresses_module._parse_short

        def noted(text: str) -> Address | None:
            read.append(text)
            return parse(text)

        monkeypatch.setattr(addresses_module, "_parse_short", noted)
        client_of(scope((b"x-forwarded-for", value.encode()), client=(peer, 5)), PROXIES)
        assert len(read) <= MAX_HOPS + 1
        assert all(len(text) <= 100 for text in read)

    def test_a_long_header_is_cut_on_the_left(self) -> None:
        """The hops nearest to the server count."""
        value = "203.0.113.9, " * 5_000 + "198.51.100.7, 10.0.0.2"
        assert client_address("10.0.0.1", [value], PROXIES) == "198.51.100.7"


class TestThrottleKey:
    def test_ipv6_is_counted_by_site(self) -> None:
        """Addresses of one /64 share a count; those of another /64 do not."""
        assert (
            throttle_key("2001:db8:1:2::1") == throttle_key("2001:db8:1:2:ffff:ffff:ffff:ffff") == "2001:db8:1:2::/64"
        )
        assert throttle_key("2001:db8:1:3::1") != throttle_key("2001:db8:1:2::1")

    def test_ipv4_is_counted_by_address(self) -> None:
        """Neighbouring addresses have separate counts."""
        assert throttle_key("192.0.2.1") == "192.0.2.1"

    def test_unknown_addresses_share_one_count(self) -> None:
        """A limit applies without an address, too."""
        assert throttle_key(UNKNOWN) == throttle_key("garbage") == UNKNOWN


class TestClientOf:
    @pytest.mark.parametrize("kind", ["http", "websocket"])
    def test_requests_and_sockets_have_a_client(self, kind: str) -> None:
        """Address and user agent are read from a request and from a WebSocket handshake."""
        client = client_of(scope((b"user-agent", b"curl/8"), type=kind), PROXIES)
        assert (client.address, client.user_agent) == ("192.0.2.1", "curl/8")

    def test_a_trusted_proxys_header_counts(self) -> None:
        """The header is found in any case and in several parts."""
        forwarded = [(b"X-Forwarded-For", b"203.0.113.9"), (b"x-forwarded-for", b"198.51.100.7")]
        assert client_of(scope(*forwarded, client=("10.0.0.1", 5)), PROXIES).address == "198.51.100.7"

    @pytest.mark.parametrize("client", [None, ("", 0)])
    def test_a_unix_socket_has_no_address(self, client: tuple[str, int] | None) -> None:
        """The peer of a Unix socket is unknown, and its header is ignored."""
        assert client_of(scope((b"x-forwarded-for", b"198.51.100.7"), client=client), PROXIES).address == UNKNOWN

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            (b"", None),
            (b" \x00\x1b\x9b ", None),
            (b"a\x1b[31m\r\nb\x00", "a[31mb"),
            (b"caf\xe9", "café"),
            (b"x" * 10_000, "x" * MAX_USER_AGENT),
        ],
    )
    def test_a_user_agent_fits_one_line(self, sent: bytes, kept: str | None) -> None:
        """The user agent is cut, and control characters are removed."""
        assert client_of(scope((b"user-agent", sent)), ()).user_agent == kept

    @given(headers=st.lists(st.tuples(st.sampled_from([b"user-agent", b"x-forwarded-for"]), st.binary())))
    def test_any_header_bytes_give_a_storable_client(self, headers: list[tuple[bytes, bytes]]) -> None:
        """The text of the client can be stored."""
        client = client_of(scope(*headers, client=("10.0.0.1", 5)), PROXIES)
        assert len(client.user_agent or "") <= MAX_USER_AGENT
        assert without_control_characters(client.user_agent or "") == (client.user_agent or "")


class TestIsSecure:
    @pytest.mark.parametrize(
        ("scheme", "peer", "header", "secure"),
        [
            ("https", "192.0.2.1", None, True),
            ("wss", "192.0.2.1", None, True),
            ("http", "192.0.2.1", None, False),
            ("http", "192.0.2.1", b"https", False),
            ("http", "10.0.0.1", b"https", True),
            ("ws", "10.0.0.1", b"HTTPS", True),
            ("http", "10.0.0.1", b"https, http", False),
            ("http", "10.0.0.1", b"http, https", True),
            ("https", "10.0.0.1", b"http", False),
            ("https", "10.0.0.1", None, True),
            ("http", "10.0.0.1", b"", False),
            ("http", "10.0.0.1", b"\xff,", False),
        ],
    )
    def test_only_a_trusted_proxy_sets_the_scheme(
        self, scheme: str, peer: str, header: bytes | None, secure: bool
    ) -> None:
        """The scheme on the client's side of a trusted proxy counts."""
        headers = [] if header is None else [(b"x-forwarded-proto", header)]
        assert is_secure(scope(*headers, client=(peer, 5), scheme=scheme), PROXIES) is secure
