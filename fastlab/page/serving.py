"""Sockets, addresses, tokens and the end of the server: what `fastlab draw` runs."""
import errno
import ipaddress
import secrets
import socket
import threading
import webbrowser
from urllib.parse import quote

import uvicorn

from fastlab.errors import OptionError
from fastlab.page.door import LOCAL_NAMES, Door

PORT = 8028             # tried first; any free one where it is taken and none was asked for
MOST_OPEN = 256         # connections at once; a browser opens up to six while it loads the page
WAITS = 5               # seconds that an idle connection is kept


def listening(host, port=None):
    """A socket that listens on `host` and `port` (0 is any free one; None is PORT, or any free one where it is taken).
    Raises OptionError where that cannot be."""
    if port is not None and not 0 <= port <= 65535:
        raise OptionError(f"--port: {port} is not a port; choose 0 (any free one) to 65535.")
    for choice in ([PORT, 0] if port is None else [port]):
        try:
            family, _, _, _, address = socket.getaddrinfo(host, choice, type=socket.SOCK_STREAM)[0]
            return bound(family, address)
        except (socket.gaierror, UnicodeError) as error:
            reason = getattr(error, "strerror", "a host cannot have such a name")
            raise OptionError(f"--host: {host!r} is not known here ({reason}). Leave it out for 127.0.0.1.") from error
        except OSError as error:
            if port is None and choice and error.errno == errno.EADDRINUSE:
                continue
            raise OptionError(f"--host {host} --port {choice}: {cure_of(error)}") from error
    raise OptionError(f"--host {host}: no free port.")


def bound(family, address):
    "A bound socket; closed again where that fails."
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_REUSEADDR"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def cure_of(error):
    "What a person can do about a socket that cannot be had."
    return {errno.EADDRINUSE: "in use already; choose another port, or leave --port out.",
            errno.EACCES: "not allowed; ports from 1024 on need no special rights.",
            errno.EADDRNOTAVAIL: "this machine has no such address."}.get(error.errno, f"{error.strerror or error}.")


def is_local(listener):
    "Whether only this machine can reach the socket."
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def shown_host(listener, host):
    "The host to write into the address: a real one where the socket listens on all."
    name = listener.getsockname()[0].partition("%")[0]
    if ipaddress.ip_address(name).is_unspecified:
        return own_address()
    return f"[{host}]" if ":" in host else host


def own_address():
    "This machine's address towards others, asked of the routing table; nothing is sent."
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


class Place:
    """Where the page is served. `address`: what a visitor opens, with the token where one is needed; `guarded(app)`:
    the app behind a Door that fits. A token is made wherever other machines can reach the socket."""

    def __init__(self, host="127.0.0.1", port=None, token=None):
        self.listener = listening(host, port)
        self.port = self.listener.getsockname()[1]
        self.local = is_local(self.listener)
        self.token = token or (None if self.local else secrets.token_urlsafe(24))
        self.name = shown_host(self.listener, host)
        asked = f"?token={quote(self.token, safe='')}" if self.token else ""
        self.address = f"http://{self.name}:{self.port}/{asked}"

    def guarded(self, app):
        names = {*LOCAL_NAMES, self.name, *(() if self.local else (socket.gethostname(), socket.getfqdn()))}
        return Door(app, names, any_address=not self.local, token=self.token, port=self.port)

    def serve(self, app, opened=False):
        """Serves until Ctrl-C, then lets running requests end and closes. `opened`: show the page in a browser."""
        config = uvicorn.Config(self.guarded(app), log_level="error", access_log=False, server_header=False,
                                lifespan="off", ws="none", limit_concurrency=MOST_OPEN, timeout_keep_alive=WAITS,
                                timeout_graceful_shutdown=2, proxy_headers=False)
        server = uvicorn.Server(config)
        if opened:
            threading.Timer(0.5, webbrowser.open, (self.address,)).start()
        with self.listener:
            server.run(sockets=[self.listener])
