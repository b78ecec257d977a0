import pytest

from genengine.core.middleware import HEADER


@pytest.mark.django_db
def test_every_answer_names_its_correlation_id(client):
    first, second = client.get("/healthz"), client.get("/healthz")

    assert len(first[HEADER]) == 32
    assert first[HEADER] != second[HEADER]


@pytest.mark.django_db
def test_a_partners_id_is_kept(client):
    assert client.get("/healthz", headers={HEADER: "order-2026-0001"})[HEADER] == "order-2026-0001"


@pytest.mark.django_db
@pytest.mark.parametrize("forged", ["short", "x" * 65, "a b c d e f g h", 'inject"\\n{"level":"error"}'])
def test_an_improper_id_is_replaced(client, forged):
    assert client.get("/healthz", headers={HEADER: forged})[HEADER] != forged


async def test_pages_answered_asynchronously_are_correlated_too(async_client):
    answer = await async_client.get("/healthz", headers={HEADER: "order-2026-0002"})

    assert answer[HEADER] == "order-2026-0002"
