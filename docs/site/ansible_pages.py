# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx extension: Ansible's own pages that the collection's pages refer to, without fetching Ansible's inventory."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

ANSIBLE = "https://docs.ansible.com/ansible/latest"
LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}

BUILTIN = re.compile(r"ansible_collections\.ansible\.builtin\.(\w+_module)")


def _page(label: str) -> str | None:
    if found := BUILTIN.fullmatch(label):
        return f"collections/ansible/builtin/{found[1]}.html"
    return LABELS.get(label)


def _resolve(
    app: Sphinx, env: object, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    page = _page(node["reftarget"])
    if page is None:
        return None
    return nodes.reference("", "", text, refuri=f"{ANSIBLE}/{page}", internal=False)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register."""
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
