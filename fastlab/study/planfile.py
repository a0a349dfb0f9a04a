"""Plans from TOML. Whatever is mistyped is an error that names the file, the line and the nearest valid word."""
import math
import sys
from pathlib import Path

from fastlab.errors import OptionError, nearest
from fastlab.study.plan import TESTINGS, Change, Claim, Comparison, Plan, Variant
from fastlab.study.tomllines import PlanText
from fastlab.study.words import AGAINST_ALL, WORDS
from fastlab.training.recipe import OWN_SWITCHES, Recipe

OWN_PLANS = ("lab", "extras", "photos")
TOP = ("title", "text", "seeds", "region", "recipe", "quick", "variants", "comparison")
COMPARISON = ("name", "title", "question", "baseline", "variants", "change", "claim", "family", "testing")
CLAIM = ("says", "variant", "is", "than", "testing", "source", "family", "elsewhere", "since")
DATA = ("classes", "images_a_class")
NAMED = ("name", "baseline", "says", "is", "family")  # these must not be empty
VARIANT = ("ensemble", "ten_crop", "title")
NETS = (*OWN_SWITCHES, "torchvision:NAME", "MODULE:FUNCTION")
RECIPE = Recipe.names()
CHANGES = tuple(name for name in RECIPE if name not in ("size", "channels"))  # these are the data's, one for all


def read_plan(plan="lab"):
    "The Plan of a TOML file, or of one of fastlab's own: 'lab', 'extras', 'photos'. Raises PlanError, StorageError."
    if str(plan) in OWN_PLANS and not Path(plan).is_file():
        plan = Path(__file__).with_name(f"{plan}.toml")
    path = Path(plan)
    if not path.is_file():
        raise OptionError(f"plan: {plan} is neither a file nor one of fastlab's own plans: {', '.join(OWN_PLANS)}.")
    return plan_from(PlanText.read(path))


def plan_from(text):
    "The Plan in a PlanText. Raises PlanError."
    tables = text.tables
    _known(text, (), tables, TOP)
    fields = _recipe_fields(text, ("recipe",), _table(text, (), tables, "recipe"))
    try:
        recipe = Recipe(**fields)
    except OptionError as error:
        raise text.wrong(("recipe",), None, str(error)) from error
    haste = _recipe_fields(text, ("quick",), _table(text, (), tables, "quick"))
    variants = {name: _variant(text, name, table) for name, table in _table(text, (), tables, "variants").items()}
    told = _tables(text, (), tables, "comparison")
    if not told:
        raise text.wrong((), None, "a plan needs at least one [[comparison]].")
    names = [_text(text, ("comparison", number), table, "name", str(number + 1)) for number, table in enumerate(told)]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise text.wrong(("comparison", number), name, f"two comparisons are called {name!r}. Give each a name of "
                                                           "its own.")
    comparisons = tuple(_comparison(text, number, table, variants, names) for number, table in enumerate(told))
    plan = Plan(_text(text, (), tables, "title", "A study"), recipe, variants, comparisons,
                _text(text, (), tables, "text", ""), _number(text, tables, "seeds", 10, int),
                _number(text, tables, "region", 0.5, (int, float)), haste)
    for number, comparison in enumerate(comparisons):
        _check_recipes(text, plan, comparison, number)
    _check_quick(text, plan)
    return plan


def _known(text, place, table, words):
    for key in table:
        if key not in words:
            raise text.wrong(place, key, f"{key!r} is not known here. {nearest(key, words)}")


def _table(text, place, tables, key):
    found = tables.get(key, {})
    if not isinstance(found, dict):
        raise text.wrong(place, key, f"{key} must be a table, such as [{key}].")
    return found


def _tables(text, place, tables, key):
    found = tables.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise text.wrong(place, key, f"{key} must be a list of tables: write [[{'.'.join((*place[:1], key))}]].")
    return found


def _text(text, place, table, key, default=None):
    value = table.get(key, default)
    if value is None:
        raise text.wrong(place, None, f"this table needs {key} = \"…\".")
    if not isinstance(value, str) or (key in NAMED and not value):
        raise text.wrong(place, key, f"{key} must be text in quotes, not {value!r}.")
    return value


def _number(text, table, key, default, kind, place=()):
    value = table.get(key, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, kind) or not 0 < value < math.inf):
        rule = "a whole number" if kind is int else "a number"
        raise text.wrong(place, key, f"{key} must be {rule} above 0, not {value!r}.")
    return value


def _recipe_fields(text, place, table):
    "A Recipe's fields, checked one by one, so that the line of the wrong one can be named."
    _known(text, place, table, RECIPE)
    for key, value in table.items():
        if key == "net" and isinstance(value, str) and ":" not in value:
            _one_of(text, place, key, value, NETS)
        try:
            Recipe(**{"epochs": sys.maxsize, key: value})  # freeze is held against the epochs later
        except (OptionError, TypeError, ValueError) as error:
            if key not in ("l2", "decay", "crop"):  # these may need their neighbours, looked at later, together
                raise text.wrong(place, key, str(error)) from error
    return dict(table)


def _change(text, place, table):
    _known(text, place, table, (*CHANGES, *DATA))
    recipe = _recipe_fields(text, place, {key: value for key, value in table.items() if key not in DATA})
    return Change(recipe, *(_number(text, table, key, None, int, place) for key in DATA))


def _variant(text, name, table):
    place = ("variants", name)
    if not isinstance(table, dict):
        raise text.wrong(place, name, f"the variant {name!r} must be a table of changes, such as {{ l2 = 0.01 }}.")
    own = {key: value for key, value in table.items() if key not in VARIANT}
    _known(text, place, table, (*CHANGES, *DATA, *VARIANT))
    if not isinstance(ten_crop := table.get("ten_crop", False), bool):
        raise text.wrong(place, "ten_crop", f"ten_crop must be true or false, not {ten_crop!r}.")
    return Variant(name, _change(text, place, own), _number(text, table, "ensemble", 1, int, place), ten_crop,
                   _text(text, place, table, "title", name))


def _one_of(text, place, key, value, words):
    if value not in words:
        cure = nearest(value, words) if words else "There is none yet."
        raise text.wrong(place, value if isinstance(value, str) and value else key,
                         f"{key}: {value!r} is not known. {cure}", key)
    return value


def _comparison(text, number, table, variants, names):
    place = ("comparison", number)
    _known(text, place, table, COMPARISON)
    baseline = _one_of(text, place, "baseline", _text(text, place, table, "baseline"), list(variants))
    others = table.get("variants", [])
    if not isinstance(others, list) or not others:
        raise text.wrong(place, "variants", "a comparison needs variants = [\"…\"], at least one beside the baseline.")
    for index, other in enumerate(others):
        _one_of(text, place, "variants", other, list(variants))
        if other in (baseline, *others[:index]):
            raise text.wrong(place, "variants", f"{other!r} stands twice in this comparison. Name each variant once.")
    _text(text, place, table, "family", "claims")
    _testings(text, place, table)
    name = names[number]
    comparison = Comparison(name, _text(text, place, table, "title", name), baseline, tuple(others),
                            _change(text, (*place, "change"), _table(text, place, table, "change")),
                            _text(text, place, table, "question", ""))
    claims = [claim for index, told in enumerate(_tables(text, place, table, "claim"))
              for claim in _claims(text, (*place, "claim", index), told, comparison, names, table)]
    return Comparison(**{**comparison.__dict__, "claims": tuple(claims)})


def _claims(text, place, table, comparison, names, around):
    "A claim, once for every way of testing that it is to be decided under."
    _known(text, place, table, CLAIM)
    word = _one_of(text, place, "is", _text(text, place, table, "is"), list(WORDS))
    rule = WORDS[word]
    everyone = list(comparison.everyone)
    variant = _one_of(text, place, "variant", table.get("variant", comparison.variants[0]), everyone)
    than = None if rule.alone or word == AGAINST_ALL else \
        _one_of(text, place, "than", table.get("than", comparison.baseline), everyone)
    if (rule.alone or word == AGAINST_ALL) and "than" in table:
        raise text.wrong(place, "than", f"{word!r} is said of one variant alone. Leave 'than' out.")
    if than == variant:
        raise text.wrong(place, variant, f"{variant!r} cannot be compared with itself. Name another one with 'than'.")
    for key in ("since", "elsewhere"):
        if (key in rule.needs) != (key in table):
            raise text.wrong(place, key if key in table else word,
                             f"{word!r} {'needs' if key in rule.needs else 'does not take'} {key!r}.")
    since = _number(text, table, "since", None, int, place)
    elsewhere = _one_of(text, place, "elsewhere", table["elsewhere"], names) if "elsewhere" in table else None
    family = _text(text, place, table, "family", around.get("family", "claims"))
    said, source = _text(text, place, table, "says"), _text(text, place, table, "source", "")
    return [Claim(said, comparison.name, variant, word, than, testing, source,
                  family if testing == "eval" else f"{family}, as printed", elsewhere, since)
            for testing in _testings(text, place, table, around, rule)]


def _testings(text, place, table, around=None, rule=None):
    "The ways of testing that a comparison's table asks for, or a claim's own, or those of the comparison `around` it."
    default = "eval" if rule is None or not rule.both else around.get("testing", "eval")
    told = table.get("testing", default)
    told = told if isinstance(told, list) else [told]
    for testing in told:
        _one_of(text, place, "testing", testing, TESTINGS)
    if not told or len(set(told)) < len(told):
        raise text.wrong(place, "testing", f"testing must name one way of testing or both: {', '.join(TESTINGS)}.")
    if rule is not None and not rule.both and told != ["eval"]:
        raise text.wrong(place, "testing", "this claim is the same under both ways of testing. Leave 'testing' out.")
    return told


def _check_recipes(text, plan, comparison, number):
    "Every variant's Recipe as a whole, and that the variants a claim goes back in are long enough."
    for variant in comparison.everyone:
        try:
            recipe = plan.recipe_of(comparison, variant)
        except OptionError as error:
            raise text.wrong(("variants", variant), variant, f"the variant {variant!r} in the comparison "
                             f"{comparison.name!r}: {error}") from error
        for index, claim in enumerate(comparison.claims):
            if claim.since and claim.since >= recipe.epochs:
                raise text.wrong(("comparison", number, "claim", index), "since",
                                 f"since = {claim.since} is not before the last epoch, {recipe.epochs}.")
    for claim in comparison.claims:
        _check_elsewhere(text, plan, claim, number)
        _check_averaged(text, plan, claim, number)


def _check_quick(text, plan):
    "What [quick] changes must make a Recipe of every variant, as long as what a claim goes back to."
    try:
        quick = plan.quick()
        made = [(one, quick.recipe_of(one, variant)) for one in quick.comparisons for variant in one.everyone]
    except OptionError as error:
        raise text.wrong(("quick",), None, f"the quick look: {error}") from error
    for comparison, recipe in made:
        since = max((claim.since or 0 for claim in comparison.claims), default=0)
        if since > recipe.epochs:
            raise text.wrong(("quick",), "epochs", f"the quick look: a claim of the comparison {comparison.name!r} "
                             f"goes back to epoch {since} of it, and it has {recipe.epochs}. Give it more epochs than "
                             f"{since}, or leave them out.")


def _check_elsewhere(text, plan, claim, number):
    if claim.elsewhere and not {claim.variant, claim.than} <= set(plan.comparison(claim.elsewhere).everyone):
        raise text.wrong(("comparison", number), claim.elsewhere, f"elsewhere: the comparison {claim.elsewhere!r} does "
                         f"not have both {claim.variant!r} and {claim.than!r}.")


def _check_averaged(text, plan, claim, number):
    "Ensembles and ten crops average probabilities on test: only accuracy with eval() can be said of them."
    names = plan.comparison(claim.comparison).everyone if claim.word == AGAINST_ALL else (claim.variant, claim.than)
    averaged = [name for name in names if name and plan.variants[name].on_test_alone]
    if averaged and (claim.testing != "eval" or any(part.measure != "accuracy" for part in claim.parts)):
        raise text.wrong(("comparison", number), claim.word, f"{claim.word!r} ({claim.testing}) cannot be said of "
                         f"{averaged[0]!r}, whose probabilities are averaged: only its accuracy on test with eval() "
                         "is known.")
