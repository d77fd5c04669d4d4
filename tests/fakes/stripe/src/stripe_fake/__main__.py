"""`python -m stripe_fake`."""

import sys

from stripe_fake.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
