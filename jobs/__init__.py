"""Making it happen: execution, routing, quality, timeline, outbound."""
