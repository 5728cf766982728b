# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a cloud module in the controller's own process: the same function, without a new Python and a new SDK per task.

The strategies look the action plugin's class up in the parent process, so that what the plugin's file imports is
imported once, and every forked worker has it. In process only where it is the same thing as the module: on a local
connection, without become and async, with the interpreter that runs the playbook. Otherwise the ordinary module runs.
`private_ai_endpoints_in_process: false` switches it off.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import permissions
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import Context, ModuleSpec

SWITCH = "private_ai_endpoints_in_process"
_DISCOVERED = ("auto", "auto_silent", "auto_legacy", "auto_legacy_silent")


class InProcessAction(ActionBase):
    """Base of the action plugins; a subclass names its module file, which has SPEC and run."""

    module: ClassVar[ModuleType]

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Any:
        """Run the module's function here, or hand over to the ordinary module."""
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        if not self._same_as_module(task_vars):
            return self._ordinary_module(result, task_vars)
        # Before the argument spec: its defaults may come from the environment.
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        os.environ.update({str(key): str(value) for key, value in environment.items()})
        # Templated arguments are tagged subclasses of str and int; a module would get plain ones.
        arguments = json.loads(json.dumps(self._task.args, default=str))
        result.update(
            run_here(
                self._task.action,
                self.module.SPEC,
                self.module.run,
                arguments,
                Context(check_mode=bool(self._task.check_mode), diff=bool(self._task.diff)),
            )
        )
        return result

    def _same_as_module(self, task_vars: dict[str, Any]) -> bool:
        host_vars = task_vars
        if self._task.delegate_to:
            host_vars = task_vars.get("ansible_delegated_vars", {}).get(
                self._task.delegate_to, task_vars
            )
        interpreter = self._templar.template(host_vars.get("ansible_python_interpreter"))
        switch = self._templar.template(task_vars.get(SWITCH, True))
        return (
            boolean(switch, strict=True)
            and self._connection.transport == "local"
            and not self._connection.become
            and not self._task.async_val
            and (not interpreter or interpreter in _DISCOVERED or interpreter == sys.executable)
        )

    def _ordinary_module(self, result: dict[str, Any], task_vars: dict[str, Any]) -> Any:
        wrap_async = bool(self._task.async_val and not self._connection.has_native_async)
        result = merge_hash(
            result, self._execute_module(task_vars=task_vars, wrap_async=wrap_async)
        )
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result


def run_here(
    name: str, spec: ModuleSpec, run: Any, arguments: dict[str, Any], context: Context
) -> dict[str, Any]:
    """What AnsibleModule does around a module's function: validate, run, censor.

    Raises AnsibleActionFail for arguments that the spec refuses. A failure of `run`, expected or not, is a failed
    result, since its text has to be censored like everything else that leaves here.
    """
    validation = ArgumentSpecValidator(spec.argument_spec, **spec.rules()).validate(arguments)
    secrets = validation._no_log_values
    if validation.error_messages:
        # AnsibleModule too reports the first one only.
        message = validation.errors[0].msg
        if isinstance(validation.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({name}) module: {message}"
        raise AnsibleActionFail(remove_values(message, secrets))
    params = validation.validated_parameters
    try:
        answer = run(params, context)
    except EndpointError as error:
        permissions.advise(error, name, params)
        answer = {"failed": True, "msg": error.message, **error.as_result()}
    except Exception as error:  # noqa: BLE001
        answer = {
            "failed": True,
            "msg": f"{type(error).__name__}: {error}",
            "exception": traceback.format_exc(),
        }
    answer = {"changed": False, **answer, "invocation": {"module_args": params}}
    if context.warnings:
        answer["warnings"] = list(context.warnings)
    censored: dict[str, Any] = remove_values(answer, secrets)
    return censored
