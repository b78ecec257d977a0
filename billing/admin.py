"""Admin of billing, by feature."""

from billing.caps import admin as caps
from billing.ledger import admin as ledger

__all__ = ["caps", "ledger"]
