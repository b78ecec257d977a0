"""States in the words people read (DESIGN §3, "people see"), and in those of the seeds."""

PEOPLE = {
    "planned": "Queued",
    "queued": "Queued",
    "paused": "Paused",
    "held": "On hold: budget",
    "pending": "Queued",
    "stale": "Queued",
    "generating": "Rendering",
    "composing": "Rendering",
    "building": "Rendering",
    "checking": "QC",
    "needs_attention": "Needs attention",
    "unknown": "Needs attention",
    "blocked": "Needs attention",
    "ready": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "requested": "Queued",
}
SEEDS = {  # what seeds C, D and E call the same states
    "Queued": "queued",
    "Paused": "queued",
    "On hold: budget": "queued",
    "Rendering": "processing",
    "QC": "processing",
    "Needs attention": "processing",
    "Done": "completed",
    "Failed": "failed",
    "Cancelled": "failed",
}


def people_state(state: str) -> str:
    """Return the word people see for an internal state."""
    return PEOPLE.get(state, state.replace("_", " ").capitalize())


def seed_word(state: str) -> str:
    """Return what a partner's simpler state machine calls an internal state: queued, processing, completed, failed."""
    return SEEDS.get(people_state(state), "processing")
