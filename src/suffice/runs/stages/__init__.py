"""The stages of a run, one a file, in the order in which data takes them."""

from __future__ import annotations

from suffice.runs.stages import evaluate, pool, prove, report, score, select, train
from suffice.runs.stages.protocol import Stage

STAGES: dict[str, Stage] = {
    "pool": pool.PoolStage(),
    "score": score.ScoreStage(),
    "select": select.SelectStage(),
    "train": train.TrainStage(),
    "evaluate": evaluate.EvaluateStage(),
    "prove": prove.ProveStage(),
    "report": report.ReportStage(),
}
