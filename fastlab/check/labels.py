"""Labels that look wrong, and images unlike their class: findings from networks tested on images they have not seen."""
from dataclasses import replace

import numpy as np

from fastlab.check.belief import look_alikes
from fastlab.check.confident import SURE, agreement_where_sure, calibrated, chance_wrong, suspects, temperature
from fastlab.check.doubles import identical_groups
from fastlab.check.findings import Finding, printable
from fastlab.check.frames import flat_border
from fastlab.check.unlike import standing_out

LEAST_IMAGES, LEAST_A_CLASS = 40, 8
WEAK = 0.7                  # networks less accurate than this have little to say on labels
ALIKE = 4                   # look-alikes beside a suspect
MOST = 200                  # findings of a kind; the worst come first
LABEL = "a candidate, kept: look at it, then move it or leave it; --write-clean leaves it out only if asked to"
UNLIKE = "a candidate, kept: look at it; --write-clean leaves it out only if asked to"


def judged_images(scan, groups, seed=0, jobs=None, cache=None, progress=None):
    """(Judged by place among the scan's readable rows, notes). groups: rows that show one picture, kept in one fold.
    None where there are too few images to train on."""
    labels, rows = scan.listing.label[scan.readable], scan.readable
    counts = np.bincount(labels, minlength=len(scan.listing.classes))
    if len(counts) < 2 or len(rows) < LEAST_IMAGES or counts.min() < LEAST_A_CLASS:
        return None, [f"Labels were not looked at: that needs two classes or more, {LEAST_IMAGES} images and "
                      f"{LEAST_A_CLASS} of every class."]
    from fastlab.check.folds import FOLDS, dealt_folds, judge, recipe_for
    arrays = _arrays(scan, cache)
    place = np.full(len(scan.digests), -1)
    place[rows] = np.arange(len(rows))
    fold = dealt_folds(labels, [place[group] for group in groups], seed)
    recipe = recipe_for(len(rows) * (FOLDS - 1) // FOLDS, arrays.channels == 1 and _drawings(scan))
    judged = judge(arrays, fold, recipe, seed, jobs, progress)
    heat = temperature(judged.log_probabilities, labels)
    judged = replace(judged, log_probabilities=calibrated(judged.log_probabilities, heat).astype(np.float32))
    return judged, list(_notes(judged, labels, heat, FOLDS))


def _notes(judged, labels, heat, networks):
    "How far the networks can be trusted, and how many suspects there are beyond those that are listed."
    accuracy, many = judged.accuracy(labels), len(suspects(judged.log_probabilities, labels)[0])
    sure, n = agreement_where_sure(judged.log_probabilities, labels)
    told = f"Labels: {networks} networks, each asked about images it had not seen, agree with {accuracy * 100:.1f} %"
    if n:
        told += f"; where they put one class {SURE:.0f} to 1 before all others, with {sure * 100:.1f} % (n = {n:,})"
    expected = chance_wrong(judged.log_probabilities, labels).sum()
    yield f"{told}. About {expected:.0f} wrong labels, and a temperature of {heat:.2f}, fit their answers best."
    if accuracy < WEAK:
        yield ("The networks tell these classes apart poorly, and what they mistake looks to them like a wrong label: "
               "take findings on labels with caution.")
    if many > MOST:
        yield f"Of {many:,} labels that look wrong the worst {MOST} are listed."


def _arrays(scan, cache):
    "The readable files as an Arrays, decoded as training decodes them."
    from fastlab.images.arrays import Arrays, natural_channels, natural_size
    from fastlab.images.cache import decode_all
    listing = scan.listing
    files = [listing.root / listing.files[row] for row in scan.readable]
    images = decode_all(files, natural_channels(files), natural_size(files), cache).images
    return Arrays(images, listing.label[scan.readable].astype(np.int64), {}, listing.classes, listing.classes)


def _drawings(scan):
    rows = scan.readable[:: max(1, len(scan.readable) // 2000)]
    return bool(flat_border(scan.thumbs.read(rows)).mean() > 0.5)


def label_findings(scan, judged):
    "Findings `label`, the worst first: files[0] is the suspect, then look-alikes from the suggested class."
    listing, rows = scan.listing, scan.readable
    labels = listing.label[rows]
    places, suggested, confident = (part[:MOST] for part in suspects(judged.log_probabilities, labels))
    wrong, alike = chance_wrong(judged.log_probabilities, labels), _alike(scan, rows[places], suggested)
    for place, label, sure, others in zip(places, suggested, confident, alike):
        shares = np.exp(judged.log_probabilities[place])
        given, better = listing.classes[labels[place]], listing.classes[label]
        looks = "like" if sure else "more like"
        reason = (f"labelled {given!r}, looks {looks} {better!r}: a network that had not seen it "
                  f"gives {better!r} the probability {chance(shares[label])} and {given!r} "
                  f"{chance(shares[labels[place]])}")
        yield Finding("label", (listing.files[rows[place]], *(listing.files[row] for row in others)), reason, LABEL,
                      {"given": printable(given), "suggested": printable(better), "confident": bool(sure),
                       "chance_wrong": round(float(wrong[place]), 4),
                       "probability": round(float(shares[labels[place]]), 6),
                       "probabilities": {printable(name): round(float(share), 6)
                                         for name, share in zip(listing.classes, shares)}})


def chance(probability):
    "In three places that never round to a certainty: '0.970', 'above 0.999', 'below 0.001'."
    return "above 0.999" if probability > 0.9995 else "below 0.001" if probability < 0.0005 else f"{probability:.3f}"


def unlike_findings(scan, judged):
    "Findings `unlike`, the farthest first: files[0] is the suspect, then the pictures of its class most like it."
    listing, rows = scan.listing, scan.readable
    labels = listing.label[rows]
    suspected = set(suspects(judged.log_probabilities, labels)[0].tolist())
    places, deviations = standing_out(judged.distances, labels)
    kept = [number for number, place in enumerate(places) if int(place) not in suspected][:MOST]
    places, deviations = places[kept], deviations[kept]
    alike = _alike(scan, rows[places], labels[places])
    for place, deviation, others in zip(places, deviations, alike):
        name = listing.classes[labels[place]]
        share = float(np.exp(judged.log_probabilities[place, labels[place]]))
        reason = (f"unlike the rest of {name!r}: {deviation:.1f} deviations further out than its median image; a "
                  f"network that had not seen it gives {name!r} the probability {chance(share)}")
        yield Finding("unlike", (listing.files[rows[place]], *(listing.files[row] for row in others)), reason, UNLIKE,
                      {"given": printable(name), "deviations": round(float(deviation), 2),
                       "probability": round(share, 6)})


def _alike(scan, rows, wanted):
    "For each row, ALIKE readable rows of the wanted class that look most like it and are not its doubles."
    doubles = {row: set(group.tolist()) for group in identical_groups(scan) for row in group}
    skipped = [doubles.get(row, {row}) for row in rows.tolist()]
    return look_alikes(scan.thumbs.read, scan.readable, scan.listing.label[scan.readable], rows, wanted, skipped, ALIKE)
