"""Where the shop's own modules are, from wherever pytest is started."""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
warnings.filterwarnings("ignore", message=".*pkg_resources.*")  # the SDK imports it
