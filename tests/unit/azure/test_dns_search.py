# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The look around before names are switched: what others own and is kept from us, and what only gave no answer."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_places import Places
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_read import Reading
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_search import search
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.errors import (
    AzureError,
    answered,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.names import cloud
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_dns_types import (
    Endpoint,
    Home,
    Host,
    Network,
    View,
)

OURS, THEIRS = "5a000000-0000-0000-0000-00000000000a", "5d000000-0000-0000-0000-00000000000d"
GROUP = f"/subscriptions/{OURS}/resourceGroups/app/providers"
APP = f"{GROUP}/Microsoft.Network/virtualNetworks/app"
ZONE = "privatelink.openai.azure.com"


class Cloud:
    """Two subscriptions with nothing in them. failing: path → the answer to it."""

    cloud = cloud("AzureCloud")

    def __init__(self, failing: dict[str, AzureError]) -> None:
        self.failing = failing

    def list(self, path: str, **_options: Any) -> list[dict[str, Any]]:
        if path in self.failing:
            raise self.failing[path]
        if path == "/subscriptions":
            return [{"subscriptionId": OURS}, {"subscriptionId": THEIRS}]
        return []

    def find(self, path: Any, **_options: Any) -> dict[str, Any]:
        return {"id": str(path)}

    get = find


def looked(path: str, status: int, code: str) -> tuple[str, ...]:
    """What the look says when one of its reads fails."""
    error = answered(status, {"error": {"code": code, "message": "no"}}, path)
    main: Any = Cloud({path: error})
    host = Host(name="lab.openai.azure.com", zone=ZONE, record="lab", addresses=("10.20.2.4",))
    view = View(
        endpoint=Endpoint(
            id=f"{GROUP}/Microsoft.Network/privateEndpoints/pe",
            name="pe",
            account_id=f"{GROUP}/Microsoft.CognitiveServices/accounts/lab",
            network_id=APP,
            status="Approved",
            hosts=(host,),
        ),
        networks=(Network(id=APP),),
        home=Home(subscription=OURS, resource_group="app", explicit=True),
        zones=(),
        cidrs=("10.20.0.0/16",),
    )
    places = Places(main=main, zones=main, home_subscription=None)
    return search(places, {"state": "present"}, Reading(view=view)).warnings


PLACES = [
    f"/subscriptions/{THEIRS}/providers/Microsoft.Network/privateDnsZones",
    f"/subscriptions/{THEIRS}/providers/Microsoft.CognitiveServices/accounts",
]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AuthorizationFailed"),
        (404, "SubscriptionNotFound"),
        (400, "DisabledSubscription"),
        (401, "InvalidAuthenticationTokenTenant"),
    ],
)
def test_what_is_kept_from_us_is_a_warning(path: str, status: int, code: str) -> None:
    (said,) = looked(path, status, code)
    assert THEIRS in said and code in said


@pytest.mark.parametrize("path", ["/subscriptions", *PLACES])
@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "TooManyRequests"), (503, "ServiceUnavailable"), (401, "ExpiredAuthenticationToken")],
)
def test_what_only_gave_no_answer_stops_the_run(path: str, status: int, code: str) -> None:
    with pytest.raises(AzureError, match=code):
        looked(path, status, code)
