"""What the tests of advice share: the folder of their made-up searches on the path."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
