# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How this machine resolves names: its name servers, its hosts file, and what its own resolver says."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import urlsplit

from . import dns, together
from .text import plain

RESOLV_CONF = Path("/etc/resolv.conf")
HOSTS = Path("/etc/hosts")
# What the C library uses: three servers at most, and this machine when none is named.
_MOST_SERVERS = 3
_DEFAULT_SERVER = "127.0.0.1"
_PROXY_VARIABLES = (
    "https_proxy",
    "HTTPS_PROXY",
    "http_proxy",
    "HTTP_PROXY",
    "all_proxy",
    "ALL_PROXY",
)
# A hosts file that blocks advertisements has a few megabytes; one that never ends is not read to its end.
_MOST_BYTES = 16 * 1024 * 1024
# What DNS can answer at most fits in 64 kB, some 4,000 addresses. A hosts file can name more.
_MOST_ADDRESSES = 5000
_LONGEST_PROXY = 255


_READING = threading.Lock()
_HOSTS_READ: Dict[str, Any] = {}


def nameservers(path: Path = RESOLV_CONF) -> List[str]:
    """The name servers of resolv.conf, in order."""
    found = [
        words[1]
        for words in (line.split() for line in _lines(path))
        if len(words) > 1 and words[0] == "nameserver"
    ]
    return found[:_MOST_SERVERS] or [_DEFAULT_SERVER]


def hosts_file(host: str, path: Path = HOSTS) -> List[str]:
    """The addresses that the hosts file gives a host, which then win over DNS; empty when it does not name it."""
    return list(_named_in(path).get(host.rstrip(".").lower(), ()))


def _named_in(path: Path) -> Dict[str, List[str]]:
    """Name → addresses in a hosts file. Every look asks for it, so it is read once for as long as it stays the same."""
    try:
        found = path.stat()
    except OSError:
        return {}
    version = (str(path), found.st_mtime_ns, found.st_size, found.st_ino)
    with _READING:
        if _HOSTS_READ.get("version") != version:
            _HOSTS_READ.update(version=version, names=_names(path))
        names: Dict[str, List[str]] = _HOSTS_READ["names"]
        return names


def _names(path: Path) -> Dict[str, List[str]]:
    named: Dict[str, List[str]] = {}
    try:
        with path.open("rb") as file:
            read = 0
            for line in file:
                read += len(line)
                if read > _MOST_BYTES:
                    break
                words = line.decode("utf-8", "replace").partition("#")[0].lower().split()
                for name in words[1:]:
                    known = named.setdefault(name, [])
                    address = plain(words[0], 64)
                    if address not in known[:1] and len(known) < _MOST_ADDRESSES:
                        known.append(address)
    except OSError:
        return named
    return {name: list(dict.fromkeys(addresses)) for name, addresses in named.items()}


def _lines(path: Path) -> List[str]:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def proxies(
    host: str | None = None, environment: Dict[str, str] | None = None
) -> List[Dict[str, Any]]:
    """Proxies that other programs here would use: `{variable, host, bypassed}`, never a password.

    bypassed: whether no_proxy names the host that is called, as curl and Python read it.
    """
    values = os.environ if environment is None else environment
    excepted = str(values.get("no_proxy") or values.get("NO_PROXY") or "")
    bypassed = bool(
        host and excepted and urllib.request.proxy_bypass_environment(host, {"no": excepted})  # type: ignore[attr-defined]
    )
    return [
        {"variable": variable, "host": _proxy_host(values[variable]), "bypassed": bypassed}
        for variable in _PROXY_VARIABLES
        if values.get(variable)
    ]


def _proxy_host(url: str) -> str:
    try:
        place = urlsplit(url if "//" in url else "//" + url).netloc
    except ValueError:
        # It may hold a password, so nothing of it is shown.
        return "(not a URL)"
    return plain(place.rpartition("@")[2], _LONGEST_PROXY)


def look_up(host: str, servers: List[str], timeout: float, grace: float = 0.25) -> Dict[str, Any]:
    """The `dns` part of an observation: both record types asked directly, and the system's view.

    grace: seconds after `timeout` in which a question that got no answer can still say so.
    A failed question of either type makes the whole a failure: an unseen AAAA record could be the public one.
    """
    started = together.now()
    if is_address(host):
        return skipped(error=f"{host} is an address")
    a, aaaa, system = together.run(
        [
            lambda: dns.ask(host, "A", servers, timeout),
            lambda: dns.ask(host, "AAAA", servers, timeout),
            lambda: _system_view(host),
        ],
        timeout + grace,
    )
    replies = [
        dns.Reply("timeout", error=f"no answer for {kind}") if reply is None else reply
        for kind, reply in (("A", a), ("AAAA", aaaa))
    ]
    addresses, problem = system or ([], "the system's resolver did not answer in time")
    errors = [reply.error for reply in replies if reply.error]
    if problem and not errors and any(reply.answers for reply in replies):
        errors = [problem]
    return {
        "status": _overall([reply.status for reply in replies]),
        "chain": max((reply.chain for reply in replies), key=len),
        "answers": [answer for reply in replies for answer in reply.answers],
        "ttl": min((reply.ttl for reply in replies if reply.ttl is not None), default=None),
        "servers": list(dict.fromkeys(reply.server for reply in replies if reply.server)),
        "system": addresses,
        "error": "; ".join(errors) or None,
        "ms": together.ms_since(started),
    }


def skipped(error: str | None = None) -> Dict[str, Any]:
    """The `dns` part where no name was resolved."""
    return {
        "status": "skipped",
        "chain": [],
        "answers": [],
        "ttl": None,
        "servers": [],
        "system": [],
        "error": error,
        "ms": 0,
    }


def _overall(statuses: List[str]) -> str:
    for status in ("timeout", "error", "ok", "nxdomain"):
        if status in statuses:
            return status
    return "nodata"


def _system_view(host: str) -> Any:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as problem:
        return [], f"the system's resolver: {problem}"
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:_MOST_ADDRESSES], None


def is_address(text: str) -> bool:
    """Whether this is an IP address and not a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
