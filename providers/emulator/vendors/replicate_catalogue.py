"""What can be run at Replicate: models, versions, deployments, collections, hardware; and the account."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from providers.emulator.vendor import Route, route
from providers.emulator.vendors.replicate_files import FilesVendor
from providers.emulator.vendors.replicate_models import (
    HARDWARE,
    MODELS,
    MOMENT,
    Refused,
    find_model,
    model_view,
    version_of,
    version_view,
)
from providers.emulator.wire import Answer, Call

COLLECTION = {"name": "Text to video", "slug": "text-to-video", "description": "Models that make clips"}


class CatalogueVendor(FilesVendor):
    """`/v1/models…`, `/v1/deployments…`, `/v1/collections…`, `/v1/hardware`, `/v1/account`."""

    @abstractmethod
    def guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        """The handler behind the account's key."""

    def catalogue_routes(self) -> list[Route]:
        model, hook = "/v1/models/{owner}/{model}", "/v1/webhooks/default/secret"
        catalogue = (
            ("/v1/models", self._models),
            ("/v1/search", self._models),
            ("/v1/hardware", self._hardware),
            ("/v1/collections", self._collections),
            ("/v1/collections/{slug}", self._collection),
            ("/v1/deployments", self._deployments),
            ("/v1/deployments/{owner}/{model}", self._one_deployment),
            (model, self._model),
            (f"{model}/versions", self._versions),
            (f"{model}/versions/{{version}}", self._one_version),
        )
        return [
            route("QUERY", "/v1/models", "catalogue", self.guarded(self._models)),
            *(route("GET", pattern, "catalogue", self.guarded(work)) for pattern, work in catalogue),
            route("GET", "/v1/account", "account", self.guarded(self._account)),
            route("GET", hook, "account", self.guarded(self._secret)),
        ]

    def _model(self, call: Call, account: str, owner: str, model: str) -> Answer:
        return Answer.of_json(model_view(find_model(owner, model)))

    def _models(self, call: Call, account: str) -> Answer:
        """The public models; ``QUERY`` with plain text and ``/search`` look for words in their names."""
        words = call.body.decode("utf-8", "replace").strip() if call.method == "QUERY" else call.query.get("query", "")
        found = [model_view(name) for name in MODELS if words.lower() in name or not words]
        return Answer.of_json({"next": None, "previous": None, "results": found, "models": found})

    def _versions(self, call: Call, account: str, owner: str, model: str) -> Answer:
        results = [version_view(find_model(owner, model))]
        return Answer.of_json({"next": None, "previous": None, "results": results})

    def _one_version(self, call: Call, account: str, owner: str, model: str, version: str) -> Answer:
        name = find_model(owner, model)
        if version != version_of(name):
            raise Refused(404, "The requested resource could not be found.")
        return Answer.of_json(version_view(name))

    def _hardware(self, call: Call, account: str) -> Answer:
        return Answer.of_json([{"name": name, "sku": sku} for name, sku in HARDWARE])

    def _collections(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"next": None, "previous": None, "results": [COLLECTION]})

    def _collection(self, call: Call, account: str, slug: str) -> Answer:
        if slug != COLLECTION["slug"]:
            raise Refused(404, "The requested resource could not be found.")
        return Answer.of_json({**COLLECTION, "models": [model_view(name) for name in MODELS]})

    def _deployments(self, call: Call, account: str) -> Answer:
        """One for every model, named like it."""
        views = [_deployment_view("emulated", name.partition("/")[2], name) for name in MODELS]
        return Answer.of_json({"next": None, "previous": None, "results": views})

    def _one_deployment(self, call: Call, account: str, owner: str, model: str) -> Answer:
        return Answer.of_json(_deployment_view(owner, model, deployed(model)))

    def _account(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"type": "organization", "username": f"emulated-{account[:6]}", "name": "Emulated"})

    def _secret(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"key": self.world.webhook_secrets.get(self.name, "")})


def deployed(name: str) -> str:
    """The model that a deployment of this name runs."""
    found = next((known for known in MODELS if known.endswith(f"/{name}")), "")
    if not found:
        raise Refused(404, "The requested resource could not be found.")
    return found


def _deployment_view(owner: str, name: str, model: str) -> dict[str, Any]:
    settings = {"hardware": "gpu-l40s", "min_instances": 0, "max_instances": 1}
    release = {
        "number": 1,
        "model": model,
        "version": version_of(model),
        "created_at": MOMENT,
        "configuration": settings,
    }
    return {"owner": owner, "name": name, "current_release": release}
