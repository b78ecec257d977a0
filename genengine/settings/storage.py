"""Files: below the state directory, or in an S3 bucket when one is named; static files by whitenoise."""

from typing import Any

from genengine.settings import environment as env
from genengine.settings.paths import BASE_DIR, GE_STATE_DIR
from genengine.settings.security import DEBUG

S3_BUCKET = env.text("S3_BUCKET", "", "Bucket for blobs. Unset: files in the state directory.")
S3_ENDPOINT_URL = env.url("S3_ENDPOINT_URL", "", ("http", "https"), "Address of an S3 service other than Amazon's.")
S3_REGION = env.text("S3_REGION", "us-east-1", "Region of the bucket.")
S3_ACCESS_KEY_ID = env.text("S3_ACCESS_KEY_ID", "", "Access key; unset: the machine's own role.", secret=True)
S3_SECRET_ACCESS_KEY = env.text("S3_SECRET_ACCESS_KEY", "", "The access key's secret.", secret=True)

MEDIA_ROOT = GE_STATE_DIR / "media"
MEDIA_URL = "/media/"

GE_MEDIA_DELIVERY = env.choice(
    "GE_MEDIA_DELIVERY",
    "stream",
    ("stream", "redirect"),
    "How signed media links to S3 are answered: through this server, or by a redirect to the bucket.",
)
GE_MEDIA_LINK_SECONDS = env.integer("GE_MEDIA_LINK_SECONDS", 3600, "How long a signed media link works.", at_least=10)


def _blobs() -> dict[str, Any]:
    if not S3_BUCKET:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": MEDIA_ROOT,
                "base_url": None,
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    options = {
        "bucket_name": S3_BUCKET,
        "region_name": S3_REGION,
        "endpoint_url": S3_ENDPOINT_URL or None,
        "access_key": S3_ACCESS_KEY_ID or None,
        "secret_key": S3_SECRET_ACCESS_KEY or None,
        "default_acl": None,
        "querystring_auth": True,
        "file_overwrite": True,  # names are content hashes
        "signature_version": "s3v4",
        "addressing_style": "path" if S3_ENDPOINT_URL else "auto",
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STATIC_URL = "/static/"
STATIC_ROOT = GE_STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
WHITENOISE_USE_FINDERS = True  # no collectstatic step between a fresh clone and a running product
WHITENOISE_AUTOREFRESH = DEBUG

STORAGES: dict[str, dict[str, Any]] = {
    "default": _blobs(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_TEMP_DIR: str | None = None
FILE_UPLOAD_PERMISSIONS = 0o600
