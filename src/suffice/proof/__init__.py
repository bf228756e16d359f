"""Are the few chosen examples enough? The statistics of a run, from the scores of its arms."""

from suffice.proof.arms import ArmScores
from suffice.proof.comparison import Comparison
from suffice.proof.design.power import Design, PowerEstimate, power
from suffice.proof.intervals import Interval
from suffice.proof.verdict import ArmEstimate, Verdict, prove

__all__ = [
    "ArmEstimate",
    "ArmScores",
    "Comparison",
    "Design",
    "Interval",
    "PowerEstimate",
    "Verdict",
    "power",
    "prove",
]
