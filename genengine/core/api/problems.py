"""Errors of the API as RFC 9457 problem documents, each with a stable code, a sentence and, by field, the fix.

A feature registers its named errors beside its views; `catalogue()` lists them all, so that a partner can read
every code there is before meeting it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from genengine.core.correlation import correlation_id

log = structlog.get_logger("genengine.api")

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "/api/v1/problems/"


@dataclass(frozen=True)
class Point:
    """One thing that is wrong: where, what, and what to do about it. `path` is a JSON path such as `ratios[0]`."""

    path: str
    message: str
    fix: str


@dataclass(frozen=True)
class Kind:
    """One row of the catalogue."""

    code: str
    status: int
    title: str
    fix: str = ""

    @property
    def type(self) -> str:
        """The address that identifies and explains it."""
        return f"{TYPE_BASE}{self.code}"


Points = Callable[[Any], Iterable[Point]]


class Problem(Exception):
    """An error that an API view says itself."""

    def __init__(self, kind: Kind, detail: str, points: Iterable[Point] = (), **headers: str) -> None:
        super().__init__(detail)
        self.kind, self.points, self.headers = kind, tuple(points), headers


_kinds: dict[str, Kind] = {}
_errors: dict[type[BaseException], tuple[Kind, Points]] = {}


def kind(code: str, status: int, title: str, fix: str = "") -> Kind:
    """Add a row to the catalogue and return it."""
    return _kinds.setdefault(code, Kind(code, status, title, fix))


def register(error: type[BaseException], known: Kind, points: Points = lambda _: ()) -> None:
    """Let a named error of a service be answered as `known`; its text becomes the detail."""
    _errors[error] = (known, points)


def catalogue() -> list[Kind]:
    """Return every code that the API can answer with, in order."""
    return sorted(_kinds.values(), key=lambda row: (row.status, row.code))


INVALID = kind("invalid", 400, "Some values are not right", "Read errors: each names the field and its fix.")
UNREADABLE = kind("unreadable", 400, "The body cannot be read", "Send valid JSON in UTF-8, or multipart/form-data.")
NOT_SIGNED_IN = kind(
    "not_signed_in", 401, "No valid API key or session", "Send the header `Authorization: Bearer ge_…`."
)
NOT_ALLOWED = kind("not_allowed", 403, "Not allowed", "Ask an admin of the workspace for the role or the scope.")
NOT_FOUND = kind("not_found", 404, "There is no such thing here", "Check the id; a list shows what there is.")
WRONG_METHOD = kind("wrong_method", 405, "This address does not take this method", "See the Allow header.")
NOT_ACCEPTABLE = kind("not_acceptable", 406, "Only JSON is answered", "Accept application/json.")
WRONG_TYPE = kind("wrong_type", 415, "This kind of body is not read here", "Send JSON or multipart/form-data.")
TOO_MANY = kind("too_many_requests", 429, "Too many requests", "Wait as long as Retry-After says.")
BROKEN = kind(
    "internal_error", 500, "Something broke on our side", "Try again; if it stays, tell us the correlation id."
)

_FRAMEWORK: tuple[tuple[type[BaseException], Kind], ...] = (
    (exceptions.ParseError, UNREADABLE),
    (exceptions.NotAuthenticated, NOT_SIGNED_IN),
    (exceptions.AuthenticationFailed, NOT_SIGNED_IN),
    (exceptions.PermissionDenied, NOT_ALLOWED),
    (PermissionDenied, NOT_ALLOWED),
    (exceptions.NotFound, NOT_FOUND),
    (Http404, NOT_FOUND),
    (exceptions.MethodNotAllowed, WRONG_METHOD),
    (exceptions.NotAcceptable, NOT_ACCEPTABLE),
    (exceptions.UnsupportedMediaType, WRONG_TYPE),
    (exceptions.Throttled, TOO_MANY),
)


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any error as a problem document; what nobody named is logged and answered without its text."""
    if isinstance(error, Problem):
        return _answer(error.kind, str(error), error.points, error.headers)
    if isinstance(error, exceptions.ValidationError):
        points = tuple(points_of(error.detail))
        return _answer(INVALID, "; ".join(dict.fromkeys(p.message for p in points)), points)
    for named in type(error).__mro__:
        if named in _errors:
            known, points_for = _errors[named]
            return _answer(known, _sentence(str(error)), tuple(points_for(error)))
    for framework, known in _FRAMEWORK:
        if isinstance(error, framework):
            return _answer(known, _framework_detail(error, known), (), _framework_headers(error))
    request = context.get("request")
    log.error("api.failed", exc_info=error)
    got_request_exception.send(sender=type(context.get("view")), request=getattr(request, "_request", request))
    return _answer(BROKEN, "The request could not be finished. Nothing was changed.", ())


def problem_of(error: BaseException) -> dict[str, Any] | None:
    """Return the document of a registered error, for answers that list refusals; nothing for any other."""
    for named in type(error).__mro__:
        if named in _errors:
            known, points_for = _errors[named]
            return problem_body(known, _sentence(str(error)), tuple(points_for(error)))
    return None


def points_of(detail: Any, path: str = "") -> Iterable[Point]:
    """Flatten the framework's nested validation errors into points."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from points_of(inner, own or path)
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(inner, Mapping | list | tuple) for inner in detail)
        for index, inner in enumerate(detail):
            yield from points_of(inner, f"{path}[{index}]" if nested else path)
    else:
        yield Point(path, str(detail), FIXES.get(getattr(detail, "code", ""), str(detail)))


FIXES = {
    "required": "Send this field.",
    "null": "Send a value, or leave the field out.",
    "blank": "Send some text, or leave the field out.",
    "invalid_choice": "Use one of the values that the schema lists.",
    "not_a_list": "Send a JSON list.",
    "max_length": "Send a shorter text.",
    "max_value": "Send a smaller number.",
    "min_value": "Send a larger number.",
}


def problem_body(known: Kind, detail: str, points: Iterable[Point] = ()) -> dict[str, Any]:
    """Return the document of one problem."""
    body: dict[str, Any] = {
        "type": known.type,
        "title": known.title,
        "status": known.status,
        "detail": detail or known.title,
        "code": known.code,
        "errors": [asdict(point) for point in points],
    }
    if known.fix:
        body["fix"] = known.fix
    if correlation_id():
        body["correlation_id"] = correlation_id()
    return body


def _answer(
    known: Kind, detail: str, points: Iterable[Point] = (), headers: Mapping[str, str] | None = None
) -> Response:
    body = problem_body(known, detail, points)
    return Response(body, status=known.status, headers=dict(headers or {}), content_type=MEDIA_TYPE)


def _framework_detail(error: BaseException, known: Kind) -> str:
    if isinstance(error, exceptions.Throttled):
        return f"The limit is used up. Try again in {_seconds(error)} s."
    if known is NOT_FOUND:
        return known.title + "."
    return _sentence(str(error))


def _framework_headers(error: BaseException) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(_seconds(error))
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return headers


def _seconds(error: exceptions.Throttled) -> int:
    return max(1, int(getattr(error, "wait", None) or 1))


def _sentence(text: str) -> str:
    text = text.strip()
    whole = text[:1].upper() + text[1:]
    return whole if not whole or whole.endswith((".", "!", "?")) else f"{whole}."
