"""``python -m safemark`` is ``safemark``."""

from safemark.cli.main import main

if __name__ == "__main__":
    main()
