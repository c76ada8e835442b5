"""The form of the embedded word problems, alone and after two worked examples."""

from isocost.prompts.base import Template

PLAIN = Template(form="Q: {question}\nA:\n", stop=("\n\n",))

TWO_SHOT = Template(
    form=PLAIN.form,
    stop=PLAIN.stop,
    examples=(
        (
            "Nora has 14 shells. Nora finds 9 more shells. Nora gives 5 shells to a friend. How many shells does Nora have now?",
            "14 + 9 = 23\n23 - 5 = 18\n#### 18",
        ),
        (
            "Emil buys 3 cups for 4 dollars each. Emil buys 2 plates for 6 dollars each. How many dollars is that in all?",
            "3 * 4 = 12\n2 * 6 = 12\n12 + 12 = 24\n#### 24",
        ),
    ),
)
