# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks that are the same in every cloud: contradictions, blind spots, proxies, interception."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import everywhere
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.checks import (
    outlook as aws_outlook,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.checks import (
    outlook as azure_outlook,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.checks import run_check
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.contracts import Finding
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.checks import (
    outlook as gcp_outlook,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.outlook import Outlook
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import cases_of
from ansible_collections.private_ai.endpoints.tests.unit.support import (
    aws_case,
    azure_case,
    gcp_case,
)

Parts = dict[str, Any]
Change = Callable[[Parts], object]
CLOUDS: dict[str, tuple[ModuleType, Outlook, str, str]] = {
    # The support, the outlook, a host, and the peer.
    "aws": (aws_case, aws_outlook.OUTLOOK, aws_case.MODELS, aws_case.SPOKE_VPC),
    "azure": (
        azure_case,
        azure_outlook.OUTLOOK,
        azure_case.OPENAI,
        azure_case.SPOKE,
    ),
    "gcp": (gcp_case, gcp_outlook.OUTLOOK, gcp_case.GLOBAL, gcp_case.SPOKE),
}
INSIDE, SPOKE = (
    {"aws": "app-a", "azure": "app", "gcp": "app"},
    {"aws": "spoke-a", "azure": "spoke", "gcp": "spoke"},
)
PROXY = {"variable": "HTTPS_PROXY", "host": "proxy.example:3128", "bypassed": False}


@pytest.fixture(params=sorted(CLOUDS))
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def findings(cloud: str, check: str, *changes: Change) -> list[Finding]:
    support, outlook, *_rest = CLOUDS[cloud]
    (case,) = cases_of(support.request(*changes))
    (chosen,) = (item for item in everywhere.checks(outlook) if item.id == f"{cloud}_{check}")
    return [item.finding for item in run_check(chosen, case)]


def seen(cloud: str, parts: Parts) -> dict[str, Any]:
    """The observation by name of the host from the inside vantage."""
    _support, _outlook, host, _peer = CLOUDS[cloud]
    return next(
        item
        for item in parts["observations"]
        if item["vantage"] == INSIDE[cloud] and item["host"] == host
    )


def led(item: dict[str, Any], dns: list[str], system: list[str], **resolver: Any) -> None:
    item["dns"]["answers"] = [{"type": "A", "address": each, "ttl": 60} for each in dns]
    item["dns"]["system"] = system
    item["resolver"].update(resolver)


def only(listed: list[Finding], *statuses: str) -> Finding:
    (found,) = (item for item in listed if item.status in statuses)
    return found


def test_where_all_is_right_every_check_passes_by_what_was_seen(cloud: str) -> None:
    for check in ("contradictions", "proxies", "interception"):
        listed = findings(cloud, check)
        assert {item.status for item in listed} == {"pass"}, check
    inside = {item.vantage for item in findings(cloud, "contradictions")}
    assert {INSIDE[cloud], SPOKE[cloud]} <= inside


def test_with_nothing_to_look_at_nothing_passes(cloud: str) -> None:
    def nothing(parts: Parts) -> None:
        parts["observations"] = []

    for check in ("contradictions", "blind_spots", "proxies", "interception"):
        assert {item.status for item in findings(cloud, check, nothing)} == {"unknown"}, check


def test_without_evidence_there_is_nothing_to_contradict(cloud: str) -> None:
    def blind(parts: Parts) -> None:
        parts["evidence"] = []

    (only_one,) = findings(cloud, "contradictions", blind)
    assert only_one.status == "unknown"
    assert "unknown" in {item.status for item in findings(cloud, "blind_spots", blind)}


# Contradictions -----------------------------------------------------------------------------------------------------


def public(cloud: str) -> list[str]:
    return list(CLOUDS[cloud][0].PUBLIC)


@pytest.mark.parametrize(
    ("cause", "first", "second"),
    [
        ("hosts", "1. the hosts file of this vantage names the host (203.0.113.99)", ""),
        ("cache", "1. the system's own resolver (203.0.113.99) differs from DNS", ""),
        ("mixed", "1. private and public answers together: split horizon", ""),
        ("resolver", "1. it asks 9.9.9.9, which is not the network's own resolver", "2. a cache"),
        ("stub", "1. it asks 127.0.0.53 (on the machine itself", ""),
        ("ttl", "1. a cache on the way", "up to 60 s; 2. a private zone"),
        ("proxy", "1. a proxy is set there", "2. a private zone"),
        ("chain", "1. the name is an alias (x.example)", "2. a private zone"),
        ("nothing", "1. a private zone, rule or resolver of an account", "2. the configuration"),
    ],
)
def test_a_private_configuration_and_a_public_name(
    cloud: str, cause: str, first: str, second: str
) -> None:
    own = [str(item) for item in CLOUDS[cloud][1].resolvers(cases(cloud), vantage(cloud))][:1]

    def change(parts: Parts) -> None:
        item = seen(cloud, parts)
        right = item["dns"]["system"]
        strange = ["203.0.113.99"]
        led(item, strange, strange, nameservers=own)
        item["dns"].update(servers=own, ttl=None)
        if cause == "hosts":
            led(item, right, strange, hosts_file=True, hosts_addresses=strange)
        if cause == "cache":
            led(item, right, strange)
        if cause == "mixed":
            led(item, [*right, *strange], [*right, *strange])
        if cause in ("resolver", "stub"):
            server = {"resolver": "9.9.9.9", "stub": "127.0.0.53"}[cause]
            item["dns"].update(servers=[server], ttl=60)
        if cause == "ttl":
            item["dns"]["ttl"] = 60
        if cause == "proxy":
            item["proxy"] = [PROXY]
        if cause == "chain":
            item["dns"]["chain"] = ["x.example"]

    listed = findings(cloud, "contradictions", change)
    found = only(listed, "warn")
    assert (found.status, found.vantage, found.severity) == ("warn", INSIDE[cloud], "high")
    assert found.observed.startswith("the configuration says private (")
    assert f"Likely causes: {first}" in found.observed
    assert second in found.observed
    assert sum(item.status == "pass" for item in listed) == len(listed) - 1


def cases(cloud: str) -> Any:
    return cases_of(CLOUDS[cloud][0].request())[0]


def vantage(cloud: str) -> Any:
    return next(item for item in cases(cloud).vantages if item.name == INSIDE[cloud])


def test_a_name_that_does_not_exist_contradicts_a_private_configuration(cloud: str) -> None:
    def change(parts: Parts) -> None:
        item = seen(cloud, parts)
        led(item, [], [])
        item["dns"]["status"] = "nxdomain"
        item["connections"] = []

    assert "no such name" in only(findings(cloud, "contradictions", change), "warn").observed


def test_private_by_the_hosts_file_of_one_machine_alone_is_no_pass(cloud: str) -> None:
    def alone(parts: Parts) -> None:
        item = seen(cloud, parts)
        right = item["dns"]["system"]
        led(item, public(cloud), right, hosts_file=True, hosts_addresses=right)

    def beside(parts: Parts) -> None:
        item = seen(cloud, parts)
        item["resolver"].update(hosts_file=True, hosts_addresses=item["dns"]["system"])

    found = only(findings(cloud, "contradictions", alone), "warn")
    assert "the hosts file of this vantage" in found.observed
    assert "hosts file" in found.fix
    assert {item.status for item in findings(cloud, "contradictions", beside)} == {"pass"}


def test_better_than_the_configuration_says_is_a_warning(cloud: str) -> None:
    """The reverse: nothing private by configuration, and a vantage that is led to the endpoint all the same."""

    def unlinked(parts: Parts) -> None:
        document = parts["evidence"][0]
        document["zones"] = []
        for item in document["endpoints"]:
            item["private_dns_enabled"] = False

    found = findings(cloud, "contradictions", unlinked)
    assert {item.status for item in found} == {"warn"}
    assert {item.severity for item in found} == {"medium"}
    assert "the configuration says public" in found[0].observed


def test_a_network_that_the_evidence_does_not_know_is_not_judged(cloud: str) -> None:
    def elsewhere(parts: Parts) -> None:
        for item in parts["vantages"]:
            if item["position"] == "spoke":
                item["network"] = "somewhere-else"

    assert {item.vantage for item in findings(cloud, "contradictions", elsewhere)} == {
        item["vantage"] for item in CLOUDS[cloud][0].by_name() if item["position"] == "inside"
    }


# Proxies and interception -------------------------------------------------------------------------------------------


def test_a_proxy_that_programs_would_use_is_told(cloud: str) -> None:
    def used(parts: Parts) -> None:
        seen(cloud, parts)["proxy"] = [PROXY]

    def bypassed(parts: Parts) -> None:
        seen(cloud, parts)["proxy"] = [{**PROXY, "bypassed": True}]

    found = only(findings(cloud, "proxies", used), "warn")
    assert "HTTPS_PROXY (proxy.example:3128)" in found.observed
    assert CLOUDS[cloud][2] in found.observed
    assert {item.status for item in findings(cloud, "proxies", bypassed)} == {"pass"}


INSPECTOR = "O=Corp, CN=Corp Inspection CA"
LINK = {"subject": "CN=x", "issuer": INSPECTOR, "not_after": "x", "fingerprint": "ab12"}


@pytest.mark.parametrize(
    ("tls", "status", "said"),
    [
        ({"ok": True, "issuer": INSPECTOR, "chain": [LINK]}, "fail", "trusted there, SHA-256 ab12"),
        (
            {"ok": False, "issuer": INSPECTOR, "error": "certificate verify failed: self-signed"},
            "fail",
            "not trusted there",
        ),
        # A proxy that calls itself as the cloud does, and that nobody trusts.
        (
            {
                "ok": False,
                "issuer": "O=Amazon, O=Microsoft Corporation",
                "error": "unable to get local issuer",
            },
            "fail",
            "not trusted there",
        ),
        ({"ok": True, "issuer": "O=Amazonia, CN=Amazon"}, "fail", "Amazonia"),
        # Another name or an old date is wrong, and no proxy.
        ({"ok": False, "issuer": INSPECTOR, "error": "certificate has expired"}, "pass", ""),
        ({"ok": False, "issuer": None, "error": "timed out"}, "pass", ""),
    ],
)
def test_whose_certificate_it_is(cloud: str, tls: dict[str, Any], status: str, said: str) -> None:
    def change(parts: Parts) -> None:
        for entry in seen(cloud, parts)["connections"]:
            entry["tls"] = {**entry["tls"], **tls}

    listed = findings(cloud, "interception", change)
    found = next(item for item in listed if item.vantage == INSIDE[cloud])
    assert found.status == status
    assert said in found.observed
    assert {item.status for item in listed if item.vantage != INSIDE[cloud]} == {"pass"}


# Blind spots --------------------------------------------------------------------------------------------------------


def of(listed: list[Finding], resource: str) -> list[Finding]:
    return [item for item in listed if item.resource == resource]


def test_a_peer_is_seen_from_a_vantage_in_it_or_unknown(cloud: str) -> None:
    peer = CLOUDS[cloud][3]

    def without(parts: Parts) -> None:
        parts["vantages"] = [item for item in parts["vantages"] if item["position"] != "spoke"]
        parts["observations"] = [
            item for item in parts["observations"] if item["position"] != "spoke"
        ]

    def silent(parts: Parts) -> None:
        parts["observations"] = [
            {**item, "error": "unreachable: no route"} if item["position"] == "spoke" else item
            for item in parts["observations"]
        ]

    (found,) = of(findings(cloud, "blind_spots"), peer)
    assert (found.status, found.observed) == ("pass", f"seen from {SPOKE[cloud]}")
    (found,) = of(findings(cloud, "blind_spots", without), peer)
    assert (found.status, found.severity) == ("unknown", "medium")
    assert "no vantage sits there" in found.observed
    (found,) = of(findings(cloud, "blind_spots", silent), peer)
    assert (found.status, found.observed) == (
        "unknown",
        f"{SPOKE[cloud]} sits there and did not report",
    )


def test_a_peer_that_nobody_can_read_is_told_even_with_a_vantage_in_it(cloud: str) -> None:
    peer = CLOUDS[cloud][3]

    def refused(parts: Parts) -> None:
        document = parts["evidence"][0]
        document["missing"].append(
            {
                "part": "peers",
                "action": "read:Zones",
                "code": "AccessDenied",
                "resource": peer,
                "message": f"{peer}: denied",
            }
        )
        if cloud == "azure":
            document["peers"] = []
        if cloud == "gcp":
            document["spokes"] = []

    listed = of(findings(cloud, "blind_spots", refused), peer)
    assert [item.status for item in listed] == ["unknown", "pass"]
    assert "read:Zones failed (AccessDenied)" in listed[0].observed
    assert f"{SPOKE[cloud]} looked from there" in listed[0].observed


def test_hosts_that_a_client_could_use_and_nobody_probed() -> None:
    listed = findings("aws", "blind_spots")
    (found,) = of(listed, "FIPS hosts")
    assert found.status == "unknown"
    assert "bedrock-fips.us-east-1.amazonaws.com (by configuration public)" in found.observed
    (found,) = of(listed, "dual-stack hosts")
    assert "bedrock-runtime.us-east-1.api.aws" in found.observed

    def keys(parts: Parts) -> None:
        parts["evidence"][0]["account"]["disable_local_auth"] = False

    assert {item.status for item in findings("azure", "blind_spots")} == {"pass"}
    (found,) = of(findings("azure", "blind_spots", keys), "the Region's host, which takes keys")
    assert "eastus.api.cognitive.microsoft.com" in found.observed

    def unseen(parts: Parts) -> None:
        gone = azure_case.COGNITIVE
        parts["observations"] = [item for item in parts["observations"] if item["host"] != gone]
        parts["probe_targets"] = [item for item in parts["probe_targets"] if item["host"] != gone]

    (found,) = of(findings("azure", "blind_spots", unseen), "the names of the account")
    assert f"{azure_case.COGNITIVE} (by configuration private)" in found.observed
