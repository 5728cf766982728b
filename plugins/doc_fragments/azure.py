# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that every Azure module of this collection takes."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options; argument spec: CONNECTION_SPEC in plugins/module_utils/azure/client.py."""

    DOCUMENTATION = r"""
options:
  subscription_id:
    description:
      - The subscription of what is given by name. A whole resource id carries its own.
      - Without it E(AZURE_SUBSCRIPTION_ID) decides.
    type: str
  tenant:
    description:
      - Id or domain of the tenant to sign in to.
      - Without it E(AZURE_TENANT) or E(AZURE_TENANT_ID) decides.
    type: str
    aliases: [tenant_id]
  client_id:
    description:
      - Client id of the service principal, or of the managed identity with O(auth_source=msi).
      - What is given as options is used alone, apart from the tenant. Without any of O(client_id), O(secret),
        O(x509_certificate_path), O(federated_token_file), O(ad_user) and O(password), the environment decides, with
        E(AZURE_CLIENT_ID), E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET), E(AZURE_X509_CERTIFICATE_PATH) or
        E(AZURE_CLIENT_CERTIFICATE_PATH), E(AZURE_FEDERATED_TOKEN_FILE), E(AZURE_AD_USER) and E(AZURE_PASSWORD). Without
        those, what the machine is signed in with, as workload identity, managed identity or Azure CLI.
      - A set that lacks a part is an error, and nothing else is tried.
    type: str
  secret:
    description: Secret of the service principal.
    type: str
    aliases: [client_secret]
  x509_certificate_path:
    description: File with the certificate and the private key of the service principal, as PEM or PKCS12.
    type: path
  certificate_password:
    description:
      - Password of O(x509_certificate_path).
      - Without it E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used, when set.
    type: str
  federated_token_file:
    description: File with the token of a workload identity.
    type: path
  ad_user:
    description: User to sign in as. Only for users without multi-factor authentication.
    type: str
  password:
    description: Password of O(ad_user).
    type: str
  auth_source:
    description:
      - V(auto) takes the options, then the environment, then what the machine is signed in with. V(env) takes the
        environment only, V(cli) the Azure CLI, V(msi) the managed identity of the machine.
      - Without it E(ANSIBLE_AZURE_AUTH_SOURCE) decides, else V(auto).
    type: str
    choices: [auto, cli, env, msi]
  cloud_environment:
    description:
      - V(AzureCloud), V(AzureUSGovernment) or V(AzureChinaCloud).
      - Without it E(AZURE_CLOUD_ENVIRONMENT) decides, else V(AzureCloud).
    type: str
requirements:
  - azure-identity
notes:
  - Runs on the controller. With a local connection it runs inside the Ansible process, which spares a Python
    start and the import of the SDK for each task.
"""
