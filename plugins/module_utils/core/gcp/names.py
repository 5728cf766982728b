# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host names of Vertex AI, and paths of Google's resources."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import EndpointError

DOMAIN = "googleapis.com"
GLOBAL_HOST = f"aiplatform.{DOMAIN}"
BUNDLES = ("all-apis", "vpc-sc")
_REGION = re.compile(r"[a-z]+(?:-[a-z]+\d+)?")
_REGIONAL = re.compile(rf"(?P<region>[a-z]+(?:-[a-z]+\d+)?)-aiplatform\.{re.escape(DOMAIN)}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_EXTRA = re.compile(rf"(?:{_LABEL}\.)+{re.escape(DOMAIN)}")
_NETWORK = re.compile(r"projects/[a-z0-9.:-]+/global/networks/[a-z][-a-z0-9]*")
_SUBNET = re.compile(r"projects/[a-z0-9.:-]+/regions/[a-z0-9-]+/subnetworks/[a-z][-a-z0-9]*")
_LINK = re.compile(r"https?://(?:www|compute)\.googleapis\.com/compute/(?:v1|beta|alpha)/")


def host_names(regions: Iterable[str], extra_hosts: Iterable[str] = ()) -> list[str]:
    """The names that clients call: the global one, one for each region, and extra ones; in that order, each once.

    EndpointError for a word that is no region, and for a name that an endpoint for Google APIs cannot serve.
    """
    found = [GLOBAL_HOST]
    for region in regions:
        if not _REGION.fullmatch(region):
            raise EndpointError(
                f"{region!r} is no region of Google",
                resource="regions",
                fix="Use names such as us-central1, or us and eu",
            )
        found.append(f"{region}-aiplatform.{DOMAIN}")
    for name in extra_hosts:
        host = name.strip().rstrip(".").lower()
        if not _EXTRA.fullmatch(host):
            raise EndpointError(
                f"{name!r} is no name under {DOMAIN}, and an endpoint for Google APIs serves no others",
                resource="extra_hosts",
                fix="Leave it out; dedicated prediction endpoints (prediction.vertexai.goog) are not in the bundle",
            )
        found.append(host)
    return list(dict.fromkeys(found))


def region_of(host: str) -> str | None:
    """The region in a regional name of Vertex AI; None for the global name and for other services."""
    found = _REGIONAL.fullmatch(host)
    return found["region"] if found else None


def is_vertex(host: str) -> bool:
    """Whether a name is one of Vertex AI's."""
    return host == GLOBAL_HOST or region_of(host) is not None


def path_of(link: str) -> str:
    """A resource's path, from its full URL or from the path itself."""
    return _LINK.sub("", link.strip()).strip("/")


def project_of(path: str) -> str:
    """The project in a path."""
    return path.split("/")[1]


def network_path(text: str, project: str | None) -> str:
    """A network's path from its URL, its path, or its name in the project."""
    return _whole(text, project, "global/networks", _NETWORK, "network")


def subnet_path(text: str, project: str | None) -> str:
    """A subnet's path from its URL, its path, or `regions/R/subnetworks/S` in the project."""
    return _whole(text, project, "", _SUBNET, "private_google_access_subnets")


def _whole(
    text: str, project: str | None, folder: str, pattern: re.Pattern[str], option: str
) -> str:
    path = path_of(text)
    if "/" not in path and folder:
        path = f"{folder}/{path}"
    if path.startswith(("global/", "regions/")):
        if not project:
            raise EndpointError(
                "no project is set",
                resource="project",
                fix=f"Set the option project or GCP_PROJECT, or give {option} as projects/PROJECT/...",
            )
        path = f"projects/{project}/{path}"
    if not pattern.fullmatch(path):
        shape = "projects/PROJECT/" + (
            f"{folder}/NAME" if folder else "regions/REGION/subnetworks/NAME"
        )
        raise EndpointError(
            f"{text!r} is not a path of the form {shape}",
            resource=option,
            fix=f"Give it as {shape}",
        )
    return path
