"""Grade-school word problems (GSM8K): the plain form and eight worked examples, ending in `#### N` as the references do.

The examples are isocost's own.
"""

from isocost.prompts.base import Template

PLAIN = Template(form="Question: {question}\nAnswer:", stop=("\nQuestion:", "\n\n\n"))

EIGHT_SHOT = Template(
    form=PLAIN.form,
    stop=PLAIN.stop,
    examples=(
        (
            "A ferry carries 18 cars on each crossing. It makes 5 crossings in the morning and 3 in the afternoon. "
            "How many cars does it carry?",
            " The ferry makes 5 + 3 = 8 crossings.\nIt carries 8 * 18 = 144 cars.\n#### 144",
        ),
        (
            "Mila had $40. She bought two notebooks at $6 each and a pen for $3. How much money does she have left?",
            " The notebooks cost 2 * 6 = 12 dollars.\nTogether with the pen she pays 12 + 3 = 15 dollars.\n"
            "She has 40 - 15 = 25 dollars left.\n#### 25",
        ),
        (
            "Three friends share 2 pizzas that are cut into 12 slices each. How many slices does each friend get?",
            " There are 2 * 12 = 24 slices.\nEach friend gets 24 / 3 = 8 slices.\n#### 8",
        ),
        (
            "A plant is 20 cm tall and grows 4 cm a week. How tall is it after 6 weeks?",
            " In 6 weeks it grows 6 * 4 = 24 cm.\nIt is then 20 + 24 = 44 cm tall.\n#### 44",
        ),
        (
            "Jonas reads 15 pages on Monday and twice as many on Tuesday. The book has 120 pages. How many pages are left?",
            " On Tuesday he reads 15 * 2 = 30 pages.\nSo far he has read 15 + 30 = 45 pages.\nThere are 120 - 45 = 75 pages left.\n#### 75",
        ),
        (
            "A shirt costs $50 and is sold at 20% off. How much does it cost now?",
            " The discount is 50 * 20 / 100 = 10 dollars.\nThe shirt now costs 50 - 10 = 40 dollars.\n#### 40",
        ),
        (
            "There are 28 pupils in a class. Four more are girls than boys. How many girls are there?",
            " Without the four extra girls there would be 28 - 4 = 24 pupils, half of them girls.\nThat is 24 / 2 = 12 girls.\n"
            "With the four there are 12 + 4 = 16 girls.\n#### 16",
        ),
        (
            "Lena runs 3 miles a day, except on Sundays. How many miles does she run in 4 weeks?",
            " She runs on 7 - 1 = 6 days a week.\nThat is 6 * 3 = 18 miles a week.\nIn 4 weeks she runs 4 * 18 = 72 miles.\n#### 72",
        ),
    ),
)
