# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a bundle serves, as far as Google says it."""

from __future__ import annotations

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.bundles import (
    restrictable,
    serves,
    service_of,
)


@pytest.mark.parametrize(
    ("bundle", "host", "answer"),
    [
        ("all-apis", "aiplatform.googleapis.com", "yes"),
        ("all-apis", "gmail.googleapis.com", "yes"),
        ("all-apis", "us-central1-aiplatform.googleapis.com", "yes"),
        ("all-apis", "aiplatform.us.rep.googleapis.com", "unknown"),
        ("all-apis", "storage-pscvertex.p.googleapis.com", "unknown"),
        ("vpc-sc", "europe-west1-aiplatform.googleapis.com", "yes"),
        ("vpc-sc", "storage.googleapis.com", "yes"),
        ("vpc-sc", "oauth2.googleapis.com", "yes"),
        ("vpc-sc", "sts.googleapis.com", "yes"),
        ("vpc-sc", "iamcredentials.googleapis.com", "yes"),
        ("vpc-sc", "gmail.googleapis.com", "no"),
        ("vpc-sc", "youtube.googleapis.com", "unknown"),
    ],
)
def test_what_a_bundle_serves(bundle: str, host: str, answer: str) -> None:
    assert serves(bundle, host) == answer


def test_regional_hosts_are_one_service() -> None:
    assert service_of("us-central1-aiplatform.googleapis.com") == "aiplatform.googleapis.com"
    assert service_of("storage.googleapis.com") == "storage.googleapis.com"
    assert restrictable("eu-aiplatform.googleapis.com")
    assert not restrictable("oauth2.googleapis.com")
