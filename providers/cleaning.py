"""Vendors' words without the credentials that some of them tell back, before anything is kept or shown.

Every answer of an adapter passes here, whichever way its words came: raised, reported by a poll or a callback, or
handed back with an accepted task. ``raw`` stays as it came: it is read by the adapter alone and never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from providers.errors import ProviderError
from providers.http import Redactor
from providers.values import Accepted, Finished, TaskReport

CLEANED = ("submit", "poll", "find_by_key", "cancel", "parse_webhook", "check_credentials", "stage_inputs", "voices")


def clean_error(redactor: Redactor, error: ProviderError) -> ProviderError:
    """The same error with its words cleaned."""
    error.message = redactor.text(error.message)
    error.vendor_code = redactor.text(error.vendor_code)
    error.vendor_message = redactor.text(error.vendor_message)
    error.args = (error.message,)
    return error


def clean_answer(redactor: Redactor, answer: Any) -> Any:
    """A report, an accepted task or a finished call with its words cleaned; anything else as it is."""
    if isinstance(answer, list):
        return [clean_answer(redactor, item) for item in answer]
    if isinstance(answer, TaskReport):
        error = answer.error
        if error is not None:
            error = replace(error, code=redactor.text(error.code), message=redactor.text(error.message))
        return replace(answer, vendor_state=redactor.text(answer.vendor_state), error=error)
    if isinstance(answer, Accepted):
        return replace(answer, details={name: redactor.text(value) for name, value in answer.details.items()})
    return replace(answer, text=redactor.text(answer.text)) if isinstance(answer, Finished) else answer


def cleaned(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of an adapter whose answer and errors are cleaned with that adapter's own redactor."""

    @wraps(method)
    def clean(self: Any, *values: Any, **named: Any) -> Any:
        try:
            return clean_answer(self.redactor, method(self, *values, **named))
        except ProviderError as error:
            clean_error(self.redactor, error)
            raise

    return clean
