"""Runs scim2-tester against a SCIM server and prints what it found.

    scim2_report.py URL        the key is in the variable SCIM_KEY

Exits with 1 when a check did not succeed, and also when one was left out: a
server could otherwise pass by declaring that it supports nothing.
"""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status
from scim2_tester import check_server

GOOD = (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE)


def main() -> int:
    headers = {"Authorization": f"Bearer {os.environ['SCIM_KEY']}"}
    with Client(base_url=sys.argv[1], headers=headers, trust_env=False, timeout=30) as http:
        results = check_server(SyncSCIMClient(http))
    bad = [result for result in results if result.status not in GOOD]
    for result in bad:
        print(f"{result.status.name} {result.resource_type or ''} {result.title}: {result.reason}\n    {result.data}")
    print(f"{len(results)} checks, {len(bad)} not passed")
    return 1 if bad or not results else 0


if __name__ == "__main__":
    sys.exit(main())
