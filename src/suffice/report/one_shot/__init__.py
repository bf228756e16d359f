"""The page of a run on one example: what the example did, told apart from what any reward does."""

from suffice.report.one_shot.data import (
    Arm,
    Candidate,
    Choice,
    Contamination,
    Estimate,
    Metric,
    OneShotReport,
    Steps,
    TaskReport,
    Training,
    Whole,
)
from suffice.report.one_shot.page import render, write_figures

__all__ = [
    "Arm",
    "Candidate",
    "Choice",
    "Contamination",
    "Estimate",
    "Metric",
    "OneShotReport",
    "Steps",
    "TaskReport",
    "Training",
    "Whole",
    "render",
    "write_figures",
]
