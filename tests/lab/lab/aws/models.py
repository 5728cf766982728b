# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published service models (botocore's data files), and which host belongs to which service."""

from __future__ import annotations

import functools
import re
from typing import Any, TypeAlias

import botocore.loaders
import botocore.model

from . import mantle

# botocore's Shape: which of members, member and value it has depends on its type_name.
Shape: TypeAlias = Any
ServiceModel = botocore.model.ServiceModel
OperationModel = botocore.model.OperationModel

# Host patterns of the control planes; (?P<region>) is absent from partition-wide ones.
_REGION = r"(?P<region>[a-z]{2}(-[a-z]+)+-\d)"
_HOSTS = {
    "ec2": rf"ec2(-fips)?\.{_REGION}\.(amazonaws\.com|api\.aws)",
    "sts": rf"sts(-fips)?(\.{_REGION})?\.amazonaws\.com",
    "organizations": r"organizations(-fips)?\.us-east-1\.amazonaws\.com",
    "route53": r"route53(-fips)?\.amazonaws\.com",
    "accessanalyzer": rf"access-analyzer(-fips)?\.{_REGION}\.(amazonaws\.com|api\.aws)",
    "cloudtrail": rf"cloudtrail(-fips)?\.{_REGION}\.amazonaws\.com",
}
_COMPILED = {service: re.compile(pattern) for service, pattern in _HOSTS.items()}
GLOBAL_REGION = "us-east-1"


@functools.cache
def model(service: str) -> ServiceModel:
    """The newest model of a service, as botocore ships it; Mantle's is the lab's own."""
    if service == mantle.SERVICE:
        return ServiceModel(mantle.MODEL, service)
    document = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return ServiceModel(document, service)


def control_host(host: str) -> tuple[str, str] | None:
    """(service, Region) of a control plane's host name, or None when it is none."""
    for service, pattern in _COMPILED.items():
        if match := pattern.fullmatch(host):
            return service, match.groupdict().get("region") or GLOBAL_REGION
    return None


def protocol(service: str) -> str:
    """ec2, query, json, rest-json or rest-xml."""
    return str(model(service).metadata["protocol"])
