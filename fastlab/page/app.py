"""The page's server: the page itself, what it needs to know, readings, and keeping. Nothing in it knows of sockets."""
import json
from asyncio import CancelledError, wait_for
from importlib.resources import files

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from fastlab.errors import FastlabError, StorageError
from fastlab.page.hands import example_of, examples, glyphs
from fastlab.page.question import from_image, from_json

MOST_BYTES = 1_000_000      # of a request's body
PATIENCE = 15.0             # seconds that a body may take to arrive
STATIC = files("fastlab.page") / "static"


class Page:
    "The answers to every request. `readers`: the networks; `keeping`: a Keeping, None where drawings are not kept."

    def __init__(self, readers, keeping=None):
        self.readers, self.keeping = list(readers), keeping
        self.turn = CapacityLimiter(1)      # one reading at a time: the processor is shared, and memory stays flat

    async def page(self, request):
        return Response((STATIC / "page.html").read_bytes(), media_type="text/html")

    async def about(self, request):
        "What the page must know: networks, their classes, what is kept, how names are drawn, which examples there are."
        kept = None if self.keeping is None else self.keeping.classes
        names = {name for reader in self.readers for name in reader.names} | set((kept or {}).values())
        return answer({"models": [reader.describe() for reader in self.readers],
                       "examples": examples(self.readers[0].names), "glyphs": glyphs(names),
                       "keeping": None if kept is None else [{"class": name, "name": shown}
                                                              for name, shown in kept.items()]})

    async def read(self, request):
        "Every network's reading of one drawing or image."
        question = await asked(request)
        return answer({"models": await run_sync(self._read, question, limiter=self.turn)})

    def _read(self, question):
        return [reader.read(question.pixels(reader.paper), question.layers, question.looked) for reader in self.readers]

    async def keep(self, request):
        "Saves one drawing as the first network is given it."
        if self.keeping is None:
            raise HTTPException(404, "Drawings are not kept here. Start with --collect FOLDER.")
        question = await asked(request)
        return answer({"kept": await run_sync(self._keep, question, limiter=self.turn)}, 201)

    def _keep(self, question):
        return self.keeping.keep(question.class_name, question.pixels(self.readers[0].paper))

    async def example(self, request):
        "The strokes of a character, in a hand drawn anew each time."
        strokes = await run_sync(example_of, request.query_params.get("name", ""), limiter=self.turn)
        if strokes is None:
            raise HTTPException(404, "No strokes are known for that name.")
        return answer({"strokes": strokes})


def app_for(readers, keeping=None):
    "The Starlette application for these networks; put a Door before it."
    page = Page(readers, keeping)
    routes = [Route("/", page.page), Route("/api/about", page.about), Route("/api/example", page.example),
              Route("/api/read", page.read, methods=["POST"]), Route("/api/keep", page.keep, methods=["POST"]),
              Mount("/static", StaticFiles(directory=str(STATIC)))]
    return Starlette(routes=routes, exception_handlers={
        FastlabError: mistaken, HTTPException: refused, ClientDisconnect: gone, Exception: broken})


async def asked(request):
    "The Question in a request's body: JSON strokes, or the bytes of an image."
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return from_json(await body_of(request))
    if kind.startswith("image/") or kind == "application/octet-stream":
        return from_image(await body_of(request), request.query_params)
    raise HTTPException(415, "Send strokes as application/json, or an image as image/*.")


async def body_of(request):
    "The body, at most MOST_BYTES of it, within PATIENCE. Raises HTTPException."
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told[:20]) > MOST_BYTES:
        raise HTTPException(413, f"More than {MOST_BYTES // 1_000_000} MB. Send a smaller image.")
    try:
        return await wait_for(_collected(request), PATIENCE)
    except TimeoutError as error:
        raise HTTPException(408, "The request took too long to arrive.") from error
    except CancelledError as error:     # the server is ending, and waits for nobody who still sends
        raise HTTPException(503, "The server is closing.") from error


async def _collected(request):
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"More than {MOST_BYTES // 1_000_000} MB. Send a smaller image.")
    return bytes(body)


def answer(content, status=200, headers=None):
    "JSON in plain ASCII: no text that a visitor sent can break it."
    return Response(json.dumps(content), status, headers, media_type="application/json")


async def mistaken(request, error):
    "What a person can mend: 400, or 507 where the disk is at fault."
    said = str(error).replace("image given as bytes:", "the image:", 1)
    return answer({"error": said[:1].upper() + said[1:]}, 507 if isinstance(error, StorageError) else 400)


async def refused(request, error):
    return answer({"error": error.detail}, error.status_code, error.headers)


async def gone(request, error):
    "The visitor left in the middle of a request: nobody reads this."
    return Response(status_code=400)


async def broken(request, error):
    "A fault of ours: the visitor is told so, and the terminal why."
    return answer({"error": "The network failed on this input; the terminal says why."}, 500)
