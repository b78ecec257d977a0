"""Blobs, assets, lineage, uploads and signed media URLs."""
