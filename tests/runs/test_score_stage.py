"""When a run scores anew: where a file that an option names has changed."""

from suffice.runs.selection_settings import SelectionSettings
from suffice.runs.stages.score import _named_files


def test_files_that_options_name_count_by_their_content(tmp_path):
    history, folder = tmp_path / "history.json", tmp_path / "checkpoints"
    (folder / "epoch-1").mkdir(parents=True)
    (folder / "epoch-1" / "checkpoint.json").write_text("{}")
    history.write_text("[0.5]")
    settings = SelectionSettings(
        scorer="reward_variance", options={"history": str(history), "checkpoints": str(folder), "low": 0.1}
    )
    before = _named_files(settings)
    assert list(before) == [str(folder / "epoch-1" / "checkpoint.json"), str(history)]
    assert _named_files(settings) == before
    history.write_text("[0.25]")
    after = _named_files(settings)
    assert {name for name in before if before[name] != after[name]} == {str(history)}
    assert _named_files(SelectionSettings(scorer="length", options={"encoder": "some/name"})) == {}
