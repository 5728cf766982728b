# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of Google's host names an endpoint's bundle serves.

`all-apis` serves every API; `vpc-sc` serves what the restricted VIP serves: the services that VPC Service Controls
supports, and a few that others need. Google says that its list of them is not exhaustive, so a name that is not in this
excerpt is not known to be refused; Workspace's are.
https://docs.cloud.google.com/vpc-service-controls/docs/restricted-vip-services
https://docs.cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints
"""

from __future__ import annotations

from typing import Literal

from .names import DOMAIN, is_vertex

Serves = Literal["yes", "no", "unknown"]

ALL = "all-apis"
VERTEX = f"aiplatform.{DOMAIN}"

# Served beside the others, and no perimeter can name them.
_ONLY_SERVED = frozenset(("discovery", "oauth2", "openidconnect", "reauth"))
_SUPPORTED = frozenset(
    (
        "accessapproval",
        "aiplatform",
        "alloydb",
        "analyticshub",
        "apigee",
        "artifactregistry",
        "automl",
        "batch",
        "bigquery",
        "bigquerydatatransfer",
        "bigtable",
        "binaryauthorization",
        "cloudasset",
        "cloudbuild",
        "cloudfunctions",
        "cloudkms",
        "cloudresourcemanager",
        "cloudtrace",
        "composer",
        "compute",
        "container",
        "containeranalysis",
        "datacatalog",
        "dataflow",
        "dataproc",
        "dialogflow",
        "discoveryengine",
        "dlp",
        "dns",
        "documentai",
        "eventarc",
        "firestore",
        "gkehub",
        "iam",
        "iamcredentials",
        "language",
        "logging",
        "monitoring",
        "notebooks",
        "pubsub",
        "run",
        "secretmanager",
        "servicedirectory",
        "spanner",
        "speech",
        "sqladmin",
        "storage",
        "sts",
        "texttospeech",
        "translate",
        "videointelligence",
        "vision",
        "workflows",
    )
)
_WORKSPACE = frozenset(
    (
        "admin",
        "calendar-json",
        "chat",
        "classroom",
        "docs",
        "drive",
        "forms",
        "gmail",
        "keep",
        "meet",
        "people",
        "script",
        "sheets",
        "slides",
        "tasks",
    )
)


def service_of(host: str) -> str:
    """The API behind a host name, as perimeters name it."""
    return VERTEX if is_vertex(host) else host


def serves(bundle: str, host: str) -> Serves:
    """Whether an endpoint of this bundle serves a host."""
    short = service_of(host).removesuffix(f".{DOMAIN}")
    if "." in short:
        # Names such as aiplatform.us.rep or storage-x.p: they have endpoints of their own.
        return "unknown"
    if bundle == ALL:
        return "yes"
    if short in _SUPPORTED or short in _ONLY_SERVED:
        return "yes"
    return "no" if short in _WORKSPACE else "unknown"


def restrictable(host: str) -> bool:
    """Whether a perimeter can name the API behind a host, among those that are known here."""
    return service_of(host).removesuffix(f".{DOMAIN}") in _SUPPORTED
