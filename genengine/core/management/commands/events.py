from genengine.core.events.queries import broken_streams
from genengine.core.management.verdicts import VerifyCommand


def sentences() -> list[str]:
    """Say which streams have a gap."""
    return [f"stream {stream}: its numbers have a gap or disagree with its counter" for stream in broken_streams()]


class Command(VerifyCommand):
    help = "Check that the events of every stream are numbered without a gap."
    what = "Event log"
    when_right = "Every stream is whole: its events are numbered without a gap."
    next_step = "Events were removed past the application; readers of these streams must start again from the rows."
    problems = staticmethod(sentences)
