# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's server on a free loopback port, with what it lacks lent to it: prints its URL and serves.

What is lent, and nothing else (moto 5.2.5): AWS knows the filter vpc-endpoint-id of DescribeVpcEndpoints
and takes the values of DescribeVpcEndpointServices' filters; it changes nothing when DryRun is set. moto
answers the first two with a 500 and carries a dry run of endpoint operations out. It has no
ValidatePolicy: here every policy is found good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def lend_filters() -> None:
    known = VPCEndPoint.get_filter_value
    chosen = VPCBackend._filter_endpoint_services

    def value(self: VPCEndPoint, name: str, method: str | None = None) -> Any:
        return self.id if name == "vpc-endpoint-id" else known(self, name, method)

    def services(names: Any, filters: Any, offered: Any) -> Any:
        spelt = [{**each, "Value": each.get("Value", each.get("Values", []))} for each in filters]
        return chosen(names, spelt, offered)

    VPCEndPoint.get_filter_value = value
    VPCBackend._filter_endpoint_services = staticmethod(services)


def lend_dry_run(name: str) -> None:
    real: Callable[[VPCs], Any] = getattr(VPCs, name)

    def checked(self: VPCs) -> Any:
        self.error_on_dryrun()
        return real(self)

    setattr(VPCs, name, checked)


def lend_validation(application: Any) -> Any:
    """The application, with an Access Analyzer before it that finds nothing wrong."""

    def serve(environment: dict[str, Any], start: Any) -> Any:
        if environment["PATH_INFO"] == "/policy/validation":
            start("200 OK", [("Content-Type", "application/json")])
            return [b'{"findings": []}']
        return application(environment, start)

    return serve


if __name__ == "__main__":
    lend_filters()
    for operation in ("create_vpc_endpoint", "modify_vpc_endpoint", "delete_vpc_endpoints"):
        lend_dry_run(operation)
    application = lend_validation(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
