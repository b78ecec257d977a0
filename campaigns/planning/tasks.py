"""Ask language models in a worker: a page never waits for a vendor."""

from uuid import UUID

from campaigns.planning import asking


def answer_ask(ask_id: UUID) -> None:
    """Get the answer of a language model and make the plan of it, or the built-in plan with the reason."""
    asking.answer(ask_id)
