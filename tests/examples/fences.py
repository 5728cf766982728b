# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the fenced blocks out of Markdown pages, and says from their info strings what is to be done with them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .documented import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "examples/README.md", "docs/**/*.md")
# Shown, and never run: what a command says, and pictures.
SHOWN = {"text", "console", "json", "diff", "mermaid", "output", "markdown"}
_EXCERPT = "excerpt of "
_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")
_NOT_RUN = "not run:"
_EXITS = re.compile(r"exits=(\d+)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    page: str
    line: int
    language: str
    text: str
    path: str = ""
    excerpt_of: str = ""
    exits: int = 0
    not_run: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def kind(self) -> str:
        """file, shell, plays, tasks, shown, not run, or wrong: …"""
        if self.not_run:
            return "not run"
        if self.excerpt_of:
            return "shown"
        if self.path:
            return "file"
        if self.language == "shell":
            return "shell"
        if self.language in SHOWN:
            return "shown"
        if self.language == "yaml":
            return _yaml_kind(yaml.safe_load(self.text))
        if not self.language:
            return "wrong: no language is given"
        return f"wrong: {self.language} needs the path of a file, or a reason not to run it"

    def problems(self) -> Iterator[str]:
        """What is wrong with it before anything runs."""
        if self.kind.startswith("wrong: "):
            yield f"{self.place}: {self.kind.removeprefix('wrong: ')}"
        try:
            if self.language in ("yaml", "yml"):
                list(yaml.safe_load_all(self.text))
            elif self.language == "json":
                json.loads(self.text)
            elif self.language == "python":
                ast.parse(self.text)
        except (yaml.YAMLError, ValueError, SyntaxError) as error:
            yield f"{self.place}: {error}"
        if self.excerpt_of:
            whole = (ROOT / self.excerpt_of).read_text()
            for part in re.split(r"^ *…\n", self.text, flags=re.MULTILINE):
                if part.strip("\n") not in whole:
                    yield f"{self.place}: this does not stand in {self.excerpt_of}:\n{part}"
        if self.language == "shell" and re.search(r"^\$ ", self.text, re.MULTILINE):
            yield f"{self.place}: a prompt is in the way of whoever copies it"


def _yaml_kind(content: Any) -> str:
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        plays = ("hosts" in item or "ansible.builtin.import_playbook" in item for item in content)
        return "plays" if all(plays) else "tasks"
    return "wrong: variables need the path of the file that they belong to"


def pages() -> dict[str, list[Block]]:
    """Every page that has blocks."""
    found = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    listed = {str(path.relative_to(ROOT)): list(blocks(path)) for path in sorted(found)}
    return {page: inside for page, inside in listed.items() if inside}


def blocks(path: Path) -> Iterator[Block]:
    """The blocks of one page, in their order."""
    lines = iter(enumerate(path.read_text().splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if not fence:
            continue
        inside: list[str] = []
        for _, text in lines:
            if text.strip() == fence["ticks"]:
                break
            inside.append(text.removeprefix(fence["indent"]))
        yield _block(str(path.relative_to(ROOT)), number, fence["info"].strip(), inside)


def _block(page: str, line: int, info: str, inside: list[str]) -> Block:
    language, _, rest = info.partition(" ")
    before, marker, reason = rest.partition(_NOT_RUN)
    exits = _EXITS.search(before)
    _, excerpt, source = before.partition(_EXCERPT)
    words = [] if excerpt else [word for word in before.split() if not _EXITS.fullmatch(word)]
    return Block(
        page=page,
        line=line,
        language=language,
        text="\n".join(inside) + "\n",
        path=words[0] if words else "",
        excerpt_of=source.strip() if excerpt else "",
        exits=int(exits[1]) if exits else 0,
        not_run=(reason.strip() or "no reason is given") if marker else "",
    )
