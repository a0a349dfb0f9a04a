"""The `fastlab` command, thin: options in, a room's function called, its figures printed. Rooms are imported inside the
commands that need them, so that `fastlab --help` costs no torch."""
import json
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer

from fastlab.answer import Answer
from fastlab.errors import FastlabError, OptionError
from fastlab.options import Cache, Device, Folder, GroupBy, Jobs, Json, Model, OwnNet, Seed, Skip, Split, SplitSeed, out
from fastlab.recipeoptions import with_recipe

app = typer.Typer(name="fastlab", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]},
                  help="A laboratory for small image classifiers: train LeNet and AlexNet on a folder of images, test "
                       "them, and say with evidence which network and which tricks pay.")
UsageMistake = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main():
    "Runs the command line: exit 0 done, 1 findings, 2 a user's mistake, 130 Ctrl-C; never a traceback for a mistake."
    warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)  # fastai's own, while it is imported
    warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
    sys.exit(run(sys.argv[1:]))


def run(arguments):
    "Runs one command and returns its exit code; what `main` and the tests call."
    try:
        code = app(args=list(arguments), prog_name="fastlab", standalone_mode=False) or 0
    except FastlabError as error:
        return _mistake(str(error), arguments)
    except UsageMistake as error:
        if not arguments:       # then the message is the help itself
            print(error.format_message())
            return 2
        hint = f"\n{error.ctx.get_usage()}" if getattr(error, "ctx", None) else ""
        return _mistake(error.format_message() + hint, arguments)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except typer.Exit as error:
        code = error.exit_code
    if code == 130:
        resumes = bool({"train", "study", "advise"}.intersection(arguments[:1]))
        again = " The same command goes on where this one was stopped." if resumes else ""
        print(f"\nStopped.{again}", file=sys.stderr)
    return code


def _mistake(message, arguments):
    print(f"fastlab: {message}", file=sys.stderr)
    if "--json" in arguments:
        print(json.dumps({"error": message}, ensure_ascii=False))
    return 2


def _version(asked: bool):
    if asked:
        from fastlab import __version__
        print(f"fastlab {__version__}")
        raise typer.Exit


@app.callback()
def about(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                help="say which version this is")] = False):
    "The help of the command as a whole stands with `app`."


@app.command()
def data(out: Annotated[Path | None, typer.Argument(help="a new or empty folder; left out: the cache",
                                                       show_default=False)] = None,
         size: Annotated[int, typer.Option(help="pixels a side")] = 28,
         train: Annotated[int, typer.Option(help="images a class to train on")] = 500,
         develop: Annotated[int, typer.Option(help="images a class to develop on")] = 120,
         test: Annotated[int, typer.Option(help="images a class to test on")] = 240,
         seed: Annotated[int, typer.Option(help="another seed, other writers")] = 0, as_json: Json = False):
    "Draw the default data set: 12 Chinese characters as strokes, by many imagined hands."
    from fastlab.progress import Progress
    from fastlab.strokes.dataset import SIZES, default_folder, draw_folder
    if out is None and (size, train, develop, test, seed) != (28, *SIZES.values(), 0):
        raise OptionError("OUT: without it the default data set is drawn into the cache, and no option changes that "
                          "one. Name a new or empty folder for another: fastlab data OUT …")
    answer, progress = Answer(as_json), Progress("Drawing image")
    place = draw_folder(out, size, train, develop, test, seed, progress) if out else default_folder(progress)
    progress.close()
    answer.say(f"{12 * (train + develop + test):,} images of 12 characters, {size}×{size}, drawn to {place}")
    answer.give({"out": str(place), "images": 12 * (train + develop + test), "train": 12 * train,
                 "develop": 12 * develop, "test": 12 * test, "size": size, "seed": seed})


@app.command()
@with_recipe
def train(folder: Folder = None, recipe=None,
          save: Annotated[Path | None, typer.Option(help="model file to write; replaces that file")] = None,
          seed: Seed = 0, device: Device = "auto",
          threads: Annotated[int | None, typer.Option(help="left out: one a core", show_default=False)] = None,
          split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
          check: Annotated[bool, typer.Option("--check", help="check the folder first and quote the findings")] = False,
          as_json: Json = False):
    "Train a network on a folder, test it and save it. Interrupted, the same command goes on where it was."
    from fastlab.training.command import train_command
    first = None
    if check:
        from fastlab.check.command import quote_findings as first
    train_command(Answer(as_json), folder, recipe, save, seed, device, threads, split_seed, group_by, cache,
                  skip_unreadable, first)


@app.command()
def test(models: Annotated[list[Path], typer.Argument(help="MODEL… FOLDER: one file, or several as an ensemble; the "
                                                           "folder may be left out")],
         testing: Annotated[str, typer.Option(help="eval, or as-printed: the report's way, without eval()")] = "eval",
         split: Split = "test",
         ten_crop: Annotated[bool, typer.Option("--ten-crop", help="corners, centre and mirrors, averaged")] = False,
         seed: Annotated[int, typer.Option(help="of the dropout that stays on with as-printed")] = 0,
         out: Annotated[Path | None, typer.Option(help="PNG or SVG file: each class's accuracy, or what an ensemble "
                                                       "gains", show_default=False)] = None,
         split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
         net: OwnNet = None, as_json: Json = False):
    "Test saved networks on a folder: accuracy with its interval, and every class's figures."
    from fastlab.training.command import test_command
    draw = None
    if out is not None:
        from fastlab.pictures.command import tested_picture
        draw = tested_picture(out)
    test_command(Answer(as_json), *_models_and_folder(models), testing, split, ten_crop, seed, split_seed, group_by,
                 cache, skip_unreadable, net, draw)


@app.command()
def predict(model: Model,
            images: Annotated[list[Path], typer.Argument(help="images, or folders that are searched through")],
            out: Annotated[Path | None, typer.Option(help="CSV file to write", show_default=False)] = None,
            unsure: Annotated[float | None, typer.Option(help="show only what has a probability below this, to look at "
                                                                 "by hand", show_default=False)] = None,
            ten_crop: Annotated[bool, typer.Option("--ten-crop", help="corners, centre and mirrors, averaged")] = False,
            cache: Cache = None, skip_unreadable: Skip = False, net: OwnNet = None, as_json: Json = False):
    "Say what images show, with probabilities; a folder's answers as CSV."
    from fastlab.training.command import predict_command
    predict_command(Answer(as_json), model, images, out, unsure, ten_crop, cache, skip_unreadable, net)


@app.command("lr-find")
@with_recipe
def lr_find(folder: Folder = None, recipe=None, seed: Seed = 0, device: Device = "auto",
            out: Annotated[Path | None, typer.Option(help="PNG or SVG file for the curve", show_default=False)] = None,
            split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
            as_json: Json = False):
    "Find a learning rate: fastai's finder with its four suggestions. Nothing is changed."
    from fastlab.pictures.command import lr_find_command
    lr_find_command(Answer(as_json), folder, recipe, seed, device, out, split_seed, group_by, cache, skip_unreadable)


@app.command()
def show(model: Model, folder: Folder = None, out: out("pictures/MODEL") = None,
         everything: Annotated[bool, typer.Option("--all", help="every picture there is")] = False,
         form: Annotated[str, typer.Option("--form", help="png or svg")] = "png", split: Split = "test",
         split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
         net: OwnNet = None, as_json: Json = False):
    "Draw pictures: a batch, results, confusion, worst mistakes, the training curve; with --all what lies inside, too."
    from fastlab.pictures.command import show_command
    show_command(Answer(as_json), model, folder, out, everything, form, split, split_seed, group_by, cache,
                 skip_unreadable, net)


@app.command()
def explain(model: Model, folder: Folder = None,
            out: Annotated[Path | None, typer.Option(help="HTML file to write; left out: explain-MODEL.html here",
                                                     show_default=False)] = None,
            split: Split = "test", seed: Annotated[int, typer.Option(help="of noise, dropout and small trainings")] = 0,
            split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
            net: OwnNet = None, as_json: Json = False):
    "Explain a network on one page: how far each unit sees, what moves the answer, what each layer does and costs."
    from fastlab.pictures.command import explain_command
    explain_command(Answer(as_json), model, folder, out, split, split_seed, group_by, cache, skip_unreadable, net, seed)


@app.command()
def check(folder: Folder = None,
          labels: Annotated[bool, typer.Option(help="also labels that look wrong; trains small networks")] = True,
          out: out("check-FOLDER") = None,
          write_clean: Annotated[Path | None, typer.Option(help="a copy of the folder without what --without names",
                                                           show_default=False)] = None,
          without: Annotated[str | None, typer.Option(help="kinds of findings; left out: unreadable,empty,"
                                                           "identical,leak,conflict", show_default=False)] = None,
          fail_on: Annotated[str | None, typer.Option(help="kinds of findings that make the exit code 1, such as "
                                                           "leak,unreadable; left out: all but label and unlike",
                                                      show_default=False)] = None,
          seed: Seed = 0, jobs: Annotated[int | None, typer.Option(help="processes; left out: one a core",
                                                                   show_default=False)] = None,
          cache: Cache = None, as_json: Json = False):
    "Look at every image of a folder once: what is unreadable, double, leaking, mislabelled."
    from fastlab.check.command import check_command
    raise typer.Exit(check_command(Answer(as_json), folder, labels, out, write_clean, without, fail_on, seed, jobs,
                                   cache))


@app.command()
def study(plan: Annotated[str, typer.Argument(help="lab: the report's comparisons; extras, photos, or a TOML file of "
                                                   "your own")] = "lab", folder: Folder = None,
          seeds: Annotated[int | None, typer.Option(help="paired seeds; left out: the plan's",
                                                    show_default=False)] = None,
          jobs: Jobs = None,
          quick: Annotated[bool, typer.Option("--quick", help="less of everything: shows that it works, decides "
                                                              "little")] = False,
          minutes: Annotated[float | None, typer.Option(help="no run is started after so long",
                                                        show_default=False)] = None,
          out: out("study-PLAN-FOLDER") = None,
          only_plan: Annotated[bool, typer.Option("--plan", help="only say what it needs and could see")] = False,
          on_ray: Annotated[str | None, typer.Option(help="a Ray cluster's address, or 'here'; only machines that you "
                                                          "trust", show_default=False)] = None,
          retry: Annotated[bool, typer.Option("--retry", help="try failed runs again")] = False,
          check: Annotated[bool, typer.Option("--check", help="check the folder first and quote the findings")] = False,
          split_seed: SplitSeed = 0, group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False,
          device: Device = "cpu", as_json: Json = False):
    "Train every comparison of a plan over paired seeds, decide its claims, write the report. Goes on where it stopped."
    from fastlab.study.command import study_command
    first = None
    if check:
        from fastlab.check.command import quote_findings as first
    study_command(Answer(as_json), plan, folder, seeds, jobs, quick, minutes, out, only_plan, on_ray, retry, split_seed,
                  group_by, cache, skip_unreadable, device, first=first)


@app.command()
def advise(folder: Folder = None, minutes: Annotated[float, typer.Option(help="wall time, all told")] = 20,
           runs: Annotated[int | None, typer.Option(help="so many trainings in place of minutes: the same again gives "
                                                         "the same answer", show_default=False)] = None,
           seed: Seed = 0, jobs: Jobs = None, out: out("advice-FOLDER") = None, save: Annotated[
               Path | None, typer.Option(help="the network's file; replaces that file", show_default=False)] = None,
           ensemble: Annotated[int, typer.Option(help="so many networks, averaged")] = 1, split_seed: SplitSeed = 0,
           group_by: GroupBy = None, cache: Cache = None, skip_unreadable: Skip = False, device: Device = "cpu",
           as_json: Json = False):
    "Find the Recipe that fits a folder, say with its evidence why, and train it. Goes on where it stopped."
    from fastlab.study.advise.command import advise_command
    advise_command(Answer(as_json), folder, minutes, runs, seed, jobs, out, save, ensemble, device, split_seed,
                   group_by, cache, skip_unreadable)


@app.command()
def export(model: Model, folder: Folder = None, out: Annotated[
               Path | None, typer.Option(help="ONNX file to write; replaces that file", show_default=False)] = None,
           net: OwnNet = None, as_json: Json = False):
    "Write a network as ONNX, normalisation and softmax inside, once it answers alike on the folder's images."
    from fastlab.training.command import export_command
    export_command(Answer(as_json), model, folder, out, net)


@app.command()
def draw(models: Annotated[list[Path] | None, typer.Argument(help="model files, side by side; left out: the newest in "
                                                                  "models/, or the one that comes with fastlab",
                                                             show_default=False)] = None,
         host: Annotated[str, typer.Option(help="where to listen; other machines need a token")] = "127.0.0.1",
         port: Annotated[int | None, typer.Option(help="left out: a free one", show_default=False)] = None,
         no_open: Annotated[bool, typer.Option("--no-open", help="do not open a browser")] = False,
         collect: Annotated[Path | None, typer.Option(help="folder in which drawings are kept, by class",
                                                      show_default=False)] = None,
         token: Annotated[str | None, typer.Option(help="left out: made anew where one is needed",
                                                   show_default=False)] = None, net: OwnNet = None):
    "Open a page on this machine: draw a character, watch networks read it."
    from fastlab.page.command import draw_command
    raise typer.Exit(draw_command(models or (), host, port, no_open, collect, token, net))


def _models_and_folder(paths):
    "The models, and the folder that stands last, or None."
    if paths[-1].is_dir() or (len(paths) > 1 and not paths[-1].exists() and not paths[-1].suffix):
        models, folder = paths[:-1], paths[-1]
    else:
        models, folder = paths, None
    if not models or any(path.is_dir() for path in models):
        there = next(path for path in paths if path.is_dir())
        raise OptionError(f"MODEL: {there} is a folder. Write: fastlab test MODEL… FOLDER")
    return models, folder
