"""ElevenLabs' pronunciation dictionaries: rules by alias or phoneme, a version with every change, PLS files.

Written from the official client's calls and answer types (2026-11). They are kept beside the log. The codes of refusals
are guesses, and speech made with a dictionary sounds the same: only its locators are checked.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from providers.emulator.vendor import Route, route
from providers.emulator.vendors.elevenlabs_calls import CallingVendor, missing, required_part
from providers.emulator.vendors.elevenlabs_rules import Refused, field_error
from providers.emulator.wire import Answer, Call

PLS = "{http://www.w3.org/2005/01/pronunciation-lexicon}"
NAMED = {"alias": ("alias",), "phoneme": ("phoneme", "alphabet")}
MOST_LOCATORS = 3
OWNER = "emulated-owner"


class DictionariesVendor(CallingVendor):
    """`/v1/pronunciation-dictionaries…`."""

    def dictionary_routes(self) -> list[Route]:
        guarded, root = self.guarded, "/v1/pronunciation-dictionaries"
        one = f"{root}/{{dictionary}}"
        changes = (("set-rules", _set), ("add-rules", _add), ("remove-rules", _remove))
        return [
            route("POST", f"{root}/add-from-file", "upload", guarded(self._add_file)),
            route("POST", f"{root}/add-from-rules", "upload", guarded(self._add_rules)),
            route("GET", root, "list", guarded(self._dictionaries)),
            *(route("POST", f"{one}/{name}", "upload", guarded(partial(self._change, work))) for name, work in changes),
            route("GET", f"{one}/{{version}}/download", "fetch", guarded(self._download)),
            route("GET", one, "catalogue", guarded(self._dictionary)),
            route("PATCH", one, "upload", guarded(self._rename)),
        ]

    def check_locators(self, account: str, body: Mapping[str, Any]) -> None:
        """Speech may name at most three dictionaries, each with a version that there is."""
        named = body.get("pronunciation_dictionary_locators") or []
        if not isinstance(named, list) or len(named) > MOST_LOCATORS:
            raise Refused(400, "too_many_pronunciation_dictionaries", f"At most {MOST_LOCATORS} may be given")
        for locator in named:
            kept = self._kept(account, str(locator.get("pronunciation_dictionary_id") or ""))
            version = locator.get("version_id")
            if version and version not in kept["versions"]:
                raise Refused(404, "pronunciation_dictionary_version_not_found", f"There is no version {version}")

    # -- making and changing ---------------------------------------------------------------------------------

    def _add_file(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        name = required_part(call, "name").data.decode()
        if "file" not in parts:
            raise missing("file")  # the client may leave it out; what the vendor makes of that is not known
        description = parts["description"].data.decode() if "description" in parts else None
        return self._new_dictionary(account, name, description, rules_of_file(parts["file"].data))

    def _add_rules(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if not body.get("name"):
            raise missing("name")
        return self._new_dictionary(account, str(body["name"]), body.get("description"), _checked(body.get("rules")))

    def _new_dictionary(self, account: str, name: str, description: Any, rules: list[dict[str, Any]]) -> Answer:
        now = int(self.world.now())
        kept = {"id": self.new_id(), "name": name, "description": description, "creation_time_unix": now}
        view = self._next_version(account, {**kept, "archived_time_unix": None, "versions": {}}, rules)
        answer = {name: kept[name] for name in ("id", "name", "description", "creation_time_unix")}
        return Answer.of_json({**answer, **_version_of(view), "created_by": OWNER, "permission_on_resource": "admin"})

    def _change(
        self,
        work: Callable[[list[dict[str, Any]], Mapping[str, Any]], list[dict[str, Any]]],
        call: Call,
        account: str,
        dictionary: str,
    ) -> Answer:
        """Every change of the rules is a version of its own; the old ones stay."""
        kept = self._kept(account, dictionary)
        body = call.json if isinstance(call.json, dict) else {}
        rules = work(kept["versions"][kept["latest"]], body)
        return Answer.of_json({"id": dictionary, **_version_of(self._next_version(account, kept, rules))})

    def _rename(self, call: Call, account: str, dictionary: str) -> Answer:
        kept, body = self._kept(account, dictionary), call.json if isinstance(call.json, dict) else {}
        if body.get("name"):
            kept["name"] = str(body["name"])
        if body.get("archived") is not None:
            kept["archived_time_unix"] = int(self.world.now()) if body["archived"] else None
        self._write_dictionary(account, kept)
        return Answer.of_json(_view(kept))

    # -- reading ---------------------------------------------------------------------------------------------

    def _dictionaries(self, call: Call, account: str) -> Answer:
        size, start = int(call.query.get("page_size") or 30), int(call.query.get("cursor") or 0)
        if not 1 <= size <= 100:
            return field_error("page_size", "Input should be between 1 and 100", "less_than_equal")
        found = [json.loads(path.read_text()) for path in sorted(self._shelf(account).glob("*.json"))]
        if call.query.get("include_archived", "false").lower() != "true":
            found = [kept for kept in found if kept["archived_time_unix"] is None]
        order = "name" if call.query.get("sort") == "name" else "creation_time_unix"
        found.sort(key=lambda kept: kept[order], reverse=call.query.get("sort_direction", "DESCENDING") == "DESCENDING")
        more = len(found) > start + size
        page = [_view(kept) for kept in found[start : start + size]]
        cursor = str(start + size) if more else None
        return Answer.of_json({"pronunciation_dictionaries": page, "next_cursor": cursor, "has_more": more})

    def _dictionary(self, call: Call, account: str, dictionary: str) -> Answer:
        kept = self._kept(account, dictionary)
        return Answer.of_json({**_view(kept), "rules": kept["versions"][kept["latest"]]})

    def _download(self, call: Call, account: str, dictionary: str, version: str) -> Answer:
        kept = self._kept(account, dictionary)
        if version not in kept["versions"]:
            raise Refused(404, "pronunciation_dictionary_version_not_found", f"There is no version {version}")
        return Answer(body=file_of_rules(kept["versions"][version]), media_type="application/pls+xml")

    # -- kept beside the log ---------------------------------------------------------------------------------

    def _shelf(self, account: str) -> Path:
        return self.world.folder / "elevenlabs-dictionaries" / account

    def _kept(self, account: str, dictionary: str) -> dict[str, Any]:
        name = dictionary if re.fullmatch("[A-Za-z0-9]+", dictionary) else "none"
        path = self._shelf(account) / f"{name}.json"
        if not path.exists():
            raise Refused(404, "pronunciation_dictionary_not_found", f"There is no dictionary {dictionary}")
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept

    def _next_version(self, account: str, kept: dict[str, Any], rules: list[dict[str, Any]]) -> dict[str, Any]:
        version = self.new_id()
        kept["versions"][version], kept["latest"] = rules, version
        self._write_dictionary(account, kept)
        return kept

    def _write_dictionary(self, account: str, kept: Mapping[str, Any]) -> None:
        path = self._shelf(account) / f"{kept['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept))


def _version_of(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {"version_id": kept["latest"], "version_rules_num": len(kept["versions"][kept["latest"]])}


def _view(kept: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: kept[name] for name in ("id", "name", "description", "creation_time_unix", "archived_time_unix")}
    latest = {"latest_version_id": kept["latest"], "latest_version_rules_num": len(kept["versions"][kept["latest"]])}
    return {**told, **latest, "created_by": OWNER, "permission_on_resource": "admin"}


def _checked(rules: Any) -> list[dict[str, Any]]:
    """The rules of a request, each with what its type needs."""
    if not isinstance(rules, list):
        raise missing("rules")
    for rule in rules:
        needed = NAMED.get(str(rule.get("type"))) if isinstance(rule, dict) else None
        if needed is None:
            raise Refused(422, "invalid_rule", f"type must be one of {', '.join(NAMED)}")
        for name in ("string_to_replace", *needed):
            if not rule.get(name):
                raise missing(name)
    return rules


def _set(rules: list[dict[str, Any]], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _checked(body.get("rules"))


def _add(rules: list[dict[str, Any]], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A rule for a string that has one already takes its place."""
    given = _checked(body.get("rules"))
    replaced = {rule["string_to_replace"] for rule in given}
    return [*(rule for rule in rules if rule["string_to_replace"] not in replaced), *given]


def _remove(rules: list[dict[str, Any]], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(body.get("rule_strings"), list):
        raise missing("rule_strings")
    return [rule for rule in rules if rule["string_to_replace"] not in body["rule_strings"]]


def rules_of_file(data: bytes) -> list[dict[str, Any]]:
    """The rules of a pronunciation lexicon (W3C PLS 1.0)."""
    try:
        text = data.decode("utf-8-sig")
        if "<!" in text.replace("<!--", ""):
            raise ValueError("entities are not expanded")
        root = ET.fromstring(text)  # noqa: S314 (see above)
    except (ET.ParseError, ValueError) as error:
        raise Refused(400, "invalid_pronunciation_dictionary", "The file is not a PLS lexicon") from error
    rules = []
    for entry in root.iter(f"{PLS}lexeme"):
        grapheme, alias, phoneme = (entry.findtext(f"{PLS}{name}") for name in ("grapheme", "alias", "phoneme"))
        if grapheme and alias:
            rules.append({"type": "alias", "string_to_replace": grapheme, "alias": alias})
        elif grapheme and phoneme:
            alphabet = root.get("alphabet", "ipa")
            rules.append({"type": "phoneme", "string_to_replace": grapheme, "phoneme": phoneme, "alphabet": alphabet})
    return rules


def file_of_rules(rules: list[dict[str, Any]]) -> bytes:
    """The rules as a lexicon, in the alphabet of the first phoneme."""
    alphabet = next((str(rule["alphabet"]) for rule in rules if rule["type"] == "phoneme"), "ipa")
    root = ET.Element("lexicon", version="1.0", xmlns=PLS.strip("{}"), alphabet=alphabet)
    root.set("xml:lang", "en-US")
    for rule in rules:
        entry = ET.SubElement(root, "lexeme")
        ET.SubElement(entry, "grapheme").text = str(rule["string_to_replace"])
        ET.SubElement(entry, rule["type"]).text = str(rule[rule["type"]])
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
