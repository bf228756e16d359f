"""Where a stage's jobs run: in worker processes on this machine."""
