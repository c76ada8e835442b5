r"""Competition mathematics (MATH): the plain form and four worked examples, ending in \boxed{} as the references do.

The examples are isocost's own.
"""

from isocost.prompts.base import Template

PLAIN = Template(form="Problem:\n{question}\n\nSolution:\n", stop=("\nProblem:",))

FOUR_SHOT = Template(
    form=PLAIN.form,
    stop=PLAIN.stop,
    separator="\n\n\n",
    examples=(
        (
            r"Find the domain of $f(x) = \sqrt{x-3} + \frac{1}{7-x}$.",
            r"The root needs $x - 3 \ge 0$, so $x \ge 3$. The fraction needs $x \ne 7$. The domain is $\boxed{[3,7) \cup (7,\infty)}$.",
        ),
        (
            r"If $\det \mathbf{A} = 3$ and $\det \mathbf{B} = 5$, what is $\det(\mathbf{A}\mathbf{B}^2)$?",
            r"The determinant of a product is the product of the determinants: $3 \cdot 5^2 = 75$. The answer is $\boxed{75}$.",
        ),
        (
            r"How many integers from $1$ to $100$ are divisible by $6$ but not by $4$?",
            r"There are $16$ multiples of $6$ up to $100$. Those divisible by $4$ too are the multiples of $12$, of which there are $8$. "
            r"That leaves $16 - 8 = \boxed{8}$.",
        ),
        (
            r"Solve $2^{x+1} = 8^{x-1}$ for $x$.",
            r"Since $8 = 2^3$, the exponents satisfy $x + 1 = 3(x - 1)$, so $2x = 4$ and $x = \boxed{2}$.",
        ),
    ),
)
