"""The vendors that are emulated, each written from its fact sheet and from nothing of its adapter."""

from providers.emulator.vendor import Vendor
from providers.emulator.vendors.comfyui import ComfyUIVendor
from providers.emulator.vendors.elevenlabs import ElevenLabsVendor
from providers.emulator.vendors.fal import FalVendor
from providers.emulator.vendors.gemini import GeminiVendor
from providers.emulator.vendors.heygen_legacy import LegacyHeyGenVendor
from providers.emulator.vendors.kling_more import WholeKlingVendor
from providers.emulator.vendors.openai import OpenAIVendor
from providers.emulator.vendors.replicate import ReplicateVendor
from providers.emulator.vendors.runway import RunwayVendor
from providers.emulator.vendors.stability import StabilityVendor
from providers.emulator.vendors.vertex import VertexVendor

VENDORS: tuple[type[Vendor], ...] = (
    LegacyHeyGenVendor,
    WholeKlingVendor,
    RunwayVendor,
    VertexVendor,
    ReplicateVendor,
    FalVendor,
    ElevenLabsVendor,
    StabilityVendor,
    GeminiVendor,
    OpenAIVendor,
    ComfyUIVendor,
)
