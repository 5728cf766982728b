# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML page that needs nothing beside it: no network, no script from elsewhere, no font."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from . import page_findings, page_overview, page_record
from .page_pieces import Html, join, tag, text
from .page_style import SCRIPT, STYLE
from .verdict import WORDS

_CONTENTS = (
    ("questions", "Two questions"),
    ("checklist", "Checklist"),
    ("misconfigurations", "Misconfigurations"),
    ("services", "Services"),
    ("matrix", "What each network saw"),
    ("strategy", "Strategy"),
    ("findings", "Findings"),
    ("drift", "Drift"),
    ("accepted", "Accepted risks"),
    ("record", "Record"),
)


def page(document: Mapping[str, Any]) -> str:
    """The whole page. document: as `document.build` made it."""
    status = document["verdict"]["status"]
    body = join(
        [
            tag("a", "Skip to the verdict", href="#main", class_="skip"),
            _top(document),
            tag("main", *_parts(document), id="main", class_=f"v-{status}"),
            tag(
                "footer",
                tag(
                    "p", "Made by the Ansible collection private_ai.endpoints. ", _reading(document)
                ),
            ),
            Html(f"<script>{SCRIPT}</script>"),
        ]
    )
    title = f"{WORDS[status]}: {document['verdict']['headline']}"
    # Should a text ever become markup, it still can neither run nor fetch anything.
    policy = (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{text(title, 160)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _top(document: Mapping[str, Any]) -> Html:
    return join(
        [
            tag(
                "header",
                tag("span", "Private AI endpoints: verification report"),
                tag("span", f"{document['job']} \u00b7 {_moment(document['made_at'])}"),
                class_="top",
            )
        ]
    )


def _moment(text_: str) -> str:
    return str(text_).replace("T", " ").replace("Z", " UTC")


def _parts(document: Mapping[str, Any]) -> list[Html]:
    links = (tag("li", tag("a", title, href=f"#{name}")) for name, title in _CONTENTS)
    return [
        page_overview.verdict(document),
        tag("nav", tag("ul", *links), class_="toc", aria_label="Contents"),
        page_overview.questions(document),
        page_overview.checklist(document),
        page_overview.misconfigurations(document),
        page_overview.services(document),
        page_findings.matrix(document),
        page_overview.strategy(document),
        page_findings.findings(document),
        page_record.drift(document),
        page_record.accepted(document),
        page_record.record(document),
    ]


def _reading(document: Mapping[str, Any]) -> str:
    return (
        "The same in other forms lies beside this page: findings.json, junit.xml, report.md and summary.txt. "
        "bundle.json holds what was judged, sealed, and can be judged again offline."
        if document["seal"]
        else "The same in other forms lies beside this page: findings.json, junit.xml, report.md and summary.txt."
    )
