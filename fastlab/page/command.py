"""`fastlab draw`: networks and a folder in, a page out, until Ctrl-C."""
import sys
from pathlib import Path

from fastlab.errors import OptionError
from fastlab.page.packaged import models_to_show


def draw_command(models=(), host="127.0.0.1", port=None, no_open=False, collect=None, token=None, net=None):
    """Serves the page until Ctrl-C, then ends the program with 130. Its address is the first line on standard output;
    everything else is said on standard error.

    models: model files, up to four, side by side; without one see `models_to_show`. host, port: where to listen; any
    host but this machine's own needs a token, made anew where none is given. no_open: do not open a browser. collect:
    folder in which drawings are kept as `<class>/<time>-<digest>.png`; none are kept without it. net:
    'MODULE:FUNCTION' of a user's own network, for files that name one. Raises OptionError, ModelFileError,
    StorageError."""
    if token is not None and not token.isascii():
        raise OptionError("--token: letters, digits and signs of ASCII only.")
    paths, said = models_to_show(list(models))
    from fastlab.page.serving import Place
    page = app_of(paths, collect, net)
    place = Place(host, port, token)
    print(place.address, flush=True)
    for line in filter(None, (said, notice(place), collect and f"Drawings are kept in {Path(collect)}.",
                              "Ctrl-C ends it.")):
        print(line, file=sys.stderr, flush=True)
    try:
        place.serve(page, opened=not no_open)
    except KeyboardInterrupt:
        print("Closed.", file=sys.stderr, flush=True)
    sys.exit(130)       # at once: there is nothing left to go on with


def app_of(paths, collect=None, net=None):
    "The application for some model files; `net` as in `load_model`. Raises ModelFileError, StorageError."
    from fastlab.page.app import app_for
    from fastlab.page.keeping import Keeping
    from fastlab.page.reading import Reader, titled
    from fastlab.training.modelfile import load_model
    readers = [Reader(load_model(path, net), title) for path, title in zip(paths, titled(paths))]
    return app_for(readers, None if collect is None else Keeping(collect, shown_names(readers)))


def shown_names(readers):
    "{class: name to show} of all networks; where two call a class differently, as the first of them does."
    names = {}
    for reader in readers:
        for name, shown in zip(reader.classes, reader.names):
            names.setdefault(name, shown)
    return names


def notice(place):
    "What must be said of a page that other machines can reach."
    return "" if place.local else ("Other machines can reach this page. Whoever has the address, with its token, can "
                                   "use it; it is not encrypted.")
