# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files under permissions/ have what a module needs, so that the error of a denied call can say it.

The files themselves are not sent to where a module runs; a test holds this page to permissions/<cloud>/index.yml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .errors import EndpointError


def _of(cloud: str, phase: str, *places: str) -> tuple[str, ...]:
    """The files of a phase; a phase with one principal has one without a place in its name."""
    kind = "yml" if cloud == "gcp" else "json"
    return tuple(f"{cloud}/{'-'.join((phase, *place))}.{kind}" for place in _each(places))


def _each(places: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(place,) for place in places] or [()]


# Module → state → files; ANY stands for every other state, and for modules without one.
ANY = ""
FILES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "bedrock_vpc_endpoint": {
        ANY: _of("aws", "create"),
        "absent": _of("aws", "teardown", "vpc"),
    },
    "bedrock_private_dns": {
        ANY: _of("aws", "dns", "vpc", "spoke"),
        "absent": _of("aws", "teardown", "vpc", "spoke"),
    },
    "bedrock_lockdown": {
        ANY: _of("aws", "lockdown", "management", "vpc"),
        "unlocked": _of("aws", "unlock"),
    },
    "bedrock_vpc_endpoint_info": {ANY: _of("aws", "observe", "vpc", "management")},
    "azure_openai_private_link": {
        ANY: _of("azure", "create", "network", "account", "hub"),
        "absent": _of("azure", "teardown", "network", "account"),
    },
    "azure_openai_private_dns": {
        ANY: _of("azure", "dns", "network", "account", "hub"),
        "absent": _of("azure", "teardown", "network", "account", "hub"),
    },
    "azure_openai_lockdown": {
        ANY: _of("azure", "lockdown", "account", "network", "hub"),
        "unlocked": _of("azure", "unlock", "account", "network"),
    },
    "azure_openai_private_link_info": {
        ANY: _of("azure", "observe", "account", "network", "hub", "workspace")
    },
    "vertex_psc_endpoint": {
        ANY: _of("gcp", "create"),
        "absent": _of("gcp", "teardown", "network"),
    },
    "vertex_private_dns": {
        ANY: _of("gcp", "dns", "network", "zones"),
        "absent": _of("gcp", "teardown", "network"),
    },
    "vertex_lockdown": {
        ANY: _of("gcp", "lockdown", "organization", "project", "network"),
        "unlocked": _of("gcp", "unlock", "organization"),
    },
    "vertex_psc_endpoint_info": {ANY: _of("gcp", "observe", "organization", "project", "network")},
}
# Where something else than the caller's own roles says no, as AWS and Azure word it: no file helps there.
_BEYOND_FILES = (
    "explicit deny",
    "no service control policy allows",
    "no permissions boundary allows",
    "no session policy allows",
    "no VPC endpoint policy allows",
    "deny assignment",
    "linked subscription",
)
# What the credentials need that only enter the roles of others.
_ENTERING = {"sts:AssumeRole": ("aws/controller.json",)}


def files(module: str, params: Mapping[str, Any], action: str | None = None) -> tuple[str, ...]:
    """The files for a module, by its short or full name, as it was called; empty for a module that needs none."""
    if action in _ENTERING:
        return _ENTERING[action]
    states = FILES.get(module.rpartition(".")[2], {})
    return states.get(str(params.get("state") or ANY), states.get(ANY, ()))


def unread(
    evidence: Mapping[str, Mapping[str, Any]], parts: Collection[str], module: str
) -> list[str]:
    """What may not be read of a lock's members in these parts of their evidence: nothing can be said of them then."""
    return [
        f"members: {name} could not be read: {item['message']}. Allow {item['action']} on {item['resource']}: "
        f"all that this takes is in {_listed(files(module, {}))}"
        for name, found in sorted(evidence.items())
        for item in found["missing"]
        if item["part"] in parts
    ]


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"permissions/{name}" for name in names)


def advise(error: EndpointError, module: str, params: Mapping[str, Any]) -> None:
    """Let the error of a denied call say where all that the module needs is written down.

    What no permission is of use against is left alone.
    """
    if getattr(error, "kind", None) != "denied":
        return
    if any(text in error.what for text in _BEYOND_FILES):
        return
    named = files(module, params, getattr(error, "action", None))
    if named:
        lead = f"{error.fix.rstrip('.')}. " if error.fix else ""
        error.fix = f"{lead}All that this takes is in {_listed(named)}"
