"""`/media/<token>`: the bytes behind a signed link, whole or in parts, streamed in bounded pieces under ASGI.

Django reads a whole file into memory when a synchronous iterator is served under ASGI; here an asynchronous one reads
256 KiB at a time in a thread, and `manage.py web` waits for slow clients before it reads on.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from email.utils import format_datetime, parsedate_to_datetime

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from genengine.assets.byte_ranges import ByteRange, RangeNotSatisfiable, parse_ranges
from genengine.assets.media_urls import MediaGrant, MediaLinkExpired, MediaLinkInvalid, read_media_token
from genengine.assets.storage import CHUNK_BYTES, StoredFile, StoredFileMissing, find_stored_file

SHOWN_INLINE = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/", "audio/", "text/vtt")
# Types that a browser would run with our origin's rights are never sent as themselves.
INERT_TYPE = "application/octet-stream"
HARMLESS_AS_DOWNLOAD = (
    "text/plain",
    "text/csv",
    "application/json",
    "application/zip",
    "application/x-subrip",
    "font/",
)
CONTENT_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


@require_safe
async def serve_media(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answer GET and HEAD with 200, 206, 304, 302 (to a bucket), 403 (expired), 404 or 416."""
    try:
        grant = read_media_token(token)
    except MediaLinkExpired as expired:
        return HttpResponse(f"{expired}\n", status=403, content_type="text/plain")
    except MediaLinkInvalid as invalid:
        return HttpResponse(f"{invalid}\n", status=404, content_type="text/plain")
    if settings.GE_MEDIA_DELIVERY == "redirect" and hasattr(default_storage, "bucket"):
        return await asyncio.to_thread(_redirect_to_bucket, grant)
    try:
        stored = await asyncio.to_thread(find_stored_file, default_storage, grant.storage_name)
    except StoredFileMissing:
        return HttpResponse("This file is no longer here.\n", status=404, content_type="text/plain")
    return _answer(request, grant, stored)


def _answer(request: HttpRequest, grant: MediaGrant, stored: StoredFile) -> HttpResponseBase:
    etag = f'"{grant.etag}"'
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        return _with_common_headers(HttpResponse(status=304), grant, stored)
    try:
        ranges = _asked_ranges(request, etag, stored)
    except RangeNotSatisfiable as problem:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = str(problem)
        return _with_common_headers(refused, grant, stored)
    response = _body(request, grant, stored, ranges)
    return _with_common_headers(response, grant, stored)


def _asked_ranges(request: HttpRequest, etag: str, stored: StoredFile) -> list[ByteRange]:
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range", "").strip()
    if not header or request.method != "GET" or (condition and not _unchanged(condition, etag, stored)):
        return []
    return parse_ranges(header, stored.size)


def _unchanged(condition: str, etag: str, stored: StoredFile) -> bool:
    if condition.startswith(('"', "W/")):
        return condition == etag
    try:
        return parsedate_to_datetime(condition) == stored.modified.replace(microsecond=0)
    except (TypeError, ValueError):
        return False


def _body(request: HttpRequest, grant: MediaGrant, stored: StoredFile, ranges: list[ByteRange]) -> HttpResponseBase:
    content_type, _ = _shown_as(grant)
    if len(ranges) > 1:
        return _several_parts(stored, ranges, content_type)
    if ranges:
        part = ranges[0]
        response: HttpResponseBase = StreamingHttpResponse(_read(stored, [part]), status=206, content_type=content_type)
        response["Content-Range"] = part.content_range(stored.size)
        response["Content-Length"] = str(part.length)
        return response
    whole = ByteRange(0, stored.size - 1)
    response = (
        HttpResponse(content_type=content_type)
        if request.method == "HEAD" or not stored.size
        else StreamingHttpResponse(_read(stored, [whole]), content_type=content_type)
    )
    response["Content-Length"] = str(stored.size)
    return response


def _several_parts(stored: StoredFile, ranges: list[ByteRange], content_type: str) -> HttpResponseBase:
    boundary = secrets.token_hex(16)
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {part.content_range(stored.size)}\r\n\r\n"
        for part in ranges
    ]
    tail = f"\r\n--{boundary}--\r\n"
    response = StreamingHttpResponse(
        _read(stored, ranges, heads=heads, tail=tail),
        status=206,
        content_type=f"multipart/byteranges; boundary={boundary}",
    )
    length = sum(part.length for part in ranges) + sum(len(head) for head in heads) + len(tail)
    response["Content-Length"] = str(length)
    return response


async def _read(
    stored: StoredFile, ranges: list[ByteRange], *, heads: list[str] | None = None, tail: str = ""
) -> AsyncIterator[bytes]:
    for position, part in enumerate(ranges):
        if heads:
            yield heads[position].encode()
        reader = await asyncio.to_thread(stored.open_at, part.start, part.length)
        try:
            left = part.length
            while left and (chunk := await asyncio.to_thread(reader.read, min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
        finally:
            reader.close()
    if tail:
        yield tail.encode()


def _shown_as(grant: MediaGrant) -> tuple[str, bool]:
    """(content type, as attachment): only media is shown inside our origin; markup is never sent as markup."""
    kind = grant.content_type.partition(";")[0].strip().lower()
    if kind.startswith(SHOWN_INLINE):
        return kind, grant.download
    return (kind if kind.startswith(HARMLESS_AS_DOWNLOAD) else INERT_TYPE), True


def _with_common_headers(response: HttpResponseBase, grant: MediaGrant, stored: StoredFile) -> HttpResponseBase:
    _, as_attachment = _shown_as(grant)
    disposition = content_disposition_header(as_attachment, grant.filename)
    if disposition:
        response["Content-Disposition"] = disposition
    response["ETag"] = f'"{grant.etag}"'
    response["Last-Modified"] = format_datetime(stored.modified.replace(microsecond=0), usegmt=True)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=3600, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CONTENT_POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _redirect_to_bucket(grant: MediaGrant) -> HttpResponseBase:
    content_type, as_attachment = _shown_as(grant)
    address = default_storage.url(  # type: ignore[call-arg]
        grant.storage_name,
        parameters={
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition_header(as_attachment, grant.filename) or "inline",
        },
        expire=settings.GE_MEDIA_LINK_SECONDS,
    )
    response = HttpResponse(status=302)
    response["Location"] = address
    response["Cache-Control"] = "no-store"
    return response
