# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network security group says to TCP 443, by priority and with its default rules.

Azure's own effective-rule query does not work for a private endpoint's interface, so the group of its subnet is read.
https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

Rule = Mapping[str, Any]
Span = tuple[int, int]
Verdict = Literal["allow", "deny", "partly", "perhaps"]

INBOUND, OUTBOUND = "inbound", "outbound"
_PORT = 443
_ALL: Span = (0, 2**32 - 1)
_ANY = frozenset(("*", "any", "0.0.0.0/0"))
_VIRTUAL, _INTERNET, _BALANCER = "virtualnetwork", "internet", "azureloadbalancer"


def spans(cidrs: Iterable[str]) -> list[Span]:
    """The IPv4 networks among these, as ranges of numbers."""
    found = []
    for cidr in cidrs:
        try:
            network = ipaddress.ip_network(cidr, strict=False)
        except ValueError:
            continue
        if network.version == 4:
            found.append((int(network.network_address), int(network.broadcast_address)))
    return found


def relevant(group: Mapping[str, Any], direction: str) -> list[Rule]:
    """The rules of one direction that speak of TCP 443, in the order in which they count."""
    port = "destination_ports"
    return sorted(
        (
            rule
            for rule in group["rules"]
            if str(rule["direction"]).lower() == direction
            and str(rule["protocol"]).lower() in ("*", "tcp", "any")
            and any(_covers_port(str(item)) for item in rule[port])
        ),
        key=lambda rule: int(rule["priority"]),
    )


def wide(
    group: Mapping[str, Any],
    address: str,
    asgs: Iterable[str],
    allowed: Sequence[str],
    virtual: Sequence[str],
) -> list[str]:
    """The rules by which TCP 443 comes to an endpoint's address from elsewhere than `allowed`, as sentences.

    asgs: application security groups of the endpoint. virtual: what the tag VirtualNetwork is known to stand for;
    it also stands for networks that no evidence shows, so that a rule that admits it is always too wide.
    """
    rules = [
        rule
        for rule in relevant(group, INBOUND)
        if _towards(rule, spans([address])[0], asgs, virtual)
    ]
    inside = _merged(spans(allowed))
    found: dict[str, str] = {}
    for low, high in _pieces(rules, inside, virtual):
        rule = next((item for item in rules if _from(item, (low, high), virtual)), None)
        if rule and _allows(rule) and not _within((low, high), inside):
            found.setdefault(str(rule["name"]), _sentence(rule))
    for rule in _tagged(rules):
        found.setdefault(str(rule["name"]), _sentence(rule))
    return list(found.values())


def says(
    group: Mapping[str, Any],
    direction: str,
    source: str,
    address: str,
    *,
    asgs: Iterable[str] = (),
    virtual: Sequence[str] = (),
) -> Verdict:
    """What a group says to TCP 443 from all of a CIDR to an address; `perhaps` by an application security group.

    direction: INBOUND at the address, or OUTBOUND at the source.
    """
    target = spans([address])[0]
    rules = [rule for rule in relevant(group, direction) if _towards(rule, target, asgs, virtual)]
    verdicts: set[str] = set()
    for low, high in _pieces(rules, [], virtual, within=spans([source])):
        verdicts.add(_first(rules, (low, high), virtual))
    if len(verdicts) > 1:
        return "partly" if verdicts & {"deny"} else "perhaps"
    return verdicts.pop() if verdicts else "deny"  # type: ignore[return-value]


def _first(rules: Sequence[Rule], span: Span, virtual: Sequence[str]) -> str:
    for rule in rules:
        if _from(rule, span, virtual):
            return "allow" if _allows(rule) else "deny"
        if rule["source_asgs"] and _allows(rule):
            return "perhaps"
    return "deny"


def _tagged(rules: Sequence[Rule]) -> Iterator[Rule]:
    """Rules that admit a service tag, unless a rule before them denies it or everything."""
    closed: set[str] = set()
    for rule in rules:
        tags = {str(item).lower() for item in rule["source_prefixes"] if _is_tag(str(item))}
        if _allows(rule):
            if not closed & _ANY and tags - closed - {_INTERNET, _BALANCER}:
                yield rule
        else:
            closed |= {str(item).lower() for item in rule["source_prefixes"]}


def _is_tag(prefix: str) -> bool:
    return prefix.lower() not in _ANY and not spans([prefix]) and ":" not in prefix


def _allows(rule: Rule) -> bool:
    return str(rule["access"]).lower() == "allow"


def _covers_port(text: str) -> bool:
    if text == "*":
        return True
    low, _dash, high = text.partition("-")
    return int(low) <= _PORT <= int(high or low)


def _towards(rule: Rule, target: Span, asgs: Iterable[str], virtual: Sequence[str]) -> bool:
    own = {str(item).lower() for item in asgs}
    if own & {str(item).lower() for item in rule["destination_asgs"]}:
        return True
    return any(
        low <= target[0] and target[1] <= high
        for low, high in _ranges(rule["destination_prefixes"], virtual)
    )


def _from(rule: Rule, span: Span, virtual: Sequence[str]) -> bool:
    return any(
        low <= span[0] and span[1] <= high
        for low, high in _ranges(rule["source_prefixes"], virtual)
    )


def _ranges(prefixes: Iterable[str], virtual: Sequence[str]) -> list[Span]:
    """What prefixes and the tags that stand for addresses cover; other service tags cover nothing known."""
    found: list[Span] = []
    for prefix in prefixes:
        name = str(prefix).lower()
        if name in _ANY:
            found.append(_ALL)
        elif name == _VIRTUAL:
            found += _merged(spans(virtual))
        elif name == _INTERNET:
            found += _outside(_merged(spans(virtual)))
        else:
            found += spans([str(prefix)])
    return found


def _outside(known: Sequence[Span]) -> list[Span]:
    found, start = [], _ALL[0]
    for low, high in known:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    return [*found, (start, _ALL[1])] if start <= _ALL[1] else found


def _merged(items: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for low, high in sorted(items):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def _within(span: Span, known: Sequence[Span]) -> bool:
    return any(low <= span[0] and span[1] <= high for low, high in known)


def _pieces(
    rules: Sequence[Rule],
    further: Sequence[Span],
    virtual: Sequence[str],
    within: Sequence[Span] = (_ALL,),
) -> Iterator[Span]:
    """Ranges of sources in which no rule begins or ends, so that each is treated alike."""
    known = [
        *further,
        *(span for rule in rules for span in _ranges(rule["source_prefixes"], virtual)),
    ]
    edges = sorted({edge for low, high in known for edge in (low, high + 1)})
    for first, last in within:
        starts = [first, *(edge for edge in edges if first < edge <= last)]
        for position, start in enumerate(starts):
            yield start, (starts[position + 1] - 1 if position + 1 < len(starts) else last)


def _sentence(rule: Rule) -> str:
    sources = ", ".join([*map(str, rule["source_prefixes"]), *map(str, rule["source_asgs"])])
    kind = "default rule" if rule["default"] else "rule"
    return f"{kind} {rule['name']} ({rule['priority']}) admits {sources}"
