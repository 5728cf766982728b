# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files under permissions/ have what a module needs, so that the error of a denied call can say it.

The files themselves are not sent to where a module runs; a test holds this page to permissions/<cloud>/index.yml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import EndpointError



def _azure(phase: str, *places: str) -> tuple[str, ...]:
    return tuple(f"azure/{phase}-{place}.json" for place in places)


def _gcp(phase: str, *places: str) -> tuple[str, ...]:
    return tuple(f"gcp/{phase}-{place}.yml" for place in places)


_AZURE_TEARDOWN = _azure("teardown", "network", "account", "hub")
# Module → state → files; ANY stands for every other state, and for modules without one.
ANY = ""
_LOCK = ("aws/lockdown-management.json", "aws/lockdown-vpc.json")
FILES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "bedrock_vpc_endpoint": {
        "present": ("aws/create.json",),
        "absent": ("aws/teardown-vpc.json",),
    },
    "bedrock_private_dns": {
        ANY: ("aws/dns-vpc.json", "aws/dns-spoke.json"),
        "absent": ("aws/teardown-vpc.json", "aws/teardown-spoke.json"),
    },
    "bedrock_lockdown": {
        ANY: _LOCK,
        "unlocked": ("aws/unlock.json",),
    },
    "bedrock_vpc_endpoint_info": {
        ANY: ("aws/observe-vpc.json", "aws/observe-management.json"),
    },
    "azure_openai_private_link": {
        "present": _azure("create", "network", "account", "hub"),
        "absent": _AZURE_TEARDOWN,
    },
    "azure_openai_private_dns": {
        ANY: _azure("dns", "network", "account", "hub"),
        "absent": _AZURE_TEARDOWN,
    },
    "azure_openai_lockdown": {
        ANY: _azure("lockdown", "account", "network", "hub"),
        "unlocked": _azure("unlock", "account", "network"),
    },
    "azure_openai_private_link_info": {
        ANY: _azure("observe", "account", "network", "hub", "workspace"),
    },
    "vertex_psc_endpoint": {
        "present": ("gcp/create.yml",),
        "absent": ("gcp/teardown-network.yml",),
    },
    "vertex_private_dns": {
        ANY: ("gcp/dns-network.yml", "gcp/dns-zones.yml"),
        "absent": ("gcp/teardown-network.yml",),
    },
    "vertex_lockdown": {
        ANY: _gcp("lockdown", "organization", "project", "network"),
        "unlocked": _gcp("unlock", "organization"),
    },
    "vertex_psc_endpoint_info": {
        ANY: _gcp("observe", "organization", "project", "network"),
    },
}
# What the credentials need that only enter the roles of others.
_ENTERING = {"sts:AssumeRole": ("aws/controller.json",)}


def files(module: str, params: Mapping[str, Any], action: str | None = None) -> tuple[str, ...]:
    """The files for a module, by its short or full name, as it was called; empty for a module that needs none."""
    if action in _ENTERING:
        return _ENTERING[action]
    states = FILES.get(module.rpartition(".")[2], {})
    return states.get(str(params.get("state") or ANY), states.get(ANY, ()))


def advise(error: EndpointError, module: str, params: Mapping[str, Any]) -> None:
    """Let the error of a denied call say where all that the module needs is written down.

    An explicit deny is left alone: no permission is of use against it.
    """
    if getattr(error, "kind", None) != "denied" or "explicit deny" in error.what:
        return
    named = files(module, params, getattr(error, "action", None))
    if named:
        listed = " and ".join(f"permissions/{name}" for name in named)
        lead = f"{error.fix.rstrip('.')}. " if error.fix else ""
        error.fix = f"{lead}All that this takes is in {listed}"
