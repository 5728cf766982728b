# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's style sheet and its few lines of script. Nothing is fetched, and nothing that matters needs the script."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #f6f5f2; --card: #ffffff; --ink: #1d2126; --soft: #565e67; --line: #dcdde0; --head: #f0efec; --link: #1f5596;
  --pass: #17693f; --fail: #a8231b; --warn: #7a4f00; --unknown: #49508f;
  --pass-bg: #e6f3ea; --fail-bg: #fbe9e7; --warn-bg: #fbf1dc; --unknown-bg: #ebecf8; --skipped: #565e67;
    --skipped-bg: #eeeeef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1b1f24; --ink: #e5e8eb; --soft: #a7b0ba; --line: #323940; --head: #22272d;
      --link: #8fbcf5;
    --pass: #7bd3a0; --fail: #ff9d94; --warn: #e8bd62; --unknown: #b3bcf5;
    --pass-bg: #17301f; --fail-bg: #3a1b19; --warn-bg: #33270e; --unknown-bg: #23274a; --skipped: #a7b0ba;
      --skipped-bg: #2a2f35;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink);




  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans",
    "DejaVu Sans", sans-serif; }
main, header.top, nav.toc, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; margin: 0; font-weight: 650; }
h1 { font-size: clamp(1.6rem, 1.1rem + 2.2vw, 2.5rem); letter-spacing: -0.015em; }
h2 { font-size: 1.35rem; letter-spacing: -0.005em; margin-bottom: .35rem; }
h3 { font-size: 1.05rem; }
h4 { font-size: .95rem; }
p { margin: .4rem 0; max-width: 70ch; }
h1, h2, h3, p, li, dd { overflow-wrap: anywhere; }
.pair > div, .aspect > div { min-width: 0; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .6rem 1rem; z-index: 9; }
.hide { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header.top { padding-top: 2.2rem; display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; justify-content: space-between;
  color: var(--soft); font-size: .88rem; }
.verdict { background: var(--card); border: 1px solid var(--line); border-left: .5rem solid var(--c);
  border-radius: 10px;
  padding: 1.8rem 2rem 1.6rem; margin: 1rem 0 1.2rem; }
.verdict .word { color: var(--c); font-weight: 650; font-size: .95rem; margin: 0 0 .35rem; }
.verdict ul { margin: .9rem 0 0; padding: 0; list-style: none; display: grid; gap: .45rem; }
.verdict li { max-width: 80ch; }
.v-pass { --c: var(--pass); } .v-fail { --c: var(--fail); } .v-warn { --c: var(--warn); }
.v-unknown { --c: var(--unknown); }
.numbers { display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 1.5rem 0 0; padding-top: 1.1rem;
  border-top: 1px solid var(--line); }
.numbers div { display: flex; flex-direction: column-reverse; }
.numbers dt { color: var(--soft); font-size: .84rem; }
.numbers dd { margin: 0; font-size: 1.5rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
main > nav.toc { padding: 0; }
nav.toc ul { display: flex; flex-wrap: wrap; gap: .25rem 1.2rem;
  list-style: none; padding: 0; margin: 0 0 .6rem; font-size: .92rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.5rem 2rem 1.7rem; margin: 0 0 1.2rem; }
.note { color: var(--soft); font-size: .92rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 1.2rem 2.4rem; margin-top: 1rem; }
.answer { border-top: 1px solid var(--line); padding: .8rem 0 .2rem; margin-top: .8rem; }
.answer .who { color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
.because { margin: .3rem 0 0; padding-left: 1.1rem; color: var(--soft); font-size: .88rem; overflow-wrap: anywhere; }
.scroll { position: relative; overflow-x: auto; margin-top: .8rem; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; line-height: 1.45; }
th, td { text-align: left; vertical-align: top; padding: .55rem .8rem; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { border-top: 0; background: var(--head); color: var(--soft); font-weight: 600; font-size: .84rem; }
tbody th { font-weight: 600; }
.dots td, .dots th { overflow-wrap: normal; }
.dots td.dot { text-align: center; padding-left: .3rem; padding-right: .3rem; }
.matrix { width: auto; min-width: 100%; }
.wide th, .wide td { min-width: 6.6rem; } .wide th:first-child { min-width: 7.5rem; }
.numbered.wide th:first-child { min-width: 0; width: 3.5rem; }
.dots.wide .dot, .dots.wide th:not(:first-child) { min-width: 0; }
.matrix td { min-width: 7.4rem; border-left: 3px solid transparent; }
.matrix tbody th { min-width: 10rem; } th .note, h3 .note { font-weight: 400; }
.matrix td.ok { border-left-color: var(--pass); } .matrix td.bad { border-left-color: var(--fail);
  background: var(--fail-bg); }
.matrix small { display: block; color: var(--soft); font-size: .84rem; }
.matrix .bad small { color: var(--ink); }
.s { display: inline-flex; align-items: baseline; gap: .35em; padding: .08rem .55rem; border-radius: 99px;
  font-size: .86rem; font-weight: 600;
  color: var(--f); background: var(--b); white-space: nowrap; }
.s-pass { --f: var(--pass); --b: var(--pass-bg); } .s-fail { --f: var(--fail); --b: var(--fail-bg); }
.s-warn { --f: var(--warn); --b: var(--warn-bg); } .s-unknown { --f: var(--unknown); --b: var(--unknown-bg); }
.s-skipped { --f: var(--skipped); --b: var(--skipped-bg); }
.count { display: block; color: var(--soft); font-size: .82rem; margin-top: .15rem; }
.finding { border-top: 1px solid var(--line); padding: 1.1rem 0 .3rem; margin-top: 1.1rem; }
.finding > h3 { display: flex; flex-wrap: wrap; gap: .3rem .7rem; align-items: baseline; }
.finding dl { display: grid; grid-template-columns: 6rem 1fr; gap: .35rem 1rem; margin: .7rem 0; font-size: .93rem; }
.finding dt { color: var(--soft); } .finding dd { margin: 0; max-width: 80ch; overflow-wrap: anywhere; }
details > summary { cursor: pointer; padding: .45rem 0; font-weight: 600; overflow-wrap: anywhere; }
details.box { border-top: 1px solid var(--line); margin-top: .4rem; }
code, .mono { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.aspect { display: grid; grid-template-columns: 11rem 1fr 1fr; gap: .3rem 1.6rem;
  border-top: 1px solid var(--line); padding: .8rem 0; font-size: .93rem; }
.aspect h4 { display: grid; gap: .35rem; justify-items: start; align-content: start; }
.aspect p { margin: 0 0 .35rem; overflow-wrap: anywhere; }
.cloud { margin-top: 1.4rem; }
.filter { margin: .8rem 0 0; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; font-size: .92rem; }
.filter input { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft);
  border-radius: 6px;
  padding: .35rem .6rem; min-width: min(22rem, 100%); }
footer { color: var(--soft); font-size: .88rem; padding-bottom: 3rem; }
@media (max-width: 46rem) {
  main, header.top, nav.toc, footer { padding-left: .9rem; padding-right: .9rem; }
  section, .verdict { padding: 1.1rem 1rem 1.2rem; }
  .aspect { grid-template-columns: 1fr; gap: .5rem; }
  .finding dl { grid-template-columns: 1fr; gap: .1rem; } .finding dd { margin-bottom: .5rem; }
  .wide { min-width: 44rem; }
}
@page { margin: 14mm; }
@media print {
  :root { color-scheme: light;
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --head: #f3f3f3; --link: #000;
    --pass: #17693f; --fail: #a8231b; --warn: #7a4f00; --unknown: #49508f;
    --pass-bg: #fff; --fail-bg: #fff; --warn-bg: #fff; --unknown-bg: #fff; --skipped-bg: #fff; }
  body { font-size: 10.5pt; }
  main, header.top, footer { max-width: none; padding: 0; }
  nav.toc, .skip, .filter { display: none; }
  section, .verdict { border: 0; border-radius: 0; padding: .4rem 0; break-inside: auto; }
  .verdict { border-left: .4rem solid var(--c); padding-left: 1rem; }
  .scroll { overflow: visible; } .matrix td, .matrix th { min-width: 0; }
  details::details-content { content-visibility: visible; block-size: auto; }
  h2, h3, summary { break-after: avoid; } tr, .answer, .aspect { break-inside: avoid; }
  thead { display: table-header-group; }
  .s { border: 1px solid var(--f); }
}
""".strip()

SCRIPT: Final = """
'use strict';
(function () {
  var closed = [];
  addEventListener('beforeprint', function () {
    closed = Array.prototype.slice.call(document.querySelectorAll('details:not([open])'));
    closed.forEach(function (item) { item.open = true; });
  });
  addEventListener('afterprint', function () { closed.forEach(function (item) { item.open = false; }); });
  var place = document.getElementById('filter');
  var rows = Array.prototype.slice.call(document.querySelectorAll('[data-t]'));
  if (!place || rows.length < 8) { return; }
  var label = document.createElement('label');
  var field = document.createElement('input');
  var count = document.createElement('span');
  label.textContent = 'Show only services whose name contains';
  label.htmlFor = field.id = 'filter-field';
  field.type = 'search';
  field.autocomplete = 'off';
  count.setAttribute('role', 'status');
  count.className = 'note';
  place.append(label, field, count);
  var names = rows.map(function (row) { return row.getAttribute('data-t').toLowerCase(); });
  var waiting;
  function apply() {
    var wanted = field.value.trim().toLowerCase();
    var shown = new Set();
    rows.forEach(function (row, index) {
      var fits = names[index].indexOf(wanted) >= 0;
      row.hidden = !fits;
      if (fits) { shown.add(names[index]); }
    });
    count.textContent = wanted ? shown.size + ' shown' : '';
  }
  field.addEventListener('input', function () { clearTimeout(waiting); waiting = setTimeout(apply, 120); });
})();
""".strip()
