"""Findings as data: CSV and JSON and back, exit codes, order, kinds by name."""
import csv
import io
import json

import pytest

from fastlab.check.findings import KINDS, Finding, Findings, in_order, kinds_named
from fastlab.errors import OptionError

NAMES = ('train/a/comma, "quote".png', "train/a/new\nline.png", "train/博/学.png", "train/a/not-utf8-\udcff.png",
         "train/a/ spaces .png")


def made_up(*kinds):
    found = [Finding(kind, NAMES[:1 + number % len(NAMES)], f"reason {number}; 'x', \"y\"", f"action {number}",
                     {"suggested": "学"} if kind == "label" else {}) for number, kind in enumerate(kinds)]
    return Findings("folder", in_order(found), 9, ("a note",))


def test_the_csv_comes_back_as_it_was():
    findings = made_up(*KINDS, "split", "leak")
    rows = list(csv.DictReader(io.StringIO(findings.to_csv(), newline="")))
    back = {}
    for row in rows:
        back.setdefault(int(row["finding"]), []).append(row)
    assert len(back) == len(findings)
    for number, finding in enumerate(findings, 1):
        assert [row["file"] for row in back[number]] == [name.replace("\udcff", "\\xff") for name in finding.files]
        assert [int(row["place"]) for row in back[number]] == list(range(1, len(finding.files) + 1))
        assert {(row["kind"], row["reason"], row["action"], row["suggested"]) for row in back[number]} == \
            {(finding.kind, finding.reason, finding.action, finding.details.get("suggested", ""))}


def test_a_finding_without_files_has_its_line(tmp_path):
    findings = Findings("folder", (Finding("imbalance", (), "uneven", "used"),))
    findings.write_csv(tmp_path / "check.csv")
    (row,) = csv.DictReader((tmp_path / "check.csv").open(encoding="utf-8", newline=""))
    assert (row["kind"], row["file"], row["reason"]) == ("imbalance", "", "uneven")


def test_json_has_what_scripts_rely_on_whatever_the_names():
    told = json.loads(json.dumps(made_up(*KINDS).to_dict(), ensure_ascii=False).encode("utf-8"))
    assert {"findings", "counts"} <= set(told)
    assert all({"kind", "files", "reason", "action"} <= set(finding) for finding in told["findings"])
    assert told["counts"] == dict.fromkeys(KINDS, 1)
    assert "train/a/not-utf8-\\xff.png" in {file for finding in told["findings"] for file in finding["files"]}


def test_findings_stand_by_kind_in_the_order_in_which_people_should_look():
    findings = made_up("imbalance", "near-identical", "leak", "label", "unreadable", "leak")
    assert [finding.kind for finding in findings] == ["unreadable", "leak", "leak", "label", "near-identical",
                                                      "imbalance"]
    assert [finding.reason[:8] for finding in findings.of("leak")] == ["reason 2", "reason 5"]


@pytest.mark.parametrize(("kinds", "fail_on", "code"), [
    ((), None, 0), (("label", "unlike"), None, 0), (("label", "format"), None, 1), (("imbalance",), None, 1),
    (("leak",), ["leak"], 1), (("leak",), ["unreadable"], 0), (("label",), ["label"], 1), (("leak", "label"), [], 0)])
def test_exit_codes(kinds, fail_on, code):
    assert made_up(*kinds).exit_code(fail_on) == code


def test_kinds_are_named_in_any_spelling_of_a_list():
    assert kinds_named("--x", "leak, unreadable,") == kinds_named("--x", ["leak", "unreadable"])


@pytest.mark.parametrize(("word", "meant"), [("leaks", "leak"), ("unreadible", "unreadable"), ("lable", "label"),
                                             ("near identical", "near-identical"), ("Leak", "leak")])
def test_a_misspelt_kind_gets_the_nearest(word, meant):
    with pytest.raises(OptionError, match=f"--fail-on.*{word}.*Did you mean '{meant}'"):
        kinds_named("--fail-on", f"empty,{word}")


def test_a_kind_that_does_not_exist_cannot_be_made():
    with pytest.raises(OptionError, match="Choose one of"):
        Finding("zzzz", (), "", "")
