"""Structured logs: one JSON object a line, with the correlation id; secrets and personal data never get through.

Use `structlog.get_logger()` and name events `noun.verb`: `log.info("attempt.submitted", attempt_id=…)`. Records of the
standard library (Django, django-q2, daphne) take the same way.
"""

import logging
import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from genengine.core.correlation import correlation_id

REDACTED = "[redacted]"

SECRET_KEY = re.compile(
    r"password|secret|token|authorization|cookie|credential|signature|api[-_]?key|private[-_]?key|access[-_]?key", re.I
)
PERSONAL_KEY = re.compile(r"e[-_]?mail|phone|full[-_]?name|display[-_]?name|(?<![a-z])ip$|ip[-_]?address", re.I)

SECRET_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic|token|key)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 " + REDACTED),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), REDACTED),  # JSON web tokens
    (re.compile(r"\b(?:sk|pk|ge|r8|key|whsec)[-_][A-Za-z0-9_-]{12,}"), REDACTED),  # vendors' key shapes and our own
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), REDACTED),
    (
        re.compile(r"(?i)([?&](?:[a-z-]*(?:token|key|signature|sig|secret|password|credential))=)[^&\s\"']+"),
        r"\1" + REDACTED,
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@/]+@"), r"\1" + REDACTED + "@"),  # user:password@host
    (re.compile(r"(/media/)[A-Za-z0-9_:.-]{16,}"), r"\1" + REDACTED),  # a signed link is a key
    (re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b"), "[e-mail]"),
)
DEEPEST = 6


def redact(value: Any, depth: int = 0) -> Any:
    """Return `value` with secrets and personal data replaced, by key name and by shape."""
    if isinstance(value, str):
        for pattern, replacement in SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if depth >= DEEPEST:
        return value if isinstance(value, (int, float, bool, type(None))) else REDACTED
    if isinstance(value, dict):
        return {key: _redact_field(str(key), item, depth) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth + 1) for item in value]
    return value


def _redact_field(key: str, value: Any, depth: int) -> Any:
    if value in (None, "", 0) or isinstance(value, bool):
        return value
    if SECRET_KEY.search(key) or PERSONAL_KEY.search(key):
        return REDACTED
    return redact(value, depth + 1)


class ExceptionsOnly(logging.Filter):
    """Django says "Service Unavailable" for every answer of 500 and more; only a traceback tells more."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


def _add_correlation_id(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    if identifier := correlation_id():
        event.setdefault("correlation_id", identifier)
    return event


def _redact_event(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    kept = {key: value for key, value in event.items() if key.startswith("_")}
    cleaned: EventDict = redact({key: value for key, value in event.items() if not key.startswith("_")})
    return {**cleaned, **kept}


def logging_configuration(*, level: str, pretty: bool) -> dict[str, Any]:
    """Configure structlog and return Django's LOGGING: everything to standard error, in one format."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_correlation_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    ending: list[Processor] = (
        [_redact_event, structlog.dev.ConsoleRenderer()]
        if pretty
        else [structlog.processors.format_exc_info, _redact_event, structlog.processors.JSONRenderer(default=str)]
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder(allow=())],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"exceptions": {"()": "genengine.core.logging.ExceptionsOnly"}},
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level, "handlers": [], "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["exceptions"]},  # the status is in our own request line
            "django.security.DisallowedHost": {"level": "CRITICAL"},  # scanners
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
        },
    }
