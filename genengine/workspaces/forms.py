"""Forms of sign-up by invitation and of a workspace's settings."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password

from genengine.workspaces.models import EnginePolicy, FallbackPolicy, Mode, ReusePolicy, Role, Workspace
from genengine.workspaces.policy import SCOPES

SCOPE_WORDS = {
    "read": "Read briefs, plans, jobs, files and prices",
    "assets": "Upload assets",
    "briefs": "Write briefs and plans",
    "jobs": "Launch and control jobs",
    "review": "Approve and raise caps",
    "exports": "Ask for packages and download",
}
LIVES = (("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "No end"))


class JoinForm(forms.Form):
    """A new person with an invitation."""

    display_name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters, and not one that everybody uses.",
    )

    def clean_password(self) -> str:
        """Ask the installation's password rules."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class InvitationForm(forms.Form):
    """Whom to invite, as what."""

    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.EDITOR)
    email = forms.EmailField(
        label="Only for this address",
        required=False,
        help_text="Leave it empty for a link that works once for anybody who has it.",
    )


class ApiKeyForm(forms.Form):
    """A partner's key."""

    name = forms.CharField(label="Name", max_length=120, help_text="Who or what uses it.")
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.EDITOR)
    scopes = forms.MultipleChoiceField(
        label="May",
        choices=[(s, SCOPE_WORDS.get(s, s)) for s in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=["read"],
    )
    days = forms.ChoiceField(label="Ends after", choices=LIVES, required=False, initial="90")


class WorkspaceForm(forms.Form):
    """Name, mode and policies of a workspace."""

    name = forms.CharField(label="Name", max_length=120)
    mode = forms.ChoiceField(
        label="Mode",
        choices=[
            (Mode.SIMULATED, "Simulated: an emulator stands for every provider"),
            (Mode.LIVE, "Live: real providers, real money"),
        ],
        help_text="Running jobs keep the mode they were launched in.",
    )
    fallback_policy = forms.ChoiceField(
        label="When a clip cannot be made",
        choices=FallbackPolicy.choices,
        help_text="After the retries of a provider are used up or its answer is lost.",
    )
    engine_policy = forms.ChoiceField(
        label="Where videos are rendered",
        choices=EnginePolicy.choices,
        required=False,
        help_text="Clips of the local engine, and putting masters together. Providers' own clips are made by them.",
    )
    reuse_policy = forms.ChoiceField(
        label="When the same clip was made before",
        choices=ReusePolicy.choices,
        required=False,
        help_text="For new plans; each plan shows what it saves and can be changed. A rerun is always made anew.",
    )
    parallel_generations = forms.IntegerField(label="Clips side by side", min_value=1, max_value=1000)
    separate_author_and_approver = forms.BooleanField(label="Whoever launched a job may not approve it", required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "initial": {name: getattr(workspace, name) for name in self.base_fields}})
