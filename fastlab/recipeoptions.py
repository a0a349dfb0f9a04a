"""A Recipe from the command line: an option a field, with the field's own help, over a TOML file's values."""
from contextlib import suppress
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated

import typer

from fastlab.errors import OptionError, one_of
from fastlab.training.recipe import Recipe

RECIPE_FIELDS = tuple(name for name in Recipe.names() if name != "switches")


def with_recipe(command):
    "Adds an option for every field of a Recipe, with the field's own help; the command gets `recipe`, a Recipe."
    own = [parameter for parameter in signature(command).parameters.values() if parameter.name != "recipe"]
    fields = [_recipe_option(name) for name in RECIPE_FIELDS]
    extra = [Parameter("switch", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[
                 list[str] | None, typer.Option(help="NAME=VALUE: a switch of the network", show_default=False)]),
             Parameter("recipe_file", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[
                 Path | None, typer.Option("--recipe", help="TOML file with a [recipe]", show_default=False)])]

    def called(**given):
        options = {name: given.pop(name) for name in RECIPE_FIELDS}
        recipe = recipe_from(options, given.pop("switch"), given.pop("recipe_file"))
        return command(recipe=recipe, **given)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__signature__ = signature(command).replace(parameters=[
        parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own] + fields + extra)
    called.__annotations__ = {name: parameter.annotation for name, parameter in called.__signature__.parameters.items()}
    return called


def _recipe_option(name):
    each = next(field for field in Recipe.__dataclass_fields__.values() if field.name == name)
    kind = {"int": int, "float": float, "str": str}[str(each.type).split(" ")[0].removeprefix("<class '").rstrip("'>")
                                                    if not isinstance(each.type, type) else each.type.__name__]
    default = "" if each.default in (None, "none") else f" [{each.default}]"
    option = typer.Option(f"--{name.replace('_', '-')}", help=each.metadata["help"] + default, show_default=False)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])


def recipe_from(options, switches=None, file=None):
    "The Recipe of the options that were given, over a TOML file's, over the network's usual one."
    given = {name: value for name, value in options.items() if value is not None}
    if file is not None:
        given = {**_recipe_table(file), **given}
    if switches:
        given["switches"] = {**dict(given.get("switches", {})), **dict(_switch(text) for text in switches)}
    return Recipe.for_net(given.pop("net", "lenet"), **given)


def _recipe_table(file):
    "The fields that a TOML file gives, in its [recipe] or at its top; what it leaves out stays the network's usual."
    import tomllib
    if not file.exists():
        raise OptionError(f"--recipe {file}: there is no such file.")
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"--recipe {file}: it cannot be read as TOML ({error}).") from error
    table = told.get("recipe", told)
    if not isinstance(table, dict):
        raise OptionError(f"--recipe {file}: its recipe is not a table. Write [recipe] and below it a line a field.")
    for name in table:
        one_of(f"--recipe {file}", name, Recipe.names())
    return table


def _switch(text):
    "(name, value) of NAME=VALUE: true or false, a number, else the text itself."
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise OptionError(f"--switch {text}: write it as NAME=VALUE.")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return name, kind(value)
    return name, value
