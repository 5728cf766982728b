# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that makes AWS clients: options and environment as amazon.aws has them, plus an assumed role.

botocore is imported inside functions, so that a controller without it can load this file; `preload` imports it ahead
of time, once, for the workers that are forked later. Clients, which hold connections, are made after the fork.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from ..core.errors import EndpointError, MissingSdk
from ..together import gather, settle
from . import assumed
from .errors import AwsError, calling, translate

__all__ = [
    "CONNECTION_SPEC",
    "AwsError",
    "Connection",
    "calling",
    "connect",
    "gather",
    "preload",
    "settle",
    "translate",
]

USER_AGENT = "ansible-private_ai.endpoints"
SESSION_NAME = "private-ai-endpoints"

# botocore's own chain reads the usual names; these are the older ones that amazon.aws reads too.
_OLD_NAMES = {
    "access_key": ("AWS_ACCESS_KEY", "EC2_ACCESS_KEY"),
    "secret_key": ("AWS_SECRET_KEY", "EC2_SECRET_KEY"),
    "session_token": ("EC2_SECURITY_TOKEN",),
}
_REGION_NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION")
# Models that the phases of this collection use; parsing EC2's alone takes 0.15 s.
_BASE = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_WARM = ("ec2", "sts", "route53", "organizations", "accessanalyzer", "cloudtrail")

# What every module of this cloud takes (documentation: plugins/doc_fragments/aws.py).
CONNECTION_SPEC: dict[str, Any] = {
    "region": {"type": "str", "aliases": ["aws_region"]},
    "access_key": {
        "type": "str",
        "aliases": ["aws_access_key_id", "aws_access_key"],
        "no_log": False,
    },
    "secret_key": {
        "type": "str",
        "aliases": ["aws_secret_access_key", "aws_secret_key"],
        "no_log": True,
    },
    "session_token": {
        "type": "str",
        "aliases": ["aws_session_token", "security_token", "aws_security_token"],
        "no_log": True,
    },
    "profile": {"type": "str", "aliases": ["aws_profile"]},
    "endpoint_url": {"type": "str", "aliases": ["aws_endpoint_url"]},
    "aws_ca_bundle": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
}

_loader: Any = None
# One session without a profile, made ahead: that takes a sixth of a no-op, mostly for registering botocore's handlers.
# Every forked worker has a copy of it, and uses it for its first connection only.
_spare: list[Any] = []
_lock = threading.Lock()


def preload() -> None:
    """Import the SDK and parse the models that this collection uses; starts no thread and opens no connection.

    Meant for the top of an action plugin's file: a missing SDK is not an error there, since only the tasks that need
    it should fail. They do, in `connect`.
    """
    global _loader
    if _loader is not None:
        return
    try:
        import botocore.loaders
        import botocore.session
        import botocore.signers
    except ImportError:
        return
    _loader = botocore.loaders.create_loader()
    session = botocore.session.Session()
    session.register_component("data_loader", _loader)
    session.get_available_regions("ec2")
    for service in _WARM:
        # Made-up keys, or botocore would ask the instance metadata service for real ones. Nothing is sent.
        session.create_client(
            service,
            region_name="us-east-1",
            aws_access_key_id="warm",
            aws_secret_access_key="warm",
        )
    _spare.append(_session(None))
    assumed.share()


def _session(profile: str | None) -> Any:
    import botocore.session

    if not profile and _spare:
        return _spare.pop()
    session = botocore.session.Session(profile=profile)
    if _loader is not None:
        session.register_component("data_loader", _loader)
    return session


@dataclass(frozen=True, kw_only=True, repr=False)
class Connection:
    """Credentials and a Region; `client()` makes a client or returns the one made before. Safe across threads."""

    region: str
    session: Any
    endpoint_url: str | None
    verify: bool | str | None
    keys: Mapping[str, str] | None
    role: tuple[str, str | None] | None
    clients: dict[tuple[str, str], Any]

    def client(self, service: str, *, region: str | None = None) -> Any:
        """A boto3-style client of one service, with this collection's retries, timeouts and user agent."""
        key = (service, region or self.region)
        with _lock:
            if key not in self.clients:
                with calling(f"a client for {service}"):
                    self.clients[key] = self._make(service, key[1], self._credentials())
            return self.clients[key]

    def assuming(self, role_arn: str, external_id: str | None = None) -> Connection:
        """The same base credentials with another role."""
        return replace(self, role=(role_arn, external_id), clients={})

    def without_role(self) -> Connection:
        """The base credentials themselves."""
        return replace(self, role=None, clients={}) if self.role else self

    def in_region(self, region: str) -> Connection:
        """The same credentials in another Region."""
        return replace(self, region=region, clients={}) if region != self.region else self

    def identity(self) -> dict[str, str]:
        """`account_id`, `arn` and `partition` of the caller."""
        with calling("the caller's identity", "sts:GetCallerIdentity"):
            answer = self.client("sts").get_caller_identity()
        arn = str(answer["Arn"])
        return {"account_id": answer["Account"], "arn": arn, "partition": arn.split(":")[1]}

    def partition(self) -> str:
        """The partition that the Region belongs to, from botocore's own data: no request."""
        return str(self.session.get_partition_for_region(self.region))

    def _credentials(self) -> Mapping[str, str] | None:
        if not self.role:
            return self.keys
        role_arn, external_id = self.role
        key = (role_arn, external_id, self._base(), self.region, self.endpoint_url)
        if kept := assumed.recall(key):
            return kept
        request: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": SESSION_NAME}
        if external_id:
            request["ExternalId"] = external_id
        sts = self._make("sts", self.region, self.keys)
        with calling(f"assume_role_arn {role_arn}", "sts:AssumeRole"):
            answer = sts.assume_role(**request)["Credentials"]
        credentials = {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }
        assumed.keep(key, answer["Expiration"].timestamp(), credentials)
        return credentials

    def _base(self) -> str | None:
        """A digest of the credentials that assume the role: others, or wrong ones, are asked for themselves."""
        if self.keys:
            known = [self.keys.get(name) for name in _BASE]
        elif found := self.session.get_credentials():
            known = [found.access_key, found.secret_key, found.token]
        else:
            return None
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def _make(self, service: str, region: str, credentials: Mapping[str, str] | None) -> Any:
        from botocore.config import Config

        config = Config(
            user_agent_extra=USER_AGENT,
            retries={"mode": "standard", "total_max_attempts": 8},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=16,
        )
        return self.session.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint_url,
            verify=self.verify,
            config=config,
            **(credentials or {}),
        )


def connect(params: Mapping[str, Any], *, home: str | None = None) -> Connection:
    """Read the connection options of a module (CONNECTION_SPEC); sends nothing.

    home: the Region of what has only one place, for when none is set.

    EndpointError: no Region, keys beside a profile, half a pair of keys, an unknown profile. MissingSdk: no botocore.
    """
    keys = _keys(params)
    try:
        import botocore.session  # noqa: F401
    except ImportError as error:
        raise MissingSdk(
            "the Python library boto3 is not installed where this task runs",
            fix="Install it there: pip install boto3",
        ) from error
    with calling("the AWS connection options"):
        session = _session(params.get("profile"))
        region = params.get("region") or _environment(_REGION_NAMES)
        region = region or session.get_config_variable("region") or home
    if not region:
        raise EndpointError(
            "no AWS Region is set",
            resource="region",
            fix="Set the option region or the environment variable AWS_REGION",
        )
    endpoint_url = params.get("endpoint_url") or _environment(("AWS_URL", "EC2_URL"))
    if not endpoint_url:
        _refuse_unknown(region, session)
    verify: bool | str | None = params.get("aws_ca_bundle")
    if params.get("validate_certs") is False:
        verify = False
    role = params.get("assume_role_arn")
    return Connection(
        region=region,
        session=session,
        endpoint_url=endpoint_url,
        verify=verify,
        keys=keys,
        role=(role, params.get("assume_role_external_id")) if role else None,
        clients={},
    )


def _refuse_unknown(region: str, session: Any) -> None:
    """A misspelt Region has no host, and botocore would try for half a minute before it says so.

    A Region that is newer than this botocore is looked up, unless a proxy does that.
    """
    with calling("region"):
        partition = session.get_partition_for_region(region)
        known = session.get_available_regions("ec2", partition_name=partition)
    if region in known or _environment(("HTTPS_PROXY", "https_proxy")):
        return
    host = f"sts.{region}.amazonaws.com"
    try:
        socket.getaddrinfo(host, 443)
    except OSError as error:
        raise EndpointError(
            f"{region} is no Region that can be found: {host}: {error.strerror}",
            resource="region",
            code="EndpointConnectionError",
            fix="Correct it: " + ", ".join(get_close_matches(region, known) or known),
        ) from error


def _keys(params: Mapping[str, Any]) -> dict[str, str] | None:
    """The keys of the options or of the older environment names; None leaves it to botocore's chain."""
    given = {name: params.get(name) for name in _OLD_NAMES}
    if params.get("profile"):
        if any(given.values()):
            raise EndpointError(
                "a profile and keys exclude each other",
                resource="profile",
                fix="Give either profile, or access_key and secret_key",
            )
        return None
    if not any(given.values()) and not os.environ.get("AWS_ACCESS_KEY_ID"):
        given = {name: _environment(names) for name, names in _OLD_NAMES.items()}
    if not given["access_key"] and not given["secret_key"]:
        return None
    if not given["access_key"] or not given["secret_key"]:
        raise EndpointError(
            "access_key and secret_key go together, and one of them is missing",
            resource="access_key" if given["secret_key"] else "secret_key",
            fix="Give both, or neither and leave it to the environment or a profile",
        )
    keys = {"aws_access_key_id": given["access_key"], "aws_secret_access_key": given["secret_key"]}
    if given["session_token"]:
        keys["aws_session_token"] = given["session_token"]
    return keys


def _environment(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
