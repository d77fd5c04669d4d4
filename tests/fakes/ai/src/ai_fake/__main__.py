"""`python -m ai_fake`."""

import sys

from ai_fake.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
