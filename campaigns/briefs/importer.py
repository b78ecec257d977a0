"""Read a brief file (YAML) with its media into a workspace. Every error names the field and its line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from campaigns.briefs.models import BrandKit, Brief, BriefAssetRole
from campaigns.briefs.services import attach_asset, create_brief, save_brand_kit
from campaigns.briefs.types import BriefInvalid, ImportFailed
from genengine.assets.models import Asset
from genengine.assets.services import UploadRefused, asset_text, upload_asset
from genengine.core.actors import SYSTEM
from genengine.core.money import to_micro
from genengine.workspaces.models import Role, User, Workspace
from genengine.workspaces.policy import Principal

PROFILES = {"premium": "quality", "quality": "quality", "balanced": "balanced", "economy": "economy"}
TEXT_FILES = (".txt", ".md")
KIT_COLOURS = ("primary", "secondary", "accent", "accent2", "accent3", "surface", "sand", "background", "text")
PLAIN = {
    "title": "title", "ad_type": "ad_type", "audience": "audience", "channel": "channel", "language": "language",
    "alternate_languages": "alternate_languages", "tone": "tone", "aspect_ratios": "ratios", "variants": "variants",
    "captions": "captions", "key_messages": "key_messages", "required_elements": "required_elements",
    "forbidden_elements": "forbidden_elements", "call_to_action": "call_to_action",
    "compliance_flags": "compliance_flags", "restricted": "restricted",
    "engine_policy": "engine_policy",
}  # fmt: skip
BY_FIELD = {ours: theirs for theirs, ours in PLAIN.items()} | {
    "length_ms": "length_s", "cap_micro": "budget_cap_usd", "quality_profile": "quality_profile",
    "deadline_at": "deadline_hours", "alternate_scripts": "alternate_scripts", "voiceovers": "voiceover",
}  # fmt: skip


@dataclass
class Reader:
    """One file being imported: its values, the line of each field, and where its media go."""

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]
    workspace: Workspace
    principal: Principal
    now: datetime
    uploaded: dict[Path, Asset] = field(default_factory=dict)

    def fail(self, name: str, message: str) -> ImportFailed:
        """Return the error for a field, with its line."""
        line = self.lines.get(name) or self.lines.get(name.split(".")[0], 0)
        return ImportFailed(f"{self.path.name}, line {line or 1}, {name}: {message}")

    def file(self, name: str, given: Any) -> Path:
        """Return the path of a file that the brief names, relative to the brief."""
        if not isinstance(given, str) or not given.strip():
            raise self.fail(name, "give the path of a file, relative to this brief")
        path = (self.path.parent / given).resolve()
        if not path.is_file():
            raise self.fail(name, f"there is no file {given}; the path is relative to this brief")
        return path

    def asset(self, name: str, given: Any) -> Asset:
        """Upload a file that the brief names, once, and return its asset."""
        path = self.file(name, given)
        if path not in self.uploaded:
            try:
                self.uploaded[path] = upload_asset(
                    workspace=self.workspace,
                    actor=self.principal.actor,
                    user=self.principal.user,
                    file=path,
                    name=path.name,
                    now=self.now,
                )
            except UploadRefused as refused:
                raise self.fail(name, str(refused)) from refused
        return self.uploaded[path]

    def text(self, name: str, given: Any) -> str:
        """Return a text: from a file of that name, or the value itself when it is written inline."""
        if not isinstance(given, str):
            raise self.fail(name, "give the path of a text file, or the text itself")
        if "\n" in given or Path(given.strip()).suffix.lower() not in TEXT_FILES:
            return given
        asset = self.asset(name, given)
        try:
            return asset_text(asset)
        except UploadRefused as refused:
            raise self.fail(name, str(refused)) from refused


def import_brief(*, path: Path, workspace: Workspace, now: datetime, user: User | None = None) -> Brief:
    """Create the brief that a file describes, with its media and brand kit. Raises `ImportFailed`."""
    path = Path(path)
    principal = Principal(workspace, Role.ADMIN, user.as_actor() if user else SYSTEM, user=user)
    values, lines = _parsed(path)
    reader = Reader(path, values, lines, workspace, principal, now)
    unknown = [name for name in values if name not in FIELDS]
    if unknown:
        raise reader.fail(unknown[0], f"there is no such field; there are {', '.join(sorted(FIELDS))}")
    made: dict[str, Any] = {}
    for name, value in values.items():
        made |= FIELDS[name](reader, name, value)
    uses = made.pop("assets", [])
    try:
        brief = create_brief(principal=principal, now=now, values=made)
    except BriefInvalid as invalid:
        name, message = next(iter(invalid.errors.items()))
        raise reader.fail(BY_FIELD.get(name, name), message) from invalid
    for place, (asset, role, note) in enumerate(uses):
        try:
            attach_asset(brief=brief, asset=asset, role=role, note=note, principal=principal, now=now)
        except BriefInvalid as invalid:
            raise reader.fail(f"assets.{place}", "; ".join(invalid.errors.values())) from invalid
    return brief


def _parsed(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        source = path.read_text(encoding="utf-8")
        node = yaml.compose(source, Loader=yaml.SafeLoader)
        values = yaml.safe_load(source)
    except OSError as error:
        raise ImportFailed(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImportFailed(f"{path.name} is not saved as UTF-8; save it again with that encoding") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        words = [getattr(error, name, None) for name in ("context", "problem")]
        raise ImportFailed(f"{path.name}, line {line}: {', '.join(w for w in words if w) or error}") from error
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise ImportFailed(f"{path.name}, line 1: a brief is a list of fields such as “title: …”")
    return {str(name): value for name, value in values.items()}, _lines(node)


def _lines(node: yaml.Node, prefix: str = "") -> dict[str, int]:
    """Return the line of every field, nested ones as `assets.2.file`."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = f"{prefix}{key.value}"
            found[name] = key.start_mark.line + 1
            found |= _lines(value, f"{name}.")
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            found[f"{prefix}{place}"] = value.start_mark.line + 1
            found |= _lines(value, f"{prefix}{place}.")
    return found


def _plain(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {PLAIN[name]: value}


def _ignored(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {}


def _length(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {"length_ms": round(_number(reader, name, value) * 1000)}


def _cap(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    try:
        return {"cap_micro": to_micro(str(value))}
    except ValueError as error:
        raise reader.fail(name, str(error)) from error


def _deadline(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    hours = _number(reader, name, value)
    if not 0 < hours <= 24 * 365:
        raise reader.fail(name, "give the hours from now until the ad is needed, for example 24")
    return {"deadline_at": reader.now + timedelta(hours=hours)}


def _profile(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    if value not in PROFILES:
        raise reader.fail(name, f"choose one of {', '.join(PROFILES)}")
    return {"quality_profile": PROFILES[value]}


def _script(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {"script": reader.text(name, value)}


def _scripts(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {"alternate_scripts": {code: reader.text(f"{name}.{code}", p) for code, p in _map(reader, name, value)}}


def _voices(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {"voiceovers": {code: reader.asset(f"{name}.{code}", p) for code, p in _map(reader, name, value)}}


def _music(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    return {"music": reader.asset(name, value)}


def _assets(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list):
        raise reader.fail(name, "give a list of files, each with a role")
    return {"assets": [_use(reader, f"{name}.{place}", entry) for place, entry in enumerate(value)]}


def _use(reader: Reader, name: str, entry: Any) -> tuple[Asset, str, str]:
    if not isinstance(entry, Mapping) or "file" not in entry:
        raise reader.fail(name, "give a file and a role, such as {file: can.jpg, role: product}")
    unknown = set(entry) - {"file", "role", "note"}
    if unknown:
        raise reader.fail(f"{name}.{min(unknown)}", "an asset has only file, role and note")
    role = entry.get("role", str(BriefAssetRole.PRODUCT))
    if role not in BriefAssetRole.values:
        raise reader.fail(f"{name}.role", f"choose a role: {', '.join(BriefAssetRole.values)}")
    return reader.asset(f"{name}.file", entry["file"]), str(role), str(entry.get("note", ""))


def _brand(reader: Reader, name: str, value: Any) -> dict[str, Any]:
    """Create the brand kit, or bring the one of this name up to date."""
    brand = dict(_map(reader, name, value))
    unknown = set(brand) - {"name", "kit", "logo", "other_logo", "fonts", "watermark", "forbidden_words"}
    if unknown:
        known_names = "name, kit, logo, other_logo, fonts, watermark and forbidden_words"
        raise reader.fail(f"{name}.{min(unknown)}", f"a brand has {known_names}")
    values: dict[str, Any] = {key: brand[key] for key in ("name", "watermark", "forbidden_words") if key in brand}
    if "kit" in brand:
        values["colours"] = _kit_colours(reader, f"{name}.kit", brand["kit"])
    for logo in ("logo", "other_logo"):
        if logo in brand:
            values[logo] = reader.asset(f"{name}.{logo}", brand[logo])
    fonts = brand.get("fonts", [])
    if not isinstance(fonts, list):
        raise reader.fail(f"{name}.fonts", "give a list of font files")
    values["fonts"] = [reader.asset(f"{name}.fonts.{place}", font) for place, font in enumerate(fonts)]
    known = BrandKit.objects.of(reader.workspace).filter(name=values.get("name", "")).first()
    try:
        kit = save_brand_kit(kit=known, values=values, principal=reader.principal, now=reader.now)
    except BriefInvalid as invalid:
        wrong, message = next(iter(invalid.errors.items()))
        raise reader.fail(f"{name}.{wrong}", message) from invalid
    return {"brand_kit": kit}


def _kit_colours(reader: Reader, name: str, given: Any) -> dict[str, str]:
    """Read the colours of a kit file; YAML reads JSON too."""
    path = reader.file(name, given)
    try:
        kit = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise reader.fail(name, f"{path.name} is neither JSON nor YAML in UTF-8") from error
    colours = kit.get("colors") or kit.get("colours") if isinstance(kit, dict) else None
    if not isinstance(colours, dict):
        raise reader.fail(name, f"{path.name} has no “colors” with names and codes such as #0e1b33")
    return {key: code for key, code in colours.items() if key in KIT_COLOURS}


def _map(reader: Reader, name: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise reader.fail(name, "give names with values, such as {en: file.txt}")
    return [(str(key), entry) for key, entry in value.items()]


def _number(reader: Reader, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise reader.fail(name, f"“{value}” is not a number")
    return float(value)


FIELDS: dict[str, Callable[[Reader, str, Any], dict[str, Any]]] = {
    **dict.fromkeys(PLAIN, _plain),
    "id": _ignored,
    "brand": _brand,
    "length_s": _length,
    "budget_cap_usd": _cap,
    "deadline_hours": _deadline,
    "quality_profile": _profile,
    "script": _script,
    "alternate_scripts": _scripts,
    "voiceover": _voices,
    "music": _music,
    "assets": _assets,
}
