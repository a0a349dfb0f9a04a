"""What `fastlab advise` prints. `answer` is the command line's `Answer`."""
import time

from fastlab.study.advise.advising import advise
from fastlab.study.advise.telling import headline


def advise_command(answer, folder=None, minutes=20.0, runs=None, seed=0, jobs=None, out=None, save=None, ensemble=1,
                   device="cpu", split_seed=0, group_by=None, cache=None, skip_unreadable=False):
    "Finds what fits a folder; says it in three lines, of which the last names the page. Raises FastlabError."
    begun = time.monotonic()
    from fastlab.strokes.dataset import named_or_default
    folder = named_or_default(folder, answer.say)
    advice = advise(folder, minutes, runs, seed, jobs, out, save, ensemble, device, split_seed, group_by, cache,
                    skip_unreadable, begun=begun)
    use, reached, sure = headline(advice)
    answer.say(use, reached, f"{sure} Why, and how to use it: {advice.page}")
    answer.give(advice.to_dict())
