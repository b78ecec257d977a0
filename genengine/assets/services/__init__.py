"""Store bytes once, read them back checked, and take files from outside."""

from genengine.assets.services.blobs import blob_to_path, open_blob, record_lineage, store_blob
from genengine.assets.services.uploads import archive_asset, asset_text, upload_asset
from genengine.assets.types import BlobDamaged, BlobMissing, UploadRefused

__all__ = [
    "BlobDamaged",
    "BlobMissing",
    "UploadRefused",
    "archive_asset",
    "asset_text",
    "blob_to_path",
    "open_blob",
    "record_lineage",
    "store_blob",
    "upload_asset",
]
