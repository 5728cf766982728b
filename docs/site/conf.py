# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for the documentation site, which `make docs` builds from the Markdown pages of this repository."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "private_ai.endpoints"
copyright = "private_ai.endpoints contributors"
html_title = html_short_title = "private_ai.endpoints"

# No intersphinx: the build reaches no network.
extensions = ["sphinx_antsibull_ext", "myst_parser", "repository_links", "ansible_pages"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
# As on GitHub, every heading can be linked to.
myst_heading_anchors = 4

html_theme = "sphinx_rtd_theme"
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
nitpicky = True
