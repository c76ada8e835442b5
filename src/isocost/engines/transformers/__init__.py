"""Run a model with transformers in this process, on a CPU or GPU: isocost's own decoding loop over any model with a key-value cache."""
