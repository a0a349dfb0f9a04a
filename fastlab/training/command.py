"""What the commands train, test, predict and lr-find print. `answer` is the command line's `Answer`."""
import csv
import io
import sys

import torch

from fastlab.errors import OptionError
from fastlab.files import write_text
from fastlab.images.arrays import Arrays
from fastlab.progress import Progress
from fastlab.strokes.dataset import named_or_default
from fastlab.training.choices import check_choices
from fastlab.training.modelfile import load_model
from fastlab.training.predict import as_models, predict
from fastlab.training.recipe import Recipe
from fastlab.training.seen import FEWEST
from fastlab.training.test import test
from fastlab.training.writable import check_writable


def several(count, word):
    "1 epoch, 2 epochs."
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def percent(share, interval=None):
    "98.7 %, or with its interval 98.7 % (98.1 to 99.1)."
    if interval is None:
        return f"{share:.2%}".replace("%", " %")
    return f"{share * 100:.2f} % ({interval[0] * 100:.2f} to {interval[1] * 100:.2f})"


def decoded_for(answer, folder, recipe, split_seed, group_by, cache, skip_unreadable):
    "The folder's arrays, with progress, and what was assumed about it told."
    from fastlab.training.train import arrays_for
    progress = Progress("Decoding image")
    arrays = arrays_for(folder, recipe, split_seed, group_by, cache, skip_unreadable, progress)
    progress.close()
    counts = ", ".join(f"{len(rows):,} to {split}" if split != "train" else f"{len(rows):,} to train on"
                       for split, rows in arrays.splits.items())
    colour = "RGB" if arrays.channels == 3 else "grey"
    answer.say(f"{folder}: {len(arrays.classes)} classes, {colour} {arrays.size[1]}×{arrays.size[0]}; {counts}",
               *arrays.notes)
    return arrays


def decoded_as(answer, model, folder, split_seed, group_by, cache, skip_unreadable):
    "The folder's arrays as a network takes them, with progress, and what was assumed about it told."
    progress = Progress("Decoding image")
    arrays = Arrays.from_folder(folder, model.input["channels"], model.input["size"], split_seed, group_by, cache,
                                skip_unreadable, progress)
    progress.close()
    answer.say(*arrays.notes)
    return arrays


def check_batch(recipe, arrays):
    "An OptionError for a batch that a person wants larger than the data; the usual one is filled as far as it goes."
    there = sum(len(arrays.splits[split]) for split in (("train",) if recipe.on == "train" else ("train", "develop")))
    if recipe.batch_size > there and recipe.batch_size != Recipe.for_net(recipe.net).batch_size:
        raise OptionError(f"batch-size: {recipe.batch_size} is more than the {there} images that there are to train "
                          f"on. Take at most {there}.")


def train_command(answer, folder, recipe, save, seed, device, threads, split_seed, group_by, cache, skip_unreadable,
                  first=None):
    "fastlab train. first(answer, folder): what is to be said of the folder before it is decoded."
    from fastlab.training.epochlines import EpochLines
    from fastlab.training.train import train
    folder = named_or_default(folder, answer.say)
    check_choices(recipe, device, threads, save, folder)
    if first is not None:
        first(answer, folder)
    arrays = decoded_for(answer, folder, recipe, split_seed, group_by, cache, skip_unreadable)
    check_batch(recipe, arrays)
    lines = EpochLines(answer.say)
    trained = train(arrays, recipe, seed, save, device, cache=cache, cbs=[lines], threads=threads,
                    on_start=lambda learn, done: answer.say(described_recipe(learn, done)))
    for line in outcome_lines(trained, save):
        answer.say(line)
    answer.give(train_figures(trained, save))


def described_recipe(learn, done):
    "The line that says what is trained, and with what."
    recipe, parameters = learn.recipe, sum(parameter.numel() for parameter in learn.model.parameters())
    again = f"; going on after epoch {done}" if done else ""
    threads = several(torch.get_num_threads(), "thread")
    return (f"{recipe.net}: {parameters:,} parameters; {several(recipe.epochs, 'epoch')}, batch {recipe.batch_size}, "
            f"{recipe.optimizer} {recipe.lr:g}, {recipe.precision}, {learn.dls.device}, {threads}{again}")


def outcome_lines(trained, save):
    "What a person wants to know of a training."
    develop = trained.develop
    lines = [f"develop accuracy {percent(develop.accuracy, develop.interval)}, n = {develop.n:,}"]
    if trained.test is not None:
        lines.append(f"test accuracy    {percent(trained.test.accuracy, trained.test.interval)}, n = {trained.test.n:,}"
                     "   (95 % interval)")
    if trained.model.recipe.l1:
        zeros = sum(int((parameter == 0).sum()) for parameter in trained.model.net.parameters())
        total = sum(parameter.numel() for parameter in trained.model.net.parameters())
        lines.append(f"exact zeros      {zeros:,} of {total:,} parameters")
    lines.append(f"{trained.seconds:.1f} s of training, {trained.seconds_per_epoch:.2f} s an epoch at best")
    lines.append(f"saved to {save}" if save is not None else "not saved; --save MODEL keeps the network")
    return lines


def train_figures(trained, save):
    "The figures of `fastlab train --json`."
    net = trained.model.net
    figures = {"model": str(save) if save else None, "develop_accuracy": trained.develop.accuracy,
               "develop_interval": list(trained.develop.interval), "develop_n": trained.develop.n,
               "seconds": trained.seconds, "seconds_per_epoch": trained.seconds_per_epoch, "seed": trained.learn.seed,
               "resumed_after": trained.resumed, "zeros": sum(int((p == 0).sum()) for p in net.parameters()),
               "parameters": sum(p.numel() for p in net.parameters()), "machine": trained.machine,
               "recipe": trained.model.recipe.to_dict(), "history": trained.model.history}
    if trained.test is not None:
        figures |= {"test_accuracy": trained.test.accuracy, "test_interval": list(trained.test.interval),
                    "test_n": trained.test.n}
    return figures


def test_command(answer, models, folder, testing, split, ten_crop, seed, split_seed, group_by, cache, skip_unreadable,
                 net=None, draw=None):
    "fastlab test. net: 'MODULE:FUNCTION' of a user's own network. draw(answer, tested): what draws a picture of it."
    loaded = [load_model(path, net) for path in models]
    folder = named_or_default(folder, answer.say)
    arrays = decoded_as(answer, as_models(loaded)[0], folder, split_seed, group_by, cache, skip_unreadable)
    tested = test(loaded, arrays, testing, split, ten_crop, seed)
    how = f"{len(loaded)} networks, averaged" if len(loaded) > 1 else str(models[0])
    ways = f", {tested.crops} crops an image" if tested.crops > 1 else ""
    answer.say(f"{how}, tested {'with eval()' if testing == 'eval' else 'as printed'} on {split} of {folder}{ways}")
    for line in class_lines(tested):
        answer.say(line)
    answer.say(f"accuracy {percent(tested.accuracy, tested.interval)}, n = {tested.n:,}   (95 % interval)",
               f"balanced accuracy {percent(tested.balanced_accuracy)}, macro F1 {tested.macro_f1:.4f}")
    answer.say(*leak_lines(tested.trained_on), *precision_lines(loaded))
    figures = tested.summary() | {"testing": testing, "split": split, "crops": tested.crops,
                                  "models": [str(path) for path in models], "trained_on": list(tested.trained_on),
                                  "calculated_in": [model.calculates_in for model in loaded]}
    if len(loaded) > 1:
        gain = (tested.accuracy - sum(tested.alone) / len(loaded)) * 100
        answer.say(f"alone they reach {', '.join(percent(share) for share in tested.alone)}; together "
                   f"{gain:+.2f} points over their mean")
        figures |= {"single_accuracies": list(tested.alone), "gain": gain}
    if draw is not None:
        draw(answer, tested)
    answer.give(figures)


def leak_lines(trained_on):
    "A line where images that the network was trained on are among those tested; trained_on: as of a Tested."
    found, looked_for = trained_on
    if found < FEWEST:
        return []
    return [f"Of {looked_for} training images that the network remembers {found} are among these, so that the accuracy "
            "says little of new ones. Was the folder split by another --split-seed or --group-by, or has it grown? "
            "Doubles are found by: fastlab check"]


def precision_lines(models):
    "A line for each network that was trained in bf16 and predicts on hardware without it."
    return [f"{model.path}: trained in bf16, which this processor does not have; it predicts in fp32, and the last "
            "digits differ" for model in models if (model.recipe.precision, model.calculates_in) == ("bf16", "fp32")]


def class_lines(tested):
    "A fixed-width table, one line a class."
    yield f"{'class':<14} {'n':>6}  {'accuracy':>8}  {'95 % interval':>16}  {'precision':>9}  {'F1':>6}"
    for row in tested.per_class:
        name = row["class"] if row["class"] == row["name"] else f"{row['class']} {row['name']}"
        width = 14 - sum(ord(letter) > 0x2E80 for letter in name)
        if not row["n"]:
            yield f"{name:<{width}} {0:>6}  {'-':>8}"
            continue
        low, high = row["interval"]
        precision = "-" if row["precision"] is None else f"{row['precision']:.2%}"
        yield (f"{name:<{width}} {row['n']:>6,}  {row['accuracy']:>8.2%}  {low * 100:>6.2f} to {high * 100:>6.2f}  "
               f"{precision:>9}  {row['f1']:>6.4f}")


def predict_command(answer, model, images, out, unsure, ten_crop, cache, skip_unreadable, net=None):
    "fastlab predict. net: 'MODULE:FUNCTION' of a user's own network."
    if unsure is not None and not 0 <= unsure <= 1:
        raise OptionError(f"--unsure {unsure}: it is a probability from 0 to 1; what lies below it is shown.")
    if out is not None:
        check_writable(out, "--out")
    loaded = load_model(model, net)
    found = predict(loaded, [str(image) for image in images], ten_crop, skip_unreadable, cache)
    rows = found.rows()
    shown = rows if unsure is None else [row for row in rows if row["probability"] < unsure]
    if out is not None:
        write_text(out, as_csv(shown))
        answer.say(f"{len(shown):,} of {len(rows):,} images written to {out}")
    elif len(shown) > 20 or any(image.is_dir() for image in images):
        answer.say(as_csv(shown).rstrip("\n"))
    else:
        named = {told: told if told == name else f"{told} {name}" for told, name in zip(found.classes, found.names)}
        for row in shown:
            second, share = sorted(row["probabilities"].items(), key=lambda pair: -pair[1])[1]
            answer.say(f"{row['file']}: {named[row['class']]}, probability {row['probability']:.4f} "
                       f"(next {named[second]}: {share:.4f})")
    if unsure is not None:      # beside the CSV, which another program may be reading
        print(f"{len(shown):,} of {len(rows):,} have a probability below {unsure:g}", file=sys.stderr)
    if found.unreadable:
        left_out = several(len(found.unreadable), "unreadable image")
        print(f"{left_out} left out: {', '.join(found.unreadable)}", file=sys.stderr)
    for line in precision_lines([loaded]):
        print(line, file=sys.stderr)
    answer.give({"predictions": shown, "n": len(rows), "unreadable": found.unreadable,
                 "calculated_in": loaded.calculates_in})


def as_csv(rows):
    "file, class, name, probability, and one column a class."
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = list(rows[0]["probabilities"]) if rows else []
    writer.writerow(["file", "class", "name", "probability", *(f"p_{name}" for name in classes)])
    for row in rows:
        writer.writerow([row["file"], row["class"], row["name"], f"{row['probability']:.6f}",
                         *(f"{row['probabilities'][name]:.6f}" for name in classes)])
    return text.getvalue()


def export_command(answer, model, folder, out, net):
    "fastlab export"
    from fastlab.training.export import check_packages, compared_images, export_model
    check_packages()
    loaded, path = load_model(model, net), out or model.with_suffix(".onnx")
    if out is None and path.exists():
        raise OptionError(f"{path}: this file is there already. To replace it, name it: --out {path}")
    if path.exists() and path.samefile(model):
        raise OptionError(f"--out {path}: this is the model file itself. Name another file.")
    check_writable(path, "--out")
    images = compared_images(loaded, named_or_default(folder, answer.say))
    difference, megabytes = export_model(loaded, path, images), path.stat().st_size / 1e6
    answer.say(f"largest difference of a probability on {len(images)} images: {difference:.1e}",
               f"{path}: {megabytes:.1f} MB; float32 pixels 0 to 255 in, probabilities out")
    answer.give({"file": str(path), "max_difference": difference, "images": len(images)})
