"""Which engine renders, and the render server: this machine's own service, and the one it may ask."""

from django.core.exceptions import ImproperlyConfigured

from genengine.settings import environment as env
from genengine.settings.paths import GE_STATE_DIR

ENGINE_POLICIES = ("local_only", "local_preferred", "api_only")
ENGINE_POLICY = env.choice(
    "ENGINE_POLICY",
    "local_preferred",
    ENGINE_POLICIES,
    "Where clips of the local engine and masters are rendered: only here; here, and on the remote engine when this "
    "machine fails, is not healthy or takes too long; only on the remote engine.",
)
REMOTE_ENGINE_URL = env.url(
    "REMOTE_ENGINE_URL",
    "",
    ("http", "https"),
    "Address of a `manage.py render_server` that this installation may use. Plain http only in a trusted network.",
)
REMOTE_ENGINE_TOKEN = env.text("REMOTE_ENGINE_TOKEN", "", "The token of that render server.", secret=True)
GE_RENDER_TIMEOUT_S = env.decimal_number(
    "GE_RENDER_TIMEOUT_S",
    1200.0,
    "Seconds after which a render here is given to the remote engine, and a render there is given up.",
    at_least=1.0,
)
GE_RENDER_MIN_FREE_MB = env.integer(
    "GE_RENDER_MIN_FREE_MB", 512, "Less free disk than this in the work folder, and the remote engine renders."
)
GE_RENDER_MIN_MEMORY_MB = env.integer(
    "GE_RENDER_MIN_MEMORY_MB", 200, "Less available memory than this, and the remote engine renders."
)
RENDER_SERVER_TOKENS = env.words(
    "RENDER_SERVER_TOKENS",
    (),
    "Tokens, at least 24 characters each, that `manage.py render_server` accepts. Each has files of its own.",
    secret=True,
)
RENDER_SERVER_DIR = env.path(
    "RENDER_SERVER_DIR",
    GE_STATE_DIR / "render-server",
    "Where the render server keeps files, renders and its cache.",
    shown_default="`render-server` in the state directory",
)
RENDER_SERVER_PARALLEL = env.integer(
    "RENDER_SERVER_PARALLEL", 1, "Renders side by side on the render server; each uses up to two cores.", at_least=1
)
RENDER_SERVER_QUEUE = env.integer(
    "RENDER_SERVER_QUEUE", 20, "Renders that may wait there; more are refused with 503.", at_least=1
)
RENDER_SERVER_MEMORY_MB = env.integer(
    "RENDER_SERVER_MEMORY_MB",
    8192,
    "Address space of one render on the render server, in MB, and of each program it starts. What needs more fails "
    "alone. 0 sets no limit.",
)
RENDER_SERVER_UPLOAD_MB = env.integer(
    "RENDER_SERVER_UPLOAD_MB", 2048, "The largest file that the render server takes, in MB.", at_least=1
)
RENDER_SERVER_DISK_GB = env.decimal_number(
    "RENDER_SERVER_DISK_GB",
    20.0,
    "Input files that the render server keeps, in GB; the least used go first.",
    at_least=0.1,
)
RENDER_SERVER_KEEP_HOURS = env.decimal_number(
    "RENDER_SERVER_KEEP_HOURS", 24.0, "Hours that a finished render stays on the render server.", at_least=0.01
)


def check_engines(policy: str, url: str, token: str) -> None:
    """Refuse settings that could never render."""
    if url and not token:
        raise ImproperlyConfigured("REMOTE_ENGINE_URL needs REMOTE_ENGINE_TOKEN: one of the server's tokens.")
    if policy == "api_only" and not url:
        raise ImproperlyConfigured("ENGINE_POLICY=api_only needs REMOTE_ENGINE_URL: nothing could render otherwise.")


check_engines(ENGINE_POLICY, REMOTE_ENGINE_URL, REMOTE_ENGINE_TOKEN)
