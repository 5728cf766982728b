# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clouds of Azure, and the names of an account in them: for clients, as zones, as members."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import EndpointError

PUBLIC = "AzureCloud"
PRIVATELINK = "privatelink."
# The one group of an account's private link, and the members of an endpoint in the order in which Azure makes them.
GROUP = "account"
MEMBERS = ("default", "secondary", "third")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One Azure. suffixes: what the client names of an account end in, by family."""

    name: str
    authority: str
    resource_manager: str
    scope: str
    log_analytics: str
    suffixes: dict[str, str]


CLOUDS = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            name=PUBLIC,
            authority="login.microsoftonline.com",
            resource_manager="https://management.azure.com",
            scope="https://management.azure.com/.default",
            log_analytics="https://api.loganalytics.azure.com",
            suffixes={
                "cognitiveservices": "cognitiveservices.azure.com",
                "openai": "openai.azure.com",
                "services.ai": "services.ai.azure.com",
            },
        ),
        Cloud(
            name="AzureUSGovernment",
            authority="login.microsoftonline.us",
            resource_manager="https://management.usgovcloudapi.net",
            scope="https://management.core.usgovcloudapi.net/.default",
            log_analytics="https://api.loganalytics.us",
            suffixes={
                "cognitiveservices": "cognitiveservices.azure.us",
                "openai": "openai.azure.us",
                "services.ai": "services.ai.azure.us",
            },
        ),
        Cloud(
            name="AzureChinaCloud",
            authority="login.chinacloudapi.cn",
            resource_manager="https://management.chinacloudapi.cn",
            scope="https://management.chinacloudapi.cn/.default",
            log_analytics="https://api.loganalytics.azure.cn",
            suffixes={
                "cognitiveservices": "cognitiveservices.azure.cn",
                "openai": "openai.azure.cn",
                "services.ai": "services.ai.azure.cn",
            },
        ),
    )
}

# What an account of a kind answers to; every other kind has the first family only.
_FAMILIES = {
    "openai": ("openai",),
    "aiservices": ("cognitiveservices", "openai", "services.ai"),
}
_OTHER = ("cognitiveservices",)


def cloud(name: str) -> Cloud:
    """The cloud of that name, whatever its case; EndpointError names those that are known."""
    found = {key.lower(): value for key, value in CLOUDS.items()}.get(name.strip().lower())
    if found is None:
        raise EndpointError(
            f"{name} is no cloud that has Azure AI services",
            resource="cloud_environment",
            fix="Choose one of " + ", ".join(CLOUDS),
        )
    return found


def families(kind: str) -> tuple[str, ...]:
    """The families of an account's kind, in the order of its endpoint's members."""
    return _FAMILIES.get(kind.lower(), _OTHER)


def members(kind: str) -> tuple[str, ...]:
    """The members that an endpoint of such an account has, one address each."""
    return MEMBERS[: len(families(kind))]


def hosts(kind: str, custom_subdomain: str, cloud: Cloud) -> dict[str, str]:
    """Family → the name that clients use. An account without custom subdomain has no name of its own."""
    if not custom_subdomain:
        return {}
    return {name: f"{custom_subdomain}.{cloud.suffixes[name]}".lower() for name in families(kind)}


def zones(kind: str, cloud: Cloud) -> dict[str, str]:
    """Family → the private DNS zone of its names."""
    return {name: PRIVATELINK + cloud.suffixes[name] for name in families(kind)}


def all_zones(cloud: Cloud) -> dict[str, str]:
    """Zone → family, of every family that the cloud has."""
    return {PRIVATELINK + suffix: name for name, suffix in cloud.suffixes.items()}


def family_of(fqdn: str, cloud: Cloud) -> str | None:
    """The family that a client name or a privatelink name belongs to."""
    name = client_name(fqdn)
    return next((key for key, end in cloud.suffixes.items() if name.endswith("." + end)), None)


def zone_of(fqdn: str, cloud: Cloud) -> str | None:
    """The private DNS zone that answers for a client name; None when it belongs to no family."""
    family = family_of(fqdn, cloud)
    return None if family is None else PRIVATELINK + cloud.suffixes[family]


def record_of(fqdn: str, cloud: Cloud) -> str | None:
    """The relative name of its record in that zone."""
    family = family_of(fqdn, cloud)
    return None if family is None else client_name(fqdn)[: -len(cloud.suffixes[family]) - 1]


def client_name(fqdn: str) -> str:
    """The name that clients use: in lower case, without a dot at the end and without `privatelink`."""
    return fqdn.strip().rstrip(".").lower().replace("." + PRIVATELINK, ".", 1)


def privatelink_name(fqdn: str, cloud: Cloud) -> str | None:
    """What public DNS sends a client name to, once an endpoint exists."""
    zone, record = zone_of(fqdn, cloud), record_of(fqdn, cloud)
    return f"{record}.{zone}" if zone and record else None
