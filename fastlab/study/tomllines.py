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
            where = str(error).replace("at end of document", f"at line {len(self.lines)}, the last")
            raise PlanError(f"{name}: this is not valid TOML: {where}.") from error
        self.headers = _headers(self.lines)

    @classmethod
    def read(cls, path):
        "The text of a file. Raises StorageError where it cannot be read, PlanError where it is not UTF-8 TOML."
        try:
            return cls(path.read_bytes().decode("utf-8-sig"), str(path))
        except UnicodeDecodeError as error:
            raise PlanError(f"{path}: this is not UTF-8 text, as TOML must be ({error.reason}).") from error
        except OSError as error:
            raise StorageError(f"{path}: the plan cannot be read ({error.strerror}).") from error

    def wrong(self, place, word, message, key=None):
        """A PlanError for what is wrong with `word` in the table at `place`, such as ('comparison', 2, 'claim', 0);
        `word` None: with the table itself; `key`: the key whose value it is."""
        line = self.line_of(place, word, key)
        return PlanError(f"{self.name}, line {line}: {message}" if line else f"{self.name}: {message}")

    def line_of(self, place, word, key=None):
        """The line, from 1, on which `word` first stands in that table or the tables in it: as a key, else in quotes,
        else at all; else the table's own line, 0 for the top."""
        place = tuple(map(str, place))
        start = self._start(place)
        if word is None:
            return start
        own = [self.headers[header] for header in ((*place, str(word)), (*place, str(word), "0"))
               if header in self.headers]
        if own:
            return own[0]
        following = (number for header, number in sorted(self.headers.items(), key=lambda item: item[1])
                     if number > start and header[:len(place)] != place)
        end = next(following, len(self.lines) + 1)
        first = max(start, 1) if key is None else max(self.line_of(place, key), 1)
        word = re.escape(str(word))
        as_key, quoted = rf"""(?:^|[{{,])\s*["']?{word}["']?\s*=""", rf"""["']{word}["']"""
        for pattern in (as_key, quoted, rf"(?<![\w-]){word}(?![\w-])"):
            if found := self._first(re.compile(pattern), first, end):
                return found
        return start

    def _first(self, pattern, start, end):
        "The first line of a stretch, comments apart, on which a pattern is found; 0 where there is none."
        return next((number for number in range(start, end) if not self.lines[number - 1].lstrip().startswith("#")
                     and pattern.search(self.lines[number - 1])), 0)

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
