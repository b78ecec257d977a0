"""The tools that make and read media: are they here, and does the storage take files?"""

import uuid
from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning, register
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from genengine.core.checks import DOCTOR
from genengine.media.ffmpeg import binaries
from genengine.media.models.registry import State, statuses


@register(DOCTOR, deploy=True)
def ffmpeg_present(**kwargs: Any) -> list[CheckMessage]:
    """ffmpeg and ffprobe run"""
    problems: list[CheckMessage] = []
    for number, find in enumerate((binaries.ffmpeg, binaries.ffprobe), start=1):
        try:
            binaries.version(find())
        except Exception as reason:  # whatever is wrong with a program, its absence must be said here
            hint = "Run `make setup`, or set GE_FFMPEG and GE_FFPROBE."
            problems.append(Error(f"{find.__name__} does not run: {reason}", hint=hint, id=f"assets.E00{number}"))
    return problems


@register(DOCTOR, deploy=True)
def vision_models_present(**kwargs: Any) -> list[CheckMessage]:
    """The vision models (cut-outs, faces, words in pictures) are installed, with the known bytes"""
    found: list[CheckMessage] = []
    for status in statuses():
        words = f"{status.weights.label} is {status.state}: no {status.weights.used_for}."
        if status.state is State.ALTERED:
            found.append(Warning(words, hint=status.hint, id="assets.W005"))
        elif status.state is not State.READY:
            found.append(Info(words, hint=status.hint, id="assets.I005"))
    return found


@register(DOCTOR, deploy=True)
def storage_takes_files(**kwargs: Any) -> list[CheckMessage]:
    """The storage takes, returns and removes a file"""
    try:
        name = default_storage.save(f"health/{uuid.uuid4().hex}", ContentFile(b"ok"))
        with default_storage.open(name) as stored:
            content = stored.read()
        default_storage.delete(name)
    except Exception as reason:  # each storage library has its own errors
        hint = "Check the state directory, or the S3_ settings."
        return [Error(f"The storage does not work: {reason}", hint=hint, id="assets.E003")]
    return [] if content == b"ok" else [Error("The storage returned other bytes than it took.", id="assets.E004")]
