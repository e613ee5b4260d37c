"""`python -m dlv3` is `dlv3`."""

import sys

from dlv3.cli import main

if __name__ == "__main__":
    sys.exit(main())
