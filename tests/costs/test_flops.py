from isocost.costs.flops import flops_per_token


def test_two_operations_a_weight() -> None:
    assert flops_per_token(9_000_000_000) == 1.8e10
