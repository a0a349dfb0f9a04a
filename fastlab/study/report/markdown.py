"""The report as markdown: the same figures as the page, for a README or a mail."""
from fastlab.study.report.wording import MARKS


def markdown(told):
    "The text of report.md from what `content` returned."
    lines = [f"# {told['plan'].title}", "", _summary(told), "", *_warnings(told["state"])]
    for note in told["data"]["notes"]:
        lines += [f"Noted: {note}", ""]
    for family, rows in told["families"].items():
        lines += [f"## {family[:1].upper()}{family[1:]}", "", *_claims(rows), ""]
    if told["explained"]:
        lines += ["## Does the forgotten eval() explain it?", "", *_explained(told["explained"]), ""]
    for item in told["comparisons"]:
        lines += [*_comparison(item), ""]
    lines += ["## Costs and settings", "", f"{told['costs']['total']} of processor time in all.", "",
              *_table(("variant", "runs", "epochs", "seconds a run"),
                      [(row["label"], row["runs"], row["epochs"], row["seconds"]) for row in told["costs"]["rows"]]),
              "", ", ".join(f"{name} {version}" for name, version in told["settings"]["versions"].items()) + ".",
              *[f"Machine: {machine}." for machine in told["state"]["machines"]]]
    return "\n".join(lines).rstrip() + "\n"


def _summary(told):
    data, state = told["data"], told["state"]
    splits = ", ".join(f"{count:,} {split}" for split, count in data["splits"].items())
    counts = ", ".join(f"{count} {verdict}" for verdict, count in told["tally"].items())
    slightly = " (slightly: by less than matters)" if any(
        cell["slight"] for rows in told["families"].values() for row in rows for cell in row["cells"].values()) else ""
    return (f"{data['name']}: {data['classes']} classes, {data['colour']} {data['size']}, {splits}. "
            f"{state['seeds']} paired seeds, {state['done']:,} of {state['runs']:,} runs. "
            f"With eval(): {counts}{slightly}.")


def _warnings(state):
    if state["hurried"]:
        yield from ("**A quick look: fewer seeds, epochs and images. It decides little.**", "")
    if state["seeds"] < state["needed"]:
        yield from (f"**{state['seeds']} paired seeds are too few: with so many claims nothing can hold with less than "
                    f"{state['needed']}.**", "")
    if state["missing"]:
        yield from (f"**{state['missing']:,} runs are still to be done.**", "")
    for run, reason in state["failed"].items():
        yield from (f"**Failed: {run}: {reason}**", "")


def _claims(rows):
    two = any("as-printed" in row["cells"] for row in rows)
    heads = ("claim", "with eval()", "difference", "n", *(("as printed", "difference") if two else ()))
    return _table(heads, [(f"{row['claim'].says} ({row['claim'].source or row['claim'].comparison})",
                           *_cell(row["cells"].get("eval"), True),
                           *(_cell(row["cells"].get("as-printed"), False) if two else ())) for row in rows])


def _cell(cell, with_n):
    if cell is None:
        return ("", "", "") if with_n else ("", "")
    images = f" × {cell['images']:,}" if cell["images"] else ""
    slightly = ", slightly" if cell["slight"] else ""
    told = (f"{MARKS[cell['verdict']]} {cell['verdict']}{slightly}",
            f"{cell['span']} {cell['unit']} {cell['of']}".strip())
    return (*told, f"{cell['n']}{images}") if with_n else told


def _explained(rows):
    return _table(("conclusion", "with eval()", "as printed", "explained", "testing as printed adds"),
                  [(f"{row['claim'].says} ({row['claim'].comparison})", row["proper"]["verdict"],
                    row["printed"]["verdict"], f"{row['answer']}: {row['reason']}", row["shift"]) for row in rows])


def _comparison(item):
    one = item["comparison"]
    yield from (f"## {one.name}. {one.title}", "", f"{one.question} {item['setting'].capitalize()}.".strip(), "")
    for claim in item["claims"]:
        testing = " (as printed)" if claim["testing"] != "eval" else ""
        yield f"- {claim['mark']} **{claim['says']}**{testing}. {claim['sentence']}"
    tests = [f"test, {'eval()' if testing == 'eval' else 'as printed'} (%)" for testing in item["testings"]]
    yield from ("", *_table(("variant", *tests, "develop (%)", "ahead", "n"), [
        (row["title"], *(row["accuracy"][testing] for testing in item["testings"]), row["develop"], row["ahead"],
         row["n"]) for row in item["rows"]]))


def _table(heads, rows):
    def line(cells):
        return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
    return [line(heads), line(["---"] * len(heads)), *map(line, rows)]
