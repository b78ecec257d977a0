"""What can be said no to when files come in or go out, and the limits for it."""

from dataclasses import dataclass

MEGABYTE = 1_000_000
DEFAULT_UPLOAD_MEGABYTES = 500


class UploadRefused(Exception):
    """A file from outside is not taken. `code` is stable; `message` says what is wrong, `hint` what to do."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code, self.message, self.hint = code, message, hint


class BlobMissing(Exception):
    """The row is there and the bytes are not: restore the storage from its backup."""


class BlobDamaged(Exception):
    """The stored bytes do not have the hash they are filed under: restore them from the backup."""


@dataclass(frozen=True)
class Licence:
    """What a file may be used for: its licence and the credit to give."""

    name: str = ""
    attribution: str = ""
