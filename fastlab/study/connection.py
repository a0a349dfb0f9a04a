"""A connection to a Ray cluster: found in seconds or said to be missing, and closed by whoever opened it."""
import logging
import os
import re
import socket
import tempfile
from contextlib import contextmanager

from fastlab.errors import FastlabError, OptionError

HERE = "here"                   # a cluster of this machine alone, started for one study
ADDRESS = re.compile(r"(ray://)?(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
ANSWER_WITHIN = 5.0             # seconds in which an address must answer; Ray itself would try for two minutes
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # preface, empty SETTINGS: RFC 9113
SETTINGS = 4
SHORT = 40                      # characters: Ray's sockets lie 64 deeper, and a socket's path has 107


@contextmanager
def connected(address):
    "The ray module, connected. What is begun here is ended here: a connection, or with 'here' a cluster."
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise FastlabError(f"--on-ray: the package ray cannot be imported ({error}). "
                           "Install it: pip install 'fastlab[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    options = {"logging_level": logging.CRITICAL, "log_to_driver": False}  # what was lost is told and done again
    with _room() as place:
        try:
            if address == HERE:
                _begin(ray, address, address="local", include_dashboard=False, _temp_dir=place, **options)
            else:
                _answers(address)
                _begin(ray, address, address=address, **options)
            yield ray
        finally:
            ray.shutdown()


def _room():
    "A folder for the sockets and logs of a cluster of our own, which goes with it."
    usual = tempfile.gettempdir()
    return tempfile.TemporaryDirectory(prefix="ray-", dir=usual if len(usual) + 13 <= SHORT else "/tmp",
                                       ignore_cleanup_errors=True)


def _begin(ray, named, **options):
    try:
        ray.init(**options)
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:  # as its documentation and source say
        raise FastlabError(f"--on-ray {named}: Ray does not connect: {' '.join(str(error).split())}") from error


def _answers(address):
    """Raises OptionError for what is no address, FastlabError where nothing answers there in seconds. Whoever speaks
    Ray's protocol (gRPC, over HTTP/2) must answer with a frame of settings (RFC 9113, section 3.4)."""
    wanted = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    if wanted == "auto":
        return                  # Ray looks for a cluster of this machine, and says at once when there is none
    parts = ADDRESS.fullmatch(wanted)
    if parts is None or not 0 < int(parts[3]) < 65536:
        raise OptionError(f"--on-ray: {wanted!r} is no address. Write HOST:PORT (as `ray start` prints it), "
                          "ray://HOST:10001, auto, or here.")
    try:
        with socket.create_connection((parts[2].strip("[]"), int(parts[3])), ANSWER_WITHIN) as connection:
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
                return          # an encrypted cluster shakes hands in another way; Ray will
            connection.settimeout(ANSWER_WITHIN)
            connection.sendall(HTTP2)
            answer = connection.recv(9, socket.MSG_WAITALL)
    except OSError as error:
        raise FastlabError(f"--on-ray {wanted}: nothing answers there ({error}). Is Ray running (`ray status`), and "
                           "may this machine reach it?") from error
    if len(answer) < 9 or answer[3] != SETTINGS:
        raise FastlabError(f"--on-ray {wanted}: what answers there is not Ray. Write the address that `ray start` "
                           "prints, with its port (6379 unless told otherwise).")
