"""Progress: plain lines where nobody watches, bars on a terminal, nothing when quiet."""

import io
import re

import pytest
from rich.console import Console

from suffice.common.progress import Silent, Terminal, reporter


def work(report, total=10, words=None):
    with report.track("score", total, "rows") as task:
        for _ in range(total):
            task.advance()
        if words:
            task.result(words)


def test_off_a_terminal_a_stage_is_one_plain_line():
    text = io.StringIO()
    report = Terminal(Console(file=text))
    work(report)
    work(report, words="10 rows [2 missing]")
    report.say("[bold]as it is[/bold] " + "long " * 40)
    first, second, third = text.getvalue().splitlines()
    assert re.fullmatch(r"score      10 rows  \(\d+\.\d s\)", first)
    assert re.fullmatch(r"score      10 rows \[2 missing\]  \(\d+\.\d s\)", second)  # no markup is read
    assert third == "[bold]as it is[/bold] " + "long " * 40  # nor is a line cut or broken


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_shows_a_bar_that_ends_as_the_line(no_color):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, no_color=no_color, width=100)
    work(Terminal(console))
    assert "100%" in text.getvalue()
    assert "\x1b[2K" in text.getvalue()  # the bar is taken away
    assert re.search(r"score      10 rows  \(\d+\.\d s\)\n$", text.getvalue())
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", text.getvalue())) is not no_color


def test_no_color_is_heeded(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert Terminal().console.no_color


def test_a_stage_that_fails_reports_no_result():
    text = io.StringIO()
    with pytest.raises(RuntimeError), Terminal(Console(file=text)).track("score", 2, "rows"):
        raise RuntimeError
    assert text.getvalue() == ""


def test_quiet_says_nothing(capsys):
    report = reporter(quiet=True)
    assert isinstance(report, Silent)
    work(report, words="done")
    report.say("words")
    assert capsys.readouterr() == ("", "")


def test_progress_goes_to_standard_error(capsys):
    work(reporter(quiet=False))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("score      10 rows")
