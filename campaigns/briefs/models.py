"""What is wanted: campaigns, brand kits, briefs and their frozen versions."""

from typing import Any

from django.conf import settings
from django.db import models

from genengine.assets.models import Asset
from genengine.core.events.models import StreamKind
from genengine.core.events.services import StreamRef
from genengine.workspaces.models import EnginePolicy
from genengine.workspaces.tenancy import TenantModel


class Campaign(TenantModel):
    """A named set of briefs."""

    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_campaign_a_name")]

    def __str__(self) -> str:
        return self.name


class BrandKit(TenantModel):
    """Logo, colours, fonts, watermark rule, words never to use. `other_logo` is the logo for grounds on which the
    first is hard to see: the dark version of a light one, or the other way round."""

    name = models.CharField(max_length=120)
    colours = models.JSONField(default=dict)  # primary, secondary, accent, background, text → "#rrggbb"
    logo = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    other_logo = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    fonts = models.ManyToManyField(Asset, blank=True, related_name="+")
    watermark = models.BooleanField(default=False)
    forbidden_words = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AdType(models.TextChoices):
    UGC_TALKING_HEAD = "ugc_talking_head", "UGC talking head"
    PRODUCT_EXPLAINER = "product_explainer", "Product explainer"
    CINEMATIC_INTRO = "cinematic_intro", "Cinematic intro"
    HERO = "hero", "Hero"
    OVERLAY = "overlay", "Overlay"
    MEME = "meme", "Meme"
    MUSIC_VIDEO = "music_video", "Music video"


class QualityProfile(models.TextChoices):
    QUALITY = "quality", "Quality first"
    BALANCED = "balanced", "Balanced"
    ECONOMY = "economy", "Economy"


class EngineChoice(models.TextChoices):
    """Where one brief's videos are rendered; empty leaves it to the workspace, and that to the installation."""

    WORKSPACE = "", "As the workspace says"
    LOCAL_ONLY = EnginePolicy.LOCAL_ONLY.value, EnginePolicy.LOCAL_ONLY.label
    LOCAL_PREFERRED = EnginePolicy.LOCAL_PREFERRED.value, EnginePolicy.LOCAL_PREFERRED.label
    API_ONLY = EnginePolicy.API_ONLY.value, EnginePolicy.API_ONLY.label


class BriefState(models.TextChoices):
    DRAFT = "draft"
    LAUNCHED = "launched"
    ARCHIVED = "archived"


class Brief(TenantModel):
    """A draft that saves itself; `version` counts what has been frozen by a launch."""

    restricted_by = ""

    campaign = models.ForeignKey(Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="briefs")
    title = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=BriefState.choices, default=BriefState.DRAFT)
    ad_type = models.CharField(max_length=32, choices=AdType.choices, default=AdType.PRODUCT_EXPLAINER)
    script = models.TextField(blank=True)
    key_messages = models.JSONField(default=list, blank=True)
    call_to_action = models.CharField(max_length=120, blank=True)
    brand_kit = models.ForeignKey(BrandKit, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    audience = models.CharField(max_length=300, blank=True)
    channel = models.CharField(max_length=32, default="tiktok")  # a key of genengine.media.CHANNELS
    language = models.CharField(max_length=16, default="en")
    alternate_languages = models.JSONField(default=list, blank=True)
    alternate_scripts = models.JSONField(default=dict, blank=True)  # language → script
    tone = models.JSONField(default=list, blank=True)
    required_elements = models.JSONField(default=list, blank=True)
    forbidden_elements = models.JSONField(default=list, blank=True)
    compliance_flags = models.JSONField(default=list, blank=True)
    length_ms = models.PositiveIntegerField(default=15_000)
    ratios = models.JSONField(default=list)  # of "9:16", "4:5", "1:1", "16:9"
    variants = models.PositiveSmallIntegerField(default=2)
    quality_profile = models.CharField(max_length=16, choices=QualityProfile.choices, default=QualityProfile.BALANCED)
    engine_policy = models.CharField(max_length=16, choices=EngineChoice.choices, blank=True, default="")
    captions = models.CharField(
        max_length=16, default="burned", choices=[("burned", "Burned in"), ("sidecar", "Side-car files only")]
    )
    cap_micro = models.BigIntegerField(default=10_000_000)
    deadline_at = models.DateTimeField(null=True, blank=True)
    music = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    voiceovers = models.JSONField(default=dict, blank=True)  # language → asset id
    restricted = models.BooleanField(default=False)  # only its author, admins and people it is shared with
    version = models.PositiveIntegerField(default=0)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-updated_at"]
        permissions = [("share_brief", "May open and edit this restricted brief")]

    def __str__(self) -> str:
        return self.title or "Untitled brief"

    def event_stream(self) -> StreamRef:
        """Return the brief's stream."""
        return StreamRef(StreamKind.BRIEF, self.pk, self.workspace_id)

    def event_facts(self) -> dict[str, Any]:
        """Return what each brief event carries."""
        return {"brief": str(self.pk)}


class BriefAssetRole(models.TextChoices):
    PRODUCT = "product", "Product"
    SCENE = "scene", "Scene"
    CLIP = "clip", "Clip"
    B_ROLL = "b_roll", "B-roll"
    STYLE_REFERENCE = "style_reference", "Style reference"


class BriefAsset(TenantModel):
    """An asset as a brief uses it."""

    restricted_by = "brief"

    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="brief_assets")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="in_briefs")
    role = models.CharField(max_length=32, choices=BriefAssetRole.choices, default=BriefAssetRole.PRODUCT)
    note = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["brief", "asset"], name="one_use_an_asset_and_brief")]

    def __str__(self) -> str:
        return f"{self.asset} as {self.role}"


class BriefVersion(TenantModel):
    """A brief frozen at launch, as values."""

    restricted_by = "brief"

    brief = models.ForeignKey(Brief, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    values = models.JSONField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["brief", "number"], name="one_brief_version_a_number")]

    def __str__(self) -> str:
        return f"{self.brief} v{self.number}"
