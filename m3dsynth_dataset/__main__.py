"""``python -m m3dsynth_dataset`` is the command ``m3dsynth``."""

import sys

from m3dsynth_dataset.cli import main

sys.exit(main())
