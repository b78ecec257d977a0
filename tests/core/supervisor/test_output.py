import io
import json

from genengine.core.supervisor.output import Output, readable
from tests.support.processes import wait_for


def test_a_json_line_is_shown_as_people_read_it():
    line = json.dumps(
        {"event": "request.finished", "level": "info", "timestamp": "2026-01-02T03:04:05Z", "path": "/", "status": 200}
    )
    assert readable(line) == "03:04:05 INFO request.finished path=/ status=200"


def test_other_lines_stay_as_they_are():
    assert readable("Traceback (most recent call last):") == "Traceback (most recent call last):"
    assert readable("{not json") == "{not json"


def test_every_line_names_its_process_and_is_kept_in_a_file(tmp_path):
    screen = io.StringIO()
    output = Output(tmp_path, screen)
    output.follow("web", io.BytesIO(b"one\ntwo \xff\n"))

    wait_for(lambda: "two" in screen.getvalue(), what="both lines")
    assert [line.split("|")[0].strip() for line in screen.getvalue().splitlines()] == ["web", "web"]
    wait_for(lambda: (tmp_path / "web.log").read_text().startswith("one\ntwo"), what="the file")
