"""Write and verify the audit trail."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from compliance.trail.models import AuditEntry, AuditHead
from genengine.core.actors import Actor
from genengine.core.db import current_work

INSTALLATION = "installation"


def append_audit_entry(
    *,
    workspace_id: UUID | None,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: str,
    now: datetime,
    facts: Mapping[str, object],
) -> None:
    """Implement the audit port: chain the entry when the running unit of work is about to commit.

    The head's row lock is taken last, after the event streams, so that it never waits inside the lock order.
    """
    entry = AuditEntry(
        chain=str(workspace_id or INSTALLATION),
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        facts=json.loads(json.dumps(dict(facts), default=str)),
    )
    current_work().at_the_end.append(lambda: _chain(entry))


def _chain(entry: AuditEntry) -> None:
    AuditHead.objects.bulk_create([AuditHead(chain=entry.chain)], ignore_conflicts=True)
    head = AuditHead.objects.select_for_update().get(chain=entry.chain)
    entry.seq, entry.previous_hash = head.seq + 1, head.hash
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    AuditHead.objects.filter(chain=entry.chain).update(seq=entry.seq, hash=entry.hash)


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 over the canonical JSON of an entry's fields and the hash before it."""
    fields = {
        "chain": entry.chain,
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": [entry.actor_kind, entry.actor_id],
        "action": entry.action,
        "subject": [entry.subject_kind, entry.subject_id],
        "facts": entry.facts,
        "previous": entry.previous_hash,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify_chains() -> list[str]:
    """Return one sentence for each break found; an empty list means that every chain holds."""
    problems: list[str] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for head in AuditHead.objects.order_by("chain"):
            problems += _verify(head)
    return problems


def _verify(head: AuditHead) -> list[str]:
    previous, expected = "", 1
    for entry in AuditEntry.objects.filter(chain=head.chain).order_by("seq").iterator():
        if entry.seq != expected:
            return [f"chain {head.chain}: entry {expected} is missing"]
        if entry.previous_hash != previous or entry.hash != entry_hash(entry):
            return [f"chain {head.chain}: entry {entry.seq} was altered"]
        previous, expected = entry.hash, expected + 1
    if (head.seq, head.hash) != (expected - 1, previous):
        return [f"chain {head.chain}: the end was cut off after entry {expected - 1}"]
    return []
