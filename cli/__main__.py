"""`python -m cli` is `taskriver`."""

from cli import main

if __name__ == "__main__":
    main()
