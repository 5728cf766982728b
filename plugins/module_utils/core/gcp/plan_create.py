# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the create phase: the changes that give each network the endpoint that is asked for.

An endpoint whose bundle or address is another is not changed: a new one is made beside it, and it is removed by a later
call with `remove_replaced`, once names lead to the new one. Pure: applying the changes and planning again gives an
empty plan.
"""

from __future__ import annotations

from dataclasses import replace

from . import firewalls
from .addresses import free
from .plan_create_types import (
    LABEL,
    MANAGED,
    Address,
    Change,
    CreateAddress,
    CreateRule,
    DeleteAddress,
    DeleteFirewall,
    DeleteRule,
    Desired,
    Observed,
    Rule,
    SetAccess,
    SetFirewall,
    SetLabels,
    Wish,
    mark,
)

NAME_LENGTH = 20


def plan(desired: Desired, observed: Observed) -> list[Change]:
    """The changes. Networks and subnets exist: preflight refused otherwise."""
    changes: list[Change] = []
    taken = {item.address for item in observed.rules}
    taken |= {item.address for item in observed.addresses}
    for wish in desired.wishes:
        rule = chosen(wish, observed)
        # Never in the call that makes the new one: names still lead to the old one.
        removing = desired.remove_replaced and not wish.keep and rule is not None
        if rule is None:
            made = _new(desired, wish, observed, taken)
            changes += made
            rule = next((item.rule for item in made if isinstance(item, CreateRule)), None)
        else:
            labels = _labels(desired, rule)
            if labels != dict(rule.labels):
                changes.append(SetLabels(rule=rule, labels=labels))
        if rule is None:
            continue
        taken.add(rule.address)
        going = replaced(wish, observed) if removing else ()
        changes += _firewalls(desired, wish, observed, rule, going)
        changes += _removals(wish, observed, going) if removing else []
    access = [SetAccess(subnet=path) for path in desired.subnets if not observed.subnets.get(path)]
    return [*access, *changes]


def of_this_run(desired: Desired, observed: Observed) -> Desired:
    """What one run may do from what it finds: where it has yet to make the endpoint, the old one outlives the run.

    Planned again after the endpoint was made, the same wishes would have it removed before names lead elsewhere.
    """
    wishes = (replace(wish, keep=chosen(wish, observed) is None) for wish in desired.wishes)
    return replace(desired, wishes=tuple(wishes))


def plan_absent(desired: Desired, observed: Observed) -> list[Change]:
    """The deletions: what this collection made, and nothing else."""
    changes: list[Change] = []
    for wish in desired.wishes:
        for item in observed.firewalls:
            if item.network == wish.network and item.ours and item.name in _firewall_names(wish):
                changes.append(DeleteFirewall(firewall=item))
        changes += _removals(wish, observed, family(wish, observed))
    return changes


def chosen(wish: Wish, observed: Observed) -> Rule | None:
    """The endpoint that already is what is asked for, whatever its name and whoever made it."""
    fitting = [item for item in standing(wish, observed) if fits(wish, item)]
    order = sorted(fitting, key=lambda item: (item.name != wish.name, not item.ours, item.name))
    return order[0] if order else None


def standing(wish: Wish, observed: Observed) -> list[Rule]:
    """All endpoints for Google APIs in the network."""
    return [item for item in observed.rules if item.bundle and item.network == wish.network]


def fits(wish: Wish, rule: Rule) -> bool:
    """Whether an endpoint has the bundle and the address that are asked for."""
    return rule.bundle == wish.bundle and wish.address in (None, rule.address)


def family(wish: Wish, observed: Observed) -> tuple[Rule, ...]:
    """The network's endpoints that this collection made; of a name that was given, those of that name."""
    return tuple(
        item
        for item in standing(wish, observed)
        if item.ours and (not wish.named or item.family in (None, "", wish.name))
    )


def replaced(wish: Wish, observed: Observed) -> tuple[Rule, ...]:
    """Those of them that another one has taken the place of, or will."""
    current = chosen(wish, observed)
    return tuple(item for item in family(wish, observed) if item != current)


def free_name(wish: Wish, observed: Observed) -> str:
    """The wish's name, with the first number behind it that makes it free in the project."""
    taken = {item.name for item in observed.rules if item.project == wish.project}
    name, number = wish.name, 1
    while name in taken:
        number += 1
        end = str(number)
        name = wish.name[: NAME_LENGTH - len(end)] + end
    return name


def _new(
    desired: Desired, wish: Wish, observed: Observed, taken: set[str]
) -> list[CreateAddress | CreateRule]:
    name = free_name(wish, observed)
    reserved = reserved_address(wish, observed)
    address = reserved or _address(wish, observed, name, taken)
    if address is None:
        return []
    others = [item.region for item in standing(wish, observed) if item.region]
    rule = Rule(
        project=wish.project,
        name=name,
        network=wish.network,
        address=address.address,
        bundle=wish.bundle,
        labels={**(desired.labels or {}), LABEL: MANAGED},
        region=desired.region or (others[0] if others else ""),
        description=mark(wish.name),
    )
    made: list[CreateAddress | CreateRule] = []
    if reserved is None:
        made.append(CreateAddress(address=address))
    return [*made, CreateRule(rule=rule, address_name=address.name)]


def reserved_address(wish: Wish, observed: Observed) -> Address | None:
    """An address that waits for this endpoint: the one that is named, or one of a run that was killed."""
    waiting = [
        item
        for item in observed.addresses
        if item.network == wish.network
        and item.project == wish.project
        and item.purpose == "PRIVATE_SERVICE_CONNECT"
        and not item.used
    ]
    for item in sorted(waiting, key=lambda item: (item.name != wish.address_name, item.name)):
        if wish.address is not None:
            if item.address == wish.address:
                return item
        elif item.name == wish.address_name or item.family == wish.name:
            return item
    return None


def _address(wish: Wish, observed: Observed, name: str, taken: set[str]) -> Address | None:
    network = observed.networks.get(wish.network)
    if network is None:
        return None
    number = wish.address or free(network, observed.addresses, taken)
    if number is None:
        return None
    names = {item.name for item in observed.addresses if item.project == wish.project}
    base = wish.address_name or f"{name}-ip"
    called, count = base, 1
    while called in names:
        count += 1
        called = f"{base}-{count}"
    return Address(
        project=wish.project,
        name=called,
        network=wish.network,
        address=number,
        description=mark(wish.name),
    )


def _labels(desired: Desired, rule: Rule) -> dict[str, str]:
    kept = dict(rule.labels)
    if desired.labels is not None:
        kept = {**({} if desired.purge_labels else kept), **desired.labels}
        if LABEL in rule.labels:
            kept[LABEL] = rule.labels[LABEL]
    return {**kept, LABEL: MANAGED} if rule.ours else kept


def _firewalls(
    desired: Desired, wish: Wish, observed: Observed, rule: Rule, going: tuple[Rule, ...]
) -> list[Change]:
    """The managed rules cover the endpoint, and those that it replaces for as long as they stand."""
    if desired.sources is None:
        return []
    staying = [item for item in family(wish, observed) if item not in going]
    target = firewalls.wanted(
        desired, wish.network, [rule.address, *(item.address for item in staying)]
    )
    present = {
        item.name: item
        for item in observed.firewalls
        if item.network == wish.network and item.name in _firewall_names(wish)
    }
    changes: list[Change] = [
        SetFirewall(firewall=item, before=present.get(item.name))
        for item in target
        if present.get(item.name) != item
    ]
    names = {item.name for item in target}
    return changes + [
        DeleteFirewall(firewall=item)
        for item in present.values()
        if item.ours and item.name not in names
    ]


def _firewall_names(wish: Wish) -> list[str]:
    return firewalls.names(wish.network)


def _removals(wish: Wish, observed: Observed, going: tuple[Rule, ...]) -> list[Change]:
    """Endpoints with their addresses, and addresses that a killed run left."""
    changes: list[Change] = [DeleteRule(rule=item) for item in going]
    leaving = {item.address for item in going}
    changes += [
        DeleteAddress(address=item)
        for item in observed.addresses
        if item.network == wish.network
        and item.family is not None
        and (item.address in leaving or (not item.used and item.family == wish.name))
    ]
    return changes
