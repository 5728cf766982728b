# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extensions/awx is configuration that infra.aap_configuration takes, and every name in it leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from dateutil.rrule import rrulestr
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = ROOT / "extensions/awx/configs"
FORMAT = yaml.safe_load((Path(__file__).parent / "options.yml").read_text())
NODES = "simplified_workflow_nodes"
# Credential types that AWX has itself.
BUILT_IN = {
    "Amazon Web Services",
    "Microsoft Azure Resource Manager",
    "Google Compute Engine",
    "Machine",
    "Source Control",
}
# Playbooks that look at each target alone.
SLICEABLE = {"playbooks/create.yml", "playbooks/dns.yml", "playbooks/verify.yml"}
# awx/main/models/notifications.py, JobNotificationMixin.context_stub: a job has artifacts, a workflow's job has none.
SAID = {
    "url": "https://awx.example.com/#/jobs/playbook/1010",
    "workflow_url": "https://awx.example.com/#/jobs/workflow/1010",
    "approval_node_name": 'Lock "these" scopes',
    "job_metadata": "{'extra_vars': {}}",
}
VERDICT = {"private_endpoint_verdict": {"headline": 'None of the 3 "AI services" is private'}}


@pytest.fixture(scope="module")
def configured() -> dict[str, Any]:
    """All variables, as the role dispatch sees them."""
    loader = DataLoader()
    found: dict[str, Any] = {}
    for path in sorted(CONFIGS.glob("*.yml")):
        document = loader.load_from_file(str(path), trusted_as_template=True)
        assert not set(document) & set(found), path
        found |= document
    templar = Templar(loader, variables=found)
    return {name: templar.template(value) for name, value in found.items()}


def items(configured: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = configured[f"controller_{kind}"]
    return listed


def names(configured: dict[str, Any], kind: str) -> set[str]:
    return {item["name"] for item in items(configured, kind)}


def questions(configured: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for template in items(configured, "templates"):
        for question in template.get("survey_spec", {}).get("spec", []):
            yield template["playbook"], question


def specs() -> dict[str, dict[str, Any]]:
    """Every variable that a role describes."""
    return {
        name: option
        for path in ROOT.glob("roles/*/meta/argument_specs.yml")
        for spec in yaml.safe_load(path.read_text())["argument_specs"].values()
        for name, option in spec["options"].items()
    }


def known(variable: str, *places: str) -> bool:
    texts = [path.read_text() for place in places for path in ROOT.glob(place)]
    return variable in specs() or any(re.search(rf"\b{variable}\b", text) for text in texts)


def test_every_variable_is_of_the_format(configured: dict[str, Any]) -> None:
    assert {name for name in configured if not name.startswith("private_ai_awx_")} == set(
        FORMAT
    ) - {NODES}


def test_every_item_is_of_the_format(configured: dict[str, Any]) -> None:
    workflows = items(configured, "workflows")
    listed = [(kind, item) for kind in FORMAT if kind != NODES for item in configured[kind]]
    listed += [(NODES, node) for workflow in workflows for node in workflow[NODES]]
    assert len(listed) > 30
    for kind, item in listed:
        plain = json.loads(json.dumps(item))
        result = ArgumentSpecValidator(FORMAT[kind]).validate(plain)
        assert not result.error_messages, (kind, item.get("name"), result.error_messages)


def test_playbooks_and_image_are_of_this_release(configured: dict[str, Any]) -> None:
    release = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    (project,) = (item for item in items(configured, "projects") if "playbooks" in item["name"])
    (environment,) = items(configured, "execution_environments")
    assert project["scm_branch"] == f"v{release}"
    assert environment["image"].rpartition(":")[2] == release


def test_names_are_unique(configured: dict[str, Any]) -> None:
    for kind in set(FORMAT) - {NODES}:
        listed = [item["name"] for item in configured[kind]]
        assert len(listed) == len(set(listed)), kind


def test_every_reference_leads_somewhere(configured: dict[str, Any]) -> None:
    templates, workflows = names(configured, "templates"), names(configured, "workflows")
    leads = {
        "project": names(configured, "projects"),
        "source_project": names(configured, "projects"),
        "inventory": names(configured, "inventories"),
        "execution_environment": names(configured, "execution_environments"),
        "default_environment": names(configured, "execution_environments"),
        "credential_type": names(configured, "credential_types") | BUILT_IN,
        "credential": names(configured, "credentials"),
        "credentials": names(configured, "credentials"),
        "unified_job_template": templates | workflows,
        "notification_templates_success": names(configured, "notifications"),
        "notification_templates_error": names(configured, "notifications"),
        "notification_templates_approvals": names(configured, "notifications"),
    }
    seen = set()
    for kind in set(FORMAT) - {NODES}:
        for item in configured[kind]:
            for part in [item, *item.get(NODES, [])]:
                for key, there in leads.items():
                    value = part.get(key, [])
                    listed = value if isinstance(value, list) else [value]
                    assert set(listed) <= there, (kind, item["name"], key)
                    seen |= {key} if listed else set()
    assert seen == set(leads)
    # And the other way round: nothing is made that nothing uses.
    using = [
        *items(configured, "templates"),
        *items(configured, "inventory_sources"),
        *items(configured, "projects"),
    ]
    for kind, keys in (
        ("credentials", ("credentials", "credential")),
        ("projects", ("project", "source_project")),
        ("inventories", ("inventory",)),
    ):
        used = {
            value
            for item in using
            for found in [item[key] for key in keys if key in item]
            for value in (found if isinstance(found, list) else [found])
        }
        assert names(configured, kind) == used


def test_the_inventory_follows_its_repository(configured: dict[str, Any]) -> None:
    projects = {item["name"]: item for item in items(configured, "projects")}
    for source in items(configured, "inventory_sources"):
        project = projects[source["source_project"]]
        assert source["update_on_launch"]
        assert project["scm_update_on_launch"]
        assert project["scm_update_cache_timeout"] <= source["update_cache_timeout"]


def test_an_emergency_needs_no_repository(configured: dict[str, Any]) -> None:
    (template,) = (item for item in items(configured, "templates") if "one scope" in item["name"])
    assert template["inventory"] not in {
        source["inventory"] for source in items(configured, "inventory_sources")
    }
    projects = {item["name"]: item for item in items(configured, "projects")}
    assert not projects[template["project"]]["scm_update_on_launch"]


def test_every_playbook_has_a_template_and_exists(configured: dict[str, Any]) -> None:
    told = {template["playbook"] for template in items(configured, "templates")}
    assert told == {f"playbooks/{path.name}" for path in (ROOT / "playbooks").glob("*.yml")}


def test_every_question_is_about_a_variable_that_is_read(configured: dict[str, Any]) -> None:
    asked = list(questions(configured))
    assert len(asked) >= 2
    for playbook, question in asked:
        assert known(
            question["variable"],
            playbook,
            "playbooks/tasks/*.yml",
            "playbooks/vars/*.yml",
            "roles/*/defaults/*.yml",
        )
        # AWX passes an empty text for what nobody answered.
        assert question["required"]
        assert {"question_name", "type", "variable"} <= set(question)


def test_no_default_of_a_survey_beats_the_inventory(configured: dict[str, Any]) -> None:
    """AWX adds it to every launch as an extra variable. `serial` is read before any host is known."""
    defaults = {
        question["variable"] for _, question in questions(configured) if "default" in question
    }
    assert defaults
    paths = [path for place in ("playbooks", "roles") for path in (ROOT / place).rglob("*.yml")]
    lines = [line.strip() for path in paths for line in path.read_text().splitlines()]
    for variable in defaults:
        used = [line for line in lines if variable in line and not line.startswith("#")]
        assert used
        assert all(line.startswith("serial:") for line in used), variable


def test_every_extra_variable_is_read(configured: dict[str, Any]) -> None:
    hand_over = specs()["report_hand_over"]["choices"]
    for template in items(configured, "templates"):
        for name, value in template.get("extra_vars", {}).items():
            assert known(name, template["playbook"], "roles/*/defaults/*.yml")
            assert name != "private_endpoint_hand_over" or value in hand_over
    for kind in items(configured, "credential_types"):
        fields = {field["id"] for field in kind["inputs"]["fields"]}
        for name, value in kind["injectors"]["extra_vars"].items():
            assert known(name, "roles/verify/tasks/phases/*.yml")
            assert set(re.findall(r"{{ (\w+) }}", value)) <= fields


def test_only_what_looks_at_each_target_alone_is_sliced(configured: dict[str, Any]) -> None:
    sliced = {
        template["playbook"]
        for template in items(configured, "templates")
        if template["job_slice_count"] != 1 or template.get("ask_job_slice_count_on_launch")
    }
    assert sliced == SLICEABLE
    handed = {
        template["playbook"]: template.get("extra_vars", {}).get("private_endpoint_hand_over")
        for template in items(configured, "templates")
    }
    # One bundle of a target only, or the report would not know which one counts.
    assert [name for name, value in handed.items() if value == "bundle"] == ["playbooks/verify.yml"]


def test_no_workflow_with_a_limit_is_sliced(configured: dict[str, Any]) -> None:
    """A slice that the limit leaves empty fails, and what follows on success never comes."""
    templates = {item["name"]: item for item in items(configured, "templates")}
    limited = 0
    for workflow in items(configured, "workflows"):
        if not workflow.get("ask_limit_on_launch"):
            continue
        limited += 1
        for node in workflow[NODES]:
            template = templates.get(node.get("unified_job_template"))
            if template:
                count = node.get("job_slice_count", template["job_slice_count"])
                assert count == 1, (workflow["name"], node["identifier"])
                # A node's own count is taken only where the template asks for it.
                assert template["job_slice_count"] == 1 or template["ask_job_slice_count_on_launch"]
    assert limited == 1


def test_no_lock_without_an_approval_before_its_proof(configured: dict[str, Any]) -> None:
    playbooks = {item["name"]: item for item in items(configured, "templates")}
    locking = 0
    for workflow in items(configured, "workflows"):
        nodes = {node["identifier"]: node for node in workflow[NODES]}
        after = {
            name: [
                other
                for key in ("success_nodes", "always_nodes", "failure_nodes")
                for other in node.get(key, [])
            ]
            for name, node in nodes.items()
        }
        assert {other for others in after.values() for other in others} <= set(nodes)
        for name, node in nodes.items():
            template = playbooks.get(node.get("unified_job_template"))
            if (
                template
                and template["playbook"] == "playbooks/lockdown.yml"
                and template["job_type"] == "run"
            ):
                locking += 1
                before = [other for other, others in after.items() if name in others]
                assert before
                assert all("approval_node" in nodes[other] for other in before)
                assert all(name in nodes[other]["success_nodes"] for other in before)
                assert node["all_parents_must_converge"]
            if template and template["playbook"] == "playbooks/verify.yml":
                # A slice fails where something does not hold: the report has to follow all the same.
                (report,) = node["always_nodes"]
                assert (
                    playbooks[nodes[report]["unified_job_template"]]["playbook"]
                    == "playbooks/report.yml"
                )
    assert locking == 1


def test_no_secret_is_in_it(configured: dict[str, Any]) -> None:
    for credential in items(configured, "credentials"):
        assert not credential.get("inputs")
        assert credential["update_secrets"] is False
    secret = {
        field["id"]
        for kind in items(configured, "credential_types")
        for field in kind["inputs"]["fields"]
        if field.get("secret")
    }
    assert secret == {"secret_key"}


@pytest.mark.parametrize("job", [{"artifacts": VERDICT}, {"artifacts": {}}, {}])
def test_notifications_can_be_rendered(configured: dict[str, Any], job: dict[str, Any]) -> None:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    (notification,) = items(configured, "notifications")
    messages = dict(notification["messages"])
    events = {**messages.pop("workflow_approval"), **messages}
    assert set(events) == {
        "started",
        "success",
        "error",
        "running",
        "approved",
        "timed_out",
        "denied",
    }
    for event, message in events.items():
        rendered = environment.from_string(message["body"]).render(
            **SAID, job={"name": "private-ai report", "status": "successful", **job}
        )
        assert set(json.loads(rendered)) == {"text"}
        if event in ("success", "error") and job.get("artifacts"):
            assert 'None of the 3 "AI services" is private' in json.loads(rendered)["text"]
        # All extra variables are in it, and with them whole bundles.
        assert "job_metadata" not in message["body"]


def test_schedules_recur(configured: dict[str, Any]) -> None:
    for schedule in items(configured, "schedules"):
        assert rrulestr(schedule["rrule"].replace(" RRULE", "\nRRULE"))
        assert "INTERVAL=" in schedule["rrule"]
