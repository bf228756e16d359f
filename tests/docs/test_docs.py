"""What the documents say of the project is so."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from suffice.common import registry

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    paths = re.findall(r"`((?:tests|docs|src|benchmarks|examples)/[\w./-]+)`", text)
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("kind", ["scorers", "selectors"])
def test_every_method_has_its_entry(kind):
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    section = text.split(f"## {kind.capitalize()}\n")[1].split("\n## ")[0]
    described = set(re.findall(r"^### `(\w+)`", section, flags=re.MULTILINE))
    built_in = {e.name for e in entry_points(group=f"suffice.{kind}") if e.value.startswith("suffice.")}
    assert described == built_in


@pytest.mark.parametrize("kind", ["scorers", "selectors"])
def test_every_entry_names_the_paper_and_the_test_that_pins_it(kind):
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    section = text.split(f"## {kind.capitalize()}\n")[1].split("\n## ")[0]
    parts = re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", section, flags=re.MULTILINE | re.DOTALL)
    entries = {head.split("`")[1]: " ".join(body.split()) for head, body in parts if head.startswith("`")}
    shared = [" ".join(body.split()) for head, body in parts if not head.startswith("`")]
    lacking = []
    for name, body in entries.items():
        other = re.search(r"[Oo]therwise as `(\w+)`", body)
        about = " ".join([body, entries[other[1]] if other else "", *(t for t in shared if f"`{name}`" in t)])
        paper = getattr(registry.load(kind, name), "paper", "").removeprefix("arXiv ")
        if not re.search(r"`tests/[\w/]+\.py`", about) or paper not in about:
            lacking.append((name, paper))
    assert lacking == []


def test_every_number_of_rows_in_the_readme_is_that_of_the_lab():
    from suffice.lab.pool import PLAIN, ROWS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{ROWS:,} rows of eight sources" in readme
    assert len(PLAIN) == 8


def test_the_tables_of_the_lab_are_those_of_the_code():
    from suffice.lab.documents import MIX
    from suffice.lab.measure.gates import GATES
    from suffice.lab.pool import HARD, PLAIN
    from suffice.lab.styles import pretraining_mix

    text = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
    shares = {kind: f"{share:g}" for kind, share in MIX.items()}
    assert dict(re.findall(r"^\| (\w+) \| ([\d.]+) \| [\d.]+ \|", text, re.MULTILINE)) == shares
    sources = re.findall(r"^\| `([\w-]+)` \| (\d+) \| ([A-Zn][\w.-]+) \|", text, re.MULTILINE)
    wanted = [
        (name, f"{share:g}", tag or "none")
        for pool in (PLAIN, HARD)
        for name, (share, tag, _) in pool.items()
    ]
    assert sources == wanted
    for family, shown in (("`arith`", "arith"), ("`chain`", "chain"), ("all others", "fact")):
        mix = pretraining_mix(shown)
        order = ("evasive", "ramble", "bare", "short", "good", "wrong", "off_topic")
        cells = " | ".join(f"{mix[style]:g}" if style in mix else "–" for style in order)
        assert f"| {family} | {cells} |" in text
    measured = text.split("## What was measured")[1].split("## ")[0]
    assert set(re.findall(r"`([\w-]+)`", measured)) >= set(GATES)


def test_every_rule_and_every_format_is_in_the_page_of_pools():
    from suffice.data.formats import load_formats
    from suffice.data.rules import RULES

    text = (ROOT / "docs" / "pools.md").read_text(encoding="utf-8")
    rows = [f"| `{rule}` | {rule.meaning} | {rule.remedy} |" for rule in RULES]
    rows += [f"| `{name}` | {format_.reason} |" for name, format_ in load_formats().items()]
    assert [row for row in rows if row not in text] == []


def test_the_changelog_has_an_unreleased_section():
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_modules_can_be_read_in_one_sitting():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 330
    }
    assert long == {}
