"""Facts about the page's server: who may look, who may tap, and what a tap may hold."""

import http.client
import json

import pytest

from tests.kiosk.hall_rig import Hall


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with Hall(tmp_path_factory.mktemp("web")) as own:
        yield own


def ask(hall, method, path, body=None, host="127.0.0.1", **headers):
    """(status, headers, text)."""
    connection = http.client.HTTPConnection("127.0.0.1", hall.kiosk.port, timeout=10)
    sent = {"Host": f"{host}:{hall.kiosk.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), "" if path == "/events" else answer.read().decode()
    connection.close()
    return found


def tap(hall, body, **headers):
    return ask(
        hall, "POST", "/tap", body if isinstance(body, str) else json.dumps(body), **{"X_Emask": "1", **headers}
    )[0]


def test_page_holds_the_screen_and_nothing_from_elsewhere(hall):
    status, headers, text = ask(hall, "GET", "/")
    assert status == 200 and 'data-name="start"' in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store" and "server" not in headers


@pytest.mark.parametrize("path", ["/", "/events", "/static/page.js"])
def test_host_that_is_not_its_own_is_refused(hall, path):
    assert ask(hall, "GET", path, host="kiosk.example")[0] == 400


def test_tap_without_the_page_s_header_is_refused(hall):
    body = json.dumps({"number": hall.kiosk.flow.screen.number, "language": "en"})
    assert ask(hall, "POST", "/tap", body)[0] == 403
    assert hall.kiosk.tag == "vi"


@pytest.mark.parametrize(
    "body",
    ["", "junk", "[]", "1", '{"tap": "staff"}', '{"number": {}}', "[" * 400, '{"number": 0, "x": "%s"}' % ("y" * 600)],
)
def test_tap_that_is_none_is_refused_in_words(hall, body):
    assert tap(hall, body) in (400, 409)
    assert hall.kiosk.flow.screen.name == "start"


def test_tap_on_a_screen_that_is_gone_does_nothing(hall):
    number = hall.kiosk.flow.screen.number
    assert tap(hall, {"number": number - 1, "tap": "staff"}) == 409
    assert tap(hall, {"number": number, "tap": "staff"}) == 409  # no clinic


def test_language_is_chosen_at_the_start_only(hall):
    number = hall.kiosk.flow.screen.number
    assert tap(hall, {"number": number, "language": "xx"}) == 409
    assert tap(hall, {"number": number, "language": "en"}) == 204
    assert tap(hall, {"number": number, "language": "vi"}) == 204


def test_files_outside_the_page_are_not_served(hall):
    for path in ("/static/../web.py", "/static/%2e%2e/web.py", "/kiosk.key"):
        assert ask(hall, "GET", path)[0] == 404


def test_ninth_page_is_refused(hall):
    held = []
    for _ in range(8):
        connection = http.client.HTTPConnection("127.0.0.1", hall.kiosk.port, timeout=10)
        connection.request("GET", "/events", headers={"Host": "127.0.0.1"})
        assert connection.getresponse().status == 200
        held.append(connection)
    assert ask(hall, "GET", "/events")[0] == 503
    for connection in held:
        connection.close()
