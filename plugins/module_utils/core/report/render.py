# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that one report consists of, as texts by the names of their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from . import runs
from .clean import scrub, scrubbed
from .junit import junit
from .markdown import markdown
from .page import page
from .terminal import terminal

FORMATS: Final = ("html", "json", "junit", "markdown", "text", "bundle")


def brief(document: Mapping[str, Any]) -> str:
    """What the run did to each target, in a few lines."""
    return "\n\n".join(runs.brief(target, document["check_mode"]) for target in document["targets"])


def summary(document: Mapping[str, Any], remembered: Sequence[Mapping[str, Any]]) -> str:
    """The whole for a terminal: verdict and services, then each target with its tables."""
    parts = [terminal(document)]
    for target, run in zip(document["targets"], remembered, strict=True):
        parts.append(runs.brief(target, document["check_mode"]))
        parts.append(scrub(str(runs.judgement(run).get("text") or "")))
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def files(
    document: Mapping[str, Any],
    remembered: Sequence[Mapping[str, Any]],
    bundle: Mapping[str, Any] | None,
    formats: Iterable[str] = FORMATS,
) -> dict[str, str]:
    """File name → content, for the formats that are wanted; a bundle only where there is one to write."""
    wanted = set(formats)
    made: dict[str, str] = {}
    if "json" in wanted:
        basis = {str(run["target"]): scrubbed(runs.basis(run)) for run in remembered}
        made["findings.json"] = _json(document)
        made["evidence.json"] = _json(basis)
    if "text" in wanted:
        made["summary.txt"] = summary(document, remembered)
    if "html" in wanted:
        made["report.html"] = page(document)
    if "markdown" in wanted:
        made["report.md"] = markdown(document)
    if "junit" in wanted:
        made["junit.xml"] = junit(document)
    if "bundle" in wanted and bundle is not None:
        made["bundle.json"] = _json(bundle)
    return made


def _json(value: Any) -> str:
    return json.dumps(value, indent=4, sort_keys=True) + "\n"
