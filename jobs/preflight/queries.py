"""Check a plan: what its finished films would have wrong, from the plan, the brand kit and the brief's files alone.

The answer depends on values and contents only, so it is kept by their digest: the page, the dry run and the launch
of one revision pay for it once.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from genengine.assets.models import Asset
from genengine.assets.services import blob_to_path
from genengine.assets.types import BlobDamaged, BlobMissing
from genengine.core.ids import is_id
from genengine.media import ENGINE_VERSION
from genengine.workspaces.models import Mode, Workspace
from jobs.execution.branding import settle_brand
from jobs.plan import Plan
from jobs.preflight.films import Film, card_spec, cards_of, films, spec_files
from jobs.preflight.material import Material, material_findings
from jobs.preflight.types import Level, PlanFinding
from jobs.preflight.words import card_in_plan_words, in_plan_words

log = logging.getLogger(__name__)
KEPT_S = 3600
ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


def check_plan(*, plan: Plan, workspace: Workspace) -> tuple[PlanFinding, ...]:
    """Return what the finished films of a plan would have wrong, errors first, then in the order of the scenes."""
    assets = _assets(plan, workspace)
    key = _digest(plan, workspace, assets.values())
    kept = cache.get(key)
    if kept is None:
        kept = [found.to_dict() for found in _checked(plan, workspace, assets)]
        cache.set(key, kept, KEPT_S)
    return tuple(PlanFinding.from_dict(values) for values in kept)


def _checked(plan: Plan, workspace: Workspace, assets: Mapping[str, Asset]) -> list[PlanFinding]:
    known = {
        pk: Material(a.name, a.kind, a.width or 0, a.height or 0, a.duration_ms or 0, a.archived_at is not None)
        for pk, a in assets.items()
    }
    found = list(material_findings(plan, known, settings.GE_MASTER_SCALE))
    if any(item.code == "asset_gone" for item in found):
        return _in_order(found)  # without its files a film cannot be laid out
    found += _cards(plan)
    with tempfile.TemporaryDirectory(prefix="ge-preflight-") as folder:
        paths, missing = _files(plan, assets, Path(folder))
        found += missing
        hashes = {pk: asset.working.sha256 for pk, asset in assets.items()}
        simulated = workspace.mode == Mode.SIMULATED
        if not missing:
            for film in films(plan, simulated=simulated, hashes=hashes, scale=settings.GE_MASTER_SCALE):
                found += _film(film, plan, spec_files(film.spec, paths))
    return _in_order(found)


def _film(film: Film, plan: Plan, files: Mapping[str, Path]) -> Iterator[PlanFinding]:
    from genengine.media import lint  # a picture library: loaded by the first check, not with the web process

    spec, facts = settle_brand(film.spec, files)
    film = replace(film, spec=spec)
    if "logo" in facts:
        yield PlanFinding(
            "logo_crowded", Level.WARNING, plan.scenes[-1].key, len(plan.scenes), "the logo", facts["logo"],
            "Shorten what the last scene says and shows.", (film.name,),
        )  # fmt: skip
    for finding in lint(spec, files):
        told = in_plan_words(finding, film, plan)
        if told is not None:
            yield told


def _cards(plan: Plan) -> Iterator[PlanFinding]:
    from genengine.media import lint

    for branch in plan.branches:
        for scene in sorted(cards_of(plan, branch.key)):
            for finding in lint(card_spec(plan.clip(scene, branch.key))):
                told = card_in_plan_words(finding, plan, scene, branch.key)
                if told is not None:
                    yield told


def _in_order(findings: Iterable[PlanFinding]) -> list[PlanFinding]:
    """One finding a thing, with all the films that it is in: its pixels differ by film, its remedy does not.

    Captions of one scene are one thing, of which the first is quoted.
    """
    merged: dict[tuple[str, str, str], PlanFinding] = {}
    for found in findings:
        what, _, _ = found.subject.partition("“") if found.scene else (found.subject, "", "")
        key = (found.code, found.scene, what or found.subject)
        first = merged.get(key, found)
        merged[key] = replace(first, films=tuple(dict.fromkeys((*first.films, *found.films))))
    return sorted(merged.values(), key=lambda found: (ORDER[found.level], found.number))


def _assets(plan: Plan, workspace: Workspace) -> dict[str, Asset]:
    wanted = {i.asset_id for clip in plan.clips for i in clip.inputs}
    wanted.update(*(scene.reference_images for scene in plan.scenes))
    wanted |= {*plan.brand.asset_ids, plan.bed_asset_id}
    wanted |= {locale.voice_asset_id for locale in plan.locales}
    rows = Asset.objects.of(workspace).select_related("working").filter(pk__in=[pk for pk in wanted if is_id(pk)])
    return {str(row.pk): row for row in rows}


def _files(plan: Plan, assets: Mapping[str, Asset], folder: Path) -> tuple[dict[str, Path], list[PlanFinding]]:
    """Logo and fonts as files by hash: all that laying words and logo out needs."""
    paths, missing = {}, []
    for pk in plan.brand.asset_ids:
        if pk not in assets:
            continue
        blob = assets[pk].working
        try:
            paths[blob.sha256] = blob_to_path(blob, folder)
        except (BlobMissing, BlobDamaged) as error:
            log.error("a file of the brand kit cannot be read", extra={"blob": str(blob.pk), "error": str(error)})
            fix = "Upload it to the brand kit again, then plan again."
            name = f"“{assets[pk].name}” of the brand kit"
            missing.append(PlanFinding("file_damaged", Level.ERROR, "", 0, name, "It cannot be read.", fix))
    return paths, missing


def _digest(plan: Plan, workspace: Workspace, assets: Iterable[Asset]) -> str:
    """Everything that the answer depends on: prompts, prices and models are not part of it, text cards are."""
    values = plan.to_dict()
    values["clips"] = [
        [c.scene, c.branch, [i.asset_id for i in c.inputs], c.options, c.native_ratio, c.duration_ms, c.prompt]
        for c in plan.clips
    ]
    for name in ("notes", "reuse"):
        values.pop(name)
    files = sorted([str(a.pk), a.working.sha256, a.name, a.archived_at is None] for a in assets)
    facts = [values, files, workspace.mode, str(workspace.pk), settings.GE_MASTER_SCALE, ENGINE_VERSION]
    return f"preflight:{hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()}"
