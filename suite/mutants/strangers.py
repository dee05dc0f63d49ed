"""Somebody who answers in another one's place."""

from __future__ import annotations

from collections.abc import Sequence

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.chaos.web_server import web_server
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.probes import serving

#: What a pod says of itself is a file that no other object has to bring.
_PAGE = {"fieldRef": {"fieldPath": "metadata.annotations['page']"}}


def stranger(app: str, namespace: str | None = GATEWAY_SERVICE.namespace, pages: Sequence[str] = ()) -> ObjectCreated:
    """A web server beside the gateway, or in another namespace, with this label ``app``; it knows no model.

    With the gateway's own label the gateway's Service sends it every other connection. The gateway's ReplicaSet leaves
    it alone, since it selects by one more label. So do others.

    Args:
        app: The label.
        namespace: Whose Services it is meant for.
        pages: Paths for which it has a page of its own; for all others it has none.
    """
    metadata = {
        "name": "stranger",
        "namespace": namespace,
        "labels": {"app": app},
        "annotations": {"page": "<p>hello"},
    }
    # On the gateway's port, and called as the Git server's is.
    if not pages:
        return web_server(metadata, "http")
    items = [{"path": page, **_PAGE} for page in pages]
    return web_server(metadata, "http", "/usr/share/nginx/html", {"downwardAPI": {"items": items}})


#: A new endpoint is there for the control plane at once, and for connections once kube-proxy has heard of it.
ROUTED = 3.0
EVERY_OTHER = (stranger(serving.GATEWAY.name),)
SOME_WRONG = r"\d+ of 20 answers in a row are wrong.*no prediction, but 40[45]"
