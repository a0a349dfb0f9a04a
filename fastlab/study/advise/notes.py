"""What a search has settled, on disk, so that a search that goes on takes no decision twice.

Decisions that depend on a clock (how many candidates, how many epochs) could come out otherwise the second time."""
import json

from fastlab.files import digest, write_json


class Notes:
    "Decisions of one search. `request`: what was asked for, as plain data; another request has another file."

    def __init__(self, folder, request):
        self.path = folder / f"search-{digest(json.dumps(request, sort_keys=True))[:12]}.json"
        self.told = {"request": request, "seconds": 0.0, "settled": {}}
        try:
            told = json.loads(self.path.read_text("utf-8"))
            if told["request"] == request and isinstance(told["settled"], dict) and float(told["seconds"]) >= 0:
                self.told = told
        except (OSError, ValueError, KeyError, TypeError):
            pass  # there is none, or it is damaged: what it settled is settled again, from the same results

    @property
    def seconds(self):
        "Wall time that the search has taken so far."
        return float(self.told["seconds"])

    def get(self, name):
        "What was settled under a name, or None."
        return self.told["settled"].get(name)

    def note(self, name, value):
        "Puts a value under a name, in place of what was there: for what may change, such as where a file lies."
        self.told["settled"][name] = value
        self.write()

    def settle(self, name, decide, seconds=None):
        "What was settled under a name; else what decide() says, noted before anything follows from it."
        settled = self.told["settled"]
        if name not in settled:
            settled[name] = decide()
            self.write(seconds)
        return settled[name]

    def write(self, seconds=None):
        if seconds is not None:
            self.told["seconds"] = seconds
        write_json(self.path, self.told)
