# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all EC2 operations share: finding things, filters, pages, tags.

Error codes: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-error-codes.html
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import AwsError
from .iam_request import Need, tags_at_creation
from .operation import Control, Dependents, page

R = TypeVar("R")
Facts = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One kind of EC2 resource: how it is named, found, described and filtered."""

    prefix: str  # vpc
    ids: str  # the request's parameter with ids: VpcIds
    result: str  # the response's list: Vpcs
    missing: str  # InvalidVpcID.NotFound
    sentence: str  # "The vpc ID '{}' does not exist"
    records: Callable[[Control], Iterable[R]]  # those that the caller may see in this Region
    identify: Callable[[R], str]
    facts: Callable[[Control, R], Facts]  # filter name -> values of this record
    tags: Callable[[R], Mapping[str, str]]
    render: Callable[[Control, R], Mapping[str, Any]]
    malformed: str = ""  # InvalidGroupId.Malformed, where EC2 documents one

    def find(self, control: Control, wanted: str) -> R:
        """The record with this id; raises the kind's own NotFound or Malformed."""
        for record in self.records(control):
            if self.identify(record) == wanted:
                return record
        if self.malformed and not re.fullmatch(
            rf"{self.prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})", wanted
        ):
            raise AwsError(
                self.malformed, f'Invalid id: "{wanted}" (expecting "{self.prefix}-...")'
            )
        raise AwsError(self.missing, self.sentence.format(wanted))

    def describe(self, control: Control) -> Mapping[str, Any]:
        """The whole Describe operation: ids, filters, page."""
        params = control.params
        if params.get(self.ids):
            records = [self.find(control, each) for each in params[self.ids]]
        else:
            records = sorted(self.records(control), key=self.identify)
        chosen = [
            record
            for record in records
            if matches(params.get("Filters", ()), self._all_facts(control, record))
        ]
        return paged(control, self.result, [self.render(control, each) for each in chosen])

    def _all_facts(self, control: Control, record: R) -> dict[str, Sequence[str]]:
        tags = self.tags(record)
        return {
            **self.facts(control, record),
            "tag-key": list(tags),
            **{f"tag:{key}": [value] for key, value in tags.items()},
        }


def paged(control: Control, key: str, rows: Sequence[Any]) -> dict[str, Any]:
    bad = AwsError("InvalidNextToken", "The specified next token is not valid.")
    shown, token = page(
        rows, control.params.get("MaxResults"), control.params.get("NextToken"), bad=bad
    )
    return {key: list(shown), "NextToken": token}


def matches(filters: Sequence[Mapping[str, Any]], facts: Facts) -> bool:
    """Whether a record passes every filter; raises for a filter that EC2 would not know."""
    passed = True
    for each in filters:
        name, values = each.get("Name", ""), each.get("Values", ())
        if name not in facts and not name.startswith("tag:"):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not values:
            raise AwsError("InvalidParameterValue", "The filter 'null' is invalid")
        have = facts.get(name, ())
        passed = passed and any(_like(text, value) for text in have for value in values)
    return passed


def _like(text: str, pattern: str) -> bool:
    # EC2 knows * and ?, and no character classes.
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def check_filters(control: Control, known: Iterable[str]) -> None:
    """Refuse unknown filters even when there is nothing to filter."""
    for each in control.params.get("Filters", ()):
        name = each.get("Name", "")
        if name not in known and not name.startswith("tag:"):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def specified_tags(control: Control, resource_type: str) -> dict[str, str]:
    """The tags of TagSpecifications; raises when they are for another type of resource."""
    found: dict[str, str] = {}
    for specification in control.params.get("TagSpecifications", ()):
        if specification.get("ResourceType") != resource_type:
            raise AwsError(
                "InvalidParameterValue",
                f"'{specification.get('ResourceType')}' is not a valid taggable resource type "
                "for this operation.",
            )
        found.update(checked_tags(specification.get("Tags", ())))
    return found


def tagging(resource_type: str) -> Dependents:
    """What a creation needs for its tags."""

    def needs(control: Control) -> Iterable[Need]:
        arn = control.arn(resource_type, "*")
        return tags_at_creation(control.operation, control.params, arn)

    return needs


def checked_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if key in found:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        if key.lower().startswith("aws:"):
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {key} ) for parameter key is invalid. "
                "Tag keys starting with 'aws:' are reserved for internal use",
            )
        if not 1 <= len(key) <= 127:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {key} ) for parameter key is invalid. "
                "Tag keys must have a length between 1 and 127 characters, inclusive",
            )
        if len(value) > 255:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {value} ) for parameter value is invalid. "
                "Tag value exceeds the maximum length of 255 characters",
            )
        found[key] = value
    if len(found) > 50:
        raise AwsError(
            "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."
        )
    return found


def text(flag: bool) -> str:
    return "true" if flag else "false"


def required(control: Control, name: str) -> Any:
    """A parameter that EC2 wants although its model does not say so."""
    value = control.params.get(name)
    if value in (None, "", []):
        raise AwsError("MissingParameter", f"The request must contain the parameter {name}")
    return value


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameter", message)
