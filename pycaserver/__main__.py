"""python -m pycaserver is the pycaserver command."""

from pycaserver.cli import main

if __name__ == "__main__":
    main()
