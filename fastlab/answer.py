"Where a command speaks."
import json
import sys


class Answer:
    "Where a command speaks: `say` for people (to standard error with --json), `give` for the one JSON line."

    def __init__(self, as_json):
        self.as_json = as_json

    def say(self, *lines):
        for line in lines:
            print(line, file=sys.stderr if self.as_json else sys.stdout, flush=True)

    def give(self, figures):
        if self.as_json:
            print(json.dumps(figures, ensure_ascii=False, allow_nan=False, default=str), flush=True)
