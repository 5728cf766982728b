# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peerings of virtual networks: each side has its own, and both must stand for packets to pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import arm_ids, stock
from .arm_ids import ArmId
from .control import Control
from .errors import bad_request
from .network import NAMESPACE, SDK, VERSIONS, Items, Nest, delete_child, network_of, put_child
from .registry import Answer, operation, resource_type, standard_view
from .state import Resource, State

_NETWORKS = f"{NAMESPACE}/virtualNetworks"
_DEFAULTS = {
    "allowVirtualNetworkAccess": True,
    "allowForwardedTraffic": False,
    "allowGatewayTransit": False,
    "useRemoteGateways": False,
    "doNotVerifyRemoteGateways": False,
    "peerCompleteVnets": True,
}


def _view(state: State, peering: Resource) -> dict[str, Any]:
    """A peering with the remote address space as it was when the peering was last synchronised."""
    body = standard_view(state, peering)
    remote = state.find(_remote(peering))
    local = peering.id.parent
    near = state.find(local) if local else None
    known = peering.hidden.get("spaces", ([], []))
    now = (_space(near) if near else known[0], _space(remote) if remote else known[1])
    levels = {
        (True, True): "FullyInSync",
        (False, True): "LocalNotInSync",
        (True, False): "RemoteNotInSync",
        (False, False): "LocalAndRemoteNotInSync",
    }
    computed = {
        "peeringSyncLevel": levels[now[0] == known[0], now[1] == known[1]],
        "remoteAddressSpace": {"addressPrefixes": known[1]},
        "remoteVirtualNetworkAddressSpace": {"addressPrefixes": now[1]},
    }
    body["properties"] = {**computed, **body["properties"]}
    return body


def _space(network: Resource) -> list[str]:
    return list((network.properties.get("addressSpace") or {}).get("addressPrefixes") or [])


def _remote(peering: Resource) -> str:
    return str((peering.properties.get("remoteVirtualNetwork") or {}).get("id", ""))


PEERINGS = resource_type(
    f"{_NETWORKS}/virtualNetworkPeerings",
    VERSIONS,
    model=(SDK, "VirtualNetworkPeering"),
    view=_view,
    tracked=False,
)
stock.readable(PEERINGS)


def _check(control: Control, network: ArmId, own: Mapping[str, Any], items: Items) -> None:
    mine = (own.get("addressSpace") or {}).get("addressPrefixes") or []
    seen: dict[str, str] = {}
    for name, properties in items.items():
        id = network.child("virtualNetworkPeerings", name)
        remote_id = str((properties.get("remoteVirtualNetwork") or {}).get("id", ""))
        remote = control.referenced(remote_id, _NETWORKS)
        control.authorize_linked(f"{_NETWORKS}/peer/action", remote.id)
        properties["remoteVirtualNetwork"] = {"id": str(remote.id)}
        for key, value in _DEFAULTS.items():
            properties.setdefault(key, value)
        for key in ("peeringSyncLevel", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace"):
            properties.pop(key, None)
        standing = control.state.find(id)
        properties["peeringState"] = (
            standing.properties.get("peeringState", "Initiated") if standing else "Initiated"
        )
        if remote.id.key == network.key:
            raise bad_request(
                "VnetCannotPeerWithItself",
                f"Virtual network {network} cannot be peered with itself.",
            )
        if remote.id.key in seen:
            raise bad_request(
                "AnotherPeeringAlreadyReferencesRemoteVnet",
                f"Peering {id} cannot reference remote virtual network {remote.id} because "
                f"another peering {seen[remote.id.key]} already references it.",
            )
        seen[remote.id.key] = str(id)
        _apart(id, network, mine, remote)


def _apart(id: ArmId, network: ArmId, mine: list[str], remote: Resource) -> None:
    for one in mine:
        for other in _space(remote):
            left, right = network_of(one, network), network_of(other, remote.id)
            if left.version == right.version and left.overlaps(right):
                raise bad_request(
                    "VnetAddressSpacesOverlap",
                    f"Cannot create or update peering {id}. Virtual networks {network} and "
                    f"{remote.id} cannot be peered because their address spaces overlap. "
                    f"Overlapping address prefixes: {one}, {other}.",
                )


def _back(state: State, peering: Resource) -> Resource | None:
    """The peering from the other side."""
    near = peering.id.parent
    for each in state.children(_remote(peering), "virtualNetworkPeerings"):
        if arm_ids.same(_remote(each), str(near)):
            return each
    return None


def connect(state: State, peering: Resource) -> None:
    """Both sides are Connected as soon as both stand."""
    near, far = state.find(str(peering.id.parent)), state.find(_remote(peering))
    if near and far:
        peering.hidden["spaces"] = (_space(near), _space(far))
    back = _back(state, peering)
    if back is None:
        return
    peering.properties["peeringState"] = back.properties["peeringState"] = "Connected"
    back.touch()


def _removable(control: Control, peering: Resource) -> None:
    back = _back(control.state, peering)
    if back is not None:
        back.properties["peeringState"] = "Disconnected"
        back.touch()


PEERINGS_NEST = Nest("virtualNetworkPeerings", PEERINGS, _check, _removable, kept=True)


@operation(PEERINGS, "PUT")
def put(control: Control) -> Answer:
    answer = put_child(control, PEERINGS_NEST, stock.existing_parent(control))
    connect(control.state, control.resource())
    return answer


@operation(PEERINGS, "DELETE")
def delete(control: Control) -> Answer:
    return delete_child(control, PEERINGS_NEST, stock.existing_parent(control))
