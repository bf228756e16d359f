import pytest

from suffice.rewards.sandbox import cannot_isolate


@pytest.fixture
def isolated():
    """Skips where the system lets no sandbox be built, and says why."""
    if reason := cannot_isolate():
        pytest.skip(f"this system cannot isolate programs: {reason}")
