"""10,000 malformed requests instead of the suite's 2,000: `python tests/benchmarks/page_malformed.py [N]`."""
import os
import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    os.environ["FASTLAB_MALFORMED"] = sys.argv[1] if len(sys.argv) > 1 else "10000"
    sys.exit(pytest.main([str(Path(__file__).parents[1] / "page" / "test_malformed.py"), "-q", "--durations=1"]))
