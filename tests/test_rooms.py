"""The story of the house: a room imports only from what stands above it."""
import ast
from pathlib import Path

import pytest

import fastlab

HOUSE = Path(fastlab.__file__).parent
ROOMS = ("errors", "seeds", "files", "progress", "images", "strokes", "nets", "training", "inside",
         "pictures", "check", "study", "page", "answer", "options", "recipeoptions", "cli", "__main__")


def imports(path):
    "(line, room) of everything of fastlab's that a file imports, at its top or inside a function."
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fastlab":
            names = [node.module] if "." in node.module else [f"fastlab.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("fastlab.")]
        else:
            continue
        yield from ((node.lineno, name.split(".")[1]) for name in names)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_what_stands_above_it(room):
    files = [HOUSE / f"{room}.py"] if (HOUSE / f"{room}.py").exists() else sorted((HOUSE / room).rglob("*.py"))
    assert files
    below = set(ROOMS[ROOMS.index(room) + 1:])
    assert [f"{path.relative_to(HOUSE)}:{line} imports {other}" for path in files for line, other in imports(path)
            if other in below] == []
