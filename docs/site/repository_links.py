# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx extension: what a page links to in the repository, as a page of the site or, where it is none, on the web."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/private-ai/private_ai.endpoints"
COLLECTION = "/collections/private_ai/endpoints"
# The documentation of these files' users is a page of the site.
PAGES = (
    (re.compile(r"plugins/modules/(\w+)\.py"), rf"{COLLECTION}/\1_module.rst"),
    (re.compile(r"plugins/(filter|lookup)/(\w+)\.py"), rf"{COLLECTION}/\2_\1.rst"),
    (re.compile(r"roles/(\w+)(/meta/argument_specs\.yml)?"), rf"{COLLECTION}/\1_role.rst"),
)
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)


def rewrite(text: str, page: str, pages: set[str]) -> str:
    """The page's text with links as the site needs them; fenced examples stay as they are."""
    done, parts = 0, []
    for fence in FENCE.finditer(text):
        parts += [_links(text[done : fence.start()], page, pages), fence[0]]
        done = fence.end()
    return "".join([*parts, _links(text[done:], page, pages)])


def _links(text: str, page: str, pages: set[str]) -> str:
    def one(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), found[1]))
        if path.removesuffix(".md") in pages or path.endswith(".png"):
            return found[0]
        for pattern, target in PAGES:
            if match := pattern.fullmatch(path.rstrip("/")):
                return match.expand(target)
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{REPOSITORY}/{kind}/main/{path}{found[2] or ''}"

    return LINK.sub(one, text)


def _source_read(app: Sphinx, docname: str, content: list[str]) -> None:
    if (Path(app.srcdir) / f"{docname}.md").exists():
        content[0] = rewrite(content[0], docname, app.env.found_docs)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register."""
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
