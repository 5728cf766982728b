# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that every AWS module of this collection takes."""

from __future__ import annotations


class ModuleDocFragment:
    """The connection options; argument spec: CONNECTION_SPEC in plugins/module_utils/aws/client.py."""

    DOCUMENTATION = r"""
options:
  region:
    description:
      - The AWS Region, for example V(us-east-1).
      - Without it E(AWS_REGION), E(AWS_DEFAULT_REGION), E(EC2_REGION) or the profile decides.
    type: str
    aliases: [aws_region]
  access_key:
    description:
      - AWS access key id.
      - Without keys and O(profile) the usual chain decides. It starts with E(AWS_ACCESS_KEY_ID),
        E(AWS_SECRET_ACCESS_KEY) and E(AWS_SESSION_TOKEN) or E(AWS_SECURITY_TOKEN), then E(AWS_PROFILE) and the AWS
        configuration files, and ends with the role of the machine.
    type: str
    aliases: [aws_access_key_id, aws_access_key]
  secret_key:
    description: AWS secret access key that belongs to O(access_key).
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
  session_token:
    description: Session token of temporary credentials.
    type: str
    aliases: [aws_session_token, security_token, aws_security_token]
  profile:
    description: Name of a profile in the AWS configuration files. Excludes O(access_key) and O(secret_key).
    type: str
    aliases: [aws_profile]
  endpoint_url:
    description:
      - Send all requests to this URL instead of the AWS endpoints.
      - Without it E(AWS_URL) or E(EC2_URL) is used, when set.
    type: str
    aliases: [aws_endpoint_url]
  aws_ca_bundle:
    description: File with the certificate authorities to trust. Without it E(AWS_CA_BUNDLE) is used, when set.
    type: path
  validate_certs:
    description: Whether the TLS certificates of AWS are verified. Leave it on.
    type: bool
    default: true
  assume_role_arn:
    description: ARN of a role to assume with the credentials above, before anything else is done.
    type: str
  assume_role_external_id:
    description: The external id that the trust policy of O(assume_role_arn) asks for.
    type: str
requirements:
  - boto3
notes:
  - Runs on the controller. With a local connection it runs inside the Ansible process, which spares a Python
    start and the import of the SDK for each task.
  - There O(assume_role_arn) is assumed once in a run and not in each task. The credentials lie in memory that only the
    run's own processes have, and end with it. macOS lacks such memory.
"""
