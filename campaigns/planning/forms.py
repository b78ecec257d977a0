"""The drawers of the plan board: what people type, turned into typed changes."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms

from campaigns.planning.guides import MOST_REFERENCE_IMAGES, Room
from campaigns.planning.looks import choices
from campaigns.planning.types import (
    CAMERAS,
    LONGEST_SCENE_MS,
    SHORTEST_SCENE_MS,
    TRANSITIONS,
    AddScene,
    ChangeBranchModel,
    ChangeLook,
    EditClip,
    EditScene,
    PlanChange,
    RenameBranch,
)
from genengine.assets.models import Asset
from jobs.looks import USUAL
from jobs.plan import BranchPlan, ClipPlan, ScenePlan

TRANSITION_WORDS = {
    "cut": "Cut",
    "crossfade": "Crossfade",
    "fade_black": "Fade through black",
    "fade_white": "Fade through white",
    "slide": "Slide",
    "wipe": "Wipe",
}


class DurationField(forms.DecimalField):
    """A length in seconds; milliseconds inside."""

    def __init__(self) -> None:
        low, high = SHORTEST_SCENE_MS / 1000, LONGEST_SCENE_MS / 1000
        super().__init__(
            label="Length in seconds",
            max_digits=6,
            decimal_places=3,
            widget=forms.NumberInput(attrs={"step": "0.1", "min": low, "max": high, "inputmode": "decimal"}),
            help_text=f"{low:g} to {high:g} s. The other scenes are fitted so that the ad keeps its length.",
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 1000:g}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        seconds = super().clean(value)
        return None if seconds is None else round(seconds * 1000)


class PicturesField(forms.MultipleChoiceField):
    """Pictures and clips to tick: each choice's label is its `Asset`, which the page draws with its name.

    `most` may be ticked (0: all); `rooms` say how many of them the models of the scene follow.
    """

    widget = forms.CheckboxSelectMultiple
    shows_pictures = True
    most = 0
    rooms: tuple[Room, ...] = ()

    def offer(self, assets: Iterable[Asset], *, most: int = 0, rooms: tuple[Room, ...] = ()) -> None:
        """Set what there is to choose from."""
        self.choices = [(str(asset.pk), asset) for asset in assets]
        self.most, self.rooms = most, rooms


class SceneForm(forms.Form):
    """A scene's words, picture and time."""

    title = forms.CharField(label="Title", max_length=120)
    script = forms.CharField(label="Said", required=False, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}))
    visual = forms.CharField(label="Shows", required=False, widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}))
    on_screen_text = forms.CharField(
        label="On-screen text", required=False, max_length=200, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    camera = forms.ChoiceField(label="Camera", choices=[(c, c.capitalize()) for c in CAMERAS])
    transition = forms.ChoiceField(label="Begins with", choices=[(t, TRANSITION_WORDS[t]) for t in TRANSITIONS])
    duration_ms = DurationField()
    references = PicturesField(label="Product and media in this scene", required=False)
    reference_images = PicturesField(
        label="Reference pictures",
        required=False,
        help_text="From the library: how people, things and places look. Models that take references follow them, the"
        " one that was chosen first before all; the pictures themselves are not shown.",
    )

    def __init__(
        self,
        *args: Any,
        scene: ScenePlan,
        assets: Iterable[Asset],
        pictures: Iterable[Asset],
        rooms: tuple[Room, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **{**kwargs, "initial": {name: getattr(scene, name) for name in self.base_fields}})
        self.scene = scene
        self.fields["references"].offer(assets)  # type: ignore[attr-defined]
        self.fields["reference_images"].offer(pictures, most=MOST_REFERENCE_IMAGES, rooms=rooms)  # type: ignore[attr-defined]
        if scene.camera and scene.camera not in CAMERAS:
            self.fields["camera"].choices = [(scene.camera, scene.camera), *self.fields["camera"].choices]  # type: ignore[attr-defined]

    def change(self) -> EditScene:
        """Return only what differs from the scene as it is."""
        chosen = {name: self._in_order(name) for name in ("references", "reference_images")}
        values = {**self.cleaned_data, **chosen}
        return EditScene(scene=self.scene.key, **{n: v for n, v in values.items() if v != getattr(self.scene, n)})

    def _in_order(self, name: str) -> tuple[str, ...]:
        """What stays keeps its place, since the first ones count most; what is new comes after."""
        before: tuple[str, ...] = getattr(self.scene, name)
        chosen = self.cleaned_data[name]
        return (*(pk for pk in before if pk in chosen), *(pk for pk in chosen if pk not in before))


class AddSceneForm(forms.Form):
    """A new scene."""

    visual = forms.CharField(label="Shows", widget=forms.Textarea(attrs={"rows": 3}))
    script = forms.CharField(label="Said", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    on_screen_text = forms.CharField(label="On-screen text", required=False, max_length=200)
    duration_ms = DurationField()

    def change(self, after: str) -> AddScene:
        """Return the change."""
        return AddScene(after=after, **self.cleaned_data)


class ClipForm(forms.Form):
    """A clip's exact prompt and its model."""

    prompt = forms.CharField(label="Prompt", required=False, widget=forms.Textarea(attrs={"rows": 7}))
    negative_prompt = forms.CharField(label="Keep out", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    model = forms.ChoiceField(label="Model")

    def __init__(self, *args: Any, clip: ClipPlan, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {name: getattr(clip, name) for name in self.base_fields}})
        self.clip = clip
        self.fields["model"].choices = models  # type: ignore[attr-defined]

    def change(self) -> EditClip:
        """Return only what differs from the clip as it is."""
        differing = {n: v for n, v in self.cleaned_data.items() if v != getattr(self.clip, n)}
        return EditClip(scene=self.clip.scene, branch=self.clip.branch, **differing)


class BranchForm(forms.Form):
    """A variant's name and lead model."""

    name = forms.CharField(label="Name", max_length=120)
    model = forms.ChoiceField(label="Lead model", help_text="All scenes that this model can make move to it.")
    look = forms.ChoiceField(
        label="Look",
        choices=choices,
        help_text="How its words are set, and how pictures filmed on this machine behave.",
    )

    def __init__(self, *args: Any, branch: BranchPlan, models: list[tuple[str, str]], **kwargs: Any) -> None:
        given = {"name": branch.name, "model": branch.model, "look": branch.look or USUAL}
        super().__init__(*args, **{**kwargs, "initial": given})
        self.branch, self.given = branch, given
        self.fields["model"].choices = models  # type: ignore[attr-defined]

    def changes(self) -> list[PlanChange]:
        """Return a change for each value that differs."""
        kinds: dict[str, Callable[[str, str], PlanChange]] = {
            "name": RenameBranch,
            "model": ChangeBranchModel,
            "look": ChangeLook,
        }
        values = {name: self.cleaned_data[name] for name in kinds}
        return [kinds[name](self.branch.key, value) for name, value in values.items() if value != self.given[name]]
