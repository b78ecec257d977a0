"""What a plan asks of a model is what the model's adapter takes, at the price the plan names."""

import hashlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from campaigns.briefs.importer import PROFILES
from campaigns.planning.assemble import assemble
from campaigns.planning.builtin import BuiltinPlanner
from campaigns.planning.clips import Desk
from campaigns.planning.types import AssetRef, BriefValues
from genengine.core.money import convert
from genengine.media import lint, parse_spec
from genengine.workspaces.models import Mode, Workspace
from jobs.plan import ClipPlan, Plan
from jobs.routing.queries import candidates
from jobs.routing.types import Limits, Profile
from providers.adapters.local import build_spec
from providers.base import RemoteAdapter
from providers.registry import adapters, get_card
from providers.values import GenerationRequest, InputAsset, InputRole, Task, snap_request

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "briefs"
ROLES = {"source_clip": InputRole.VIDEO, "reference": InputRole.REFERENCE, "first_frame": InputRole.FIRST_FRAME}
NAMES = ["explainer-original", "ugc-blood-orange", "cinematic-wake-slowly"]


@pytest.fixture(params=NAMES)
def plan(request: pytest.FixtureRequest, now: datetime, db: None) -> Plan:
    """The plan of an example brief in a simulated workspace that may use every model."""
    values = read(EXAMPLES / f"{request.param}.yaml")
    limits = Limits(Profile(values.profile), 40_000_000, None, ratio=values.ratios[0])
    desk = Desk(values, candidates(Workspace(mode=Mode.SIMULATED)), limits, {a.id: a for a in values.assets})
    made, problems = assemble(BuiltinPlanner().plan(values), desk)
    assert not problems
    return made


def read(path: Path) -> BriefValues:
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    return BriefValues(
        title=given["title"],
        ad_type=given["ad_type"],
        script=(path.parent / given["script"]).read_text(encoding="utf-8"),
        length_ms=given["length_s"] * 1000,
        required=tuple(given["required_elements"]),
        forbidden=tuple(given["forbidden_elements"]),
        brand_name=given["brand"]["name"],
        assets=tuple(
            AssetRef(Path(a["file"]).stem, "video" if a["file"].endswith("mp4") else "image", a["role"])
            for a in given["assets"]
        ),
        ratios=tuple(given["aspect_ratios"]),
        variants=max(2, given["variants"]),
        profile=PROFILES[given["quality_profile"]],
        colours={"primary": "#0e1b33", "accent": "#19c7b0"},
        logo_id="logo",
    )


def asked(clip: ClipPlan) -> GenerationRequest:
    inputs = tuple(
        InputAsset(
            ROLES[item.role],
            Path(item.asset_id),
            "video/mp4" if item.role == "source_clip" else "image/png",
            hashlib.sha256(item.asset_id.encode()).hexdigest(),
        )
        for item in clip.inputs
    )
    return GenerationRequest(
        Task(clip.task),
        clip.model,
        clip.prompt,
        clip.negative_prompt,
        clip.duration_ms / 1000,
        clip.native_ratio,
        clip.resolution,
        clip.seed,
        inputs,
        clip.options,
    )


def test_every_clip_is_accepted_by_its_model_at_the_planned_price(plan: Plan) -> None:
    for clip in plan.clips:
        card, request = get_card(clip.model), asked(clip)
        fitted, _ = snap_request(card, request)
        assert (fitted.duration_s, fitted.ratio, fitted.resolution) == (
            request.duration_s,
            request.ratio,
            request.resolution,
        )
        assert fitted.prompt.startswith(request.prompt)
        kind = adapters()[clip.provider]
        adapter = (
            kind(credentials=dict.fromkeys(kind.credential_fields, "x")) if issubclass(kind, RemoteAdapter) else kind()
        )
        estimate = adapter.estimate(request)
        usd = Decimal(1) if estimate.currency == "USD" or not estimate.amount else card.rate.usd  # type: ignore[union-attr]
        assert clip.price_micro == convert(estimate.amount, usd)


def test_every_clip_made_here_is_a_film_that_the_engine_takes(plan: Plan) -> None:
    made_here = [clip for clip in plan.clips if clip.provider == "local"]
    assert made_here
    for clip in made_here:
        values, files = build_spec(asked(clip))
        assert len(files) <= len(clip.inputs)
        spec = parse_spec(values)
        assert spec.output.fps == 30
        assert sum(segment.duration_frames for segment in spec.segments) >= clip.duration_ms * 30 // 1000
        assert not [problem for problem in lint(values) if "error" in str(problem).lower()]


def test_clips_last_at_least_as_long_as_their_scenes(plan: Plan) -> None:
    assert all(clip.duration_ms >= plan.scene(clip.scene).duration_ms for clip in plan.clips)
