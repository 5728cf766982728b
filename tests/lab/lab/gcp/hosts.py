# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which service a host of Google's belongs to, and where its public addresses are."""

from __future__ import annotations

import re
import zlib

CONTROL = frozenset(
    {
        "accesscontextmanager",
        "cloudresourcemanager",
        "compute",
        "dns",
        "iamcredentials",
        "logging",
        "oauth2",
        "orgpolicy",
        "sts",
    }
)
DOMAIN = "googleapis.com"
# Google's front ends: all names share one pool of addresses.
POOL = tuple(f"203.0.113.{number}" for number in range(192, 224))
PRIVATE_VIP = tuple(f"199.36.153.{number}" for number in range(8, 12))
RESTRICTED_VIP = tuple(f"199.36.153.{number}" for number in range(4, 8))
_REGIONAL = re.compile(r"([a-z]+-[a-z]+\d+|us|eu)-aiplatform")
_REP = re.compile(r"([a-z]+)\.([a-z0-9-]+)\.rep")


def is_google(name: str) -> bool:
    return name == DOMAIN or name.endswith(f".{DOMAIN}")


def service_of(host: str) -> str | None:
    """The short name of the service behind a host: aiplatform for us-central1-aiplatform.googleapis.com."""
    if not host.endswith(f".{DOMAIN}"):
        return None
    label = host.removesuffix(f".{DOMAIN}")
    if label.endswith(".p"):  # SERVICE-ENDPOINT.p.googleapis.com
        label = label.removesuffix(".p").rpartition("-")[0]
    if _REGIONAL.fullmatch(label):
        return "aiplatform"
    rep = _REP.fullmatch(label)
    if rep:
        return rep.group(1)
    if label.endswith(".storage"):  # BUCKET.storage.googleapis.com
        return "storage"
    return label if re.fullmatch(r"[a-z][a-z0-9-]*", label) else None


def control_service(host: str, path: str) -> str | None:
    """The control plane that a request is for; None for data planes."""
    service = service_of(host)
    if service == "www":  # the older addresses of the older APIs
        first = path.strip("/").split("/")[0]
        return first if first in ("compute", "dns") else "oauth2" if first == "oauth2" else None
    return service if service in CONTROL else None


def version_of(service: str, path: str) -> str:
    """The version in the path: compute/v1/projects/..., v1/accessPolicies/..."""
    parts = [each for each in path.strip("/").split("/") if re.fullmatch(r"v\d+\w*", each)]
    return parts[0] if parts else "v1"


def public_addresses(host: str) -> tuple[str, ...]:
    """The addresses that the world resolves a host to."""
    if host == f"private.{DOMAIN}":
        return PRIVATE_VIP
    if host == f"restricted.{DOMAIN}":
        return RESTRICTED_VIP
    start = zlib.crc32(host.encode()) % len(POOL)
    return (POOL[start], POOL[(start + 7) % len(POOL)])
