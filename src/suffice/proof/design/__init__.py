"""Before anything is trained: what a study can show, what it needs, and when it may be looked at."""
