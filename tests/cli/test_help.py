"""Help comes at once, and the reference in docs/ is what the code says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "transformers", "trl", "datasets", "scipy", "numpy", "pyarrow", "pydantic", "yaml")


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from suffice.cli.main import run; code = run(['--help']);"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]; sys.exit(' '.join(loaded) or code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: suffice")


def test_the_reference_is_current():
    command = [sys.executable, "-m", "docs.cli", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
