# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clouds that Microsoft runs, as far as the lab has them: the public one and a sovereign one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """Hosts and audiences of one cloud, by the name that `cloud_environment` has."""

    name: str
    login: str
    arm: str
    audiences: tuple[str, ...]  # of tokens for Resource Manager
    cognitive_audience: str
    logs: str
    logs_audience: str
    suffixes: tuple[str, ...]  # of AI accounts: openai, cognitive services, AI services

    @property
    def zones(self) -> tuple[str, ...]:
        """The private DNS zones of the account families, in the order of `suffixes`."""
        return tuple(f"privatelink.{each}" for each in self.suffixes)


PUBLIC = Environment(
    name="AzureCloud",
    login="login.microsoftonline.com",
    arm="management.azure.com",
    audiences=("https://management.azure.com", "https://management.core.windows.net"),
    cognitive_audience="https://cognitiveservices.azure.com",
    logs="api.loganalytics.azure.com",
    logs_audience="https://api.loganalytics.io",
    suffixes=("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"),
)
GOVERNMENT = Environment(
    name="AzureUSGovernment",
    login="login.microsoftonline.us",
    arm="management.usgovcloudapi.net",
    audiences=("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net"),
    cognitive_audience="https://cognitiveservices.azure.us",
    logs="api.loganalytics.us",
    logs_audience="https://api.loganalytics.us",
    suffixes=("openai.azure.us", "cognitiveservices.azure.us", "services.ai.azure.us"),
)
ENVIRONMENTS = {each.name: each for each in (PUBLIC, GOVERNMENT)}


def by_arm_host(host: str) -> Environment | None:
    return next((each for each in ENVIRONMENTS.values() if each.arm == host), None)


def by_login_host(host: str) -> Environment | None:
    return next((each for each in ENVIRONMENTS.values() if each.login == host), None)
