"""Logs are JSON lines on standard error, one event a line, every line with its correlation id, secrets redacted."""

import sys

from genengine.core.logging import logging_configuration
from genengine.settings import environment as env

GE_LOG_LEVEL = env.choice("GE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"), "How much is logged.")
GE_LOG_FORMAT = env.choice(
    "GE_LOG_FORMAT", "auto", ("auto", "json", "pretty"), "`auto` is pretty on a terminal and JSON elsewhere."
)
_pretty = GE_LOG_FORMAT == "pretty" or (GE_LOG_FORMAT == "auto" and sys.stderr.isatty())

LOGGING = logging_configuration(level=GE_LOG_LEVEL, pretty=_pretty)
