# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes a network's links to the OpenAI zone. Arguments: zone's subscription, its resource group, network's id."""

import sys
import time

from azure.identity import EnvironmentCredential
from azure.mgmt.privatedns import PrivateDnsManagementClient

subscription, group, network = sys.argv[1:]
links = PrivateDnsManagementClient(EnvironmentCredential(), subscription).virtual_network_links
zone = "privatelink.openai.azure.com"
mine = [e.name for e in links.list(group, zone) if e.virtual_network.id.lower() == network.lower()]
for each in mine:
    links.begin_delete(group, zone, each).result()
while any(each.name in mine for each in links.list(group, zone)):
    time.sleep(0.1)
sys.exit(not mine)
