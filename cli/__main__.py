"""`python -m cli` runs the command `taskriver`."""

from cli import main

if __name__ == "__main__":
    main()
