#!/usr/bin/env python
"""The desk's management commands: `python manage.py up`, `migrate`, `seed`, `project`, ..."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
    from desk.environment import BadEnvironment, read_environment

    try:
        read_environment()
    except BadEnvironment as problem:
        sys.exit(str(problem))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
