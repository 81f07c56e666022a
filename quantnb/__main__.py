"""``python -m quantnb`` is ``quantnb``."""

import sys

from quantnb.cli import main

sys.exit(main())
