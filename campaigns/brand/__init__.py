"""Pages of brand kits."""
