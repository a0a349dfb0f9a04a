"""Options that several commands take, each with the help that says what it settles."""
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path | None, typer.Argument(help="<split>/<class>/<image> or <class>/<image>; left out: the "
                                                       "default data set, 12 drawn characters", show_default=False)]
Model = Annotated[Path, typer.Argument(help="model file")]
Split = Annotated[str, typer.Option(help="test, develop, train, or all")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object as the last line of standard output")]
Seed = Annotated[int, typer.Option(help="settles weights, order, augmentation and dropout")]
Cache = Annotated[Path | None, typer.Option(help="folder for decoded images", show_default=False)]
Skip = Annotated[bool, typer.Option("--skip-unreadable", help="go on without images that cannot be read")]
GroupBy = Annotated[str | None, typer.Option(help="regular expression on file names: matches that are equal stay in "
                                                     "one split", show_default=False)]
SplitSeed = Annotated[int, typer.Option(help="settles the split of a folder that has none")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps")]
OwnNet = Annotated[str | None, typer.Option("--net", help="MODULE:FUNCTION of a network of your own, for files that "
                                                          "name one", show_default=False)]
Jobs = Annotated[int | None, typer.Option(help="processes of one thread; left out: one a core; 0: this one",
                                          show_default=False)]


def out(left_out):
    "The type of --out, a folder; `left_out`: its name where it is left out."
    told = f"folder for what is written; left out: {left_out}, here"
    return Annotated[Path | None, typer.Option("--out", help=told, show_default=False)]
