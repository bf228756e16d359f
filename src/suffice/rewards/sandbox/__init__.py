"""Running a stranger's program where it can do no harm: fresh namespaces, no privileges, no network, limits."""

from suffice.rewards.sandbox.isolated import (
    Limits,
    Outcome,
    SandboxError,
    cannot_isolate,
    run_program,
    run_unsafe,
)

__all__ = ["Limits", "Outcome", "SandboxError", "cannot_isolate", "run_program", "run_unsafe"]
