"""Writes report.html, one file that needs no other, and report.md. Same results, same bytes: there is no date in it."""
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fastlab.files import write_text
from fastlab.study.report.content import content
from fastlab.study.report.drawings import curves, paired, unique_ids
from fastlab.study.report.markdown import markdown
from fastlab.study.report.wording import MARKS

HERE = Path(__file__).parent


def write_report(study):
    "Writes both forms into the study's folder."
    told = content(study)
    write_text(study.out / "report.html", page(study.gathered, told))
    write_text(study.out / "report.md", markdown(told))


def page(gathered, told):
    "The text of report.html."
    names = [item["comparison"].name for item in told["comparisons"]]
    ids = {name: number for number, name in enumerate(names, 1)}
    pictures = {item["comparison"].name: pictures_of(gathered, item, ids) for item in told["comparisons"]}
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=False)
    return environment.get_template("page.html").render(**told, css=(HERE / "page.css").read_text("utf-8"), ids=ids,
                                                        marks=MARKS, pictures=pictures)


def pictures_of(gathered, item, ids):
    "A comparison's pictures as SVG text that may stand in one page: its curves, then its paired differences."
    one, testings = item["comparison"], item["testings"]
    drawn = [curves(gathered, one, testings), paired(gathered, one, testings)]
    return [unique_ids(svg, f"f{ids[one.name]}{kind}") for kind, svg in zip("cp", drawn) if svg is not None]
