"""One instance of an online deployment: a supervisor that holds the listening socket and forks the scoring processes."""

import os
import sys


def main() -> int:
    own = os.path.dirname(os.path.abspath(__file__))
    from zaffre_serving.supervisor import Settings, Supervisor

    # The user's code must find its own modules first and none of ours.
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != own]
    return Supervisor(Settings.from_environment()).run()


if __name__ == "__main__":
    sys.exit(main())
