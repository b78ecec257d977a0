"""What holds for every address: problems, pages, limits, idempotency, CSRF, the description, the documentation."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from openapi_spec_validator import validate

from campaigns.briefs.models import Brief
from genengine.core.api.models import RememberedAnswer
from genengine.core.events.models import Event
from genengine.workspaces.models import Membership, Role
from tests.api.support import Partner, member, nobody, partner, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def api() -> Partner:
    return partner(member().workspace)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code", "errors"} <= set(body)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/api/v1/problems/{code}"
    return body


def test_every_kind_of_error_is_a_problem_document(api: Partner) -> None:
    problem(nobody().get("me"), 401, "not_signed_in")
    problem(Partner(Client(), {"Authorization": "Bearer ge_x"}).get("me"), 401, "not_signed_in")
    assert nobody().get("me").headers["WWW-Authenticate"].startswith("Bearer")
    problem(api.get(f"briefs/{uuid.uuid4()}"), 404, "not_found")
    problem(api.get("nowhere"), 404, "not_found")
    problem(api.post("nowhere/at/all"), 404, "not_found")
    problem(api.post("me"), 405, "wrong_method")
    problem(api.post("briefs", "{"), 400, "unreadable")
    text = api.client.post("/api/v1/briefs", b"x", content_type="text/plain", headers=api.headers)
    problem(text, 415, "wrong_type")
    body = problem(api.post("briefs", {"variants": 99}), 400, "invalid")
    assert body["errors"][0]["path"] == "variants"
    role = partner(member().workspace, Role.VIEWER).post("briefs", {"title": "x"})
    assert "role Editor" in problem(role, 403, "not_allowed")["detail"]
    scope = partner(member().workspace, scopes=["read"]).post("briefs", {"title": "x"})
    assert "scope briefs" in problem(scope, 403, "not_allowed")["detail"]


def test_a_failure_of_ours_hides_its_text_and_names_the_correlation_id(
    api: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("campaigns.briefs.api.create_brief", fail)
    api.client.raise_request_exception = False
    response = api.post("briefs", {"title": "x"})
    body = problem(response, 500, "internal_error")
    assert "swordfish" not in response.content.decode()
    assert body["correlation_id"] == response.headers["X-Correlation-ID"]


def test_every_code_is_in_the_catalogue_that_needs_no_key() -> None:
    codes = {row["code"]: row for row in nobody().get("problems/").json()}
    assert {"invalid", "not_allowed", "plan_moved", "price_over_cap", "upload_refused", "clip_locked"} <= set(codes)
    assert nobody().get("problems/plan_moved").json() == codes["plan_moved"]
    assert nobody().get("problems/no-such").status_code == 404


def test_a_list_is_walked_by_cursor_without_a_gap_while_it_grows(api: Partner) -> None:
    made = [api.post("briefs", {"title": f"Brief {n}"}).json()["id"] for n in range(7)]
    seen: list[str] = []
    page = api.get("briefs", limit=3).json()
    while True:
        seen += [row["id"] for row in page["items"]]
        api.post("briefs", {"title": "meanwhile"})
        if not page["next"]:
            break
        page = api.client.get(page["next"], headers=api.headers).json()
    assert seen == made[::-1]
    assert api.get("briefs", limit=2, state="archived").json()["items"] == []


def test_who_passes_the_limit_waits_as_long_as_the_answer_says(api: Partner, settings: Any) -> None:
    settings.GE_API_LIMITS = {"reads": 3, "writes": 1, "anonymous": 1}
    first = api.get("me")
    assert first.headers["RateLimit-Policy"] == '"reads";q=3;w=60'
    assert first.headers["RateLimit"].startswith('"reads";r=2;t=')
    assert [api.get("me").status_code for _ in range(3)] == [200, 200, 429]
    refused = api.get("me")
    problem(refused, 429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert api.post("briefs", {"title": "x"}).status_code == 201  # writes are counted apart
    assert api.post("briefs", {"title": "x"}).status_code == 429
    assert partner(member().workspace).get("me").status_code == 200  # another key has its own
    assert nobody().get("me").status_code == 401
    assert nobody().get("me").status_code in (401, 429)


def test_a_request_that_is_sent_again_does_its_work_once(api: Partner) -> None:
    key = {"Idempotency_Key": "order-1"}
    first = api.post("briefs", {"title": "Once"}, **key)
    again = api.post("briefs", {"title": "Once"}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert Brief.objects.count() == 1
    problem(api.post("briefs", {"title": "Other"}, **key), 422, "idempotency_key_reused")
    other = partner(member("nord").workspace)
    assert other.post("briefs", {"title": "Once"}, **key).json()["id"] != first.json()["id"]


def test_a_refused_request_is_not_remembered(api: Partner) -> None:
    key = {"Idempotency_Key": "order-2"}
    problem(api.post("briefs", {"variants": 99}, **key), 400, "invalid")
    assert not RememberedAnswer.objects.exists()
    assert api.post("briefs", {"variants": 2}, **key).status_code == 201
    problem(api.post("briefs", {}, Idempotency_Key="x" * 300), 400, "idempotency_key_unusable")


@pytest.mark.django_db(transaction=True)
def test_duplicates_that_run_at_the_same_time_do_the_work_once(api: Partner) -> None:
    def send(_: int) -> tuple[int, str]:
        try:
            answer = Partner(Client(), api.headers).post("briefs", {"title": "Once"}, Idempotency_Key="race")
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(send, range(12)))
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert Brief.objects.count() == 1
    assert Event.objects.filter(type="brief.created").count() == 1


def test_a_session_writes_only_with_the_csrf_token() -> None:
    editor = member()
    browser = Client(enforce_csrf_checks=True)
    assert editor.user is not None
    browser.force_login(editor.user, backend="django.contrib.auth.backends.ModelBackend")
    bare = browser.post("/api/v1/briefs", {"title": "x"}, content_type="application/json")
    problem(bare, 403, "not_allowed")
    browser.get("/accounts/login/")
    browser.cookies["csrftoken"] = "a" * 32
    token = {"X-CSRFToken": "a" * 32}
    with_token = browser.post("/api/v1/briefs", {"title": "x"}, content_type="application/json", headers=token)
    assert with_token.status_code == 201
    key = partner(editor.workspace)
    strict = Client(enforce_csrf_checks=True)
    by_key = strict.post("/api/v1/briefs", {"title": "x"}, content_type="application/json", headers=key.headers)
    assert by_key.status_code == 201


def test_a_person_in_two_workspaces_names_one() -> None:
    editor = member()
    there = member("nord", Role.VIEWER)
    assert editor.user is not None
    Membership.objects.create(workspace=there.workspace, user=editor.user, role=Role.VIEWER)
    problem(person(editor).get("me"), 400, "choose_workspace")
    me = person(editor, **{"X-Workspace": "nord"}).get("me").json()
    assert (me["workspace"]["slug"], me["role"], me["kind"]) == ("nord", "viewer", "person")
    problem(person(there, **{"X-Workspace": "aurora"}).get("me"), 404, "not_found")


def test_me_says_what_a_key_may_do(api: Partner) -> None:
    me = api.get("me").json()
    assert (me["kind"], me["role"], me["workspace"]["mode"]) == ("api_key", "editor", "simulated")
    assert "launch_job" in me["may"]
    assert "manage_keys" not in me["may"]


def test_the_description_is_valid_openapi_and_names_every_address(api: Partner) -> None:
    response = api.client.get("/api/v1/schema/?format=json")
    schema = response.json()
    validate(schema)
    assert schema["openapi"] == "3.1.0"
    launch = schema["paths"]["/api/v1/briefs/{brief_id}/launch"]["post"]
    assert {"Idempotency-Key", "dry_run", "X-Workspace"} <= {p["name"] for p in launch["parameters"]}
    assert "application/problem+json" in launch["responses"]["default"]["content"]
    kinds = {name.removesuffix("Request") for name in schema["components"]["schemas"]}
    assert {"EditSceneChange", "AddBranchChange", "EditClipChange"} <= kinds


def test_the_documentation_loads_nothing_from_elsewhere_and_runs_no_inline_script(client: Client) -> None:
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text.replace("http://testserver", "")
    assert "https://" not in text
    assert "<script>" not in text
    assert "<style" not in text
    assert "swagger-ui" in text


def test_reading_a_list_takes_the_same_number_of_queries_for_one_row_and_for_fifty(
    api: Partner, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        api.post("briefs", {"title": f"Brief {n}"})
    with django_assert_max_num_queries(4):
        assert len(api.get("briefs").json()["items"]) == 30
