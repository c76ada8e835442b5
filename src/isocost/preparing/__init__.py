"""Turn a checked study file into the inputs of the stages: problems, models with their costs, prompts."""
