"""What `fastlab study` prints. `answer` is the command line's `Answer`."""
import sys
from dataclasses import replace

import joblib

from fastlab.progress import Progress
from fastlab.study.folder import study_arrays, study_folder
from fastlab.study.pace import room, tried
from fastlab.study.planfile import read_plan
from fastlab.study.power import TYPICAL_CHURN, TYPICAL_SEEDS, smallest_difference, typical_image_error
from fastlab.study.report.content import families
from fastlab.study.report.wording import duration, number, p_value, size
from fastlab.study.statistics import seeds_needed, smallest_p
from fastlab.study.study import Study
from fastlab.study.verdicts import LEVEL


def study_command(answer, plan="lab", folder=None, seeds=None, jobs=None, quick=False, minutes=None, out=None,
                  only_plan=False, on_ray=None, retry=False, split_seed=0, group_by=None, cache=None,
                  skip_unreadable=False, device="cpu", runner=None, first=None):
    """Carries out a study, or with `only_plan` says what it would cost and could see. `on_ray`: an address or 'here'.
    `runner`: who carries out runs, for tests. first(answer, folder): says of the folder, before it is decoded,
    what the report is to carry. Raises FastlabError; returns 0."""
    told, found = read_plan(plan), None
    told = told.quick() if quick else told
    if first is not None:
        folder = study_folder(folder)
        found = first(answer, folder)
    progress = Progress("Preparing image", sys.stderr)
    arrays, source = study_arrays(told, folder, split_seed, group_by, cache, skip_unreadable, progress)
    progress.close()
    if found:
        arrays = replace(arrays, notes=(*arrays.notes, found))     # the report carries it
    if runner is None:
        from fastlab.study.runner import Runner
        runner = Runner.here(device)
    study = Study.of(told, arrays, out, seeds, quick, runner, source, plan)
    answer.say(*_opening(study, source, study.data.arrays))
    if only_plan:
        _planned(answer, study, jobs)
        return 0
    study.run(jobs, minutes, retry, on_ray)
    _tell(answer, study)
    return 0


def _opening(study, source, arrays):
    splits = ", ".join(f"{len(rows):,} {split}" for split, rows in arrays.splits.items())
    yield f"{study.plan.title}: {len(study.plan.comparisons)} comparisons, {len(study.plan.claims)} claims"
    yield f"{source}: {len(arrays.classes)} classes; {splits}"
    yield from arrays.notes
    if study.plan.hurried:
        yield "A quick look: fewer seeds, epochs and images. It shows that all works, and decides little."


def planned(study, jobs=None):
    "What a study needs and could see, as plain data; one epoch of each kind of run is tried where none is timed yet."
    jobs = max(joblib.cpu_count() if jobs is None else jobs, 1)
    waiting = [study.schedule.by_key[key] for key in study.gathered.missing]
    study.runner.check(waiting, len(study.data.arrays.classes))
    if waiting:
        tried(waiting, study.data, study.runner, study.pace)
    seeds, images = len(study.gathered.seeds), len(study.data.arrays.splits["test"])
    families = {claim.family for claim in study.plan.claims}
    largest = max((sum(claim.family == family for claim in study.plan.claims) for family in families), default=1)
    return {"runs": len(study.schedule.runs), "done": len(study.gathered.results), "missing": len(waiting),
            "failed": len(study.gathered.failed), "jobs": jobs, "seconds": study.pace.left(waiting, jobs),
            "bytes": sum(room(run, study.data) for run in waiting), "seeds": seeds, "test_images": images,
            "claims": largest, "smallest_difference": _seen(study, seeds, images, largest)}


def _seen(study, seeds, images, claims):
    "From the finished runs, where there are some pairs; else from typical spreads; None where nothing could be seen."
    known = sorted(verdict.main.smallest for verdict in study.verdicts if verdict.main and verdict.main.images
                   and len(verdict.main.seeds) == seeds >= 3)
    value = known[len(known) // 2] if known else \
        smallest_difference(TYPICAL_SEEDS, typical_image_error(images), seeds, claims)
    return value if value != float("inf") else None


def _planned(answer, study, jobs):
    told = planned(study, jobs)
    answer.say(f"{told['runs']:,} runs over {told['seeds']} paired seeds: {told['done']:,} done, "
               f"{told['missing']:,} to do, {told['failed']:,} failed",
               f"about {duration(told['seconds'])} on {told['jobs']} process{'es' * (told['jobs'] > 1)}, "
               f"{size(told['bytes'])} on disk")
    if told["smallest_difference"] is None:
        least = p_value(min(1.0, smallest_p(told["seeds"]) * told["claims"]))
        answer.say(f"{told['seeds']} seeds cannot carry {told['claims']} claims: p cannot go below {least} after Holm, "
                   f"and {LEVEL} is needed. "
                   f"Take --seeds {seeds_needed(told['claims'])} or more.")
    else:
        answer.say(f"smallest difference that could be seen: about {number(told['smallest_difference'])} points on "
                   f"{told['test_images']:,} test images (if differences scatter by {TYPICAL_SEEDS} points over seeds "
                   f"and networks differ on {TYPICAL_CHURN:.0%} of the images, before any run is there)")
    answer.give({"out": str(study.out), **told})


def _tell(answer, study):
    "The verdicts as lines of fixed form, then what failed, what is missing, and where the report lies."
    answer.say(*verdict_lines(study.verdicts))
    for one in study.explained:
        if one.answer != "no":
            answer.say("", f"The missing eval(), {one.answer}: {one.proper.claim.says} ({one.reason})")
    answer.say("", *_closing(study))
    answer.give({"out": str(study.out), "runs": len(study.gathered.results), "failed": len(study.gathered.failed),
                 "missing": len(study.gathered.missing), "seconds": round(study.seconds, 3),
                 "failures": study.failed, "verdicts": [verdict.to_dict() for verdict in study.verdicts],
                 "explained": [{"claim": one.proper.claim.says, "comparison": one.proper.claim.comparison,
                                "answer": one.answer, "reason": one.reason, "shift": one.shift,
                                "interval": [one.low, one.high]} for one in study.explained],
                 "report": str(study.out / "report.html")})


def verdict_lines(verdicts):
    "Every claim with its verdicts, heading by heading."
    for family, rows in families(verdicts).items():
        yield from ("", f"{family}: difference (95 % interval), n seeds, p after Holm")
        for row in rows:
            yield f"  {row['claim'].comparison:<10} {row['claim'].says}"
            for testing, cell in row["cells"].items():
                way = "" if len(row["cells"]) == 1 else f"{'with eval()' if testing == 'eval' else 'as printed':<12}"
                figures = f"{cell['span']} {cell['unit']}, n {cell['n']}, p {cell['p']}" if cell["n"] else cell["note"]
                yield f"  {'':<10} {way}{cell['mark']} {cell['verdict']}: {figures}"


def _closing(study):
    for name, reason in study.failed.items():
        yield f"FAILED: {name}: {reason} (--retry tries again)"
    for name, reason in study.store.damaged.items():
        yield f"set aside: {name} ({reason}); done again"
    if study.gathered.missing:
        yield f"{len(study.gathered.missing):,} runs are still to be done: the same command goes on"
    if study.plan.hurried:
        yield "A quick look decides little: leave out --quick to decide."
    yield f"{len(study.gathered.results):,} runs; the report: {study.out / 'report.html'}"
