# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures of two reports. Usage: screenshots.py FAILING.html PASSING.html FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.private_ai.endpoints.tests.browser import chromium

WIDTH, HEIGHT = 1280, 1500


def main(failing: str, passing: str, folder: str) -> None:
    """The top of each, as one sees it: the failing one in light, the passing one in dark as well."""
    if chromium.executable() is None:
        raise SystemExit(
            "screenshots: no chromium, chromium-browser or google-chrome on this machine"
        )
    with chromium.browser() as browser:
        for name, path, dark in (
            ("report-failing", failing, False),
            ("report-passing", passing, False),
            ("report-passing-dark", passing, True),
        ):
            with chromium.opened(browser, Path(path), dark=dark, width=WIDTH) as seen:
                area = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}
                target = Path(folder) / f"{name}.png"
                seen.page.screenshot(path=target, full_page=True, clip=area)
                print(f"{target}: {target.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(*sys.argv[1:4])
