# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that every Google module of this collection takes."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options; argument spec: CONNECTION_SPEC in plugins/module_utils/gcp/client.py."""

    DOCUMENTATION = r"""
options:
  auth_kind:
    description:
      - How to sign in. V(application) takes Google's application default credentials, among them
        E(GOOGLE_APPLICATION_CREDENTIALS), V(machineaccount) the service account of the machine, V(serviceaccount) a
        key, V(accesstoken) a token.
      - Without it E(GCP_AUTH_KIND) decides, else the credential that is given, else V(application).
      - A credential among the options is used alone. One that is broken or missing is an error, and nothing else is
        tried.
    type: str
    choices: [application, machineaccount, serviceaccount, accesstoken]
  service_account_file:
    description:
      - File with the JSON key of a service account.
      - Without it E(GCP_SERVICE_ACCOUNT_FILE) or E(GCE_CREDENTIALS_FILE_PATH) is used.
    type: path
  service_account_contents:
    description:
      - The JSON key of a service account, as text or as a dictionary.
      - Without it E(GCP_SERVICE_ACCOUNT_CONTENTS) is used.
    type: jsonarg
  service_account_email:
    description:
      - Which of the machine's service accounts O(auth_kind=machineaccount) uses. Its default one when left out.
      - Without it E(GCP_SERVICE_ACCOUNT_EMAIL) is used.
    type: str
  access_token:
    description:
      - An access token.
      - Without it E(GCP_ACCESS_TOKEN) is used.
    type: str
  scopes:
    description:
      - Scopes of the token. C(https://www.googleapis.com/auth/cloud-platform) when neither this nor E(GCP_SCOPES)
        is set.
    type: list
    elements: str
  project:
    description:
      - Project of what is given by its name alone. A path such as V(projects/p/global/networks/n) carries its own.
      - Without it E(GCP_PROJECT), E(GCE_PROJECT) or E(GOOGLE_CLOUD_PROJECT) decides, else the project of the
        credential.
    type: str
  impersonate_service_account:
    description:
      - Email of a service account to act as. The credential needs the role Service Account Token Creator on it.
    type: str
requirements:
  - python >= 3.10
  - google-auth >= 2.30.0
  - requests
"""
