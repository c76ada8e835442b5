"""Where work runs: worker processes on this machine. What they run is in `work.py`."""
