"""The keys the emulator's accounts have. They open nothing but the emulator.

Any other key is an account of its own, so that workspaces do not share limits, except keys that begin with one
of ``REFUSED_PREFIXES``: those are rejected as the vendor rejects a wrong key.
"""

from __future__ import annotations

import hashlib

TEST_KEY = "emulator-test-key"
TEST_ACCESS_KEY = "emulator-access-key"
TEST_SECRET_KEY = "emulator-secret-key"  # noqa: S105 (opens only the emulator)
TEST_WEBHOOK_SECRET = "whsec_ZW11bGF0b3Itd2ViaG9vay1zZWNyZXQtMDE="  # noqa: S105 (signs only the emulator's callbacks)
REFUSED_PREFIXES = ("invalid", "wrong", "revoked", "bad")


def account_of(key: str) -> str:
    """The account a key belongs to: stable, and not the key itself. Empty when the key is refused."""
    if not key or key.startswith(REFUSED_PREFIXES):
        return ""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def simulated_credentials(provider: str, workspace_id: str = "") -> dict[str, str]:
    """Credentials with which a workspace in simulated mode signs in here; each workspace is its own account."""
    key = f"{TEST_KEY}-{workspace_id}" if workspace_id else TEST_KEY
    if provider == "veo":
        return {"access_token": key, "project": "emulated-project", "location": "us-central1"}
    if provider == "comfyui":
        return {}
    if provider == "openai":
        return {"api_key": key, "model": "emulated"}
    return {"api_key": key, "webhook_secret": TEST_WEBHOOK_SECRET}
