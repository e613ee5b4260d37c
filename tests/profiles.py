"""How long the tests may take: `make faults` tries more than `make test` does."""

import os

LONG = os.environ.get("DLV3_FAULTS") == "long"
