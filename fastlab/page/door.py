"""Who may come in: one ASGI layer before everything else, which asks for Host, Origin and token, and sends the headers
that keep the page to itself.

A page that listens on this machine alone is still within reach of every other page in the same browser: by requests
across sites, and by names that are made to point here (DNS rebinding). So the Host must be one that this server goes
by, and a request that does something must come from the page itself."""
import hmac
import ipaddress
import re
from urllib.parse import parse_qs

from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
          "manifest-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
           "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
           "permissions-policy": "camera=(), microphone=(), geolocation=()", "cache-control": "no-store"}
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
LOOKING = ("GET", "HEAD")
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]*)?")


class Door:
    """ASGI layer before `app`. `names`: host names that this server goes by; `any_address`: whether it also goes by any
    IP address, for a server that others reach; `token`: what a visitor must bring, None where none is needed."""

    def __init__(self, app, names=LOCAL_NAMES, any_address=False, token=None, port=0):
        self.app, self.any_address, self.token = app, any_address, token
        self.names = frozenset(name.lower() for name in names)
        self.cookie = f"fastlab_{port}"     # cookies go to every port of a host: each server has its own

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        answer = self.refusal(scope) or self.app
        await answer(scope, receive, with_headers(send))

    def refusal(self, scope):
        "The response that turns a request away, or None where it may pass."
        headers = headers_of(scope)
        if not self.knows_host(headers.get("host")):
            return PlainTextResponse("Not a name of this server. Open the address that the terminal shows.\n", 421)
        if not from_here(scope["method"], headers, scope.get("path", "/")):
            return PlainTextResponse("Requests from other sites are refused.\n", 403)
        return self.asks_token(scope, headers) if self.token else None

    def knows_host(self, host):
        "Whether a Host header names this server; the port is left aside, since tunnels change it."
        if not host:
            return False
        name = host_name(host)
        return name in self.names or (self.any_address and is_address(name))

    def asks_token(self, scope, headers):
        "None for a visitor who has the token; one who brings it in the address gets a cookie, others are refused."
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and scope["method"] in LOOKING and self.is_token(given):
            response = RedirectResponse("/", 303)
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
            return response
        if self.is_token(cookie_parser(headers.get("cookie", "")).get(self.cookie, "")):
            return None
        return PlainTextResponse("Open the address that the terminal shows, with its token.\n", 401)

    def is_token(self, given):
        return hmac.compare_digest(str(given).encode("utf-8", "replace"), self.token.encode())


def headers_of(scope):
    "Headers as {name: value}; of a name that comes twice nothing is kept but the fact, as the value ''."
    found = {}
    for name, value in scope["headers"]:
        name = name.decode("latin-1").lower()
        found[name] = "" if name in found and name in ("host", "origin") else value.decode("latin-1")
    return found


def host_name(host):
    "'LocalHost:8000' → 'localhost', '[::1]:8000' → '[::1]'; '' for what is no host."
    found = HOST.fullmatch(host.lower())
    return found[1].rstrip(".") if found else ""


def is_address(name):
    "Whether a host name is an IP address, which no name server can bend."
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def from_here(method, headers, path):
    """Whether a request comes from this page: by its Origin, where the browser tells one, else by Sec-Fetch-Site.
    Opening the page itself from elsewhere, by a link, is allowed."""
    site = headers.get("sec-fetch-site")
    if "origin" in headers:
        origin = headers["origin"].lower()
        return origin.partition("://")[2] == headers["host"].lower() and origin.startswith(("http://", "https://"))
    if method in LOOKING and path == "/" and headers.get("sec-fetch-mode") == "navigate":
        return True
    return site in (None, "same-origin", "none")


def with_headers(send):
    "A `send` that adds HEADERS to every response, without taking the place of what the response says itself."
    async def sending(message):
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in own]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)
    return sending
