"""The adapters under contract: how each is signed in and what is asked of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.adapters.comfyui import ComfyUIAdapter
from providers.adapters.elevenlabs import ElevenLabsAdapter
from providers.adapters.fal import FalAdapter
from providers.adapters.gemini import GeminiAdapter
from providers.adapters.heygen import HeyGenAdapter
from providers.adapters.kling import KlingAdapter
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.replicate import ReplicateAdapter
from providers.adapters.runway import RunwayAdapter
from providers.adapters.stability import StabilityAdapter
from providers.adapters.veo import VeoAdapter
from providers.base import RemoteAdapter
from providers.emulator.accounts import TEST_ACCESS_KEY, TEST_SECRET_KEY, TEST_WEBHOOK_SECRET
from providers.http import Timeouts, keep_warm, new_session
from providers.values import GenerationRequest, InputAsset, InputRole, Task, snap_request
from tests.contracts.inputs import hum

MAX_VIDEO_BYTES = 30_000_000


@dataclass(frozen=True)
class VendorCase:
    """One adapter in one way of signing in. ``wrong`` are credentials that the vendor refuses."""

    id: str
    kind: type[RemoteAdapter]
    credentials: Mapping[str, str]
    wrong: Mapping[str, str]
    request: GenerationRequest
    webhooks: bool = True
    names_states: bool = True
    inline_results: bool = False
    secret_fields: tuple[str, ...] = ()
    upper_estimate: bool = False
    signs_in: bool = True
    moderates: bool = True
    listed: bool = True

    @property
    def finds_by_key(self) -> bool:
        """True when a lost submit of this request can be looked up."""
        return self.kind.can_find_by_key and self.listed

    @property
    def secrets(self) -> list[str]:
        """The credentials that must never be kept anywhere in clear."""
        return [self.credentials[name] for name in self.secret_fields or self.credentials]

    @property
    def prefix(self) -> str:
        """The vendor's name in the emulator's addresses, log and fault scripts."""
        return self.kind.emulated_as or self.kind.name

    def adapter(self, emulator_url: str, **changes: Any) -> RemoteAdapter:
        base_url = f"{emulator_url}/{self.prefix}"
        given = {
            "session": keep_warm(new_session(base_url), base_url, public_only=False),  # as vendor_session makes it
            "credentials": self.credentials,
            "base_url": base_url,
            **changes,
        }
        return self.kind(timeouts=Timeouts(connect=10, read=60, submit=60), **given)


def clip(model: str, task: Task = Task.TEXT_TO_VIDEO, **changes: Any) -> GenerationRequest:
    """A short, cheap clip, already fitted to its card."""
    values: dict[str, Any] = {"prompt": "A glass of cold brew on a sunlit table", "duration_s": 3.0, "ratio": "16:9"}
    return GenerationRequest(task=task, model=model, **{**values, "resolution": "720p", **changes})


def fitted(kind: type[RemoteAdapter], request: GenerationRequest) -> GenerationRequest:
    return snap_request(kind.card(request.model), request)[0]


def picture(path: Path, role: InputRole = InputRole.FIRST_FRAME) -> InputAsset:
    return InputAsset(role, path, "image/jpeg", hashlib.sha256(path.read_bytes()).hexdigest())


def sound(path: Path) -> InputAsset:
    return InputAsset(InputRole.AUDIO, path, "audio/wav", hashlib.sha256(path.read_bytes()).hexdigest())


def service_account() -> str:
    """A key file with a fresh RSA key; the emulator signs in whoever issues a well-formed assertion."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
    account = {"type": "service_account", "client_email": "robot@p-1.iam.gserviceaccount.com", "private_key": pem}
    return json.dumps({**account, "token_uri": "https://forged.example.com/token"})


SERVICE_ACCOUNT = service_account()
REFERENCES = sorted((Path(__file__).resolve().parents[2] / "examples" / "media").rglob("*.jpg"))[:2]

CASES: tuple[VendorCase, ...] = (
    VendorCase(
        id="kling",
        kind=KlingAdapter,
        credentials={"api_key": "contract-key-kling", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "invalid-key"},
        request=clip("kling-3.0"),
    ),
    VendorCase(
        id="kling-legacy",
        kind=KlingAdapter,
        credentials={
            "access_key": TEST_ACCESS_KEY,
            "secret_key": TEST_SECRET_KEY,
            "webhook_secret": TEST_WEBHOOK_SECRET,
        },
        wrong={"access_key": TEST_ACCESS_KEY, "secret_key": "not-the-secret"},
        request=fitted(KlingAdapter, clip("kling-2.6")),
    ),
    VendorCase(
        id="kling-references",
        kind=KlingAdapter,
        credentials={"api_key": "contract-key-kling-references", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "invalid-key"},
        request=clip(
            "kling-1.6",
            Task.REFERENCES_TO_VIDEO,
            duration_s=5.0,
            inputs=tuple(picture(path, InputRole.REFERENCE) for path in REFERENCES),
        ),
    ),
    VendorCase(
        id="kling-omni",
        kind=KlingAdapter,
        credentials={"api_key": "contract-key-kling-omni", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "invalid-key"},
        request=clip(
            "kling-3.0-omni",
            Task.REFERENCES_TO_VIDEO,
            inputs=tuple(picture(path, InputRole.REFERENCE) for path in REFERENCES),
        ),
    ),
    VendorCase(
        id="kling-lip-sync",
        kind=KlingAdapter,
        credentials={"api_key": "contract-key-kling-lips", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "invalid-key"},
        request=GenerationRequest(
            Task.LIP_SYNC,
            "kling-lip-sync",
            "",
            duration_s=5.0,
            inputs=(sound(hum()),),
            options={"video_url": "https://films.example.com/speaker.mp4"},
        ),
    ),
    VendorCase(
        id="heygen",
        kind=HeyGenAdapter,
        credentials={"api_key": "contract-key-heygen", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "wrong-key"},
        request=clip(
            "heygen-avatar-iv",
            Task.AVATAR_VIDEO,
            prompt="Slow mornings taste better with a glass of cold brew",
            duration_s=4.0,
            options={"avatar_id": "look-ada"},
        ),
    ),
    VendorCase(
        id="heygen-clip",
        kind=HeyGenAdapter,
        credentials={"api_key": "contract-key-heygen-clip"},
        wrong={"api_key": "wrong-key"},
        request=clip("heygen-video-1", duration_s=5.0, resolution="480p", seed=7),
        webhooks=False,
        listed=False,
    ),
    VendorCase(
        id="heygen-agent",
        kind=HeyGenAdapter,
        credentials={"api_key": "contract-key-heygen-agent", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "wrong-key"},
        request=clip("heygen-video-agent", Task.AVATAR_VIDEO, duration_s=5.0, resolution=""),
        listed=False,
    ),
    VendorCase(
        id="runway",
        kind=RunwayAdapter,
        credentials={"api_key": "key_" + "ab" * 64},
        wrong={"api_key": "wrong-key"},
        request=clip("gen4.5", seed=11),
        webhooks=False,
    ),
    VendorCase(
        id="replicate",
        kind=ReplicateAdapter,
        credentials={"api_key": "r8_contract_token", "webhook_secret": TEST_WEBHOOK_SECRET},
        wrong={"api_key": "wrong-token"},
        request=clip("google/veo-3", duration_s=4.0, seed=5, negative_prompt="text"),
    ),
    VendorCase(
        id="fal",
        kind=FalAdapter,
        credentials={"api_key": "contract-id:contract-secret"},
        wrong={"api_key": "wrong:key"},
        request=clip("fal-ai/pika/v2.2", duration_s=5.0, seed=5, negative_prompt="text"),
    ),
    VendorCase(
        id="comfyui",
        kind=ComfyUIAdapter,
        credentials={"header_name": "X-Proxy-Key", "header_value": "contract-proxy-key"},
        wrong={},
        request=clip("comfyui/wan2.2-5b", seed=5, negative_prompt="text"),
        webhooks=False,
        signs_in=False,
        moderates=False,
        secret_fields=("header_value",),
    ),
    VendorCase(
        id="veo",
        kind=VeoAdapter,
        credentials={"access_token": "ya29.contract-token", "project": "p-1"},
        wrong={"access_token": "invalid-token", "project": "p-1"},
        request=clip("veo-3.1-fast-generate-001", duration_s=4.0, negative_prompt="text"),
        webhooks=False,
        names_states=False,
        secret_fields=("access_token",),
        inline_results=True,
    ),
    VendorCase(
        id="veo-bucket",
        kind=VeoAdapter,
        credentials={
            "service_account_json": SERVICE_ACCOUNT,
            "project": "p-1",
            "storage_uri": "gs://bucket/out",
        },
        wrong={"service_account_json": SERVICE_ACCOUNT.replace("robot@", "wrong@"), "project": "p-1"},
        request=clip("veo-3.1-fast-generate-001", duration_s=4.0),
        webhooks=False,
        names_states=False,
        secret_fields=("service_account_json",),
    ),
)


def case_ids(chosen: Callable[[VendorCase], bool] = lambda case: True) -> dict[str, Any]:
    """Arguments for ``parametrize`` over the cases that fit."""
    picked = [case for case in CASES if chosen(case)]
    return {"argnames": "case", "argvalues": picked, "ids": [case.id for case in picked]}


STORYBOARD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["title", "scenes"],
    "properties": {
        "title": {"type": "string", "maxLength": 60},
        "scenes": {
            "type": "array",
            "minItems": 2,
            "maxItems": 8,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["visual", "duration_ms", "transition"],
                "properties": {
                    "visual": {"type": "string"},
                    "duration_ms": {"type": "integer", "minimum": 1000, "maximum": 15000},
                    "transition": {"enum": ["cut", "crossfade"]},
                },
            },
        },
    },
}

CALLS: tuple[VendorCase, ...] = (
    VendorCase(
        id="elevenlabs-speech",
        kind=ElevenLabsAdapter,
        credentials={"api_key": "sk_contract_eleven"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.TEXT_TO_SPEECH,
            "eleven_multilingual_v2",
            "Slow mornings taste better with a glass of cold brew",
            options={"voice_id": "voice-test"},
        ),
        webhooks=False,
    ),
    VendorCase(
        id="elevenlabs-sound",
        kind=ElevenLabsAdapter,
        credentials={"api_key": "sk_contract_eleven"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(Task.SOUND_EFFECT, "eleven_text_to_sound_v2", "Ice in a glass", duration_s=1.5),
        webhooks=False,
    ),
    VendorCase(
        id="elevenlabs-music",
        kind=ElevenLabsAdapter,
        credentials={"api_key": "sk_contract_eleven"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.MUSIC, "music_v2", "Calm strings over a slow beat", duration_s=10, options={"licence_confirmed": True}
        ),
        webhooks=False,
    ),
    VendorCase(
        id="heygen-speech",
        kind=HeyGenAdapter,
        credentials={"api_key": "contract-key-heygen-speech"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.TEXT_TO_SPEECH,
            "heygen-starfish",
            "Slow mornings taste better with a glass of cold brew",
            options={"voice_id": "voice-en-1"},
        ),
        webhooks=False,
    ),
    VendorCase(
        id="stability",
        kind=StabilityAdapter,
        credentials={"api_key": "sk-contract-stability"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.TEXT_TO_IMAGE,
            "stable-image-core",
            "A bottle of cold brew",
            ratio="4:5",
            seed=3,
            negative_prompt="text",
        ),
        webhooks=False,
    ),
    VendorCase(
        id="gemini",
        kind=GeminiAdapter,
        credentials={"api_key": "contract-key-gemini"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.PLAN_SCENES, "gemini-3.8-flash", "Cold brew for slow mornings", options={"schema": STORYBOARD}
        ),
        webhooks=False,
        upper_estimate=True,
    ),
    VendorCase(
        id="openai",
        kind=OpenAIAdapter,
        credentials={"api_key": "contract-key-openai"},
        wrong={"api_key": "wrong-key"},
        request=GenerationRequest(
            Task.PLAN_SCENES,
            "gpt-6-sol",
            "Cold brew for slow mornings",
            options={"schema": STORYBOARD, "system": "You plan video ads."},
        ),
        webhooks=False,
        upper_estimate=True,
    ),
)


def call_ids() -> dict[str, Any]:
    """Arguments for ``parametrize`` over the vendors that answer at once."""
    return {"argnames": "case", "argvalues": CALLS, "ids": [case.id for case in CALLS]}
