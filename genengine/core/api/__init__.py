"""The ground of the partner API: errors, pages, limits, idempotency. No business word."""
