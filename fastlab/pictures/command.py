"""What the commands show, explain and lr-find print and draw. `answer` is the command line's `Answer`."""
import os
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import numpy as np

from fastlab.errors import OptionError, one_of
from fastlab.files import write_bytes
from fastlab.pictures import calibration, curves
from fastlab.pictures.showing import drawings, further
from fastlab.pictures.style import kind_of, save
from fastlab.progress import Progress
from fastlab.strokes.dataset import named_or_default
from fastlab.training.choices import check_choices
from fastlab.training.command import check_batch, decoded_as, decoded_for, leak_lines
from fastlab.training.modelfile import load_model
from fastlab.training.run import learner_for
from fastlab.training.test import rows_of, test, trained_among
from fastlab.training.writable import check_writable

NOTE = ".drawn-from"    # in pictures/MODEL: the path of the model whose pictures lie there


def show_command(answer, model, folder, out, everything, form, split, split_seed, group_by, cache, skip_unreadable,
                 net=None):
    "fastlab show. net: 'MODULE:FUNCTION' of a user's own network."
    one_of("--form", form, ("png", "svg"))
    loaded = load_model(model, net)
    chosen, own = out is not None, Path("pictures") / Path(model).stem
    if not chosen:
        check_own(own, model)
    out = Path(out or own)
    if out.is_file():
        raise OptionError(f"--out {out}: this is a file. Name a folder for the pictures.")
    check_writable(out / f"batch.{form}", "--out")
    folder = named_or_default(folder, answer.say)
    arrays = decoded_as(answer, loaded, folder, split_seed, group_by, cache, skip_unreadable)
    tested = test(loaded, arrays, split=split)
    answer.say(*leak_lines(tested.trained_on))
    rows = rows_of(arrays, split)
    files, images = [], arrays.images[rows]
    drawn = drawings(loaded, tested, images)
    if everything:
        progress = Progress("Measuring explanation")
        drawn |= further(loaded, tested, images, arrays, progress)
        progress.close()
    if out.resolve() == own.resolve():
        write_bytes(out / NOTE, named(model))
    for name, draw in drawn.items():
        path = out / f"{name}.{form}"
        save(draw(), path)
        files.append(str(path))
        answer.say(f"drawn {path}")
    answer.say(f"{len(files)} pictures lie in {out}" + ("" if chosen else "; another folder: --out FOLDER"))
    answer.give({"out": str(out), "files": files, "trained_on": list(tested.trained_on), **tested.summary()})


def check_own(place, model):
    """Raises OptionError for a folder that nobody named, unless it is new, empty, or noted as of this very model: what
    lies in it is the user's, or of another model of that name."""
    with suppress(OSError):
        if (place / NOTE).read_bytes() == named(model):
            return
    if any(place.glob("[!.]*")):
        raise OptionError(f"{place}: what lies in this folder is not known to be pictures of {model}, and is not "
                          f"overwritten. Name a folder; to draw into this one: --out {place}")


def named(model):
    "A model file's whole path as bytes."
    return os.fsencode(os.path.abspath(model))


def tested_picture(out):
    """What draws a test into the file `out`: of one network the accuracy of each class, of several how ensembles of
    them do by their size. The file is tried first."""
    kind_of(out)
    check_writable(out, "--out")

    def draw(answer, tested):
        ax = (calibration.ensemble(tested.truth, np.stack(tested.members)) if tested.members else
              calibration.per_class(tested.truth, tested.predicted, tested.names, classes=tested.classes))
        save(ax, out)
        answer.say(f"drawn {out}")
    return draw


def explain_command(answer, model, folder, out, split, split_seed, group_by, cache, skip_unreadable, net, seed):
    "fastlab explain. net: 'MODULE:FUNCTION' of a user's own network."
    from fastlab.pictures.explain.explain import explain
    from fastlab.pictures.explain.page import is_ours
    loaded, begun = load_model(model, net), perf_counter()
    page = Path(out) if out else Path(f"explain-{Path(model).stem}.html")
    if not out and page.is_file() and not is_ours(page):
        raise OptionError(f"{page}: this is no page of fastlab's, and is not overwritten. Name a file with --out.")
    check_writable(page, "--out")
    folder = named_or_default(folder, answer.say)
    arrays = decoded_as(answer, loaded, folder, split_seed, group_by, cache, skip_unreadable)
    progress = Progress("Measuring explanation")
    found = explain(loaded, arrays, page, split, seed=seed, progress=progress)
    progress.close()
    trained_on = trained_among([loaded], arrays, rows_of(arrays, split), split)
    answer.say(*leak_lines(trained_on))
    for section in found.sections:
        answer.say(f"{section.title}: {section.left_out}" if section.left_out else section.title,
                   *(f"  {sentence}" for sentence in section.says))
    seconds = perf_counter() - begun
    answer.say(f"all of it, with pictures and tables: {page} ({seconds:.1f} s)")
    answer.give(found.to_dict() | {"trained_on": list(trained_on), "seconds": seconds})


def lr_find_command(answer, folder, recipe, seed, device, out, split_seed, group_by, cache, skip_unreadable):
    "fastlab lr-find"
    from fastai.callback.schedule import minimum, slide, steep, valley
    if out is not None:
        kind_of(out)
        check_writable(out, "--out")
    check_choices(recipe, device)
    folder = named_or_default(folder, answer.say)
    arrays = decoded_for(answer, folder, recipe, split_seed, group_by, cache, skip_unreadable)
    check_batch(recipe, arrays)
    learn = learner_for(arrays, recipe, seed, device)
    with learn.no_bar():
        found = learn.lr_find(show_plot=False, suggest_funcs=(valley, slide, minimum, steep))
    rates = {name: float(rate) for name, rate in zip(found._fields, found)}
    for name, rate in rates.items():
        answer.say(f"{name:<8} {rate:.2e}")
    answer.say(f"to begin with, fastai's own choice, valley: --lr {rates['valley']:.1e}")
    losses = [float(loss) for loss in learn.recorder.losses]
    if out is not None:
        save(curves.rate_finder(learn.recorder.lrs, losses, rates).figure, out)
        answer.say(f"curve drawn to {out}")
    answer.give({"suggestions": rates, "rates": [float(rate) for rate in learn.recorder.lrs], "losses": losses})
