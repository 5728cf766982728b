#!/usr/bin/python
# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: private_endpoint_probe
short_description: See from this machine what the hosts of a cloud AI service resolve to and answer
version_added: 0.1.0
description:
  - Runs on a vantage, a machine in a network that calls the service, and reports what it sees of each probe target
    there, which is every DNS answer (A and AAAA) with its CNAME chain and TTL, what the system's own resolver says,
    TCP and TLS timing for each address, the certificate, and the class of the answer to one cheap read. AWS's hosts
    get it signed, Google's with a token. Azure's get it without credentials, since Azure judges networks before it
    asks for any.
  - With O(pinned=true) it connects to the addresses that the target expects, with the real host name in SNI and Host,
    before any name points there.
  - All targets and addresses are probed at the same time.
  - It judges nothing and changes nothing. M(private_ai.endpoints.private_endpoint_validate) judges.
  - Proxies named in the environment are reported and never used.
  - Whatever servers answer, it ends by its O(deadline), keeps only the beginning of what they send, and reports
    control characters in it by their number.
author:
  - private_ai.endpoints contributors (@private-ai)
requirements:
  - Python on the vantage, and nothing else. 3.8 or newer with ansible-core 2.19, 3.9 or newer from 2.20 on.
attributes:
  check_mode:
    description: Can run in check mode; it probes then as well, since a probe only reads.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
options:
  targets:
    description:
      - What to probe, as returned in RV(ignore:probe_targets) by the modules that create endpoints.
    type: list
    elements: dict
    required: true
    suboptions:
      schema_version:
        description: Version of this shape.
        type: int
        default: 1
        choices: [1]
      host:
        description: Host name that clients call.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        default: 443
      addresses:
        description: Addresses of the endpoint. Only O(pinned=true) connects to them.
        type: list
        elements: str
        default: []
      networks:
        description:
          - Addresses by network, where an endpoint serves one network alone. A vantage whose O(network) is among them
            connects to those, and any other to all of O(targets[].addresses).
        type: dict
        default: {}
      cloud:
        description: Cloud that the service belongs to, V(aws), V(azure) or V(gcp). It decides what an answer means.
        type: str
        required: true
      target:
        description: Name of the target in the inventory.
        type: str
        required: true
      service:
        description: Service behind the host.
        type: str
        required: true
      plane:
        description: Whether the host manages the service or serves inference.
        type: str
        choices: [management, runtime]
        required: true
      probe_action:
        description:
          - One cheap read to send. Left out, the probe ends after the TLS handshake.
        type: dict
        suboptions:
          name:
            description: Name of the operation, for example V(bedrock:ListFoundationModels).
            type: str
            required: true
          method:
            description: HTTP method.
            type: str
            default: GET
          path:
            description: Path and query of the request.
            type: str
            required: true
          headers:
            description: Further headers.
            type: dict
            default: {}
          body:
            description: Body of the request.
            type: str
            default: ''
          auth:
            description: How the request is signed. Left out, it is sent unsigned.
            type: str
            choices: [aws4, bearer]
          signing_name:
            description: Service name in an AWS signature.
            type: str
          region:
            description: Region in an AWS signature.
            type: str
  pinned:
    description:
      - Connect to each of the target's addresses instead of resolving its host.
    type: bool
    default: false
  vantage:
    description:
      - Name of this machine in the observations. Defaults to its own host name.
    type: str
  position:
    description:
      - Where this machine lies, seen from the target.
    type: str
    choices: [inside, spoke, outside, canary]
    default: inside
  network:
    description:
      - Id of the network that this machine is in, as O(targets[].networks) has it.
    type: str
  timeout:
    description:
      - Seconds for each wait, which are resolving, connecting, the TLS handshake and the answer. Each is one wait,
        however slowly its bytes arrive.
    type: float
    default: 5
  deadline:
    description:
      - Seconds for everything together, in each round of O(repeat_until). Waits end with it, and what was seen until
        then is reported. What is not finished then is an observation with an error.
    type: float
    default: 30
  repeat_until:
    description:
      - Probe again until, in one round, every target with a probe action gave one of these answers.
      - When the time is up the last round is returned. That is no failure of this module.
    type: dict
    suboptions:
      answers:
        description: Classes of answers to wait for.
        type: list
        elements: str
        required: true
        choices:
          - admitted
          - denied_scp
          - denied_endpoint_policy
          - denied_identity
          - denied_public_access
          - denied_network_rules
          - denied_unapproved_endpoint
          - denied_perimeter
          - denied_other
          - unauthenticated
          - bad_credentials
          - throttled
          - invalid_request
          - server_error
          - other
      timeout:
        description: Seconds to go on trying.
        type: float
        default: 300
      interval:
        description: Seconds between two rounds.
        type: float
        default: 3
  identify:
    description:
      - Ask AWS STS whose credentials these are, where AWS's answers do not tell. Needs a way to STS from this machine.
    type: bool
    default: false
  ca_path:
    description:
      - File with certificate authorities to trust instead of the system's. The environment variable E(SSL_CERT_FILE)
        of the vantage does the same.
    type: path
  access_key:
    description:
      - AWS access key that signs the probe actions. Without it the environment of the vantage is asked, and without
        that they are sent unsigned.
    type: str
  secret_key:
    description:
      - AWS secret key that belongs to O(access_key).
    type: str
  session_token:
    description:
      - AWS session token that belongs to O(access_key), for temporary credentials.
    type: str
  bearer_token:
    description:
      - Access token that Google's hosts get with the probe actions, best one that is short-lived. The lookup
        P(private_ai.endpoints.vertex_token#lookup) makes one.
      - Without it E(GCP_ACCESS_TOKEN) of the vantage is used, and without that Google asks for credentials, which
        proves nothing.
    type: str
  bearer_principal:
    description: Email of the account that O(bearer_token) belongs to, for the record.
    type: str
seealso:
  - module: private_ai.endpoints.private_endpoint_validate
  - module: private_ai.endpoints.bedrock_vpc_endpoint
"""

EXAMPLES = r"""
- name: See the endpoint's addresses from an application subnet before any name points there
  private_ai.endpoints.private_endpoint_probe:
    targets: "{{ created.probe_targets }}"
    pinned: true
    vantage: app-a
    position: inside
    access_key: "{{ vantage_aws_access_key_id }}"
    secret_key: "{{ vantage_aws_secret_access_key }}"
  delegate_to: app-a
  register: pinned

- name: Wait until AWS refuses the public path
  private_ai.endpoints.private_endpoint_probe:
    targets: "{{ created.probe_targets }}"
    vantage: outside
    position: outside
    repeat_until:
      answers: [denied_scp]
      timeout: 300
  delegate_to: outside
  register: refused

- name: Wait until Azure refuses the public path
  private_ai.endpoints.private_endpoint_probe:
    targets: "{{ account.probe_targets }}"
    vantage: outside
    position: outside
    repeat_until:
      answers: [denied_public_access]
      timeout: 600
  delegate_to: outside
  register: refused
"""

RETURN = r"""
observations:
  description:
    - What was seen, one entry for each target by name, or for each address of each target with O(pinned=true).
  returned: always
  type: list
  elements: dict
  contains:
    schema_version:
      description: Version of this shape.
      type: int
    vantage:
      description: Name of this machine.
      type: str
    position:
      description: Where it lies.
      type: str
    cloud:
      description: Cloud of the target.
      type: str
    target:
      description: Name of the target.
      type: str
    host:
      description: Host that was probed.
      type: str
    port:
      description: Its port.
      type: int
    service:
      description: Service behind it.
      type: str
    plane:
      description: V(management) or V(runtime).
      type: str
    action:
      description: Name of the read that was sent, or null.
      type: str
    pinned:
      description: Address that was connected to, or null when the name was resolved.
      type: str
    observed_at:
      description: Time in UTC.
      type: str
    resolver:
      description:
        - Name servers of this machine in order (C(nameservers)), whether its hosts file names the host
          (C(hosts_file)), and the addresses that it gives it (C(hosts_addresses)).
      type: dict
    dns:
      description:
        - Status of both questions together (V(ok), V(nxdomain), V(nodata), V(timeout), V(error) or V(skipped)), the
          CNAME chain, every answer with type, address and TTL, the smallest TTL of aliases and answers (C(ttl)), the
          name servers that answered (C(servers)), the addresses that the system's resolver gives, error and
          milliseconds.
      type: dict
    connections:
      description:
        - For each address the results of TCP, TLS and HTTP with milliseconds. What was not reached is null.
        - TLS has the version, the names, subject, issuer and expiry of the certificate, and every certificate that the
          server showed, each with subject, issuer, expiry and SHA-256 fingerprint (C(chain)), also where it was not
          trusted. C(chain_complete) is false where Python before 3.10 shows only the first.
        - The HTTP answer has the status, the service's error code, message, request id and the class of the answer.
      type: list
      elements: dict
    not_connected:
      description: Number of addresses that were not connected to, since the name has more than 64.
      type: int
    principal:
      description:
        - ARN of the caller, where an answer named it or O(identify=true) found it. O(bearer_principal) where the read
          was sent with that token.
      type: str
    proxy:
      description:
        - Proxies named in the environment, as variable and host, and whether E(no_proxy) names the host that was probed
          (C(bypassed)).
      type: list
      elements: dict
    error:
      description: Why nothing was seen, or null.
      type: str
    attempts:
      description: Number of rounds that O(repeat_until) needed.
      type: int
"""

import ssl
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import (
    answers,
    connection,
    identity,
    observe,
    sigv4,
    together,
)


def argument_spec() -> dict[str, Any]:
    """The options. No ModuleSpec: that bridge needs a newer Python than a vantage may have."""
    action = {
        "name": {"type": "str", "required": True},
        "method": {"type": "str", "default": "GET"},
        "path": {"type": "str", "required": True},
        "headers": {"type": "dict", "default": {}},
        "body": {"type": "str", "default": ""},
        "auth": {"type": "str", "choices": sorted(connection.SIGNERS)},
        "signing_name": {"type": "str"},
        "region": {"type": "str"},
    }
    target = {
        "schema_version": {"type": "int", "default": 1, "choices": [1]},
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 443},
        "addresses": {"type": "list", "elements": "str", "default": []},
        "networks": {"type": "dict", "default": {}},
        "cloud": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "service": {"type": "str", "required": True},
        "plane": {"type": "str", "choices": ["management", "runtime"], "required": True},
        "probe_action": {
            "type": "dict",
            "options": action,
            "required_if": [("auth", "aws4", ("signing_name", "region"))],
        },
    }
    until = {
        "answers": {
            "type": "list",
            "elements": "str",
            "required": True,
            "choices": list(answers.CLASSES),
        },
        "timeout": {"type": "float", "default": 300},
        "interval": {"type": "float", "default": 3},
    }
    positions = ["inside", "spoke", "outside", "canary"]
    return {
        "targets": {"type": "list", "elements": "dict", "required": True, "options": target},
        "pinned": {"type": "bool", "default": False},
        "vantage": {"type": "str"},
        "position": {"type": "str", "choices": positions, "default": "inside"},
        "network": {"type": "str"},
        "timeout": {"type": "float", "default": 5},
        "deadline": {"type": "float", "default": 30},
        "repeat_until": {"type": "dict", "options": until},
        "identify": {"type": "bool", "default": False},
        "ca_path": {"type": "path"},
        "access_key": _from_environment("AWS_ACCESS_KEY_ID"),
        "secret_key": _from_environment("AWS_SECRET_ACCESS_KEY"),
        "session_token": _from_environment("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
        "bearer_token": _from_environment("GCP_ACCESS_TOKEN"),
        "bearer_principal": {"type": "str"},
    }


def _from_environment(*variables: str) -> dict[str, Any]:
    return {"type": "str", "no_log": True, "fallback": (env_fallback, list(variables))}


def main() -> None:
    """Probe and report."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_together=[("access_key", "secret_key")],
        supports_check_mode=True,
    )
    module.exit_json(changed=False, observations=_observations(module))


def _observations(module: AnsibleModule) -> list[dict[str, Any]]:
    params = module.params
    vantage = observe.Vantage(
        name=params["vantage"] or observe.this_machine(),
        position=params["position"],
        means=connection.Means(
            _trust(module), params["timeout"], _credentials(params), params["bearer_token"]
        ),
        deadline=params["deadline"],
        network=params["network"],
    )
    ends = together.now() + params["deadline"]
    if params["repeat_until"]:
        ends += params["repeat_until"]["timeout"]
        until = observe.Until(**params["repeat_until"])
        seen = observe.observe_until(params["targets"], params["pinned"], vantage, until)
    else:
        seen = observe.observe(params["targets"], params["pinned"], vantage)
    if params["identify"]:
        seen = _identified(seen, params["targets"], vantage.means, ends)
    return _named(seen, params)


def _named(seen: list[dict[str, Any]], params: dict[str, Any]) -> list[dict[str, Any]]:
    """The same with the token's owner where a read was sent with it; Google's answers name nobody."""
    if not (params["bearer_token"] and params["bearer_principal"]):
        return seen
    signed = {
        (target["target"], target["host"])
        for target in params["targets"]
        if (target["probe_action"] or {}).get("auth") == "bearer"
    }
    return [
        {**entry, "principal": params["bearer_principal"]}
        if (entry["target"], entry["host"]) in signed and entry["principal"] is None
        else entry
        for entry in seen
    ]


def _identified(
    seen: list[dict[str, Any]],
    targets: list[dict[str, Any]],
    means: connection.Means,
    ends: float,
) -> list[dict[str, Any]]:
    """The same with the caller's ARN where a signed read was answered without naming it, and time is left to ask."""
    signed = [target for target in targets if (target["probe_action"] or {}).get("auth") == "aws4"]
    clouds = {target["cloud"] for target in signed}
    if not any(entry["principal"] is None and entry["cloud"] in clouds for entry in seen):
        return seen
    left = max(0.0, ends - together.now())
    caller = identity.caller(signed[0]["probe_action"]["region"], means, left)
    return [
        {**entry, "principal": entry["principal"] or caller} if entry["cloud"] in clouds else entry
        for entry in seen
    ]


def _trust(module: AnsibleModule) -> ssl.SSLContext:
    path = module.params["ca_path"]
    try:
        return connection.trust(path)
    except (OSError, ssl.SSLError) as problem:
        module.fail_json(msg=f"ca_path: {path} holds no certificate authorities: {problem}.")


def _credentials(params: dict[str, Any]) -> sigv4.Credentials | None:
    if not params["access_key"]:
        return None
    return sigv4.Credentials(params["access_key"], params["secret_key"], params["session_token"])


if __name__ == "__main__":
    main()
