"""The name of a run: a digest of everything that its result depends on, and of nothing else."""
import ast
import json
import os
import sys
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from fastlab.files import digest, digest_file, storage_problem

PREFIX_SCHEDULES = ("constant", "plateau")  # with these, a short run is the start of a longer one
RESULT_ROOMS = ("fastlab.images", "fastlab.nets", "fastlab.training", "fastlab.seeds")


def run_key(data, recipe, seed, code):
    "A run's name: 40 characters of the digest of data, resolved Recipe, seed and code."
    told = recipe.to_dict()
    if recipe.weights:
        told["weights"] = _contents(recipe.weights)
    if recipe.schedule in PREFIX_SCHEDULES:
        del told["epochs"]
    return digest("run", data, json.dumps(told, sort_keys=True), str(int(seed)), code)[:40]


def _contents(path):
    "The digest of a file's contents: another file of that name gives other results. Raises StorageError."
    try:
        found = os.stat(path)
        return _digest_once(path, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise storage_problem(path, error) from error


@cache
def _digest_once(path, *_):
    return digest_file(path)


def data_digest(arrays, classes, images_a_class):
    "The digest of the data that a run sees: the folder's pixels, labels and splits, and what was left of them."
    return digest(arrays.digest, str(classes), str(images_a_class))


def code_digest(runner, nets=()):
    """The digest of the code that makes results, comments and docstrings apart: the module of `runner`
    (MODULE:FUNCTION) with all that it imports of RESULT_ROOMS or, for another package, of its own; networks of the
    user's own likewise; and torch's version, torchvision's where its networks are asked for."""
    modules = {runner.partition(":")[0], *(net.partition(":")[0] for net in nets if is_own_net(net))}
    parts = [part for module in sorted(modules) for part in _sources(module)]
    packages = ["torch", *(["torchvision"] if any(net.startswith("torchvision:") for net in nets) else [])]
    return digest(*parts, *map(installed, packages))


def is_own_net(net):
    "Whether a network's name is MODULE:FUNCTION, a user's own."
    return ":" in net and not net.startswith("torchvision:")


def installed(package):
    "A package's version without importing it, with its build (+cpu, +cu130): bits depend on it."
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


@cache
def _sources(module):
    "Name and code of a module and of all modules of its package that it imports, directly or not, in order of names."
    found, waiting = {}, [module]
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if name in found or path is None:
            continue
        tree = ast.parse(path.read_bytes())
        found[name] = ast.dump(_bare(tree))
        waiting += [other for other in _imports(tree, name) if _counts(other, module)]
    return tuple(part for name in sorted(found) for part in (name, found[name]))


def _counts(other, module):
    top = module.partition(".")[0]
    if top == "fastlab":
        return other.startswith(RESULT_ROOMS)
    return other.partition(".")[0] == top


def _file_of(module):
    "The file of a module, found without importing it or its package, also from here; None where there is none."
    top, *rest = module.split(".")
    try:
        spec = find_spec(top) if top in sys.modules else PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    except (ModuleNotFoundError, ValueError):
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    place = Path(spec.origin)
    if rest:
        place = place.parent.joinpath(*rest)
        place = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return place if place.is_file() else None


def _imports(tree, module):
    "Every module that a tree imports, at the top or inside functions; `from a import b` may mean the module a.b."
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(filter(None, (package, node.module)))
            yield base
            yield from (f"{base}.{each.name}" for each in node.names)


def _bare(tree):
    "The tree without docstrings, which change no result."
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return tree


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
