import socket
import subprocess
import sys

import psycopg
import pytest
from django.db import connection, transaction


@pytest.mark.django_db
def test_tests_connect_as_a_role_that_owns_no_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('is_superuser')")
        assert cursor.fetchone() == ("genengine_app", "off")
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_the_application_role_may_not_define_tables():
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        connection.cursor().execute("CREATE TABLE intruder (id int)")


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_may_commit_rows():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_session VALUES ('left-behind', 'x', now())")
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_the_next_test_finds_its_tables_empty():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_another_process_can_reach_the_database_of_a_test(process_environment):
    with psycopg.connect(process_environment["DATABASE_URL"]) as other:
        assert other.execute("SELECT current_user").fetchone() == ("genengine_app",)


def test_the_network_is_closed():
    with pytest.raises(OSError, match="may not leave this machine"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


@pytest.mark.django_db(transaction=True)
def test_django_itself_reaches_the_database_of_a_test_from_another_process(process_environment):
    answer = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", READ_ROLE],
        env=process_environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.stdout.strip() == "genengine_app", answer.stderr


READ_ROLE = (
    "from django.db import connection as c; k = c.cursor(); k.execute('select current_user'); print(k.fetchone()[0])"
)
