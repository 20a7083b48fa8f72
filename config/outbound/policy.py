"""Where a request may go: decisions about URLs and addresses, without touching the network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

import httpx

from config.outbound.errors import Refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The "bad ports" of the Fetch standard (https://fetch.spec.whatwg.org/#port-blocking) …
_BROWSER_PORTS = (
    *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
    *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179),
    *(389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587),
    *(601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000),
    *(6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
)
# … and what listens beside a newsroom's servers: databases, queues, container engines.
_ENGINE_PORTS = (
    *(1433, 1521, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5984, 6379, 6380, 6443),
    *(9042, 9092, 9200, 9300, 10250, 11211, 15672, 26379, 27017),
)
BLOCKED_PORTS = frozenset(_BROWSER_PORTS + _ENGINE_PORTS)

# The IANA special-purpose registries, written out: ``ipaddress.is_global`` of Python 3.11 calls
# 192.0.0.192, 224.0.0.1, 2002:7f00:1:: and fec0::1 global.
_CLOSED_IPV4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; one cloud's metadata address is in it
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent, a public-looking address
        "169.254.0.0/16",  # link-local; the metadata address of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_OPEN_IPV6 = IPv6Network("2000::/3")
_CLOSED_IPV6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # Teredo, benchmarking, ORCHID and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries any IPv4 address inside, and nobody serves from it any more
        "3ffe::/16",
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how an IPv6-only network sees an IPv4 host

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_URL = 8192
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules for one client."""

    allowed_networks: tuple[Network, ...] = ()  # private networks that may be reached after all
    blocked_ports: frozenset[int] = BLOCKED_PORTS
    max_redirects: int = 5
    user_agent: str = "Newsdesk/0.1"

    def check_url(self, url: str, params: Mapping[str, str | int] | None = None) -> httpx.URL:
        """The parsed address if a request may be tried there; `Refused` says why not.

        A host name passes: its addresses are known, and judged, only when it is resolved.
        """
        if len(url) > _LONGEST_URL:
            raise Refused(f"The address is longer than {_LONGEST_URL} characters.")
        if _CONTROL.search(url):
            raise Refused("The address contains a line break, a backslash or a control character.")
        try:
            # urlsplit sees the text as typed; httpx normalises it to what goes on the wire.
            typed = urlsplit(url)
            parsed = httpx.URL(url)
            host, port = parsed.raw_host.decode("ascii"), parsed.port
        except (httpx.InvalidURL, ValueError) as error:
            raise Refused(f"The address is not a valid URL ({error}).") from error
        if parsed.scheme not in _DEFAULT_PORTS:
            raise Refused("Only http:// and https:// addresses can be used.")
        if "@" in typed.netloc:
            raise Refused("A user name or password in the address is not allowed.")
        self._check_host(host)
        if port is not None and port > 65535:
            raise Refused(f"There is no port {port}.")
        if port in self.blocked_ports:
            raise Refused(f"Port {port} is not allowed: it belongs to a service other than HTTP.")
        return parsed.copy_merge_params(dict(params)) if params else parsed

    def check_address(self, host: str, address: Address) -> None:
        """Raise `Refused` if ``address``, one of the answers for ``host``, is not for us."""
        inner = _unwrapped(address)
        if any(known in network for network in self.allowed_networks for known in (address, inner)):
            return
        if not _is_public(inner):
            named = host if host == str(address) else f"{host} ({address})"
            raise Refused(
                f"{named} is inside a private or special network. If that is meant, an "
                "administrator can add the network to OUTBOUND_ALLOWED_NETWORKS."
            )

    def _check_host(self, host: str) -> None:
        if ":" in host:
            if "%" in host:
                raise Refused("An IPv6 address with a zone is not allowed.")
            self.check_address(host, ip_address(host))
        elif len(host) > 253 or not _HOST_NAME.fullmatch(host):
            raise Refused("The address has no valid host name.")
        elif _NUMBER.fullmatch(host.rstrip(".").rsplit(".", 1)[-1]):
            try:
                address = ip_address(host)
            except ValueError:
                # 127.1, 2130706433, 0x7f000001, 0177.0.0.1: programs disagree what they mean.
                raise Refused(f"{host} is an unusual spelling of a network address.") from None
            self.check_address(host, address)


def effective_port(url: httpx.URL) -> int:
    """The port a connection would go to."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def from_settings() -> Policy:
    """The installation's policy. Needs Django's settings; nothing else in this package does."""
    from django.conf import settings

    return Policy(
        allowed_networks=tuple(ip_network(text) for text in settings.OUTBOUND_ALLOWED_NETWORKS),
        user_agent=settings.OUTBOUND_USER_AGENT,
    )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where a kernel or gateway would follow it."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _CLOSED_IPV4)
    if address.scope_id is not None:
        return False
    return address in _OPEN_IPV6 and not any(address in block for block in _CLOSED_IPV6)
