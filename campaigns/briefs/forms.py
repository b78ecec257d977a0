"""The brief form: what people type, turned into the values that `services.update_brief` checks and keeps.

A form field has the name of the brief's own field, so that one posted field can be saved by itself. What cannot be
read at all (a budget of "abc") is answered here; every rule of the brief itself is the service's.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from campaigns.briefs.models import AdType, BrandKit, Brief, Campaign, EngineChoice, QualityProfile
from genengine.assets.models import Asset, AssetKind
from genengine.core.money import from_micro, to_micro
from genengine.media import CHANNELS
from genengine.media.channels import RATIO_SIZES
from genengine.workspaces.models import Workspace

LANGUAGES = (
    ("en", "English"), ("es", "Spanish"), ("fr", "French"), ("de", "German"), ("it", "Italian"), ("pt", "Portuguese"),
    ("nl", "Dutch"), ("pl", "Polish"), ("tr", "Turkish"), ("ar", "Arabic"), ("hi", "Hindi"), ("th", "Thai"),
    ("ja", "Japanese"), ("ko", "Korean"), ("zh", "Chinese"),
)  # fmt: skip
LENGTHS = (6, 10, 15, 20, 30, 45, 60)
RATIO_WORDS = {"9:16": "9:16 tall", "4:5": "4:5 feed", "1:1": "1:1 square", "16:9": "16:9 wide"}


class LinesField(forms.CharField):
    """A list written one entry a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


class WordsField(LinesField):
    """A short list written with commas."""

    widget = forms.TextInput()  # type: ignore[assignment]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in str(value or "").split(",") if word.strip()]


class MoneyField(forms.CharField):
    """An amount in whole currency; micro-units inside."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def prepare_value(self, value: Any) -> Any:
        return f"{from_micro(value):.2f}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip().lstrip("$").replace(",", "").strip()
        if not text:
            raise forms.ValidationError("Say what the ad may cost at most, for example 10.00.")
        try:
            return to_micro(text)
        except ValueError as error:
            raise forms.ValidationError(f"“{value}” is not an amount. Write it like 12.50.") from error


class LengthField(forms.CharField):
    """A length in seconds; milliseconds inside."""

    widget = forms.NumberInput(attrs={"min": 3, "max": 300, "step": "0.5", "list": "lengths", "inputmode": "decimal"})

    def prepare_value(self, value: Any) -> Any:
        return f"{value / 1000:g}" if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        try:
            return round(float(str(value)) * 1000)
        except (ValueError, OverflowError) as error:
            raise forms.ValidationError("Give the length in seconds, for example 15.") from error


class DeadlineField(forms.DateTimeField):
    """A moment in the time zone of the installation; none is allowed."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    input_formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
    default_error_messages = {"invalid": "Give a date and a time, or leave it empty for no deadline."}


class BriefForm(forms.Form):
    """All fields of a brief in the order of the page."""

    title = forms.CharField(label="Title", required=False, max_length=200)
    ad_type = forms.ChoiceField(label="Kind of ad", choices=AdType.choices)
    campaign = forms.ModelChoiceField(
        label="Campaign", queryset=Campaign.objects.none(), required=False, empty_label="No campaign"
    )
    script = forms.CharField(
        label="Script",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 9, "spellcheck": "true"}),
        help_text="Plain text is enough: what is said, in order. [Scene 1, 0-4 s. Visual: …] lines direct a scene.",
    )
    key_messages = LinesField(label="Key messages", required=False, help_text="One a line. They become on-screen text.")
    call_to_action = forms.CharField(label="Call to action", required=False, max_length=120)
    audience = forms.CharField(label="Audience", required=False, max_length=300)
    channel = forms.ChoiceField(label="Channel", help_text="Sets loudness, safe areas and size limits.")
    language = forms.ChoiceField(label="Language", choices=LANGUAGES)
    tone = WordsField(
        label="Tone", required=False, help_text="A few words, separated by commas: warm, clear, confident."
    )
    length_ms = LengthField(label="Length")
    ratios = forms.MultipleChoiceField(
        label="Aspect ratios",
        required=False,
        choices=[(r, RATIO_WORDS[r]) for r in RATIO_SIZES],
        widget=forms.CheckboxSelectMultiple,
    )
    captions = forms.ChoiceField(
        label="Captions",
        choices=Brief._meta.get_field("captions").choices,  # type: ignore[arg-type]
        widget=forms.RadioSelect,
    )
    brand_kit = forms.ModelChoiceField(
        label="Brand kit", queryset=BrandKit.objects.none(), required=False, empty_label="No brand kit"
    )
    required_elements = LinesField(
        label="Must be in it",
        required=False,
        help_text="One a line. Each is placed in a scene or refused with the reason.",
    )
    forbidden_elements = LinesField(
        label="Must not be in it", required=False, help_text="One a line. They reach every prompt and are checked for."
    )
    music = forms.ModelChoiceField(label="Music", queryset=Asset.objects.none(), required=False, empty_label="No music")
    voiceover = forms.ModelChoiceField(
        label="Voice-over", queryset=Asset.objects.none(), required=False, empty_label="No recorded voice"
    )
    cap_micro = MoneyField(
        label="Budget cap", help_text="Never passed. The plan shows what it would cost before you launch."
    )
    deadline_at = DeadlineField(label="Deadline", required=False)
    quality_profile = forms.ChoiceField(label="Quality", choices=QualityProfile.choices, widget=forms.RadioSelect)
    engine_policy = forms.ChoiceField(
        label="Where videos are rendered",
        choices=EngineChoice.choices,
        required=False,
        help_text="Clips of the local engine, and putting films together. Providers' own clips are made by them.",
    )
    variants = forms.IntegerField(
        label="Variants", min_value=1, max_value=12, widget=forms.NumberInput(attrs={"min": 1, "max": 12})
    )
    compliance_flags = forms.MultipleChoiceField(
        label="Compliance", required=False, widget=forms.CheckboxSelectMultiple
    )
    restricted = forms.BooleanField(
        label="Only its author and admins open this brief",
        required=False,
        help_text="Its jobs, films and packages are closed to other members too. Links that were copied before work on"
        " until they expire.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        workspace: Workspace,
        brief: Brief,
        flags: Mapping[str, str],
        disabled: bool = False,
    ) -> None:
        super().__init__(data, initial=_initial(brief))
        self.brief = brief
        audio = Asset.objects.of(workspace).filter(kind=AssetKind.AUDIO, archived_at__isnull=True)
        self._choices("campaign", Campaign.objects.of(workspace))
        self._choices("brand_kit", BrandKit.objects.of(workspace))
        self._choices("music", audio)
        self._choices("voiceover", audio)
        self.fields["channel"].choices = [(c.key, c.label) for c in CHANNELS.values()]  # type: ignore[attr-defined]
        self.fields["compliance_flags"].choices = list(flags.items())  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.disabled = disabled
            field.widget.attrs["aria-describedby"] = f"error-{name}"

    def _choices(self, name: str, queryset: QuerySet[Any]) -> None:
        self.fields[name].queryset = queryset  # type: ignore[attr-defined]

    def changes(self, names: set[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the readable values of the posted fields, as the brief keeps them, and the errors of the others."""
        self.full_clean()
        errors = {name: str(found[0]) for name, found in self.errors.items() if name in names}
        values = {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
        if "voiceover" in values:
            values["voiceovers"] = self._voiceovers(values.pop("voiceover"))
        return {name: TO_BRIEF.get(name, _as_is)(value) for name, value in values.items()}, errors

    def _voiceovers(self, recording: Asset | None) -> dict[str, str]:
        """The recording of the brief's own language; those of other languages stay."""
        others = {code: pk for code, pk in self.brief.voiceovers.items() if code != self.brief.language}
        return {**others, self.brief.language: str(recording.pk)} if recording else others


def _as_is(value: Any) -> Any:
    return value


def _aware(value: datetime | None) -> datetime | None:
    return timezone.make_aware(value) if value is not None and timezone.is_naive(value) else value


TO_BRIEF: dict[str, Callable[[Any], Any]] = {"deadline_at": _aware}


def _initial(brief: Brief) -> dict[str, Any]:
    names = set(BriefForm.base_fields) - {"voiceover"}
    values = {name: getattr(brief, f"{name}_id" if name in _KEYS else name) for name in names}
    return {**values, "voiceover": brief.voiceovers.get(brief.language, "")}


_KEYS = {"campaign", "brand_kit", "music"}


class ScriptUploadForm(forms.Form):
    """A script as a text file."""

    script_file = forms.FileField(
        label="Script file", widget=forms.ClearableFileInput(attrs={"accept": ".txt,.md,text/plain"})
    )
