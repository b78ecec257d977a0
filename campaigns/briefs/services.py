"""Write briefs: create, save as one types, attach media, duplicate; campaigns and brand kits."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Max

from campaigns.briefs.fields import FieldRefused, cleaned, phrases, row_of, text
from campaigns.briefs.models import BrandKit, Brief, BriefAsset, BriefAssetRole, BriefState, Campaign
from campaigns.briefs.starters import STARTERS
from campaigns.briefs.types import BriefClosed, BriefInvalid
from genengine.assets.models import Asset, AssetKind
from genengine.assets.services import asset_text, upload_asset
from genengine.core import audit
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.services import restrict_jobs

COLOUR = re.compile(r"^#[0-9a-fA-F]{6}$")
COLOUR_NAMES = ("primary", "secondary", "accent", "background", "text", "accent2", "accent3", "surface", "sand")
NOT_COPIED = frozenset({"id", "title", "state", "version", "author", "created_at", "updated_at"})
VISUAL_KINDS = (AssetKind.IMAGE, AssetKind.VIDEO)


@retry_conflicts
def create_brief(
    *, principal: Principal, now: datetime, template: str = "", values: Mapping[str, Any] | None = None
) -> Brief:
    """Create a draft, from a starter template when one is named. All values must hold, or nothing is created."""
    require(principal, Action.EDIT_BRIEF)
    if template and template not in STARTERS:
        raise BriefInvalid({"template": f"There is no template “{template}”. There are: {', '.join(STARTERS)}."})
    given = {**(STARTERS[template].values() if template else {"ratios": ["9:16"]}), **(values or {})}
    good, errors = cleaned(principal.workspace, given)
    if errors:
        raise BriefInvalid(errors)
    with unit_of_work():
        brief = Brief.objects.create(workspace=principal.workspace, author=principal.user, updated_at=now, **good)
        _tell(brief, "brief.created", principal, now, template=template)
    return brief


@retry_conflicts
def update_brief(*, brief: Brief, values: Mapping[str, Any], principal: Principal, now: datetime) -> Brief:
    """Save some fields as somebody types. What holds is saved; `BriefInvalid` then names what was not, and why."""
    require(principal, Action.EDIT_BRIEF, brief)
    good, errors = cleaned(brief.workspace, _with_voice(brief, values))
    with unit_of_work():
        fresh = _open(brief)
        changed = [name for name, value in good.items() if getattr(fresh, name) != value]
        for name in changed:
            setattr(fresh, name, good[name])
        if changed:
            fresh.updated_at = now
            fresh.save(update_fields=[*changed, "updated_at"])
            if "restricted" in changed:
                _close_or_open(fresh, principal, now)
            _tell(fresh, "brief.updated", principal, now, fields=sorted(changed))
    for name in [*good, "updated_at"]:
        setattr(brief, name, getattr(fresh, name))
    if errors:
        raise BriefInvalid(errors)
    return fresh


def set_script_from_file(
    *, brief: Brief, file: Path | UploadedFile, name: str, principal: Principal, now: datetime
) -> Brief:
    """Take the script from a text file; the file is kept as an asset. `UploadRefused` says why one is not taken."""
    require(principal, Action.EDIT_BRIEF, brief)
    asset = upload_asset(
        workspace=brief.workspace, actor=principal.actor, user=principal.user, file=file, name=name, now=now
    )
    return update_brief(brief=brief, values={"script": asset_text(asset)}, principal=principal, now=now)


@retry_conflicts
def attach_asset(
    *,
    brief: Brief,
    asset: Asset,
    principal: Principal,
    now: datetime,
    role: str = BriefAssetRole.PRODUCT,
    note: str = "",
) -> BriefAsset:
    """Use a picture or clip in the brief; attaching it again changes its role and note."""
    require(principal, Action.EDIT_BRIEF, brief)
    values = _use_values(brief, asset, role, note)
    with unit_of_work():
        fresh = _open(brief)
        use = BriefAsset.objects.filter(brief=fresh, asset=asset).first()
        if use is None:
            last = BriefAsset.objects.filter(brief=fresh).aggregate(last=Max("position"))["last"]
            position = 0 if last is None else last + 1
            use = BriefAsset(workspace_id=fresh.workspace_id, brief=fresh, asset=asset, position=position)
        for field, value in values.items():
            setattr(use, field, value)
        use.save()
        _touch(fresh, now)
        _tell(fresh, "brief.asset_attached", principal, now, asset=str(asset.pk), role=str(use.role))
    return use


@retry_conflicts
def detach_asset(*, brief: Brief, asset: Asset, principal: Principal, now: datetime) -> None:
    """Take a picture or clip out of the brief; the asset itself stays in the library."""
    require(principal, Action.EDIT_BRIEF, brief)
    with unit_of_work():
        fresh = _open(brief)
        gone, _ = BriefAsset.objects.filter(brief=fresh, asset=asset).delete()
        if gone:
            _touch(fresh, now)
            _tell(fresh, "brief.asset_detached", principal, now, asset=str(asset.pk))


@retry_conflicts
def reorder_assets(*, brief: Brief, order: Sequence[str], principal: Principal, now: datetime) -> None:
    """Put the brief's assets into this order; every asset id once."""
    require(principal, Action.EDIT_BRIEF, brief)
    with unit_of_work():
        fresh = _open(brief)
        uses = {str(use.asset_id): use for use in BriefAsset.objects.filter(brief=fresh)}
        if sorted(uses) != sorted(str(item) for item in order):
            raise BriefInvalid({"assets": "The order must name every attached file once; reload and move it again."})
        for position, asset_id in enumerate(order):
            uses[str(asset_id)].position = position
        BriefAsset.objects.bulk_update(uses.values(), ["position"])
        _touch(fresh, now)
        _tell(fresh, "brief.updated", principal, now, fields=["assets"])


@retry_conflicts
def duplicate_brief(*, brief: Brief, principal: Principal, now: datetime) -> Brief:
    """Copy a brief with its media as a new draft."""
    require(principal, Action.EDIT_BRIEF, brief)
    kept = {
        field.attname: getattr(brief, field.attname)
        for field in Brief._meta.concrete_fields
        if field.name not in NOT_COPIED
    }
    with unit_of_work():
        title = f"{brief.title[:190]} (copy)" if brief.title else ""
        copy = Brief.objects.create(**kept, title=title, author=principal.user, updated_at=now)
        BriefAsset.objects.bulk_create(
            BriefAsset(
                workspace_id=use.workspace_id,
                brief=copy,
                asset_id=use.asset_id,
                role=use.role,
                note=use.note,
                position=use.position,
            )
            for use in BriefAsset.objects.filter(brief=brief)
        )
        _tell(copy, "brief.created", principal, now, copied_from=str(brief.pk))
    return copy


@retry_conflicts
def archive_brief(*, brief: Brief, principal: Principal, now: datetime) -> Brief:
    """Put a brief away; its jobs and versions stay."""
    require(principal, Action.EDIT_BRIEF, brief)
    with unit_of_work():
        fresh = _open(brief)
        fresh.state = BriefState.ARCHIVED
        _touch(fresh, now, "state")
        _tell(fresh, "brief.archived", principal, now)
    return fresh


@retry_conflicts
def create_campaign(*, name: str, principal: Principal, now: datetime) -> Campaign:
    """Create a campaign, or return the one of this name."""
    require(principal, Action.EDIT_BRIEF)
    words = text(200)(principal.workspace, name)
    if not words:
        raise BriefInvalid({"name": "Give the campaign a name."})
    with unit_of_work():
        campaign, made = Campaign.objects.get_or_create(workspace=principal.workspace, name=words)
        if made:
            _record(principal.workspace, "campaign.created", "campaign", campaign.pk, principal, now)
    return campaign


@retry_conflicts
def save_brand_kit(
    *, principal: Principal, values: Mapping[str, Any], now: datetime, kit: BrandKit | None = None
) -> BrandKit:
    """Create a brand kit, or change some values of one. All values must hold, or nothing is saved.

    `values`: name, colours (name → #rrggbb), logo and other_logo (image assets), fonts (font assets), watermark,
    forbidden_words.
    """
    require(principal, Action.EDIT_BRIEF, kit)
    good, errors = _kit_values(principal.workspace, values)
    if kit is None and not good.get("name") and "name" not in errors:
        errors["name"] = "Give the brand kit a name."
    if errors:
        raise BriefInvalid(errors)
    with unit_of_work():
        fonts = good.pop("fonts", None)
        made = kit is None
        kit = kit or BrandKit(workspace=principal.workspace)
        for field, value in good.items():
            setattr(kit, field, value)
        kit.save()
        if fonts is not None:
            kit.fonts.set(fonts)
        action = "brand_kit.created" if made else "brand_kit.updated"
        _record(principal.workspace, action, "brand_kit", kit.pk, principal, now)
    return kit


def _with_voice(brief: Brief, values: Mapping[str, Any]) -> dict[str, Any]:
    """`voiceover` is the recording in the brief's own language; the others stay."""
    given = dict(values)
    if "voiceover" in given:
        language = given.get("language", brief.language)
        given["voiceovers"] = {**brief.voiceovers, language: given.pop("voiceover")}
    return given


def _kit_values(workspace: Workspace, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    rules = {
        "name": text(120),
        "colours": _colours,
        "logo": row_of(Asset, "logo", kind=AssetKind.IMAGE),
        "other_logo": row_of(Asset, "logo", kind=AssetKind.IMAGE),
        "fonts": _fonts,
        "watermark": lambda _, value: bool(value),
        "forbidden_words": phrases(80),
    }
    good: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in values.items():
        try:
            if name not in rules:
                raise FieldRefused(f"A brand kit has no field “{name}”.")
            good[name] = rules[name](workspace, value)
        except FieldRefused as refused:
            errors[name] = str(refused)
    return good, errors


def _colours(workspace: Workspace, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise FieldRefused("Give a colour for each name, such as primary: #0e1b33.")
    for name, code in value.items():
        if name not in COLOUR_NAMES:
            raise FieldRefused(f"There is no colour “{name}”. There are: {', '.join(COLOUR_NAMES)}.")
        if not isinstance(code, str) or not COLOUR.match(code):
            raise FieldRefused(f"“{code}” is not a colour; write {name} like #0e1b33.")
    return {name: code.lower() for name, code in value.items()}


def _fonts(workspace: Workspace, value: Any) -> list[Asset]:
    one = row_of(Asset, "font", kind=AssetKind.FONT)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise FieldRefused("Give a list of fonts.")
    return [font for font in (one(workspace, item) for item in value) if font is not None]


def _use_values(brief: Brief, asset: Asset, role: str, note: str) -> dict[str, Any]:
    errors = {}
    if asset.workspace_id != brief.workspace_id or asset.archived_at is not None:
        errors["asset"] = "This file does not exist here; upload it."
    elif asset.kind not in VISUAL_KINDS:
        errors["asset"] = f"“{asset.name}” is neither a picture nor a clip; choose it as music, voice or font instead."
    if role not in BriefAssetRole.values:
        errors["role"] = f"Choose a role: {', '.join(BriefAssetRole.values)}."
    try:
        note = text(200)(brief.workspace, note)
    except FieldRefused as refused:
        errors["note"] = str(refused)
    if errors:
        raise BriefInvalid(errors)
    return {"role": role, "note": note}


def _open(brief: Brief) -> Brief:
    """Hold the brief's row, so that two writers do not overwrite each other's fields."""
    fresh: Brief = Brief.objects.select_for_update().get(pk=brief.pk)
    if fresh.state == BriefState.ARCHIVED:
        raise BriefClosed("an archived brief is not changed; duplicate it to go on")
    return fresh


def _close_or_open(brief: Brief, principal: Principal, now: datetime) -> None:
    """Let the brief's jobs follow it, and tell the workspace: open sockets then ask again whose they may be."""
    jobs = restrict_jobs(workspace_id=brief.workspace_id, brief_id=brief.pk, restricted=brief.restricted)
    append_event(
        brief.workspace.event_stream(),
        "brief.access_changed",
        actor=principal.actor,
        now=now,
        subject_kind="brief",
        subject_id=brief.pk,
        data={"brief": str(brief.pk), "restricted": brief.restricted, "jobs": jobs},
    )


def _touch(brief: Brief, now: datetime, *fields: str) -> None:
    brief.updated_at = now
    brief.save(update_fields=["updated_at", *fields])


def _tell(brief: Brief, event: str, principal: Principal, now: datetime, **facts: Any) -> None:
    append_event(
        brief.event_stream(),
        event,
        actor=principal.actor,
        now=now,
        subject_kind="brief",
        subject_id=brief.pk,
        data={**brief.event_facts(), **facts},
    )
    _record(brief.workspace, event, "brief", brief.pk, principal, now, **facts)


def _record(
    workspace: Workspace, action: str, kind: str, subject: object, principal: Principal, now: datetime, **facts: Any
) -> None:
    audit.record(
        workspace_id=workspace.pk,
        actor=principal.actor,
        action=action,
        subject_kind=kind,
        subject_id=subject,
        now=now,
        **facts,
    )
