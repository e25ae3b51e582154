"""Let the modules of this folder, which is also run as a script, find each other."""

import sys
from pathlib import Path

collect_ignore = ["run.py"]
sys.path.insert(0, str(Path(__file__).parent))
