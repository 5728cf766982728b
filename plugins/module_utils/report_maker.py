# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who made a report, where, and with which versions; what is looked up on this machine and nowhere else."""

from __future__ import annotations

import getpass
import platform
from importlib import metadata
from typing import Any, Final

# The release of this collection; a test holds it to galaxy.yml.
COLLECTION: Final = "0.3.0"
# What the clouds were asked with, as far as it is installed.
_LIBRARIES: Final = (
    "ansible-core",
    "boto3",
    "azure-identity",
    "azure-mgmt-cognitiveservices",
    "azure-mgmt-network",
    "azure-mgmt-privatedns",
    "google-auth",
    "google-cloud-compute",
)


def made_by(who: str | None = None) -> dict[str, Any]:
    """`{who, where, versions}`; who: instead of the user that this runs as."""
    versions = {"private_ai.endpoints": COLLECTION, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {"who": who or _user(), "where": platform.node(), "versions": versions}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run as a user that nobody gave a name.
        return "unknown"
