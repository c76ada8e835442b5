"""Run `isocost` as `python -m isocost.cli`."""

from isocost.cli import main

if __name__ == "__main__":
    main()
