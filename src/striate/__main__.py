"""`python -m striate` is the `striate` command."""

from striate.cli import main

if __name__ == "__main__":
    main()
