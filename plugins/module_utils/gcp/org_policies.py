# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read and write organisation policies of projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ..core.errors import EndpointError
from ..core.gcp.org_policies import DRY_RUN_SPEC, SPEC, Policies, content
from .client import Connection, GoogleError, settle

SERVICE = "orgpolicy"
_PARTS = (SPEC, DRY_RUN_SPEC)


def read(
    connection: Connection, names: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, str], list[EndpointError]]:
    """Those that could be read, with the etags of those that exist, and why others could not."""
    calls = {
        name: partial(connection.find, SERVICE, name, resource=f"organization policy {name}")
        for name in names
    }
    stands: dict[str, dict[str, Any]] = {}
    etags: dict[str, str] = {}
    failures = []
    for name, found in settle(calls).items():
        if isinstance(found, EndpointError):
            failures.append(found)
            continue
        stands[name] = content(found or {})
        if found and found.get("etag"):
            etags[name] = str(found["etag"])
    return stands, etags, failures


def rehearse(connection: Connection, before: Policies, after: Policies) -> None:
    """GoogleError that names a permission that is lacking, before the perimeter is changed."""
    from .create_permissions import held

    needs: dict[str, set[str]] = {}
    for name, parts in after.items():
        known = before.get(name, {})
        if parts != known:
            verb = "create" if not known else "update" if parts else "delete"
            needs.setdefault(name.split("/")[1], set()).add(f"orgpolicy.policies.{verb}")
    for project, permissions in sorted(needs.items()):
        found = held(connection, project, sorted(permissions))
        lacking = sorted(permissions - found) if found is not None else []
        if lacking:
            raise GoogleError(
                f"permission denied for {', '.join(lacking)}",
                kind="denied",
                action=lacking[0],
                resource=f"projects/{project}",
                code="forbidden",
                fix="Give these credentials a role that has it, or leave organization_policies out; a new binding "
                "takes some minutes",
            )


def write(
    connection: Connection, before: Policies, after: Policies, etags: Mapping[str, str]
) -> None:
    """Make what differs so, each only if it still is what was read. GoogleError at the first that fails."""
    for name, parts in after.items():
        known = before.get(name, {})
        about = f"organization policy {name}"
        if parts == known:
            continue
        if not known:
            body = {"name": name, **parts}
            connection.rest(SERVICE, "POST", name.rpartition("/")[0], body, resource=about)
        elif not parts:
            params = {"etag": etags[name]} if name in etags else {}
            connection.rest(SERVICE, "DELETE", name, params=params, resource=about)
        else:
            changed = [part for part in _PARTS if parts.get(part) != known.get(part)]
            body = {"name": name, **{part: parts[part] for part in changed if part in parts}}
            if name in etags:
                body["etag"] = etags[name]
            mask = ",".join(changed)
            connection.rest(
                SERVICE, "PATCH", name, body, params={"updateMask": mask}, resource=about
            )
