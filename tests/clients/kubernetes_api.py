"""What kubectl takes for an API server: it keeps the objects that the published schemas take.

Kubernetes' own kinds are held to their schemas (kubernetes-validate, strict), those of cert-manager
to models that were made of its CustomResourceDefinitions (cloudcoil): a field that is in none is
refused, as an API server does. There are no controllers and no nodes: an object is kept, and that
is all.

usage: kubernetes_api.py      prints its URL, speaks JSON alone, and ends with its standard input
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import kubernetes_validate

VERSION = "1.37"
KINDS = {  # of an API's path: by the plural, which is part of an object's path
    "api/v1": {"configmaps": "ConfigMap", "pods": "Pod", "secrets": "Secret"},
    "apis/apps/v1": {"deployments": "Deployment"},
    "apis/batch/v1": {"cronjobs": "CronJob"},
    "apis/cert-manager.io/v1": {"certificates": "Certificate", "issuers": "Issuer"},
}
OBJECTS: dict[str, dict[str, Any]] = {}  # by path


def refusal(value: dict[str, Any]) -> str | None:
    """Why an API server refuses an object; None if it does not."""
    try:
        if value["apiVersion"] == "cert-manager.io/v1":
            from cloudcoil.models.cert_manager import v1  # takes a second to load

            getattr(v1, value["kind"]).model_validate(value, extra="forbid")
        else:
            kubernetes_validate.validate(value, VERSION, strict=True)
    except (kubernetes_validate.ValidationError, ValueError) as error:
        return str(error)
    return None


def described(path: str) -> dict[str, Any] | None:
    """What Kubernetes' discovery and OpenAPI say about this server; None for another path."""
    if path == "api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "apis":
        versions = [each.split("/")[1:] for each in KINDS if each.startswith("apis/")]
        groups = [
            {"name": name, "versions": [{"groupVersion": f"{name}/{v}", "version": v}]}
            for name, v in versions
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if path in KINDS:
        resources = [
            {"name": plural, "kind": kind, "namespaced": True, "verbs": ["create", "get", "patch"]}
            for plural, kind in KINDS[path].items()
        ]
        version = path.partition("/")[2]
        return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
    if path == "openapi/v3":
        return {"paths": {each: {"serverRelativeURL": f"/openapi/v3/{each}"} for each in KINDS}}
    api = path.removeprefix("openapi/v3/")
    return fields_are_validated(api) if api in KINDS else None


def fields_are_validated(api: str) -> dict[str, Any]:
    """The OpenAPI document by which kubectl leaves the validation of fields to the server."""
    *_, group, version = f"/{api.partition('/')[2]}".split("/")
    parameters = [{"name": "fieldValidation", "in": "query"}]
    paths = {}
    for plural, kind in KINDS[api].items():
        named = {"group": group, "version": version, "kind": kind}
        patch = {"x-kubernetes-group-version-kind": named, "parameters": parameters}
        paths[f"/{plural}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "", "version": ""}, "paths": paths}


def merged(value: Any, patch: Any) -> Any:  # noqa: ANN401  # JSON
    """By RFC 7396, which is a strategic merge too where no list is patched."""
    if not isinstance(patch, dict):
        return patch
    kept = value if isinstance(value, dict) else {}
    kept = kept | {key: merged(kept.get(key), each) for key, each in patch.items()}
    return {key: each for key, each in kept.items() if each is not None}


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        found = described(path) or OBJECTS.get(path)
        if found is None:
            self.fail(404, "NotFound", f"there is no {path}")
        else:
            self.answer(200, found)

    def do_POST(self) -> None:
        if value := self.body("application/json"):
            self.keep(
                f"{self.path.partition('?')[0].strip('/')}/{value['metadata']['name']}", value
            )

    def do_PATCH(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        if patch := self.body("application/strategic-merge-patch+json"):
            self.keep(path, merged(OBJECTS[path], patch))

    def body(self, content_type: str) -> Any:  # noqa: ANN401  # JSON
        content = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-type"] == content_type:
            return json.loads(content)
        self.fail(415, "UnsupportedMediaType", f"only {content_type} is taken")
        return None

    def keep(self, path: str, value: dict[str, Any]) -> None:
        if "fieldValidation=Strict" not in self.path:
            self.fail(400, "BadRequest", "kubectl would have taken unknown fields")
        elif why := refusal(value):
            self.fail(400, "BadRequest", why)
        else:
            OBJECTS[path] = value
            self.answer(201, value)

    def fail(self, code: int, reason: str, message: str) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self.answer(code, {**status, "reason": reason, "message": message})

    def answer(self, code: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: what is of interest is answered."""


with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()
    server.shutdown()
