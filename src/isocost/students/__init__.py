"""Train and evaluate the students of a run."""
