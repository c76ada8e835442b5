"""Ask a model of the study for verdicts on answers, and on the reasoning of solutions."""
