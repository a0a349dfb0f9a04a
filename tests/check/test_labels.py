"""Wrong labels and strange pictures, planted among drawn characters: networks that have not seen them point at them."""
import shutil

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fastlab.check.belief import look_alikes
from fastlab.check.findings import CANDIDATES, Findings
from fastlab.check.folder import check
from fastlab.check.folds import Judged, kept_together
from fastlab.check.labels import chance, label_findings, unlike_findings
from fastlab.check.listing import list_folder
from fastlab.check.scan import scan

WRONG = {"1/wrong.png": "3", "3/wrong.png": "10", "10/wrong.png": "2", "2/wrong.png": "1"}


def scribble(seed, size=28):
    "A picture of no class: a knot of lines."
    image = Image.new("L", (4 * size, 4 * size), 255)
    points = np.random.default_rng(seed).uniform(0.1, 0.9, (14, 2)) * 4 * size
    ImageDraw.Draw(image).line([tuple(point) for point in points], 0, 8)
    return image.resize((size, size), Image.Resampling.BOX)


@pytest.fixture(scope="module")
def checked(write_shapes, tmp_path_factory):
    """(folder, Findings) of shapes, 34 of each of four: four lie in a wrong class, two scribbles among them, and one
    picture in two classes."""
    root = write_shapes(tmp_path_factory.mktemp("checked") / "shapes", 34)
    for number, (file, truth) in enumerate(WRONG.items(), 20):
        shutil.move(root / truth / f"{number}.png", root / file)
    for name in ("3", "10"):
        scribble(int(name)).save(root / name / "scribble.png")
    shutil.copy(root / "3" / "5.png", root / "2" / "0.png")
    return root, check(root, labels=True, jobs=1, cache=tmp_path_factory.mktemp("cache"))


def test_every_planted_label_is_among_the_first_with_the_class_that_it_shows(checked):
    _, findings = checked
    told = {finding.files[0]: finding for finding in findings.of("label")}
    first = list(told)[:len(WRONG) + 4]             # the other copy of a conflict and two scribbles may be among them
    assert set(WRONG) | {"2/0.png"} <= set(first)
    assert {told[file].details["suggested"] for file in ("2/0.png",)} == {"3"}
    assert all(told[file].details["suggested"] == truth for file, truth in WRONG.items())
    assert len(told) <= len(WRONG) + 6


def test_a_label_finding_carries_its_figures_and_look_alikes_of_the_suggested_class(checked):
    root, findings = checked
    for finding in findings.of("label"):
        told, suspect = finding.details, finding.files[0]
        assert told["given"] == suspect.split("/")[0] != told["suggested"]
        assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert told["suggested"] == max(told["probabilities"], key=told["probabilities"].get)
        assert told["probability"] == told["probabilities"][told["given"]]
        assert {file.split("/")[0] for file in finding.files[1:]} == {told["suggested"]}
        pixels = {(root / file).read_bytes() for file in finding.files}
        assert len(pixels) == len(finding.files) == 5       # no double of the suspect stands beside it
        assert "candidate" in finding.action


def test_the_network_says_which_of_two_classes_of_one_picture_is_wrong(checked):
    (finding,) = checked[1].of("conflict")
    assert finding.files == ("2/0.png", "3/5.png")
    assert finding.details["suggested"] == "3"


def test_networks_and_the_share_that_they_agree_with_are_said(checked):
    (note,) = (note for note in checked[1].notes if note.startswith("Labels:"))
    share = float(note.split("agree with ")[1].split(" %")[0])
    assert note.startswith("Labels: 4 networks, each asked about images it had not seen")
    assert share > 85
    assert "where they put one class 20 to 1 before all others, with " in note
    assert len(WRONG) <= int(note.split("About ")[1].split()[0]) <= len(WRONG) + 6


def test_candidates_alone_are_no_reason_to_fail(checked):
    findings = checked[1]
    only = Findings(findings.folder, findings.of("label", "unlike"))
    assert len(only) > 0
    assert {"label", "unlike"} == CANDIDATES
    assert only.exit_code() == 0
    assert only.exit_code(["label"]) == 1


def test_where_there_is_too_little_to_learn_from_it_is_said_and_no_network_is_trained(good):
    for file in sorted((good / "train" / "cat").iterdir())[1:] + sorted((good / "test" / "cat").iterdir()):
        file.unlink()
    findings = check(good, labels=True, jobs=1)
    assert any("Labels were not looked at" in note for note in findings.notes)
    assert findings.of("label", "unlike") == ()


@pytest.fixture
def made_up(good):
    """(scan, Judged) of three classes of 22 drawings. We make up what networks say: content with all but train/ant/3
    (bee for certain) and train/bee/2 (cat by 200 to 1), with train/cat/4 and train/ant/3 far out in their classes."""
    seen = scan(list_folder(good), jobs=1)
    labels, rng = seen.listing.label, np.random.default_rng(0)
    shares = np.full((len(labels), 3), 0.02)
    shares[np.arange(len(labels)), labels] = 0.96
    row = seen.listing.rows
    shares[row["train/ant/3.png"]] = 0.001, 0.998, 0.001
    shares[row["train/bee/2.png"]] = 0.395, 0.003, 0.602
    distances = np.exp(rng.normal(1, 0.1, len(labels)))
    distances[[row["train/cat/4.png"], row["train/ant/3.png"]]] = 30
    yield seen, Judged(np.log(shares).astype(np.float32), distances.astype(np.float32))
    seen.thumbs.close()


def test_confident_findings_come_before_uncertain_ones(made_up):
    first, second = label_findings(*made_up)
    assert first.files[0] == "train/ant/3.png"
    assert "labelled 'ant', looks like 'bee'" in first.reason
    assert "'bee' the probability 0.998 and 'ant' 0.001" in first.reason
    assert second.files[0] == "train/bee/2.png"
    assert "looks more like 'cat'" in second.reason
    assert (first.details["confident"], second.details["confident"]) == (True, False)


@pytest.mark.parametrize(("probability", "told"), [(0.97, "0.970"), (0.9999, "above 0.999"), (1, "above 0.999"),
                                                   (1e-9, "below 0.001"), (0.0012, "0.001")])
def test_no_probability_is_told_as_a_certainty(probability, told):
    assert chance(probability) == told


def test_unlike_names_what_is_far_out_though_the_network_is_content(made_up):
    (finding,) = unlike_findings(*made_up)
    assert finding.files[0] == "train/cat/4.png"            # ant/3 is a `label` finding already
    assert {file.split("/")[1] for file in finding.files} == {"cat"}
    assert finding.details["probability"] == pytest.approx(0.96, abs=1e-3)
    assert finding.details["deviations"] > 5


def look_alike(thumbs, rows, labels, wanted):
    "The correlation, by hand, of picture 0 with the others of the wanted class, aligned by nothing: its best."
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float64)
    likeness = np.corrcoef(flat)[0]
    return max((row for row in rows if labels[row] == wanted and row), key=lambda row: likeness[row])


def test_look_alikes_are_pictures_that_look_alike():
    rng = np.random.default_rng(1)
    thumbs = np.stack([np.asarray(scribble(seed)) for seed in range(60)])
    labels = rng.integers(2, size=60)
    thumbs[40] = np.roll(thumbs[0], 1, axis=0)
    labels[[0, 40]] = 0, 1
    (found,) = look_alikes(lambda rows: thumbs[rows], np.arange(60), labels, np.array([0]), [1], [{0}], 4)
    assert found[0] == 40 == look_alike(thumbs, np.arange(60), labels, 1)
    assert len(set(found)) == 4
    assert (labels[found] == 1).all()


def test_a_class_that_always_looks_the_same_is_dealt_over_all_folds():
    "Discs differ only by place and size: nearly the same picture, but kept together no network would know a disc."
    labels = np.repeat([0, 1], 40)
    even, few, same = np.arange(0, 30), np.arange(44, 47), [np.array([2, 9]), np.array([44, 45])]
    kept = kept_together(labels, np.arange(80), same, [even, few])
    assert sorted(group.tolist() for group in kept) == [[2, 9], [44, 45, 46]]
