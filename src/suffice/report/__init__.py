"""One page that says what a run found: the verdict first, the evidence under it, the detail one step away."""

from suffice.report.data import (
    ArmRow,
    BudgetCurve,
    ChosenRow,
    CurvePoint,
    FamilyScore,
    ItemPair,
    ReportData,
    Spread,
)
from suffice.report.exports import write_exports
from suffice.report.page import render

__all__ = [
    "ArmRow",
    "BudgetCurve",
    "ChosenRow",
    "CurvePoint",
    "FamilyScore",
    "ItemPair",
    "ReportData",
    "Spread",
    "render",
    "write_exports",
]
