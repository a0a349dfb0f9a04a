"""A real Ray cluster of two nodes on this machine: one is killed on the way, another one comes, and the results are
held byte by byte against a local study's. Then Ctrl-C, and addresses where no cluster is.

python tests/benchmarks/study_on_ray.py [--seeds N] [--epochs N]
It needs the package ray (pip install 'fastlab[ray]'), prints what happened, and ends with 1 if something is wrong."""
import argparse
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

HOME = Path(__file__).parent
LOG, MARK = "FASTLAB_RUN_LOG", "FASTLAB_MARK"
PLAN = """
title = "Two nodes"
seeds = {seeds}
[recipe]
net = "lenet"
norm = "none"
dropout = 0.0
epochs = {epochs}
lr = 1e-3
precision = "fp32"
[variants]
plain = {{}}
L1 = {{ l1 = 0.001 }}
BatchNorm = {{ norm = "batch" }}
[[comparison]]
name = "1"
baseline = "plain"
variants = ["L1", "BatchNorm"]
[[comparison.claim]]
says = "With L1 it is less accurate"
variant = "L1"
is = "less accurate"
"""


def carry_out(arrays, recipe, seed, marks=()):
    "The real run, with a line in the log as it begins and as it ends."
    from fastlab.training.run import carry_out as real
    run = f"l1 {recipe.l1}, {recipe.norm}, seed {seed}"
    _note("begins", run)
    result = real(arrays, recipe, seed, marks)
    _note("ends", run)
    return result


def _note(event, run):
    import ray
    node = ray.get_runtime_context().get_node_id()[:6] if ray.is_initialized() else "local"
    with open(os.environ[LOG], "a") as file:
        file.write(json.dumps([event, run, node, os.getpid()]) + "\n")


def study(folder, seeds, epochs):
    from fastlab.images.arrays import Arrays
    from fastlab.strokes.dataset import draw_arrays
    from fastlab.study.planfile import plan_from
    from fastlab.study.runner import Runner
    from fastlab.study.study import Study
    from fastlab.study.tomllines import PlanText
    images, labels, splits, names = draw_arrays(train=30, develop=10, test=20)
    arrays = Arrays(images, labels, splits, tuple(map(str, range(1, 13))), names)
    plan = plan_from(PlanText(PLAN.format(seeds=seeds, epochs=epochs), "two-nodes.toml"))
    return Study(plan, arrays, folder, runner=Runner("study_on_ray:carry_out"))


def events(log):
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def under_way_on(log, node):
    found = Counter()
    for event, run, where, _ in events(log):
        found[run] += (where == node) * (1 if event == "begins" else -1)
    return [run for run, count in found.items() if count > 0]


def change(cluster, doomed, log):
    "Kills the second node once it is at work and two runs are done; then a third one comes. Returns what was lost."
    while sum(event == "ends" for event, *_ in events(log)) < 2 or not under_way_on(log, doomed.node_id[:6]):
        time.sleep(0.02)
    lost = under_way_on(log, doomed.node_id[:6])
    cluster.remove_node(doomed, allow_graceful=False)
    print(f"killed node {doomed.node_id[:6]} with {lost} under way", flush=True)
    print(f"a third node came: {cluster.add_node(num_cpus=1).node_id[:6]}", flush=True)
    return lost


def two_nodes(place, seeds, epochs):
    "The list of what went wrong."
    from ray.cluster_utils import Cluster
    os.environ[LOG] = str(place / "local.log")
    study(place / "local", seeds, epochs).run(jobs=0, show=False)
    log = place / "ray.log"
    os.environ[LOG] = str(log)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        doomed, made = cluster.add_node(num_cpus=1), study(place / "ray", seeds, epochs)
        print(f"cluster at {cluster.address}: head {cluster.head_node.node_id[:6]}, second {doomed.node_id[:6]}")
        running = threading.Thread(target=made.run, kwargs={"ray": cluster.address})
        running.start()
        lost = change(cluster, doomed, log)
        running.join()
        alive = len(cluster.list_all_nodes())
    finally:
        cluster.shutdown()
    begun = Counter(run for event, run, *_ in events(log) if event == "begins")
    ended = Counter(node for event, _, node, _ in events(log) if event == "ends")
    print(f"runs ended on each node: {dict(ended)}; begun twice: {[run for run, count in begun.items() if count > 1]}")
    same = (place / "ray" / "results.csv").read_bytes() == (place / "local" / "results.csv").read_bytes()
    print(f"{len(made.gathered.results)} runs, {len(made.failed)} failed; results.csv byte-identical to the local "
          f"study's: {same} ({(place / 'ray' / 'results.csv').stat().st_size:,} bytes)")
    return [words for words, wrong in {
        "results differ": not same, "runs failed": bool(made.failed), "nothing was lost": not lost,
        "other runs than the lost ones were begun again": set(lost) != {run for run in begun if begun[run] > 1},
        "the cluster was shut down by the study": alive < 2}.items() if wrong]


def ctrl_c(place, seeds, epochs):
    "Ctrl-C from the terminal on a study that began its own cluster."
    mark = f"marked-{os.getpid()}"
    script = ("import study_on_ray, sys\n"
              "study_on_ray.study(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run(ray='here')\n")
    out = place / "stopped"
    process = subprocess.Popen([sys.executable, "-c", script, str(out), str(seeds), str(epochs)], text=True,
                               stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, MARK: mark, "TMPDIR": str(place)})
    last = ""
    for line in process.stderr:
        last = line
        if line.strip().startswith("1/"):
            os.killpg(process.pid, signal.SIGINT)
            stopped = time.monotonic()
    process.wait()
    seconds, kept = time.monotonic() - stopped, len(list((out / "runs").glob("*.run")))
    time.sleep(3)
    left, folders = with_mark(mark), sorted(path.name for path in place.glob("ray-*"))
    print(f"Ctrl-C: over in {seconds:.1f} s ({last.strip()}), {kept} runs kept; 3 s later processes left: {left}, "
          f"folders left: {folders}")
    return [words for words, wrong in {"processes were left": bool(left), "folders were left": bool(folders),
                                       "no run was kept": not kept}.items() if wrong]


def with_mark(mark):
    "Names of the processes whose environment holds `mark`."
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80])
        except OSError:
            continue            # it ended meanwhile, or is another user's
    return found


def no_cluster(place, seeds, epochs):
    "Addresses where no cluster answers."
    from fastlab.errors import FastlabError
    wrong = []
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{free.getsockname()[1]}", f"127.0.0.1:{silent.getsockname()[1]}",
                     "no-such-machine.invalid:6379", "auto"]
        for address in addresses:
            started, told = time.monotonic(), "no error"
            try:
                study(place / "nowhere", seeds, epochs).run(ray=address, show=False)
            except FastlabError as error:
                told = str(error)
            seconds = time.monotonic() - started
            print(f"{address}: {seconds:.1f} s: {told}")
            wrong += [f"{address}: not told in time"] if told == "no error" or seconds > 15 else []
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6)
    chosen = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH"))))
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="r-", dir="/tmp", ignore_cleanup_errors=True) as place:
        wrong = [words for part in (two_nodes, ctrl_c, no_cluster)
                 for words in part(Path(place), chosen.seeds, chosen.epochs)]
    print("\n".join(f"WRONG: {words}" for words in wrong) or "all as it should be")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
