"""Tests: a throw-away state directory with the private server of tests/conftest.py, and fast password
hashing.

The directory is chosen here because pytest-django reads settings before any conftest; xdist workers and the
processes that tests start inherit it.
"""

import os
import tempfile

if not os.environ.get("GE_TEST_STATE_DIR"):
    os.environ["GE_TEST_STATE_DIR"] = tempfile.mkdtemp(prefix="ge-tests-")
os.environ["GE_STATE_DIR"] = os.environ["GE_TEST_STATE_DIR"]

from genengine.settings.base import *

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
MEDIA_ROOT = GE_STATE_DIR / f"media-{_worker}"
if not S3_BUCKET:
    STORAGES["default"]["OPTIONS"]["location"] = MEDIA_ROOT

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns when it is not there, and warnings are errors
