# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: Regions, zones and prefix lists."""

from __future__ import annotations

from .ec2_common import matches, paged, tag_list
from .errors import AwsError
from .operation import Control, Result, operation


@operation("ec2", "DescribeAvailabilityZones")
def describe_availability_zones(control: Control) -> Result:
    zones = control.state.regions[control.region]
    for parameter, known in (("ZoneNames", zones), ("ZoneIds", zones.values())):
        for each in control.params.get(parameter, ()):
            if each not in known:
                raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{each}]")
    names = control.params.get("ZoneNames") or zones
    ids = control.params.get("ZoneIds") or zones.values()
    shown = []
    for name, zone_id in zones.items():
        facts = {
            "zone-name": [name],
            "zone-id": [zone_id],
            "region-name": [control.region],
            "state": ["available"],
            "zone-type": ["availability-zone"],
            "opt-in-status": ["opt-in-not-required"],
        }
        if name in names and zone_id in ids and matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "ZoneName": name,
                    "ZoneId": zone_id,
                    "RegionName": control.region,
                    "State": "available",
                    "ZoneType": "availability-zone",
                    "OptInStatus": "opt-in-not-required",
                    "NetworkBorderGroup": control.region,
                    "GroupName": f"{control.region}-zg-1",
                    "Messages": [],
                }
            )
    return {"AvailabilityZones": shown}


@operation("ec2", "DescribeRegions")
def describe_regions(control: Control) -> Result:
    regions = control.state.regions
    for each in control.params.get("RegionNames", ()):
        if each not in regions:
            raise AwsError("InvalidParameterValue", f"Invalid region name: [{each}]")
    shown = []
    for name in control.params.get("RegionNames") or regions:
        facts = {
            "region-name": [name],
            "endpoint": [f"ec2.{name}.amazonaws.com"],
            "opt-in-status": ["opt-in-not-required"],
        }
        if matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "RegionName": name,
                    "Endpoint": f"ec2.{name}.amazonaws.com",
                    "OptInStatus": "opt-in-not-required",
                }
            )
    return {"Regions": shown}


@operation("ec2", "DescribeManagedPrefixLists")
def describe_managed_prefix_lists(control: Control) -> Result:
    shown = []
    for each in control.state.prefix_lists.values():
        facts = {
            "prefix-list-id": [each.id],
            "prefix-list-name": [each.name],
            "owner-id": [each.owner],
        }
        wanted = control.params.get("PrefixListIds") or [each.id]
        mine = each.region == control.region and each.id in wanted
        if mine and matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "PrefixListId": each.id,
                    "PrefixListName": each.name,
                    "OwnerId": each.owner,
                    "AddressFamily": "IPv4",
                    "State": "create-complete",
                    "MaxEntries": max(len(each.entries), 1),
                    "Version": 1,
                    "Tags": tag_list(each.tags),
                }
            )
    return paged(control, "PrefixLists", shown)


@operation("ec2", "GetManagedPrefixListEntries")
def get_managed_prefix_list_entries(control: Control) -> Result:
    wanted = control.params["PrefixListId"]
    found = control.state.prefix_lists.get(wanted)
    if found is None or found.region != control.region:
        raise AwsError(
            "InvalidPrefixListID.NotFound", f"The prefix list ID '{wanted}' does not exist"
        )
    return paged(control, "Entries", [{"Cidr": each} for each in found.entries])
