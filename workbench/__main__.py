"""``python -m workbench`` is ``workbench``."""

from .cli import main

if __name__ == "__main__":
    main()
