"""How bubblewrap starts the server: `python -m inside`."""

from .server import main

main()
