"""How far verdicts can be trusted, as tables: false verdicts in families without a difference, coverage of the 95 %
intervals, and planted differences found, each from simulated studies that the study's own functions decide.

python tests/benchmarks/study_calibration.py [--studies N]
N studies with 1,488 test images a row, a quarter of them with 12,000; in brackets the simulation's standard error."""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
from simulated_studies import World, computed, false_share, families, family, singles

SIZES = ((1488, 1), (12_000, 4))
WORLDS = {"the same Recipe": World(), "other tastes": World(taste=1.0),
          "other tastes, little luck": World(taste=1.0, own_luck=0.03)}


def error(share, studies):
    return f"{share:.1%} ({(share * (1 - share) / studies) ** 0.5:.1%})"


def false_verdicts(studies):
    print(f"\nFalse verdicts: share of families of {len(family())} claims, without any difference, in which one holds "
          "or is contradicted;\nbeside it what Holm on the seeds' p alone would have let through\n"
          f"{'variants':<27}{'K':>3}{'n':>8}{'studies':>9}{'false':>15}{'seeds alone':>15}")
    for name, world in WORLDS.items():
        for images, part in SIZES:
            for seeds in (10, 20):
                count = max(studies // part // (seeds // 10), 1)
                found, alone = families(np.random.default_rng((1, seeds, images)), world, count, seeds, images)
                print(f"{name:<27}{seeds:>3}{images:>8,}{count:>9,}{error(false_share(found), count):>15}"
                      f"{error(alone.mean(), count):>15}", flush=True)


def coverage(studies):
    print("\nCoverage of the 95 % interval over seeds and images\n"
          f"{'variants':<27}{'gain':>6}{'K':>4}{'n':>8}{'studies':>9}{'covered':>15}")
    for name, world, effect in (("the same Recipe", World(), 0.0), ("other tastes", World(taste=0.6), 0.3),
                                ("other tastes, little luck", World(1.0, own_luck=0.03), 0.3)):
        for images, part in SIZES:
            for seeds in (5, 10, 20):
                count = max(2 * studies // part, 1)
                single = singles(np.random.default_rng((2, seeds, images)), world, count, seeds, images, effect)
                print(f"{name:<27}{100 * single.truth:>6.2f}{seeds:>4}{images:>8,}{count:>9,}"
                      f"{error(single.coverage, count):>15}", flush=True)


def power_of(studies):
    print("\nPlanted differences found, and the power that fastlab computes (gains in points)\n"
          f"{'taste':>6}{'gain':>6}{'K':>4}{'n':>8}{'claims':>8}{'studies':>9}{'found':>15}{'computed':>10}")
    for taste in (0.0, 0.8):
        for images, part in SIZES:
            for seeds, effect in ((6, 0.5), (10, 0.4), (20, 0.3)):
                effect, count = effect if images < 2000 else effect * 0.6, max(2 * studies // part, 1)
                single = singles(np.random.default_rng((3, seeds, images)), World(taste), count, seeds, images, effect)
                for claims in (1, 14) if seeds >= 10 else (1,):
                    print(f"{taste:>6}{100 * single.truth:>6.2f}{seeds:>4}{images:>8,}{claims:>8}{count:>9,}"
                          f"{error(single.found(claims), count):>15}{computed(single, seeds, images, claims):>10.1%}",
                          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    studies = parser.parse_args().studies
    false_verdicts(studies)
    coverage(studies)
    power_of(studies)


if __name__ == "__main__":
    main()
