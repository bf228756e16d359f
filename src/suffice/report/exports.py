"""Files for papers beside the page: each figure as an SVG file, and the tables in Markdown and LaTeX."""

from __future__ import annotations

from pathlib import Path

from suffice.common.files import write_text
from suffice.report.data import ReportData
from suffice.report.page import FIGURES
from suffice.report.standalone import standalone
from suffice.report.tables import latex, markdown, tables


def write_exports(data: ReportData, folder: Path) -> list[Path]:
    """Writes ``<figure>.svg`` for each figure that has something to draw, ``arms.md`` and ``arms.tex``.

    Args:
        data: What the report shows.
        folder: Where the files go; it is made where it is missing.

    Returns:
        The files, figures first.
    """
    figures = [draw(data) for draw in FIGURES]
    found = tables(data)
    texts = {f"{figure.key}.svg": standalone(figure) for figure in figures if figure.panels}
    if found:
        texts |= {"arms.md": markdown(found), "arms.tex": latex(found)}
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]
