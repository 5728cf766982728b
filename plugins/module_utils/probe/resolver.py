# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How this machine resolves names: its name servers, its hosts file, and what its own resolver says."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import urlsplit

from . import dns, together

RESOLV_CONF = Path("/etc/resolv.conf")
HOSTS = Path("/etc/hosts")
# What the C library uses: three servers at most, and this machine when none is named.
_MOST_SERVERS = 3
_DEFAULT_SERVER = "127.0.0.1"
_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def nameservers(path: Path = RESOLV_CONF) -> List[str]:
    """The name servers of resolv.conf, in order."""
    found = [
        words[1]
        for words in (line.split() for line in _lines(path))
        if len(words) > 1 and words[0] == "nameserver"
    ]
    return found[:_MOST_SERVERS] or [_DEFAULT_SERVER]


def in_hosts_file(host: str, path: Path = HOSTS) -> bool:
    """Whether the hosts file names the host, which then wins over DNS."""
    wanted = host.rstrip(".").lower()
    return any(wanted in line.partition("#")[0].lower().split()[1:] for line in _lines(path))


def _lines(path: Path) -> List[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def proxies(environment: Dict[str, str] | None = None) -> List[Dict[str, str]]:
    """Proxies that other programs here would use: variable and host, never its password."""
    values = os.environ if environment is None else environment
    return [
        {"variable": variable, "host": _proxy_host(values[variable])}
        for variable in _PROXY_VARIABLES
        if values.get(variable)
    ]


def _proxy_host(url: str) -> str:
    parts = urlsplit(url if "//" in url else "//" + url)
    return parts.netloc.rpartition("@")[2]


def look_up(host: str, servers: List[str], timeout: float) -> Dict[str, Any]:
    """The `dns` part of an observation: both record types asked directly, and the system's view.

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
        timeout + 0.5,
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
    return list(dict.fromkeys(str(entry[4][0]) for entry in found)), None


def is_address(text: str) -> bool:
    """Whether this is an IP address and not a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
