"""The films that a plan would make, as RenderSpecs, before there is a take. Pure: values in, values out.

A take that is not there yet is named by a hash of zeros. Variants that differ by their models alone give one film to
check; a variant whose scenes are text cards shows its words in them and not over them, so it is a film of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.execution.composition import MasterOrder, TakeRef, grounds_of, is_card, master_spec, slot_starts
from jobs.plan import ClipPlan, Plan
from providers.adapters.local import build_spec
from providers.values import GenerationRequest, Task

NO_TAKE = "0" * 64


@dataclass(frozen=True)
class Film:
    """One finished film to be: its RenderSpec and the first frame of each scene, the end last."""

    ratio: str
    locale: str
    spec: dict[str, Any]
    starts: tuple[int, ...]

    @property
    def name(self) -> str:
        """Ratio and language."""
        return f"{self.ratio} {self.locale}"

    def scene_at(self, frame: int) -> int:
        """Return the index of the scene that is shown at a frame."""
        return max((n for n, start in enumerate(self.starts[:-1]) if start <= frame), default=0)


def films(plan: Plan, *, simulated: bool, hashes: Mapping[str, str], scale: float) -> Iterator[Film]:
    """Yield every film of a plan that can differ in what is laid over its pictures. `hashes` are by asset id."""
    starts = tuple(slot_starts(plan.scenes))
    kinds = {(cards_of(plan, b.key), b.look, tuple(grounds_of(plan, b.key).items())): None for b in plan.branches}
    for cards, look, grounds in kinds:
        for locale in plan.locales:
            for ratio in plan.ratios:
                order = MasterOrder(
                    ratio=ratio,
                    locale=locale.code,
                    takes=[TakeRef(scene.key, NO_TAKE) for scene in plan.scenes],
                    simulated=simulated,
                    asset_hashes=hashes,
                    cards=cards,
                    scale=scale,
                    look=look,
                    grounds=dict(grounds),
                )
                yield Film(ratio, locale.code, master_spec(plan, order), starts)


def cards_of(plan: Plan, branch: str) -> frozenset[str]:
    """Return the scenes of a branch that are text cards made here."""
    return frozenset(clip.scene for clip in plan.clips_of(branch) if is_card(clip))


def card_spec(clip: ClipPlan) -> dict[str, Any]:
    """Return the RenderSpec of a text card."""
    request = GenerationRequest(
        task=Task(clip.task),
        model=clip.model,
        prompt=clip.prompt,
        duration_s=clip.duration_ms / 1000,
        ratio=clip.native_ratio,
        resolution=clip.resolution,
        seed=clip.seed,
        options=clip.options,
    )
    spec, _ = build_spec(request)
    return spec


def spec_files(spec: Mapping[str, Any], paths: Mapping[str, Path]) -> dict[str, Path]:
    """Return the files of a spec by its own names; `paths` are by hash. What is not there yet is left out."""
    return {name: paths[ref["sha256"]] for name, ref in spec["assets"].items() if ref["sha256"] in paths}
