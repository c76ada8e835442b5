"""The local pages of a run directory: problems to browse, and solutions to label blind. `serving.serve` starts them.

The pages do not need the run's lock and write nothing but labels, so a study can run while they are open.
"""
