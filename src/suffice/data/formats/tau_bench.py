"""Logs of tau-bench: what an agent did (``traj``) and what it got for it (``reward``)."""

from __future__ import annotations

from typing import Any

from suffice.data.conversation import Conversation
from suffice.data.tools import read_tools
from suffice.data.turns import read_messages


class TauBench:
    """``{"task_id": 0, "reward": 1.0, "info": {…}, "traj": [{"role": "system", "content": "…"}, …], "trial": 0}``."""

    fields = ("traj", "tools", "reward")
    reason = "`traj`"
    examples = (
        {
            "task_id": 0,
            "reward": 1.0,
            "traj": [
                {"role": "system", "content": "# Airline policy"},
                {"role": "user", "content": "Cancel my flight."},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "1",
                            "type": "function",
                            "function": {"name": "cancel", "arguments": '{"id": "A1"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "1", "name": "cancel", "content": "done"},
                {"role": "assistant", "content": "It is cancelled."},
                {"role": "user", "content": "###STOP###"},
            ],
        },
    )

    def detect(self, row: Any) -> bool:
        """Tells whether the row has ``traj``."""
        return isinstance(row, dict) and row.get("traj") is not None

    def convert(self, row: dict[str, Any]) -> Conversation:
        """Returns the trajectory as a conversation.

        Raises:
            RowError: ``traj`` or ``tools`` is not what it should be.
        """
        return Conversation(read_messages(row["traj"], "traj"), read_tools(row.get("tools")))
