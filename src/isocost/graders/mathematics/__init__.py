"""Parsing and comparing mathematical answers: shared by the graders `number` and `math`.

formula      finds the final answer of a solution       tidy         normalises its notation
shapes       parses it: lists, intervals, ...           ranges       inequalities as intervals
agreement    compares the shapes                        parser       parses plain algebra
quantities   units and percent signs, by convention     units        conversion between units
expressions  plain algebra, compared by value           numbers      exact and 60-digit arithmetic
relations    equations and inequalities                 symbolic     the rest, by sympy: slow, and may hang
names        names that a value is given to             wholes       points for floors, sums and factorials
times        clock times, and ratios like them          congruences  residues
bound        letters that may be renamed                arguments    braces around arguments
"""
