"""Made-up right-or-wrong tables of whole studies: every image has its difficulty, every seed its luck, every variant
its own images that it finds easy, and every (seed, image) its own accident."""
import numpy as np
from scipy.special import expit


def right_tables(rng, studies, seeds, images, variants=2, effect=0.0, taste=0.5):
    """Boolean (variants, studies, seeds, images). `effect`: what every variant but the first gains, in logits; `taste`:
    spread of variant x image, so that the test images are a source of error as well."""
    shape = (variants, studies, seeds, images)
    logit = 4 + rng.normal(0, 2.5, (1, studies, 1, images)) + rng.normal(0, 0.3, (1, studies, seeds, 1))
    logit = logit + rng.normal(0, 0.25, (variants, studies, seeds, 1))
    logit = logit + rng.normal(0, taste, (variants, studies, 1, images))
    logit = logit + 0.5 * rng.standard_normal(shape, dtype="f4")
    logit[1:] += effect
    return rng.random(shape, dtype="f4") < expit(logit)


def true_difference(rng, effect, taste=0.5, draws=400_000):
    "The difference that a study of endless seeds and images would find, as a fraction."
    shared = 4 + rng.normal(0, 2.5, draws) + rng.normal(0, 0.3, draws)
    own = np.sqrt(0.25 ** 2 + taste ** 2 + 0.5 ** 2)
    plain, other = (shared + rng.normal(0, own, draws) for _ in range(2))
    return float((expit(other + effect) - expit(plain)).mean())


def differences(right, variant=1):
    "Variant minus the first: (studies, seeds, images) of -1, 0, 1."
    return right[variant].astype("f4") - right[0].astype("f4")
