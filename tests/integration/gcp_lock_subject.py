# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module that writes Google's perimeters, as the harness takes it."""

from __future__ import annotations

from typing import Any

from .harness import Act, Subject

PERIMETERS = "accesscontextmanager.accessPolicies.servicePerimeters"
NAME = "accessPolicies/600000000001/servicePerimeters/vertex"
# Every call in the code that writes, by file and function, and the operations that it is there for.
CALLS: dict[str, set[str]] = {
    "lockdown_apply.write": {f"{PERIMETERS}.{word}" for word in ("create", "patch", "delete")},
    "org_policies.write": {
        f"orgpolicy.projects.policies.{word}" for word in ("create", "patch", "delete")
    },
}

LOCK: dict[str, Any] = {
    "perimeter": NAME,
    "projects": ["lab-vertex"],
    "require_proof": False,
    "run_id": "one",
}
OPEN = {"perimeter": NAME, "state": "unlocked"}
VERTEX, STORAGE = "aiplatform.googleapis.com", "storage.googleapis.com"
INSIDE = f"projects/500000000001;{VERTEX}"
WIDER = f"projects/500000000001;{VERTEX},{STORAGE}"
# Another team's, which every act leaves as it is.
OTHER = f"payments enforced(projects/500000000003;{STORAGE})"
MODEL = "publishers/google/models/gemini-2.0-flash:predict"


def _models(*values: str) -> dict[str, Any]:
    """An organisation policy of the models that may be used."""
    wish = {"constraint": "vertexai.allowedModels", "project": "lab-vertex"}
    return {"organization_policies": [{**wish, "allowed_values": list(values)}]}


NARROW = {**LOCK, **_models(MODEL)}
WIDE = {
    **LOCK,
    **_models(MODEL, MODEL.replace("2.0", "2.5")),
    "run_id": "two",
    "restricted_services": [VERTEX, STORAGE],
}
LOCKDOWN = Subject(
    module="private_ai.endpoints.vertex_lockdown",
    writes=sorted({name for names in CALLS.values() for name in names}),
    acts=[
        Act(
            options={**LOCK, "roll_out": "dry_run", "run_id": "zero"},
            after={"perimeters": [OTHER, f"vertex enforced(;) dry-run({INSIDE}) pending"]},
        ),
        Act(
            options={**OPEN, "state": "sealed", "run_id": "zero"},
            after={"perimeters": [OTHER, f"vertex enforced(;) dry-run({INSIDE})"]},
        ),
        Act(options=NARROW, after={"perimeters": [OTHER, f"vertex enforced({INSIDE}) pending"]}),
        Act(
            options={**OPEN, "state": "sealed", "run_id": "one"},
            after={"perimeters": [OTHER, f"vertex enforced({INSIDE})"]},
        ),
        Act(options=WIDE, after={"perimeters": [OTHER, f"vertex enforced({WIDER}) pending"]}),
        Act(
            options={**OPEN, "run_id": "two"},
            after={"perimeters": [OTHER, f"vertex enforced({INSIDE})"]},
        ),
        Act(options=OPEN, after={"perimeters": [OTHER]}),
    ],
    world={"gcp": {"timing": {"policy_operation": 0.02, "perimeter_propagation": 0.02}}},
    cloud="gcp",
    meets=f"{PERIMETERS}.create",
)

# A first run, and what it leaves.
FIRST_RUN: list[dict[str, Any]] = [
    {
        LOCKDOWN.module: {key: value for key, value in LOCK.items() if key != "run_id"},
        "register": "locked",
    },
    {
        LOCKDOWN.module: {
            "perimeter": NAME,
            "state": "sealed",
            "run_id": "{{ locked.run_id }}",
        }
    },
]
AFTER_FIRST_RUN = {"perimeters": [OTHER, f"vertex enforced({INSIDE})"]}
