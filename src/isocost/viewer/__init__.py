"""The local pages of a run directory: its problems to browse, and solutions to label blind. `serving.serve` starts them.

Nothing here needs the run's lock, and nothing is written but labels: a study may go on while its pages are open.
"""
