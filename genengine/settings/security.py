"""Keys, hosts, cookies, content policy. Strict by default: loopback only, no inline script, no foreign
origin.
"""

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF

from genengine.core.state_files import random_token, read_or_create_secret
from genengine.settings import environment as env
from genengine.settings.paths import GE_STATE_DIR

SECRET_KEY = env.text(
    "GE_SECRET_KEY",
    "",
    "Signs sessions, links and tokens.",
    secret=True,
    shown_default="made once, `secrets/secret-key`",
) or read_or_create_secret(GE_STATE_DIR / "secrets" / "secret-key", random_token)


def _first_encryption_key() -> str:
    return f"k1:{Fernet.generate_key().decode()}"


GE_SECRET_KEYS: list[str] = list(
    env.words(
        "GE_SECRET_KEYS",
        (),
        "Keys that encrypt stored credentials, newest first, each `id:fernet-key`. Made once in "
        "`secrets/encryption-keys` when unset. Losing them loses every stored credential.",
        secret=True,
    )
) or [
    line
    for line in read_or_create_secret(GE_STATE_DIR / "secrets" / "encryption-keys", _first_encryption_key).splitlines()
    if line
]

DEBUG = env.flag("GE_DEBUG", False, "Django's debug pages. Never on a machine that others can reach.")
ALLOWED_HOSTS = list(
    env.words("GE_HOSTS", ("127.0.0.1", "localhost", "[::1]"), "Host names that this installation answers to.")
)
GE_BASE_URL = env.url(
    "GE_BASE_URL",
    "",
    ("http", "https"),
    "The address under which people and providers reach this installation; webhooks from providers need it.",
)
CSRF_TRUSTED_ORIGINS = [GE_BASE_URL] if GE_BASE_URL else []

_https = env.flag(
    "GE_HTTPS",
    GE_BASE_URL.startswith("https://"),
    "Served over HTTPS: secure cookies, HSTS, redirect from plain HTTP.",
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env.flag("GE_BEHIND_PROXY", False, "Trust `X-Forwarded-Proto` of a proxy that overwrites it.")
    else None
)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

GE_MEDIA_ORIGINS = list(
    env.words("GE_MEDIA_ORIGINS", (), "Extra origins that pages may load media from (a storage bucket's address).")
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *GE_MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *GE_MEDIA_ORIGINS],
        "font-src": [SELF],
        "connect-src": [SELF, *GE_MEDIA_ORIGINS],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
