"""The command line as ``python -m region_grower_flow.cli``."""

from region_grower_flow.cli import main

if __name__ == "__main__":
    main()
