"""`python -m striate` is the `striate` command."""

from striate.cli import process

if __name__ == "__main__":
    process()
