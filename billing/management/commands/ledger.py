from billing.ledger.queries import ledger_problems
from genengine.core.management.verdicts import VerifyCommand


class Command(VerifyCommand):
    help = "Rebuild every balance from the ledger and compare it with the rows."
    what = "Ledger"
    when_right = "The books hold: every balance follows from its entries."
    next_step = "Stop the pump, keep the database as it is, and compare with the last backup."
    problems = staticmethod(ledger_problems)
