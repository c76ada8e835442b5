"""What tokens cost, in floating-point operations and in US dollars."""
