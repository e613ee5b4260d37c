"""`python -m docs.live`: make what the live page needs, if it is not there yet."""

import sys

from docs.live.files import LIVE, MissingToolError, make


def main() -> int:
    """Run the command. Returns the exit status: 0 also where the page is left out, because the book does without."""
    try:
        make(LIVE)
    except MissingToolError as missing:
        print(f"docs: the live model is left out of the book: {missing}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
