"""Whatever is mistyped in a plan is a PlanError that names the file, the line and the nearest valid word."""
import re

import pytest

from fastlab.errors import OptionError, PlanError, StorageError
from fastlab.study.planfile import CHANGES, CLAIM, COMPARISON, DATA, TOP, VARIANT, plan_from, read_plan
from fastlab.study.tomllines import PlanText

EVERY_KEY = """# a plan in which every key of a plan stands
title = "A plan"
text = "All keys."
seeds = 4
region = 0.5

[recipe]
net = "lenet"
norm = "none"
epochs = 8
lr = 1e-3

[variants]
plain = {}
L2 = { l2 = 0.01 }
small = { net = "mynets:small", width = 0.5, images_a_class = 10, title = "Small" }
three = { ensemble = 3 }
views = { augment = "crop", crop = 24, ten_crop = true }

[variants.BatchNorm]
norm = "batch"
dropout = 0.5
classes = 3

[[comparison]]
name = "first"
title = "First"
question = "What?"
baseline = "plain"
variants = ["L2", "BatchNorm"]
family = "claims"
testing = ["eval", "as-printed"]

[[comparison.claim]]
says = "It is so"
variant = "L2"
is = "clearly less accurate"
than = "BatchNorm"
testing = "eval"
source = "guess"
family = "others"

[[comparison]]
name = "second"
baseline = "plain"
variants = ["three", "BatchNorm", "L2"]
change = { batch_size = 8 }

[[comparison.claim]]
says = "It goes on"
variant = "BatchNorm"
is = "goes on improving"
since = 4

[[comparison.claim]]
says = "It gains"
variant = "L2"
is = "gains more"
elsewhere = "first"

[quick]
epochs = 5
"""
LINES = EVERY_KEY.splitlines()
KEY = re.compile(r"(?:^|[{,]\s*)([A-Za-z_0-9]+) =")
TABLES = {"recipe", "quick", "variants", "comparison", "claim"}
VARIANT_NAMES = ("plain", "L2", "small", "three", "views")


def places(words):
    "(line number, key) wherever a key stands."
    return [(number, key) for number, line in enumerate(LINES, 1) if not line.startswith("#")
            for key in KEY.findall(line) if key in words]


def plan_with(number, old, new):
    "The plan with `old` changed to `new` on one line."
    line = LINES[number - 1]
    assert old in line
    changed = [*LINES[:number - 1], line.replace(old, new, 1), *LINES[number:]]
    return PlanText("\n".join(changed) + "\n", "my.toml")


def test_the_plan_without_a_mistake_is_read():
    plan = plan_from(PlanText(EVERY_KEY, "my.toml"))
    assert [one.name for one in plan.comparisons] == ["first", "second"]
    assert plan.variants["three"].ensemble == 3
    assert plan.variants["views"].ten_crop
    keys = {key for _, key in places((*TOP, *CHANGES, *DATA, *VARIANT, *COMPARISON, *CLAIM))}
    wanted = {*TOP, *DATA, *VARIANT, *COMPARISON, *CLAIM} - TABLES
    assert wanted <= keys | {"variants", "claim"}


@pytest.mark.parametrize(("number", "key"), places((*TOP, *CHANGES, *DATA, *VARIANT, *COMPARISON, *CLAIM)))
def test_a_mistyped_key_is_named_with_its_line_and_the_right_one(number, key):
    typo = key + key[-1] if len(key) < 4 else key[:-2] + key[-1]
    with pytest.raises(PlanError) as told:
        plan_from(plan_with(number, f"{key} =", f"{typo} ="))
    assert str(told.value).startswith(f"my.toml, line {number}: {typo!r} is not known here. ")
    assert repr(key) in str(told.value) or f" {key}," in str(told.value) or str(told.value).endswith(f" {key}.")


@pytest.mark.parametrize(("word", "typo", "meant"), [
    ('"batch"', '"bacth"', "batch"), ('"lenet"', '"lenett"', "lenet"), ('"crop"', '"corp"', "crop"),
    ('"clearly less accurate"', '"clearly less acurate"', "clearly less accurate"),
    ('"goes on improving"', '"goes on improvin"', "goes on improving"), ('"gains more"', '"gain more"', "gains more"),
    ('testing = "eval"', 'testing = "evil"', "eval"), ('"as-printed"', '"as printed"', "as-printed"),
    ('elsewhere = "first"', 'elsewhere = "frist"', "first"), ('baseline = "plain"', 'baseline = "plian"', "plain"),
    ('"L2", "BatchNorm"]', '"L2", "Batchnorm"]', "BatchNorm"), ('than = "BatchNorm"', 'than = "BatchNrm"', "BatchNorm"),
    ('variant = "BatchNorm"', 'variant = "BatchNom"', "BatchNorm"), ("[recipe]", "[recpie]", "recipe"),
    ("[[comparison]]", "[[comparisons]]", "comparison"), ("[variants]", "[variant]", "variants"),
    ("[[comparison.claim]]", "[[comparison.claims]]", "claim")])
def test_a_mistyped_word_is_named_with_its_line_and_the_nearest_one(word, typo, meant):
    number = next(number for number, line in enumerate(LINES, 1) if word in line)
    text = EVERY_KEY.replace(word, typo, 1)
    if word == "[[comparison]]":  # the others, and the tables in them, likewise: else it is not even TOML
        text = EVERY_KEY.replace("[[comparison", "[[comparisons")
    with pytest.raises(PlanError, match=rf"^my\.toml, line {number}: .*Did you mean '{re.escape(meant)}'\?"):
        plan_from(PlanText(text, "my.toml"))


WRONG = ["5", "-1", "0", "1.5", "true", '""', "[]", "[1]", "{ a = 1 }", "[[1]]", "1979-05-27", "inf", "nan",
         '["eval", "eval"]', '"plain"']
ANY_TEXT = ['""', '"plain"']
RIGHT = {"title": ANY_TEXT, "text": ANY_TEXT, "question": ANY_TEXT, "source": ANY_TEXT,
         "says": ['"plain"'], "seeds": ["5"], "region": ["5", "1.5"], "epochs": ["5"], "lr": ["5", "1.5"],
         "dropout": ["0"], "classes": ["5"], "baseline": ['"plain"'], "family": ['"plain"'], "since": ["5"],
         "variant": ['"plain"'], "than": ['"plain"']}
SINGLE = [(number, key, value) for number, line in enumerate(LINES, 1) for key in re.findall(r"^(\w+) =", line)
          for value in WRONG if value not in RIGHT.get(key, ()) and key not in (*VARIANT_NAMES, "name")]


def test_a_value_of_the_wrong_kind_is_named_with_its_line():
    assert len(SINGLE) > 350
    for number, key, value in SINGLE:
        line = LINES[number - 1]
        with pytest.raises(PlanError) as told:
            plan_from(plan_with(number, line, f"{key} = {value}"))
        assert str(told.value).startswith(f"my.toml, line {number}: "), (line, value)


@pytest.mark.parametrize(("old", "new", "line", "words"), [
    ('name = "second"', 'name = "first"', 44, "two comparisons are called 'first'"),
    ('than = "BatchNorm"', 'than = "L2"', 36, "'L2' cannot be compared with itself"),
    ("since = 4", "since = 8", 53, "since = 8 is not before the last epoch, 8"),
    ("since = 4\n", "", 52, "'goes on improving' needs 'since'"),
    ('elsewhere = "first"\n', "", 58, "'gains more' needs 'elsewhere'"),
    ('is = "gains more"', 'is = "more accurate"', 59, "'more accurate' does not take 'elsewhere'"),
    ('is = "clearly less accurate"', 'is = "still climbs"', 38, "said of one variant alone"),
    ('is = "clearly less accurate"\nthan = "BatchNorm"\ntesting = "eval"', 'is = "overfits"\ntesting = "as-printed"',
     38, "same under both"),
    ('variants = ["L2", "BatchNorm"]', 'variants = ["L2", "plain"]', 30, "'plain' stands twice"),
    ('variants = ["three", "BatchNorm", "L2"]', 'variants = ["three", "three"]', 46, "'three' stands twice"),
    ('elsewhere = "first"', 'than = "three"\nelsewhere = "first"', 60, "does not have both 'L2' and 'three'"),
    ('variant = "L2"\nis = "gains more"\nelsewhere = "first"', 'variant = "three"\nis = "calmer"', 58,
     "cannot be said of 'three'"),
    ("{ l2 = 0.01 }", "{ l2 = 0.01, decay = 0.1 }", 15, "two kinds of weight decay"),
    ("{ l2 = 0.01 }", '{ decay = 0.01, optimizer = "adam" }', 15, "needs the optimizer adamw"),
    ("{ ensemble = 3 }", "{ ensemble = 0 }", 17, "ensemble must be a whole number above 0"),
    ("ten_crop = true", "ten_crop = 1", 18, "ten_crop must be true or false"),
    ("small = {", "small = 5 #", 16, "the variant 'small' must be a table of changes"),
    ("[[comparison.claim]]\nsays", "[comparison.claim]\nsays", 34, r"write \[\[comparison.claim\]\]"),
    ("images_a_class = 10", "size = 32", 16, "'size' is not known here")])
def test_what_does_not_fit_together_is_named_with_its_line(old, new, line, words):
    assert old in EVERY_KEY
    text = EVERY_KEY.replace(old, new, 1)
    with pytest.raises(PlanError, match=words) as told:
        plan_from(PlanText(text, "my.toml"))
    assert str(told.value).startswith(f"my.toml, line {line}: "), str(told.value)


@pytest.mark.parametrize(("text", "words"), [
    ("", r"a plan needs at least one \[\[comparison\]\]"), ("title = ", "not valid TOML.*line 1"),
    ("[recipe]\nepochs = 5\nepochs = 6", "not valid TOML.*line 3"),
    ("[[comparison]]\nname = \"a\"\n", "line 1: this table needs baseline"),
    ("[[comparison]]\nbaseline = \"a\"\n", "line 2: baseline: 'a' is not known. There is none yet"),
    ("comparison = 5", "line 1: comparison must be a list of tables"),
    ("recipe = 5", "line 1: recipe must be a table"),
    ("variants = []\n", "line 1: variants must be a table")])
def test_a_plan_that_is_no_plan(text, words):
    with pytest.raises(PlanError, match=words):
        plan_from(PlanText(text, "my.toml"))


def test_a_quick_look_too_short_for_what_a_claim_goes_back_to_is_named():
    text = EVERY_KEY.replace("\nepochs = 8", "\nepochs = 60").replace("since = 4", "since = 30")
    assert plan_from(PlanText(text.replace("epochs = 5", "epochs = 10"))).quick().claims[-2].since == 9
    assert plan_from(PlanText(text.replace("epochs = 5", "seeds = 2").replace("[quick]\nseeds = 2", ""))).quick()
    line = text.splitlines().index("epochs = 5") + 1
    with pytest.raises(PlanError, match=rf"^my\.toml, line {line}: the quick look: a claim of the comparison 'second' "
                                        r"goes back to epoch 9 of it, and it has 5\. Give it more epochs than 9, or"):
        plan_from(PlanText(text, "my.toml"))


def test_a_comment_is_never_the_line_that_is_named():
    text = EVERY_KEY.replace("[recipe]", "# epochs = 0 would be wrong\n[recipe]\n# epochs")
    text = text.replace("epochs = 8", "epochs = 0")
    number = text.splitlines().index("epochs = 0") + 1
    with pytest.raises(PlanError, match=f"line {number}: "):
        plan_from(PlanText(text, "my.toml"))


def test_files_that_are_no_text_or_not_there(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_bytes(b"title = \"\xff\xfe\"")
    with pytest.raises(PlanError, match=r"plan\.toml: this is not UTF-8 text"):
        read_plan(file)
    with pytest.raises(OptionError, match="extra is neither a file nor one of fastlab's own plans: lab, extras, ph"):
        read_plan("extra")
    with pytest.raises(OptionError, match="neither a file"):
        read_plan(tmp_path)
    for mark, newline in ((b"\xef\xbb\xbf", "\n"), (b"", "\r\n")):  # as Windows writes text
        file.write_bytes(mark + EVERY_KEY.replace("\n", newline).encode())
        assert read_plan(file) == plan_from(PlanText(EVERY_KEY))


def test_a_plan_that_may_not_be_read(tmp_path, monkeypatch):
    file = tmp_path / "plan.toml"
    file.write_text(EVERY_KEY)

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    with pytest.raises(StorageError, match=r"plan\.toml: the plan cannot be read \(Permission denied\)"):
        read_plan(file)


def test_a_plan_named_like_one_of_fastlab_s_own_wins_where_it_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(read_plan("lab").comparisons) > 7
    (tmp_path / "lab").write_text(EVERY_KEY)
    assert len(read_plan("lab").comparisons) == 2
