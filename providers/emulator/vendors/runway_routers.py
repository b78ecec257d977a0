"""RunwayML's calls that choose a model themselves: generate by a router's settings, and recipes.

The router takes the cheapest model that can do what is asked, or the one with the least work or the highest price when
it is set to latency or quality. A recipe is one clip or picture of the product that is shown to it.
"""

from __future__ import annotations

import json
import re
import uuid
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendor import Route, Vendor, route
from providers.emulator.vendors import runway_rules as rules
from providers.emulator.vendors.runway_rules import MODELS, Model, Refused, invalid
from providers.emulator.wire import Answer, Call

PREFERENCES = ("cost", "latency", "quality")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
VERSIONS = ("2026-06", "2026-07", "unsafe-latest")
SHAPES = {"16:9": "1280:720", "9:16": "720:1280", "1:1": "960:960"}


class RoutersVendor(Vendor):
    """`/v1/generate/{video,image,audio}`, `/v1/routers…`, `/v1/recipes/…`."""

    @abstractmethod
    def start(self, call: Call, account: str, endpoint: str, body: Any) -> tuple[StoredTask, Answer]:
        """Accept a task for this body; the answer of its own address."""

    def router_routes(self, guarded: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> list[Route]:
        one = "/v1/routers/{router}"
        generating = [
            route("POST", f"/v1/generate/{kind}", "submit", guarded(partial(self._generate, work)))
            for kind, work in (("video", self._film_body), ("image", self._still_body), ("audio", self._sound_body))
        ]
        recipes = [
            route("POST", f"/v1/recipes/{name}", "submit", guarded(partial(self._recipe, name))) for name in RECIPES
        ]
        return [
            *generating,
            *recipes,
            route("GET", "/v1/routers", "list", guarded(self._routers)),
            route("POST", "/v1/routers", "account", guarded(self._add_router)),
            route("GET", f"{one}/requests", "list", guarded(self._requests)),
            route("GET", one, "account", guarded(self._router)),
            route("PATCH", one, "account", guarded(self._change_router)),
            route("DELETE", one, "account", guarded(self._drop_router)),
        ]

    # -- generating ------------------------------------------------------------------------------------------

    def _generate(self, body_of: Callable[..., Any], call: Call, account: str) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        given = asked.get("input")
        if not isinstance(given, dict):
            raise invalid("input", "required")
        router = self._kept_router(account, str(asked.get("configId") or ""))
        endpoint, body = body_of(given, router)
        task, answer = self.start(call, account, endpoint, body)
        self._remember(account, router, task)
        wide, tall = task.params["size"].split(":")
        settings = {"optimizeFor": _preference(router), "priceCeiling": None}
        shown = {"duration": task.params["duration"], "ratio": task.params["size"], "resolution": f"{min(wide, tall)}p"}
        chosen = {"configId": router["slug"], "model": task.model, "provider": "runway"}
        cost = {"estimatedCost": {"credits": task.params["credits"]}}
        routing = {**chosen, **cost, "resolvedInput": shown, "resolvedSettings": settings}
        return Answer.of_json({"id": task.id, "routing": routing}).noting(answer.note)

    def _film_body(self, given: Mapping[str, Any], router: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        pictures = [item for item in given.get("referenceImages") or [] if item.get("role", "first") == "first"]
        endpoint, seconds = (rules.IMAGE if pictures else rules.TEXT), given.get("duration", 5)
        ratio = SHAPES.get(str(given.get("aspectRatio", "16:9")))
        if ratio is None:
            raise invalid("aspectRatio", f"expected one of {sorted(SHAPES)}")

        def fits(facts: Model) -> bool:
            heard = facts.sound > 0 or not given.get("audio")
            return ratio in facts.ratios.get(endpoint, ()) and seconds in facts.durations and heard

        body = {"model": _chosen(router, fits), "promptText": given.get("promptText"), "ratio": ratio}
        body |= {"duration": seconds, "audio": bool(given.get("audio")), "seed": given.get("seed", 0)}
        return endpoint, {**body, **({"promptImage": pictures[0].get("uri")} if pictures else {})}

    def _still_body(self, given: Mapping[str, Any], router: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        ratio = {"16:9": "1280:720", "9:16": "720:1280"}.get(str(given.get("aspectRatio", "1:1")), "1024:1024")
        pictures = given.get("referenceImages") or []

        def fits(facts: Model) -> bool:
            alone = facts is not MODELS["gen4_image_turbo"] or bool(pictures)
            return ratio in facts.ratios.get(rules.PICTURE, ()) and alone

        body = {"model": _chosen(router, fits), "promptText": given.get("promptText"), "ratio": ratio}
        return rules.PICTURE, {**body, "referenceImages": pictures}

    def _sound_body(self, given: Mapping[str, Any], router: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        kind = given.get("type")
        if kind not in ("speech", "audio"):
            raise invalid("type", "expected one of ['audio', 'speech']")
        endpoint = rules.SPEECH if kind == "speech" else rules.SOUND
        model = _chosen(router, lambda facts: endpoint in facts.ratios)
        voice = given.get("voice") or {"type": "preset", "presetId": "Maya"}
        return endpoint, {**given, "model": model, "voice": voice}

    def _recipe(self, name: str, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if body.get("version") not in VERSIONS:
            raise invalid("version", f"expected one of {list(VERSIONS)}")
        endpoint, named = RECIPES[name]
        pictures = [_uri_of(body.get(field), field) for field in named]
        said = str(body.get("prompt") or body.get("targetLanguage") or name.replace("_", " "))
        if body.get("shots"):
            said = " ".join(str(shot.get("prompt") or "") for shot in body["shots"])
        if endpoint == rules.PICTURE:
            references = [{"uri": uri, "tag": f"picture{number}"} for number, uri in enumerate(pictures)]
            asked: dict[str, Any] = {
                "model": "gen4_image",
                "ratio": "1280:720",
                "referenceImages": references,
                "promptText": said,
            }
        else:
            ratio = body.get("ratio") if body.get("ratio") in SHAPES.values() else "1280:720"
            common: dict[str, Any] = {
                "model": "gen4.5",
                "promptText": said,
                "ratio": ratio,
                "duration": min(10, _length(body)),
            }
            asked = {**common, **({"promptImage": pictures[0]} if pictures else {})}
            endpoint = rules.IMAGE if pictures else rules.TEXT
        return self.start(call, account, endpoint, asked)[1]

    # -- routers ---------------------------------------------------------------------------------------------

    def _routers(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"data": self._kept_routers(account), "nextCursor": None})

    def _router(self, call: Call, account: str, router: str) -> Answer:
        return Answer.of_json(self._kept_router(account, router))

    def _add_router(self, call: Call, account: str) -> Answer:
        body, now = call.json if isinstance(call.json, dict) else {}, self._moment()
        slug = str(body.get("slug") or "")
        if not SLUG.fullmatch(slug) or slug in {kept["slug"] for kept in self._kept_routers(account)}:
            raise invalid("slug", "a new slug of lower-case letters, digits and dashes is expected")
        settings = {"schemaVersion": 1, "optimizeFor": "cost", **_settings(body)}
        named = {"id": str(uuid.uuid4()), "slug": slug, "name": str(body.get("name") or slug)}
        times = {"createdAt": now, "updatedAt": now, "version": 1}
        router = {**named, "description": body.get("description"), "settings": settings, **times}
        self._keep_routers(account, [*self._kept_routers(account), router])
        return Answer.of_json(router)

    def _change_router(self, call: Call, account: str, router: str) -> Answer:
        kept, body = self._kept_router(account, router), call.json if isinstance(call.json, dict) else {}
        changed = {name: body[name] for name in ("name", "description") if name in body}
        settings = {**kept["settings"], **_settings(body)}
        new = {**kept, **changed, "settings": settings, "version": kept["version"] + 1, "updatedAt": self._moment()}
        self._keep_routers(account, [new if one["id"] == kept["id"] else one for one in self._kept_routers(account)])
        return Answer.of_json(new)

    def _drop_router(self, call: Call, account: str, router: str) -> Answer:
        kept = self._kept_router(account, router)
        self._keep_routers(account, [one for one in self._kept_routers(account) if one["id"] != kept["id"]])
        return Answer(204)

    def _requests(self, call: Call, account: str, router: str) -> Answer:
        """What was asked through a router, newest first."""
        path = self._router_file(account, f"requests-{self._kept_router(account, router)['id']}")
        found = json.loads(path.read_text()) if path.exists() else []
        return Answer.of_json({"data": found[::-1][:100], "nextCursor": None})

    def _remember(self, account: str, router: Mapping[str, Any], task: StoredTask) -> None:
        path = self._router_file(account, f"requests-{router['id']}")
        kept = json.loads(path.read_text()) if path.exists() else []
        entry = {"id": task.id, "taskId": task.id, "model": task.model, "createdAt": self._moment()}
        path.write_text(json.dumps([*kept, entry]))

    def _moment(self) -> str:
        stamp = datetime.fromtimestamp(self.world.now(), UTC).isoformat(timespec="milliseconds")
        return stamp.replace("+00:00", "Z")

    def _router_file(self, account: str, name: str) -> Path:
        path = self.world.folder / "runway-routers" / account / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _kept_routers(self, account: str) -> list[dict[str, Any]]:
        path = self._router_file(account, "routers")
        kept: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return kept

    def _keep_routers(self, account: str, routers: list[dict[str, Any]]) -> None:
        self._router_file(account, "routers").write_text(json.dumps(routers))

    def _kept_router(self, account: str, named: str) -> dict[str, Any]:
        found = [kept for kept in self._kept_routers(account) if named in (kept["id"], kept["slug"])]
        if not found:
            raise Refused(404, f"Model Router {named!r} was not found")
        return found[0]


RECIPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ad_localization": (rules.PICTURE, ("referenceImage",)),
    "marketing_stock_image": (rules.PICTURE, ()),
    "product_campaign_image": (rules.PICTURE, ("image",)),
    "multi_shot_video": (rules.TEXT, ()),
    "product_ad": (rules.TEXT, ("productImages",)),
    "product_swap": (rules.TEXT, ("newProductImages", "originalProductImage")),
    "product_ugc": (rules.TEXT, ("productImage", "characterImage")),
}


def _uri_of(given: Any, field: str) -> str:
    """The address of ``{"uri": …}`` or of the first of several."""
    first = given[0] if isinstance(given, list) and given else given
    uri = first.get("uri") if isinstance(first, dict) else None
    if not isinstance(uri, str) or not uri:
        raise invalid(field, "required")
    return uri


def _length(body: Mapping[str, Any]) -> int:
    seconds = body.get("duration", 5)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 2 <= seconds <= 15:
        raise invalid("duration", "an integer from 2 to 15 is expected")
    return seconds


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    settings = body.get("settings") or {}
    if not isinstance(settings, dict) or settings.get("optimizeFor", "cost") not in PREFERENCES:
        raise invalid("settings.optimizeFor", f"expected one of {list(PREFERENCES)}")
    return settings


def _preference(router: Mapping[str, Any]) -> str:
    return str(router["settings"].get("optimizeFor") or "cost")


def _chosen(router: Mapping[str, Any], fits: Callable[[Model], bool]) -> str:
    """The first model that fits by the router's preference and within its list."""
    settings, allowed = router["settings"], router["settings"].get("models") or {}
    ids, only = set(allowed.get("ids") or []), allowed.get("mode") == "allowlist_only"
    names = [name for name in MODELS if not allowed or (name in ids) == only]
    found = [name for name in names if fits(MODELS[name])]
    if not found:
        raise Refused(400, "No model of this Model Router can do what is asked")
    order: dict[str, Callable[[Model], float]] = {
        "cost": lambda facts: facts.credits,
        "latency": lambda facts: facts.render_s,
        "quality": lambda facts: -facts.credits,
    }
    return min(found, key=lambda name: order[str(settings.get("optimizeFor") or "cost")](MODELS[name]))
