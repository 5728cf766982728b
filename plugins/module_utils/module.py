# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one bridge between Ansible's modules and the core: argument specs in, results out.

A module file holds its documentation, a ModuleSpec and one line of main(). The work is a function
`run(params, context) -> result` that neither knows AnsibleModule nor exits; the action plugin of the
module's name calls the same function in process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .core import permissions
from .core.errors import EndpointError


@dataclass(frozen=True, kw_only=True)
class ModuleSpec:
    """What AnsibleModule and ArgumentSpecValidator both need."""

    argument_spec: Mapping[str, Any]
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[Any, ...], ...] = ()
    required_by: Mapping[str, Any] = field(default_factory=dict)

    def rules(self) -> dict[str, Any]:
        """The rules between options, as keyword arguments."""
        return {
            "mutually_exclusive": [list(rule) for rule in self.mutually_exclusive],
            "required_together": [list(rule) for rule in self.required_together],
            "required_one_of": [list(rule) for rule in self.required_one_of],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": dict(self.required_by),
        }


@dataclass
class Context:
    """How the run was asked for, and where it may speak.

    warnings: what `warn` collected; they end up in the result.
    """

    check_mode: bool = False
    diff: bool = False
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Tell the user something that does not stop the run; said once."""
        if message not in self.warnings:
            self.warnings.append(message)


Run = Callable[[dict[str, Any], Context], dict[str, Any]]


def execute(spec: ModuleSpec, run: Run) -> None:
    """Be an ordinary Ansible module: parse, run, exit."""
    module = AnsibleModule(
        argument_spec=dict(spec.argument_spec), supports_check_mode=True, **spec.rules()
    )
    context = Context(check_mode=module.check_mode, diff=module._diff)
    try:
        result = run(module.params, context)
    except EndpointError as error:
        _speak(module, context)
        permissions.advise(error, module._name or "", module.params)
        module.fail_json(error.message, **error.as_result())
    _speak(module, context)
    module.exit_json(**result)


def _speak(module: AnsibleModule, context: Context) -> None:
    for message in context.warnings:
        module.warn(message)
