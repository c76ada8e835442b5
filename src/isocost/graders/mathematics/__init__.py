"""Reads mathematical answers and compares them: what the graders `number` and `math` share.

formula      finds the final answer of a solution       tidy         brings it to one way of writing
shapes       takes it apart: lists, intervals, ...      ranges       inequalities as intervals
agreement    compares the shapes                        parser       reads plain algebra
quantities   units and percent signs, by convention     units        what a unit is worth in another
expressions  plain algebra, compared by value           numbers      exact and 60-digit arithmetic
relations    equations and inequalities                 symbolic     all the rest, by sympy: slow, and may hang
"""
