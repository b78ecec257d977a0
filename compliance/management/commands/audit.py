from compliance.trail.services import verify_chains
from genengine.core.management.verdicts import VerifyCommand


class Command(VerifyCommand):
    help = "Follow the hash chain of every workspace's audit trail."
    what = "Audit trail"
    when_right = "Every chain holds: no entry is missing, altered or cut off."
    next_step = "Somebody has written past the application; keep the database and compare with the last backup."
    problems = staticmethod(verify_chains)
