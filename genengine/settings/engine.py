"""Settings of the product itself: where the emulator listens, what the demo is, how loud the log is."""

from genengine.settings import environment as env
from genengine.settings.paths import GE_STATE_DIR

GE_UPLOAD_MEGABYTES = env.integer(
    "GE_UPLOAD_MEGABYTES", 500, "The largest file that people and partners may upload, in MB.", at_least=1
)
EMULATOR_URL = env.url(
    "EMULATOR_URL",
    "http://127.0.0.1:8100",
    ("http", "https"),
    "The provider emulator behind workspaces in simulated mode. `manage.py up` sets its own.",
)
GE_PRIVATE_ENDPOINTS = list(
    env.words(
        "GE_PRIVATE_ENDPOINTS",
        (),
        "Addresses in private networks that provider accounts may name (own ComfyUI, remote engine, own LLM).",
    )
)
GE_DEMO_SEED = env.text(
    "GE_DEMO_SEED",
    "campaigns.demo.services.seed_demo",
    "Dotted path of the callable that makes the demo workspace at the first start.",
)
GE_DEMO_PROGRESS = env.text(
    "GE_DEMO_PROGRESS",
    "campaigns.demo.services.demo_progress",
    "Dotted path of the callable that says in one line when the demo ad is finished.",
)
GE_AUDIT_BACKEND = env.text(
    "GE_AUDIT_BACKEND",
    "",
    "Dotted path of the callable behind the audit port. Unset: the audit trail of this installation.",
)
AUDIT_SINK = GE_AUDIT_BACKEND or "compliance.trail.services.append_audit_entry"
GE_POLL_INTERVAL_S = env.decimal_number(
    "GE_POLL_INTERVAL_S", 5.0, "Seconds between two polls of one attempt at a vendor.", at_least=0.1
)
GE_SIMULATED_POLL_INTERVAL_S = env.decimal_number(
    "GE_SIMULATED_POLL_INTERVAL_S", 1.0, "The same for jobs of workspaces in simulated mode.", at_least=0.1
)
GE_EMULATOR_SPEED = env.decimal_number(
    "GE_EMULATOR_SPEED", 12.0, "How many times faster than the vendors the emulator of `manage.py up` is.", at_least=0.1
)
GE_EMULATOR_PICTURE_SCALE = env.decimal_number(
    "GE_EMULATOR_PICTURE_SCALE", 1.0, "Size of its clips against what was asked; below 1 for rehearsals.", at_least=0.1
)
GE_PUMP_THREADS = env.integer("GE_PUMP_THREADS", 32, "Parallel polls of one pump.", at_least=1, at_most=512)
GE_LOCAL_PARALLEL = env.integer("GE_LOCAL_PARALLEL", 4, "Clips of the local engine in flight at once.", at_least=1)
GE_PROVIDER_PARALLEL = env.integer(
    "GE_PROVIDER_PARALLEL",
    5,
    "Clips in flight at once at one vendor for one workspace, where no operator wrote another limit.",
    at_least=1,
)
GE_PROVIDER_SUBMITS_PER_MINUTE = env.integer(
    "GE_PROVIDER_SUBMITS_PER_MINUTE",
    300,
    "Requests a minute to one account of a vendor for which no limit is written; a tenth of it may go at once.",
    at_least=1,
)
GE_JOB_PARALLEL = env.integer("GE_JOB_PARALLEL", 100, "Clips of one job in flight at once.", at_least=1)
GE_CIRCUIT_OPEN_S = env.decimal_number(
    "GE_CIRCUIT_OPEN_S",
    20.0,
    "Seconds without requests after a vendor failed too often; doubled each time that it fails the probe.",
    at_least=0.1,
)
GE_WAIT_PATIENCE_S = env.decimal_number(
    "GE_WAIT_PATIENCE_S",
    600.0,
    "Longest a clip waits for a vendor that is down before the workspace's policy decides; less when urgent.",
    at_least=1,
)
GE_SATURATED_WAIT_S = env.decimal_number(
    "GE_SATURATED_WAIT_S",
    180.0,
    "A longer queue at a busy vendor sends clips to another provider, where the policy allows it.",
    at_least=1,
)
GE_HEALTH_CHECK_S = env.decimal_number(
    "GE_HEALTH_CHECK_S", 300.0, "Seconds between two checks of a vendor account that is in use.", at_least=1
)
GE_ROUTING_EXPLORATION_PERCENT = env.integer(
    "GE_ROUTING_EXPLORATION_PERCENT",
    5,
    "Share of live variants that are led by a model of which little is known yet, in per cent.",
    at_least=0,
    at_most=50,
)
GE_MASTER_SCALE = env.decimal_number(
    "GE_MASTER_SCALE",
    1.0,
    "Size of masters, and of clips made here, against what is asked; below 1 for previews and tests.",
    at_least=0.1,
)
GE_PUBLIC_URL = env.url(
    "GE_PUBLIC_URL",
    "",
    ("http", "https"),
    "The address under which vendors reach this installation for webhooks. Unset: polling alone.",
)
GE_WORK_DIR = env.path(
    "GE_WORK_DIR",
    GE_STATE_DIR / "work",
    "Folder for the temporary files of running tasks; emptied by the tasks themselves.",
    shown_default="`work` in the state directory",
)
GE_CACHE_DIR = env.path(
    "GE_CACHE_DIR",
    GE_STATE_DIR / "cache",
    "Folder of the content cache of rendered pieces; may be deleted at any time.",
    shown_default="`cache` in the state directory",
)
