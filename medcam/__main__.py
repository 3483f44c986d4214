"""`python -m medcam`: the command line without its console script."""

from medcam.cli.main import main

if __name__ == "__main__":
    main()
