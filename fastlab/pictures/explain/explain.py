"""`fastlab.explain`: the report's explanations, measured on a trained network and a folder, on one page."""
from dataclasses import dataclass
from pathlib import Path

from fastlab.errors import FolderError, OptionError, one_of
from fastlab.files import write_text
from fastlab.images.arrays import Arrays
from fastlab.pictures.explain.page import facts_of, folder_name, render
from fastlab.pictures.explain.section import plain
from fastlab.pictures.explain.sections import sections
from fastlab.pictures.explain.subject import Subject
from fastlab.training.figures import wilson
from fastlab.training.modelfile import Model, load_model
from fastlab.training.test import SPLITS
from fastlab.training.writable import check_writable

CONTRACT = ("name", "shape", "receptive_field", "effective_receptive_field", "parameters", "multiplications")


@dataclass(frozen=True)
class Explained:
    """What `explain` found. layers: a dict a step, in the words of CONTRACT; sections: every explanation, with its
    sentences, tables and pictures (`picture.draw()` gives Axes); figures: all that was measured, as plain data; title
    and facts: the page's head; page: where it was written, or None."""
    layers: tuple
    sections: tuple
    figures: dict
    title: str
    facts: tuple
    page: Path | None = None

    @property
    def left_out(self):
        "{explanation: why it does not apply to this network}."
        return {section.key: section.left_out for section in self.sections if section.left_out}

    def write_page(self, path, progress=None):
        "Writes the page, one HTML file, whole or not at all, in place of what was there. Raises StorageError."
        check_writable(path, "--out")
        write_text(path, render(self.title, self.facts, self.sections, progress))
        return Path(path)

    def to_dict(self):
        "All figures in the words of `fastlab explain --json`."
        return {"page": str(self.page) if self.page else None, "layers": list(self.layers), **self.figures,
                "left_out": self.left_out}


def explain(model, folder, out=None, split="test", net=None, seed=0, split_seed=0, group_by=None, cache=None,
            skip_unreadable=False, progress=None):
    """Measures the report's explanations ("The explanations") on a network and returns an Explained; with `out`, an
    HTML file to write, the page too, in place of what was there.

    model: a Model or its file; net: the function, or 'MODULE:FUNCTION', of a network that is not fastlab's own. folder:
    a data set or Arrays; split: test, develop, train or all. What is measured is bounded by what the network costs;
    each figure has its n. progress(done, total). Raises FolderError, ImageError, ModelFileError, OptionError,
    StorageError."""
    one_of("split", split, SPLITS)
    if out is not None:
        check_writable(out, "--out")
    model = model if isinstance(model, Model) else load_model(model, net)
    arrays = folder if isinstance(folder, Arrays) else Arrays.from_folder(
        folder, model.input["channels"], model.input["size"], split_seed, group_by, cache, skip_unreadable)
    subject = subject_of(model, arrays, split, seed)
    made = sections(subject, progress)
    right = int((subject.predicted == subject.truth).sum())
    accuracy, interval = right / len(subject.truth), wilson(right, len(subject.truth))
    title = f"What {Path(model.path).stem if model.path else 'the network'} sees in {folder_name(arrays)}"
    figures = {"accuracy": accuracy, "interval": list(interval), "n": len(subject.truth), "split": split,
               **{section.key: plain(section.figures) for section in made if section.figures}}
    layers = tuple(plain({name: row[name] for name in CONTRACT}) for row in subject.layers[0])
    facts = facts_of(subject, accuracy, interval)
    found = Explained(layers, tuple(made), figures, title, facts, Path(out) if out else None)
    if out is not None:
        found.write_page(out)
    return found


def subject_of(model, arrays, split="test", seed=0):
    "The Subject, once its images are found to be there and to fit."
    if arrays.size != (model.input["size"],) * 2 or arrays.channels != model.input["channels"]:
        raise OptionError(f"folder: images of {arrays.size[1]}×{arrays.size[0]}×{arrays.channels}, and the network "
                          f"takes {model.input['size']}×{model.input['size']}×{model.input['channels']}. Give the "
                          "folder's path, which is decoded as the network wants it.")
    if split != "all" and not len(arrays.splits[split]):
        raise FolderError(f"{arrays.root or 'arrays'}: there is no {split} split. Give a folder with one, or explain "
                          "on --split develop.")
    return Subject(model, arrays, split, seed)
