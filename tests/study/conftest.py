"""What the tests of the study share: made-up studies and a runner that imports no torch."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
