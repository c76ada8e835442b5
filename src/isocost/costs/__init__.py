"""The cost of tokens, in floating-point operations and in US dollars."""
