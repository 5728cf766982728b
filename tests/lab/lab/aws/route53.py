# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53: hosted zones, and which VPCs they serve."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Sequence
from typing import Any

from . import endpoint_life, route53_records
from .errors import AwsError
from .iam_request import Need
from .network import Vpc
from .operation import Control, Result, operation, page
from .records import Zone, ZoneChange
from .route53_records import reversed_labels, sent, stored
from .world import authority_records

_LETTERS = string.ascii_uppercase + string.digits


def _new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(20))


def _bare(zone_id: str) -> str:
    return zone_id.rpartition("/")[2]


def _zone(control: Control, given: str, *, foreign: bool = False) -> Zone:
    """A zone of the caller's account, or with foreign of any account."""
    zone = control.state.zones.get(_bare(given))
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {_bare(given)}", 404)
    if zone.account != control.account and not foreign:
        raise AwsError(
            "AccessDenied",
            f"User: {control.caller.arn} is not authorized to access this resource",
            403,
        )
    return zone


def _vpc(control: Control, given: dict[str, str]) -> Vpc:
    vpc = control.state.vpcs.get(given.get("VPCId", ""))
    if vpc is None or vpc.region != given.get("VPCRegion"):
        raise AwsError(
            "InvalidVPCId",
            f"The VPC: {given.get('VPCId')} you provided is not authorized to make the association."
            if vpc
            else f"The VPC {given.get('VPCId')} in region {given.get('VPCRegion')} that you provided "
            "is invalid.",
        )
    return vpc


def _change(control: Control, zone: Zone, comment: str = "") -> dict[str, Any]:
    """Record a change: PENDING now, and a while later INSYNC, when names answer by it."""
    state = control.state
    wait = state.timing.route53_pending
    change = ZoneChange(_new_id("C"), state.now(), state.now() + wait, comment)
    state.zone_changes[change.id] = change
    vpcs, records = tuple(zone.vpcs), tuple(zone.records)

    def live() -> None:
        zone.live_vpcs, zone.live_records = vpcs, records

    state.after(wait, live)
    return _change_shown(control, change)


def _change_shown(control: Control, change: ZoneChange) -> dict[str, Any]:
    return {
        "Id": f"/change/{change.id}",
        "Status": "INSYNC" if change.insync_at <= control.state.now() else "PENDING",
        "SubmittedAt": change.submitted,
        "Comment": change.comment or None,
    }


def _shown(zone: Zone) -> dict[str, Any]:
    return {
        "Id": f"/hostedzone/{zone.id}",
        "Name": sent(zone.name),
        "CallerReference": zone.caller_reference,
        "Config": {"Comment": zone.comment or None, "PrivateZone": zone.private},
        "ResourceRecordSetCount": len(zone.records),
    }


def _vpc_shown(pair: tuple[str, str]) -> dict[str, str]:
    return {"VPCRegion": pair[0], "VPCId": pair[1]}


def _check_conflict(control: Control, zone_name: str, vpc: Vpc) -> None:
    """A VPC has at most one private zone of a name; an endpoint's private DNS is such a zone too."""
    holder = next(
        (
            each.id
            for each in control.state.zones.values()
            if each.private and each.name == zone_name and (vpc.region, vpc.id) in each.vpcs
        ),
        "",
    )
    for endpoint in control.state.endpoints.values():
        if endpoint.vpc_id == vpc.id and endpoint.private_dns_enabled:
            names = endpoint_life.service_of(control.state, endpoint).private_dns_names
            if zone_name in [each.removeprefix("*.") for each in names]:
                holder = endpoint.private_zone_id
    if holder:
        raise AwsError(
            "ConflictingDomainExists",
            f"The VPC {vpc.id} in region {vpc.region} has already been associated with the hosted "
            f"zone {holder} with the same domain name.",
        )


def _zone_arn(control: Control) -> Sequence[str]:
    given = control.params.get("HostedZoneId") or control.params.get("Id") or ""
    return (f"arn:aws:route53:::hostedzone/{_bare(given)}",)


def _sees_vpcs(control: Control) -> Iterable[Need]:
    """Whoever names a VPC must be allowed to see it; the service authorization reference lists that."""
    if "VPC" in control.params or "VPCId" in control.params:
        yield Need("ec2:DescribeVpcs")


@operation("route53", "CreateHostedZone", dependents=_sees_vpcs)
def create_hosted_zone(control: Control) -> Result:
    params, state = control.params, control.state
    name = route53_records.check_name(params["Name"])
    if any(each.caller_reference == params["CallerReference"] for each in state.zones.values()):
        raise AwsError(
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
            409,
        )
    config = params.get("HostedZoneConfig", {})
    private = "VPC" in params
    if config.get("PrivateZone", private) != private:
        raise AwsError(
            "InvalidInput", "When you're creating a private hosted zone you must specify a VPC."
        )
    zone = Zone(
        _new_id("Z0"),
        name,
        control.account,
        private,
        params["CallerReference"],
        config.get("Comment", ""),
    )
    if private:
        vpc = _vpc(control, params["VPC"])
        if vpc.account != control.account:
            raise AwsError(
                "InvalidVPCId",
                f"The VPC: {vpc.id} you provided is not authorized to make the association.",
            )
        _check_conflict(control, name, vpc)
        zone.vpcs.append((vpc.region, vpc.id))
    zone.records = authority_records(zone)
    state.zones[zone.id] = zone
    answer: dict[str, Any] = {
        "HostedZone": _shown(zone),
        "ChangeInfo": _change(control, zone),
        "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.id}",
    }
    if private:
        answer["VPC"] = _vpc_shown(zone.vpcs[0])
    else:
        answer["DelegationSet"] = {"NameServers": [e.rstrip(".") for e in zone.records[0].values]}
    return answer


@operation("route53", "GetHostedZone", resources=_zone_arn)
def get_hosted_zone(control: Control) -> Result:
    zone = _zone(control, control.params["Id"])
    answer: dict[str, Any] = {"HostedZone": _shown(zone)}
    if zone.private:
        answer["VPCs"] = [_vpc_shown(each) for each in zone.vpcs]
    else:
        answer["DelegationSet"] = {"NameServers": [e.rstrip(".") for e in zone.records[0].values]}
    return answer


@operation("route53", "UpdateHostedZoneComment", resources=_zone_arn)
def update_hosted_zone_comment(control: Control) -> Result:
    zone = _zone(control, control.params["Id"])
    zone.comment = control.params.get("Comment", "")
    return {"HostedZone": _shown(zone)}


@operation("route53", "DeleteHostedZone", resources=_zone_arn)
def delete_hosted_zone(control: Control) -> Result:
    zone = _zone(control, control.params["Id"])
    if any(each.type not in ("NS", "SOA") or each.name != zone.name for each in zone.records):
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be "
            "deleted.",
        )
    zone.vpcs, zone.records = [], []
    answer = {"ChangeInfo": _change(control, zone)}
    zone.live_vpcs, zone.live_records = (), ()
    del control.state.zones[zone.id]
    return answer


def _limit(control: Control) -> int:
    text = control.params.get("MaxItems", "100")
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise AwsError("InvalidInput", f"MaxItems {text} is not a number between 1 and 1000.")
    return min(int(text), 300)


def _mine(control: Control) -> list[Zone]:
    return [each for each in control.state.zones.values() if each.account == control.account]


@operation("route53", "ListHostedZones")
def list_hosted_zones(control: Control) -> Result:
    params, limit = control.params, _limit(control)
    zones = sorted(_mine(control), key=lambda each: each.id)
    if params.get("HostedZoneType") == "PrivateHostedZone":
        zones = [each for each in zones if each.private]
    marker = params.get("Marker")
    if marker is not None:
        if all(each.id != marker for each in zones):
            raise AwsError("InvalidInput", f"The marker {marker} is not a hosted zone.")
        zones = [each for each in zones if each.id >= marker]
    following = zones[limit].id if len(zones) > limit else None
    return {
        "HostedZones": [_shown(each) for each in zones[:limit]],
        "Marker": marker or "",
        "IsTruncated": following is not None,
        "NextMarker": following,
        "MaxItems": str(limit),
    }


@operation("route53", "ListHostedZonesByName")
def list_hosted_zones_by_name(control: Control) -> Result:
    """From a name on, in the order of reversed labels: the caller must compare names itself."""
    params, limit = control.params, _limit(control)
    zones = sorted(_mine(control), key=lambda each: (reversed_labels(each.name), each.id))
    if "HostedZoneId" in params and "DNSName" not in params:
        raise AwsError("InvalidInput", "The hostedzoneid parameter needs the dnsname parameter.")
    if "DNSName" in params:
        start = (reversed_labels(stored(params["DNSName"])), params.get("HostedZoneId", ""))
        zones = [each for each in zones if (reversed_labels(each.name), each.id) >= start]
    more = len(zones) > limit
    return {
        "HostedZones": [_shown(each) for each in zones[:limit]],
        "DNSName": params.get("DNSName"),
        "HostedZoneId": params.get("HostedZoneId"),
        "IsTruncated": more,
        "NextDNSName": sent(zones[limit].name) if more else None,
        "NextHostedZoneId": zones[limit].id if more else None,
        "MaxItems": str(limit),
    }


@operation("route53", "ListHostedZonesByVPC", dependents=_sees_vpcs)
def list_hosted_zones_by_vpc(control: Control) -> Result:
    """Every private zone of the VPC, whoever owns it."""
    params, limit = control.params, _limit(control)
    vpc = _vpc(control, params)  # type: ignore[arg-type]
    if vpc.account != control.account:
        raise AwsError(
            "AccessDenied",
            f"User: {control.caller.arn} is not authorized to access this resource",
            403,
        )
    found = [
        {"HostedZoneId": each.id, "Name": sent(each.name), "Owner": {"OwningAccount": each.account}}
        for each in control.state.zones.values()
        if each.private and (vpc.region, vpc.id) in each.vpcs
    ]
    # An endpoint's private DNS is a private zone too; AWS made it and owns it.
    found += [
        {
            "HostedZoneId": each.private_zone_id,
            "Name": sent(name),
            "Owner": {"OwningService": "vpce.amazonaws.com"},
        }
        for each in control.state.endpoints.values()
        if each.vpc_id == vpc.id and each.private_dns_live
        for name in endpoint_life.service_of(control.state, each).private_dns_names
    ]
    bad = AwsError("InvalidPaginationToken", "The pagination token is not valid.")
    shown, token = page(found, limit, params.get("NextToken"), bad=bad)
    return {"HostedZoneSummaries": list(shown), "MaxItems": str(limit), "NextToken": token}


@operation("route53", "ChangeResourceRecordSets", resources=_zone_arn)
def change_resource_record_sets(control: Control) -> Result:
    zone = _zone(control, control.params["HostedZoneId"])
    batch = control.params["ChangeBatch"]
    zone.records = route53_records.changed(control.state, zone, batch["Changes"])
    return {"ChangeInfo": _change(control, zone, batch.get("Comment", ""))}


@operation("route53", "ListResourceRecordSets", resources=_zone_arn)
def list_resource_record_sets(control: Control) -> Result:
    params, limit = control.params, _limit(control)
    zone = _zone(control, params["HostedZoneId"])
    if "StartRecordType" in params and "StartRecordName" not in params:
        raise AwsError("InvalidInput", "StartRecordType needs StartRecordName.")
    records = sorted(zone.records, key=lambda each: (reversed_labels(each.name), each.type))
    if "StartRecordName" in params:
        start = (
            reversed_labels(stored(params["StartRecordName"])),
            params.get("StartRecordType", ""),
        )
        records = [each for each in records if (reversed_labels(each.name), each.type) >= start]
    more = len(records) > limit
    return {
        "ResourceRecordSets": [route53_records.shown(each) for each in records[:limit]],
        "IsTruncated": more,
        "NextRecordName": sent(records[limit].name) if more else None,
        "NextRecordType": records[limit].type if more else None,
        "MaxItems": str(limit),
    }


def _change_arn(control: Control) -> Sequence[str]:
    return (f"arn:aws:route53:::change/{_bare(control.params['Id'])}",)


@operation("route53", "GetChange", resources=_change_arn)
def get_change(control: Control) -> Result:
    change = control.state.zone_changes.get(_bare(control.params["Id"]))
    if change is None:
        wanted = _bare(control.params["Id"])
        raise AwsError("NoSuchChange", f"A change with ID {wanted} could not be found.", 404)
    return {"ChangeInfo": _change_shown(control, change)}


@operation("route53", "AssociateVPCWithHostedZone", resources=_zone_arn, dependents=_sees_vpcs)
def associate_vpc_with_hosted_zone(control: Control) -> Result:
    """The VPC's owner calls; for another account's zone, that account authorised it before."""
    zone = _zone(control, control.params["HostedZoneId"], foreign=True)
    vpc = _vpc(control, control.params["VPC"])
    if not zone.private:
        raise AwsError(
            "PublicZoneVPCAssociation",
            "You're trying to associate a VPC with a public hosted zone.",
        )
    pair = (vpc.region, vpc.id)
    if vpc.account != control.account or (
        zone.account != control.account and pair not in zone.authorized
    ):
        raise AwsError(
            "NotAuthorizedException",
            f"The VPC: {vpc.id} you provided is not authorized to make the association.",
            401,
        )
    _check_conflict(control, zone.name, vpc)
    zone.vpcs.append(pair)
    return {"ChangeInfo": _change(control, zone, control.params.get("Comment", ""))}


@operation("route53", "DisassociateVPCFromHostedZone", resources=_zone_arn, dependents=_sees_vpcs)
def disassociate_vpc_from_hosted_zone(control: Control) -> Result:
    zone = _zone(control, control.params["HostedZoneId"], foreign=True)
    vpc = _vpc(control, control.params["VPC"])
    pair = (vpc.region, vpc.id)
    if pair not in zone.vpcs or control.account not in (vpc.account, zone.account):
        raise AwsError(
            "VPCAssociationNotFound",
            f"The VPC {vpc.id} and hosted zone {zone.id} that you specified are not currently "
            "associated.",
            404,
        )
    if len(zone.vpcs) == 1:
        raise AwsError(
            "LastVPCAssociation",
            "The VPC that you're trying to disassociate from the private hosted zone is the last "
            "VPC that is associated with the hosted zone.",
        )
    zone.vpcs.remove(pair)
    return {"ChangeInfo": _change(control, zone, control.params.get("Comment", ""))}


@operation("route53", "CreateVPCAssociationAuthorization", resources=_zone_arn)
def create_vpc_association_authorization(control: Control) -> Result:
    zone = _zone(control, control.params["HostedZoneId"])
    vpc = _vpc(control, control.params["VPC"])
    pair = (vpc.region, vpc.id)
    if pair not in zone.authorized:
        zone.authorized.append(pair)
    return {"HostedZoneId": zone.id, "VPC": _vpc_shown(pair)}


@operation("route53", "DeleteVPCAssociationAuthorization", resources=_zone_arn)
def delete_vpc_association_authorization(control: Control) -> None:
    zone = _zone(control, control.params["HostedZoneId"])
    vpc = _vpc(control, control.params["VPC"])
    pair = (vpc.region, vpc.id)
    if pair not in zone.authorized:
        raise AwsError(
            "VPCAssociationAuthorizationNotFound",
            f"The VPC {vpc.id} that you specified is not authorized to be associated with the "
            "hosted zone.",
            404,
        )
    zone.authorized.remove(pair)


@operation("route53", "ListVPCAssociationAuthorizations", resources=_zone_arn)
def list_vpc_association_authorizations(control: Control) -> Result:
    zone = _zone(control, control.params["HostedZoneId"])
    bad = AwsError("InvalidPaginationToken", "The pagination token is not valid.")
    limit = int(control.params.get("MaxResults", "50"))
    shown, token = page(zone.authorized, limit, control.params.get("NextToken"), bad=bad)
    return {
        "HostedZoneId": zone.id,
        "VPCs": [_vpc_shown(each) for each in shown],
        "NextToken": token,
    }


def _tagged(control: Control, zone_id: str) -> Zone:
    if control.params["ResourceType"] != "hostedzone":
        raise AwsError("NoSuchHealthCheck", f"No health check found with ID {zone_id}", 404)
    return _zone(control, zone_id)


def _tags_shown(zone: Zone) -> dict[str, Any]:
    return {
        "ResourceType": "hostedzone",
        "ResourceId": zone.id,
        "Tags": [{"Key": key, "Value": value} for key, value in zone.tags.items()],
    }


def _tag_arn(control: Control) -> Sequence[str]:
    return (f"arn:aws:route53:::hostedzone/{control.params.get('ResourceId', '')}",)


@operation("route53", "ChangeTagsForResource", resources=_tag_arn)
def change_tags_for_resource(control: Control) -> None:
    zone = _tagged(control, control.params["ResourceId"])
    if not control.params.get("AddTags") and not control.params.get("RemoveTagKeys"):
        raise AwsError("InvalidInput", "You must specify AddTags or RemoveTagKeys.")
    for each in control.params.get("RemoveTagKeys", ()):
        zone.tags.pop(each, None)
    zone.tags.update({e["Key"]: e.get("Value", "") for e in control.params.get("AddTags", ())})


@operation("route53", "ListTagsForResource", resources=_tag_arn)
def list_tags_for_resource(control: Control) -> Result:
    return {"ResourceTagSet": _tags_shown(_tagged(control, control.params["ResourceId"]))}


def _tag_arns(control: Control) -> Sequence[str]:
    return [f"arn:aws:route53:::hostedzone/{each}" for each in control.params["ResourceIds"]]


@operation("route53", "ListTagsForResources", resources=_tag_arns)
def list_tags_for_resources(control: Control) -> Result:
    zones = [_tagged(control, each) for each in control.params["ResourceIds"]]
    return {"ResourceTagSets": [_tags_shown(each) for each in zones]}
