"""django-q2 on its ORM broker: two clusters, no prefetch, no schedules (the pump owns time), our own retry
policy.

A task row commits with the state change that wants it and is delivered again when its worker dies. The
reasons for each number are in docs/adr (PostgreSQL is the queue).
"""

from genengine.settings import environment as env

Q_CLUSTER = {
    "name": "genengine",
    "cluster_name": "default",
    "orm": "default",
    "broker_class": "genengine.core.task_broker.FirstComeBroker",
    "workers": env.integer("GE_WORKERS", 2, "Parallel short tasks of `worker default`.", at_least=1),
    "poll": 0.05,
    "bulk": 1,
    "queue_limit": 1,  # a prefetched task's retry clock already runs: it would run twice
    "timeout": 90,
    "retry": 120,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": -1,  # result rows make the monitor process the bottleneck
    "catch_up": False,
    "recycle": 500,
    "guard_cycle": 0.5,
    "scheduler": False,
    "log_level": "WARNING",
    "label": "Tasks",
    "ALT_CLUSTERS": {
        "media": {
            "workers": env.integer("GE_MEDIA_WORKERS", 2, "Parallel renders of `worker media`.", at_least=1),
            "timeout": 3600,
            "retry": 3900,
            "queue_limit": 1,
            "max_attempts": 2,
            "recycle": 50,
            "daemonize_workers": False,  # a render starts processes of its own
        }
    },
}

GE_MEDIA_NICE = env.integer(
    "GE_MEDIA_NICE",
    5,
    "Steps (nice) by which renders, downloads and checks stand back where the processors are short, so that pages stay"
    " quick and ends are seen in time; 0: not at all.",
    at_least=0,
    at_most=19,
)
GE_STOP_SECONDS = env.decimal_number(
    "GE_STOP_SECONDS",
    8.0,
    "How long a stopping worker may finish its task before it is killed; its work resumes later.",
)
