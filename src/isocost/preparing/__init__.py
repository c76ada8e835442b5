"""From a checked study file to what the stages need: problems, models with their costs, prompts."""
