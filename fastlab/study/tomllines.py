"""Where in a TOML text a key or word stands, so that an error can name the line."""
import re
import tomllib

from fastlab.errors import PlanError, StorageError

HEADER = re.compile(r"^\s*\[(\[)?\s*([^\[\]]+?)\s*\]")


class PlanText:
    "A plan's text with its parsed tables; `wrong` makes the error that names file, line, rule and cure."

    def __init__(self, text, name="plan"):
        self.name, self.lines = name, text.splitlines()
        try:
            self.tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise PlanError(f"{name}: this is not valid TOML: {error}.") from error
        self.headers = _headers(self.lines)

    @classmethod
    def read(cls, path):
        "The text of a file. Raises StorageError where it cannot be read, PlanError where it is not UTF-8 TOML."
        try:
            return cls(path.read_bytes().decode("utf-8"), str(path))
        except UnicodeDecodeError as error:
            raise PlanError(f"{path}: this is not UTF-8 text, as TOML must be ({error.reason}).") from error
        except OSError as error:
            raise StorageError(f"{path}: the plan cannot be read ({error.strerror}).") from error

    def wrong(self, place, word, message):
        "A PlanError for what is wrong with `word` in the table at `place`, such as ('comparison', 2, 'claim', 0)."
        line = self.line_of(place, word)
        return PlanError(f"{self.name}, line {line}: {message}" if line else f"{self.name}: {message}")

    def line_of(self, place, word):
        "The line, from 1, on which `word` first stands in that table; else the table's own line; else the word's."
        start = self._start(tuple(map(str, place)))
        following = (number for number in sorted(self.headers.values()) if number > start)
        end = next(following, len(self.lines) + 1)
        pattern = re.compile(rf"(?<![\w-]){re.escape(str(word))}(?![\w-])")
        inside = [number for number in range(max(start, 1), end) if pattern.search(self._code(number))]
        anywhere = [number for number in range(1, len(self.lines) + 1) if pattern.search(self._code(number))]
        return next(iter(inside), start or next(iter(anywhere), 0))

    def _code(self, number):
        line = self.lines[number - 1]
        return "" if line.lstrip().startswith("#") else line

    def _start(self, place):
        "The header line of the table at `place`, or of the nearest table around it; 0 for the top."
        while place and place not in self.headers:
            place = place[:-1]
        return self.headers.get(place, 0)


def _headers(lines):
    "{('comparison', '0', 'claim', '2'): line} for every header of a table, tables of a list counted from 0."
    found, counts = {}, {}
    for number, line in enumerate(lines, 1):
        header = HEADER.match(line)
        if not header:
            continue
        place = ()
        keys = [key.strip().strip("\"'") for key in header.group(2).split(".")]
        for depth, key in enumerate(keys):
            place += (key,)
            if header.group(1) and depth == len(keys) - 1:
                counts[place] = counts.get(place, -1) + 1
            if place in counts:
                place += (str(counts[place]),)
        found[place] = number
    return found
