# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.CognitiveServices/accounts: OpenAI, AI Services and their older kin.

An account is `Accepted` for a while after each write, and refuses the next one meanwhile. What it
says of public access reaches the data plane later still (`binding`).
https://learn.microsoft.com/rest/api/aiservices/accountmanagement/accounts
"""

from __future__ import annotations

import copy
import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from . import cognitive_connections
from .cognitive_rules import (
    SDK,
    VERSIONS,
    check_account,
    check_kind,
    check_network_rules,
    check_subdomain,
    check_words,
    idle,
)
from .control import Control
from .errors import bad_request
from .hosts import ACCOUNTS, families_of, hosts_of
from .polling import polled
from .registry import Answer, operation, resource_type, shown
from .resources import registrable
from .state import Resource, State
from .stock import existing_parent, readable

# What the data plane follows with a delay.
_BINDING = ("publicNetworkAccess", "networkAcls", "disableLocalAuth")
_ENDPOINT_NAMES = {
    "openai": (
        "OpenAI Language Model Instance API",
        "OpenAI Dall-E API",
        "OpenAI Whisper API",
        "OpenAI Realtime API",
    ),
    "services.ai": ("AI Foundry API", "Azure AI Model Inference API"),
    "cognitiveservices": ("FormRecognizer", "TextAnalytics", "ComputerVision", "Content Safety"),
}


def view(state: State, account: Resource) -> dict[str, Any]:
    """The account as ARM shows it, with its connections and what is derived from its names."""
    properties = {
        **account.properties,
        "endpoint": _endpoint(state, account),
        "endpoints": _endpoints(state, account),
        "provisioningState": account.state,
        "privateEndpointConnections": [
            {key: value for key, value in shown(state, each).items() if key != "etag"}
            for each in state.children(account.id, "privateEndpointConnections")
        ],
    }
    return {**account.body, "properties": properties}


TYPE = resource_type(
    ACCOUNTS,
    VERSIONS,
    model=(SDK, "Account"),
    view=view,
    etag='"{}"',
    statuses="locations/operations",
)


def _endpoint(state: State, account: Resource) -> str:
    hosts = hosts_of(state, account)
    if not hosts:
        return f"https://{account.body['location']}.api.cognitive.microsoft.com/"
    return f"https://{next(iter(hosts.values()))}/"


def _endpoints(state: State, account: Resource) -> dict[str, str]:
    hosts = hosts_of(state, account)
    if not hosts:
        only = _endpoint(state, account)
        return dict.fromkeys(_ENDPOINT_NAMES["cognitiveservices"], only)
    return {
        name: f"https://{hosts[family]}/"
        for family in families_of(str(account.body["kind"]))
        for name in _ENDPOINT_NAMES[family]
    }


def binding(account: Resource) -> Mapping[str, Any]:
    """The settings that the data plane goes by now."""
    bound: Mapping[str, Any] = account.hidden.get("binding", account.properties)
    return bound


readable(TYPE)
polled("Microsoft.CognitiveServices", VERSIONS, free=True)
registrable("Microsoft.CognitiveServices")


@operation(TYPE, "PUT")
def put(control: Control) -> Answer:
    """Create an account, or replace what an existing one says."""
    standing = control.existing()
    if standing:
        idle(control, standing)
    check_account(control)
    body = {
        "kind": control.body["kind"],
        "location": control.body["location"],
        "sku": control.body["sku"],
        "tags": control.body.get("tags", {}),
        "properties": _properties(control, control.properties, standing),
    }
    if "identity" in control.body:
        body["identity"] = _identity(control)
    if standing is None:
        made = control.state.add(Resource(control.id, body))
        made.hidden["keys"] = (uuid.uuid4().hex, uuid.uuid4().hex)
        return _accepted(control, made, 201)
    _check_unchanged(standing, body)
    standing.hidden.setdefault("binding", copy.deepcopy(standing.properties))
    standing.body = body
    return _accepted(control, standing, 200)


@operation(TYPE, "PATCH", model=(SDK, "Account"))
def patch(control: Control) -> Answer:
    """Merge: each property that is given takes the place of the old one, tags as a whole."""
    account = control.resource()
    idle(control, account)
    if "kind" in control.body:
        check_kind(control.body["kind"], str(account.body["kind"]))
    properties = _properties(control, {**account.properties, **control.properties}, account)
    account.hidden.setdefault("binding", copy.deepcopy(account.properties))
    for name in ("kind", "sku", "tags"):
        if name in control.body:
            account.body[name] = control.body[name]
    if "identity" in control.body:
        account.body["identity"] = _identity(control)
    account.body["properties"] = properties
    return _accepted(control, account, 200)


def _accepted(control: Control, account: Resource, status: int) -> Answer:
    """The write stands; the account works at it, and the data plane follows later."""
    state = control.state
    account.touch()
    made = control.begin(account, state.timing.account, status=status, state="Accepted", also=())
    # The provider names no status URL: clients poll the account itself.
    made.headers = {}
    target = {each: copy.deepcopy(account.properties.get(each)) for each in _BINDING}

    def bind() -> None:
        account.hidden["binding"] = target

    if control.at_start or status == 201:
        bind()
    else:
        state.after(state.timing.access_propagation, bind)
    return made


def _properties(
    control: Control, wanted: Mapping[str, Any], standing: Resource | None
) -> dict[str, Any]:
    properties = check_words(wanted)
    before = standing.properties if standing else {}
    if "customSubDomainName" not in properties and before.get("customSubDomainName"):
        properties["customSubDomainName"] = before["customSubDomainName"]
    check_subdomain(control, properties, before)
    if "networkAcls" in properties:
        properties["networkAcls"] = check_network_rules(control, properties)
    properties.setdefault("publicNetworkAccess", "Enabled")
    for name in ("internalId", "dateCreated", "isMigrated"):
        properties.pop(name, None)
    now = datetime.datetime.fromtimestamp(control.state.now(), datetime.timezone.utc)
    return {
        **properties,
        "internalId": before.get("internalId") or uuid.uuid4().hex,
        "dateCreated": before.get("dateCreated") or now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "isMigrated": False,
    }


def _check_unchanged(standing: Resource, body: Mapping[str, Any]) -> None:
    if standing.body["kind"] != body["kind"]:
        check_kind(str(body["kind"]), str(standing.body["kind"]))


def _identity(control: Control) -> dict[str, Any]:
    given = control.body["identity"]
    if "SystemAssigned" not in str(given.get("type", "")):
        return dict(given)
    known = control.state.subscriptions[control.id.subscription.lower()]
    principal = str(uuid.uuid5(uuid.NAMESPACE_URL, control.id.key))
    return {**given, "principalId": principal, "tenantId": known.tenant}


@operation(TYPE, "DELETE")
def delete(control: Control) -> Answer:
    """The account goes at once, its subdomain stays taken until somebody purges it."""
    account = control.existing()
    if account is None:
        return Answer(204)
    idle(control, account)
    label = str(account.properties.get("customSubDomainName") or "").lower()
    if label:
        control.state.extra.setdefault("deleted subdomains", set()).add(label)

    def disconnect() -> None:
        for each in control.state.children(account.id, "privateEndpointConnections"):
            cognitive_connections.tell_endpoint(control.state, each, "Disconnected", "Deleted")

    return control.delete(account, control.state.timing.account, disconnect)


KEYS = resource_type(f"{ACCOUNTS}/listKeys", VERSIONS, tracked=False)


@operation(KEYS, "POST", action=f"{ACCOUNTS}/listKeys/action")
def list_keys(control: Control) -> Answer:
    """Both keys, unless local authentication is off."""
    account = existing_parent(control)
    if account.properties.get("disableLocalAuth"):
        raise bad_request("BadRequest", "Failed to list key. disableLocalAuth is set to be true")
    first, second = account.hidden["keys"]
    return Answer(200, {"key1": first, "key2": second})
