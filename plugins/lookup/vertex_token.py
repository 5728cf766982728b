# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A short-lived access token of a Google service account, made on the controller for a vantage's probes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vertex_token
short_description: Make a short-lived access token of a Google service account
version_added: 0.3.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Acts as each of the named service accounts, and returns an access token that is valid for at most an hour.
  - It is meant for O(private_ai.endpoints.private_endpoint_probe#module:bearer_token), which is never logged. Without a
    token Google asks every caller for credentials, and says nothing about networks.
  - Use an account that may call Vertex AI and nothing else.
options:
  _terms:
    description: Emails of the service accounts.
    type: list
    elements: str
    required: true
  auth_kind:
    description: How the controller signs in itself.
    type: str
    choices: [application, machineaccount, serviceaccount, accesstoken]
  service_account_file:
    description: File with the JSON key that the controller signs in with.
    type: str
  service_account_contents:
    description: That key itself, as JSON text.
    type: str
  service_account_email:
    description: Which of the machine's service accounts O(auth_kind=machineaccount) uses.
    type: str
  access_token:
    description: A token that the controller has already.
    type: str
  scopes:
    description: Scopes of the token. C(https://www.googleapis.com/auth/cloud-platform) when left out.
    type: list
    elements: str
notes:
  - The controller's credential needs the role Service Account Token Creator on each account.
  - What is left out comes from the environment, as in M(private_ai.endpoints.vertex_psc_endpoint).
"""

EXAMPLES = r"""
- name: Probe as the application
  private_ai.endpoints.private_endpoint_probe:
    targets: "{{ created.probe_targets }}"
    bearer_token: "{{ lookup('private_ai.endpoints.vertex_token', 'app@lab-vertex.iam.gserviceaccount.com') }}"
    bearer_principal: app@lab-vertex.iam.gserviceaccount.com
"""

RETURN = r"""
_raw:
  description: One token for each account.
  type: list
  elements: str
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import client

client.preload()

# A task that loops over vantages asks once: what a connection knows is good for as long as its token is.
_CONNECTIONS: dict[str, client.Connection] = {}

# Google names it when the account that signs in may not make tokens of the other.
_IMPERSONATION = "iam.serviceAccounts.getAccessToken"
_OPTIONS = (
    "auth_kind",
    "service_account_file",
    "service_account_contents",
    "service_account_email",
    "access_token",
    "scopes",
)


class LookupModule(LookupBase):
    """Ansible's entry point."""

    def run(
        self, terms: Sequence[str], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """See DOCUMENTATION."""
        self.set_options(var_options=variables, direct=kwargs)  # type: ignore[no-untyped-call]
        options = {name: self.get_option(name) for name in _OPTIONS}  # type: ignore[no-untyped-call]
        try:
            return [self._token(options, str(email)) for email in terms]
        except EndpointError as error:
            if _IMPERSONATION in error.what:
                error.fix = (
                    f"Allow {_IMPERSONATION} on that account alone: all that this takes is in "
                    "permissions/gcp/probe-controller.yml"
                )
            raise AnsibleLookupError(error.message) from error

    def _token(self, options: Mapping[str, Any], email: str) -> str:
        if not email:
            raise EndpointError(
                "no account is named",
                resource="vertex_token",
                fix="Give the email of a service account",
            )
        wanted = {**options, "impersonate_service_account": email}
        key = json.dumps(wanted, sort_keys=True, default=str)
        if key not in _CONNECTIONS:
            _CONNECTIONS[key] = client.connect(wanted)
        return _CONNECTIONS[key].tokens.get()
