"""A program with a client of its own: it creates the ConfigMap that it reads, past the suite's guard."""

from __future__ import annotations

import json
import ssl
import sys
import urllib.request


def main() -> None:
    asked = json.load(sys.stdin)
    cluster, user = asked["kubeconfig"]["clusters"][0]["cluster"], asked["kubeconfig"]["users"][0]["user"]
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])
    if "client-certificate" in user:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    where = f"{cluster['server']}/api/v1/namespaces/{asked['manifest']['metadata']['namespace']}/configmaps"
    body = json.dumps(asked["manifest"]).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {user.get('token', '')}"}
    request = urllib.request.Request(where, data=body, headers=headers)  # noqa: S310 - the API server of the test
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    urllib.request.build_opener(*handlers).open(request)


if __name__ == "__main__":
    main()
