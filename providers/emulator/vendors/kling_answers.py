"""Kling's answers: envelopes with a service code, tasks as both designs show them, signatures of callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendors.kling_rules import CODES
from providers.emulator.wire import Answer


def task_view(task: StoredTask, now: float, url: str, *, strange: bool) -> dict[str, Any]:
    phase = task.phase(now)
    view: dict[str, Any] = {
        "id": task.id,
        "status": "rearranging" if strange else new_state(phase),
        "message": reason(task, phase),
        "create_time": ms(task.created),
        "update_time": ms(task.changed_at(now)),
        "external_id": task.idempotency_key,
    }
    if view["status"] == "succeeded":
        view["outputs"] = [
            {
                "type": "video",
                "id": f"v-{task.id}",
                "url": url,
                "watermark_url": "",
                "duration": f"{task.params['duration']:.1f}",
            }
        ]
        view["billing"] = [
            {
                "charge_type": "cash",
                "cash_type": "balance",
                "amount": str(task.cost),
                "currency": "USD",
                "list_price": str(task.cost),
            }
        ]
    return view


def legacy_view(task: StoredTask, now: float, url: str, *, strange: bool) -> dict[str, Any]:
    phase = task.phase(now)
    state = "rearranging" if strange else legacy_state(phase)
    view: dict[str, Any] = {
        "task_id": task.id,
        "task_status": state,
        "task_status_msg": reason(task, phase),
        "task_info": {"external_task_id": task.idempotency_key},
        "created_at": ms(task.created),
        "updated_at": ms(task.changed_at(now)),
    }
    if state == "succeed":
        video = {
            "id": f"v-{task.id}",
            "url": url,
            "watermark_url": "",
            "duration": f"{task.params['duration']:.1f}",
        }
        view["task_result"] = {"videos": [video]}
        view["final_balance_deduction"] = {"quota": str(task.cost), "list_price": str(task.cost)}
    return view


def envelope(data: Any) -> Answer:
    return Answer.of_json({"code": 0, "message": "SUCCEED", "request_id": str(uuid.uuid4()), "data": data})


def error_answer(code: int, message: str = "", status: int = 0) -> Answer:
    usual, words = CODES[code]
    body = {"code": code, "message": message or words, "request_id": str(uuid.uuid4())}
    return Answer.of_json(body, status or usual)


def new_state(phase: str) -> str:
    words = {"queued": "submitted", "running": "processing", "succeeded": "succeeded"}
    return words.get(phase, "failed")


def legacy_state(phase: str) -> str:
    return {"queued": "submitted", "running": "processing", "succeeded": "succeed"}.get(phase, "failed")


def reason(task: StoredTask, phase: str) -> str:
    if phase == "refused":
        return "Failure to pass the risk control system"
    return "Generation failed, please try again" if phase == "failed" else ""


def ms(moment: float) -> int:
    return int(moment * 1000)


def sign(secret: str, message_id: str, moment: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{message_id}.{moment}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{signature}",
    }
