"""Reads of briefs: what is missing, which assets are used, what a version froze."""

from collections.abc import Collection, Iterable
from uuid import UUID

from campaigns.briefs.models import Brief, BriefAsset, BriefAssetRole, BriefState, Campaign
from campaigns.briefs.types import FLAGS, Missing
from genengine.media.channels import CHANNELS
from genengine.workspaces.models import Workspace
from genengine.workspaces.policy import Principal
from genengine.workspaces.tenancy import TenantQuerySet

SHOWN = (BriefAssetRole.PRODUCT, BriefAssetRole.SCENE, BriefAssetRole.CLIP, BriefAssetRole.B_ROLL)


def briefs_of(*, principal: Principal) -> TenantQuerySet:
    """Return the briefs that a person may see and that are not archived, newest first."""
    rows = Brief.objects.visible_to(principal).exclude(state=BriefState.ARCHIVED)
    return rows.select_related("campaign", "brand_kit", "author")


def assets_of(*, brief: Brief) -> list[BriefAsset]:
    """Return the uses of assets in their order, with the assets."""
    uses = BriefAsset.objects.filter(brief=brief).select_related("asset__working", "asset__original")
    return list(uses.order_by("position", "id"))


def readiness(brief: Brief) -> list[Missing]:
    """Return what is missing, what blocks planning first; an empty list means nothing is."""
    found = [*_blocking(brief), *_advice(brief)]
    return sorted(found, key=lambda missing: not missing.blocks)


def flag_labels() -> dict[str, str]:
    """Return the known compliance flags with their labels."""
    return {flag.key: flag.label for flag in FLAGS.values()}


def _blocking(brief: Brief) -> list[Missing]:
    missing = []
    if not brief.script.strip() and not brief.key_messages:
        missing.append(
            Missing("script", "There is no script yet.", "Write a sentence, upload a text file, or add key messages.")
        )
    if not brief.ratios:
        missing.append(Missing("ratios", "No aspect ratio is chosen.", "Choose at least one, 9:16 for phones."))
    return missing


def _advice(brief: Brief) -> list[Missing]:
    missing = []
    if not brief.title.strip():
        missing.append(Missing("title", "The ad has no title.", "Give it one; it is also the hook on screen.", False))
    if not BriefAsset.objects.filter(brief=brief, role__in=SHOWN).exists():
        missing.append(
            Missing(
                "assets", "No picture or clip is attached.", "Upload the product, so that it is shown as it is.", False
            )
        )
    if brief.brand_kit_id is None:
        missing.append(Missing("brand_kit", "No brand kit is chosen.", "Choose one for logo and colours.", False))
    if not brief.call_to_action.strip():
        missing.append(
            Missing("call_to_action", "There is no call to action.", "Say what people should do next.", False)
        )
    return missing + _channel_advice(brief)


def _channel_advice(brief: Brief) -> list[Missing]:
    channel = CHANNELS.get(brief.channel)
    if channel is None:
        return []
    missing = []
    shortest, longest = channel.duration_s
    if not shortest * 1000 <= brief.length_ms <= longest * 1000:
        allowed = f"{channel.label} takes {shortest:g} to {longest:g} s."
        missing.append(Missing("length_ms", allowed, "Change the length or the channel.", False))
    others = [ratio for ratio in brief.ratios if ratio not in channel.ratios]
    if others:
        fits = ", ".join(channel.ratios)
        missing.append(
            Missing("ratios", f"{channel.label} does not show {', '.join(others)}.", f"It shows {fits}.", False)
        )
    return missing


def names_of_campaigns(workspace: Workspace, ids: Collection[str] | None) -> dict[str, str]:
    """Return campaigns' names by id: of some, or of all."""
    rows = Campaign.objects.of(workspace)
    rows = rows if ids is None else rows.filter(pk__in=ids)
    return {str(pk): name for pk, name in rows.order_by("name").values_list("pk", "name")}


def genres_of_briefs(briefs: Iterable[UUID]) -> dict[UUID, str]:
    """Return the kind of ad that each brief asks for: routing learns by it."""
    return dict(Brief.objects.filter(pk__in=tuple(briefs)).values_list("pk", "ad_type"))
