"""``python -m boto_rolesanywhere``: the same as the command ``boto-rolesanywhere``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
