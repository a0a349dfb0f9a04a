"""Who may come in: names, origins and tokens, as a browser would send them."""
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastlab.page.door import HEADERS, Door, host_name

TOKEN = "a-token-of-some-length"
OWN = "http://127.0.0.1:8028"


def visitor(base=OWN, **door):
    return TestClient(Door(PlainTextResponse("inside"), **door), base_url=base, follow_redirects=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8028", "localhost:1", "LOCALHOST", "[::1]:8", "localhost."])
def test_the_servers_own_names_are_let_in_through_any_port(host):
    assert visitor().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8028", "", "[::1",
                                  "192.168.0.7", "evil.example@127.0.0.1", "127.0.0.1/x", "0.0.0.0", "[::1]evil"])
def test_other_names_that_lead_here_are_turned_away(host):
    assert visitor().get("/", headers={"Host": host}).status_code == 421


def test_two_hosts_are_turned_away():
    response = visitor().get("/", headers=[("Host", "127.0.0.1"), ("Host", "127.0.0.1")])
    assert response.status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1:9999", "http://localhost:8028",
                                    "ftp://127.0.0.1:8028", "http://127.0.0.1:8028.evil.example", "127.0.0.1:8028"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_of_other_sites_are_refused(origin, method):
    assert visitor().request(method, "/api/read", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_tells_no_origin_is_asked_for_its_site(site):
    assert visitor().get("/api/about", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert visitor().post("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status_code == 403


def test_the_page_itself_and_programs_without_a_browser_are_let_in():
    assert visitor().post("/", headers={"Origin": OWN}).status_code == 200
    assert visitor().get("/", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert visitor().post("/").status_code == 200


def test_a_link_from_elsewhere_opens_the_page():
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert visitor().get("/", headers=headers).status_code == 200
    assert visitor().get("/api/about", headers=headers).status_code == 403


@pytest.mark.parametrize("status", [200, 403, 421])
def test_every_response_carries_the_policy(status):
    headers = {200: {}, 403: {"Origin": "null"}, 421: {"Host": "evil.example"}}[status]
    response = visitor().get("/", headers=headers)
    assert response.status_code == status
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_token_in_the_address_becomes_a_cookie_and_leaves_the_address():
    client = visitor(token=TOKEN, port=8028)
    assert client.get("/").status_code == 401
    response = client.get(f"/?token={TOKEN}")
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "httponly" in response.headers["set-cookie"].lower()
    assert "samesite=strict" in response.headers["set-cookie"].lower()
    assert client.get("/").status_code == 200
    assert client.get("/api/about").status_code == 200


@pytest.mark.parametrize("address", ["/?token=wrong", "/?token=", "/?token", f"/api/about?token={TOKEN}",
                                     f"/?token={TOKEN}x", "/?token=%ff", "/?token=%E5%8D%9A"])
def test_a_wrong_token_or_one_in_another_place_opens_nothing(address):
    response = visitor(token=TOKEN).get(address)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("other", ['prefs={"a":1}', "foo", "a=b=c", 'half="quoted', "博=学".encode().decode("latin-1")])
@pytest.mark.parametrize("order", ["{other}; {own}", "{own}; {other}", "x=1; {other};{own}"])
def test_cookies_of_other_programs_on_this_host_do_not_hide_the_token(other, order):
    cookie = order.format(other=other, own=f"fastlab_8028={TOKEN}").encode("latin-1")
    assert visitor(token=TOKEN, port=8028).get("/", headers={"Cookie": cookie}).status_code == 200


@pytest.mark.parametrize("cookie", ["fastlab_8028=wrong", f"fastlab_9={TOKEN}", ";;;=", "fastlab_8028",
                                    "\"", f"fastlab_8028=\"{TOKEN[:-1]}"])
def test_a_wrong_cookie_opens_nothing(cookie):
    assert visitor(token=TOKEN, port=8028).get("/", headers={"Cookie": cookie}).status_code == 401


def test_with_a_token_the_machine_goes_by_its_addresses_but_not_by_strange_names():
    client = visitor(token=TOKEN, any_address=True)
    assert client.get("/", headers={"Host": "192.168.0.7:8028"}).status_code == 401
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_websockets_are_closed():
    with pytest.raises(WebSocketDisconnect), visitor().websocket_connect("/"):
        pass


@pytest.mark.parametrize(("host", "name"), [("A.b:80", "a.b"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("a", "a")])
def test_host_names_are_read_without_their_port(host, name):
    assert host_name(host) == name
