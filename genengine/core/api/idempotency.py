"""`Idempotency-Key`: a request that is sent again does its work once.

The key's row is inserted first, in the one transaction that also holds the work and its answer. So a crash leaves
neither, a repetition finds the answer, and a duplicate that runs at the same time waits on the unique row until the
first commits, then gets the same answer. Refusals are not remembered: nothing was done, and the next try may pass.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from genengine.core import clock
from genengine.core.api.models import RememberedAnswer
from genengine.core.api.problems import Point, Problem, kind
from genengine.core.db import retry_conflicts, unit_of_work

HEADER = "Idempotency-Key"
KEY_LENGTH = 255
REMEMBERED_FOR = timedelta(days=7)

KEY_REUSED = kind(
    "idempotency_key_reused", 422, "The Idempotency-Key belongs to another request", "Use a new key for a new request."
)
KEY_UNUSABLE = kind("idempotency_key_unusable", 400, "The Idempotency-Key cannot be used")

Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Let a POST of a `WorkspaceAPIView` honour the header; `view.principal_name` says whose keys they are."""

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key or request.query_params.get("dry_run"):  # a dry run leaves nothing to remember
            return handler(view, request, *args, **kwargs)
        _check(key)
        mark = RememberedAnswer(
            key=key,
            principal=view.principal_name,
            route=request.get_full_path()[:300],
            body_hash=body_hash(request),
            created_at=clock.now(),
        )
        return _once(mark, lambda: handler(view, request, *args, **kwargs))

    guarded.idempotent = True  # type: ignore[attr-defined]
    return guarded


def body_hash(request: Request) -> str:
    """Return a hash of what was sent, independent of multipart boundaries and the order of fields."""
    digest = hashlib.sha256()
    data = request.data
    pairs = data.lists() if hasattr(data, "lists") else [("", [data])]
    for name, values in sorted(pairs):
        for value in values:
            digest.update(f"{name}\0".encode())
            if isinstance(value, UploadedFile):
                digest.update(str(value.name).encode())
                for chunk in value.chunks():
                    digest.update(chunk)
                value.seek(0)
            else:
                digest.update(json.dumps(value, sort_keys=True, cls=JSONEncoder).encode())
    return digest.hexdigest()


def forget_answers(now: datetime) -> int:
    """Drop answers older than a week; the key may then be used anew."""
    gone, _ = RememberedAnswer.objects.filter(created_at__lt=now - REMEMBERED_FOR).delete()
    return gone


@retry_conflicts
def _once(mark: RememberedAnswer, work: Callable[[], Response]) -> Response:
    with unit_of_work():
        RememberedAnswer.objects.bulk_create([mark], ignore_conflicts=True)
        found = RememberedAnswer.objects.get(key=mark.key, principal=mark.principal, route=mark.route)
        if found.pk != mark.pk:
            return _replay(found, mark)
        response = work()
        found.status = response.status_code
        found.body = json.loads(json.dumps(response.data, cls=JSONEncoder))
        found.location = response.headers.get("Location", "")
        found.save(update_fields=["status", "body", "location"])
        return response


def _replay(found: RememberedAnswer, mark: RememberedAnswer) -> Response:
    if found.body_hash != mark.body_hash:
        raise Problem(KEY_REUSED, "This key was used for a request with another body. Use a new key.")
    headers = {"Idempotency-Replayed": "true"}
    if found.location:
        headers["Location"] = found.location
    return Response(found.body, status=found.status, headers=headers)


def _check(key: str) -> None:
    if len(key) > KEY_LENGTH or not key.isprintable():
        fix = f"Send 1 to {KEY_LENGTH} printable characters, such as a UUID."
        raise Problem(KEY_UNUSABLE, fix, [Point(HEADER, "The key is too long or not printable.", fix)])
