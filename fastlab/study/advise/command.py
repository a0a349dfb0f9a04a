"""What `fastlab advise` prints. `answer` is the command line's `Answer`."""
from fastlab.study.advise.advising import advise
from fastlab.study.advise.telling import headline


def advise_command(answer, folder=None, minutes=20.0, runs=None, seed=0, jobs=None, out=None, save=None, ensemble=1,
                   device="cpu", split_seed=0, group_by=None, cache=None, skip_unreadable=False):
    "Finds what fits a folder; three lines, and where page, Recipe and network lie. Raises FastlabError."
    from fastlab.strokes.dataset import named_or_default
    folder = named_or_default(folder, answer.say)
    advice = advise(folder, minutes, runs, seed, jobs, out, save, ensemble, device, split_seed, group_by, cache,
                    skip_unreadable)
    answer.say(*headline(advice))
    answer.say(f"page {advice.page}; Recipe {advice.out / 'recipe.toml'}; plan {advice.out / 'plan.toml'}; "
               f"network {', '.join(map(str, advice.models))}")
    answer.give(advice.to_dict())
