"""The wording of the embedded word problems: thirty scenes in three shapes.

A scene is text only; `wordproblems.py` chooses the numbers and the order of events. Three shapes cover one to six steps:

- `RunningScene`: one quantity that events change (add, take away, multiply, divide).
- `PartsScene`: several groups of equal size that are added up, with something left over, lost or shared at the end.
- `ChainScene`: people who have some more, some fewer or some times as many as the one before; the last one or the total is asked.

Scenes marked `transfer=True` are never shown in pretraining or finetuning: they are the perturbed copy of the test set.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMES = (
    "Ada", "Ben", "Cara", "Dan", "Eva", "Finn", "Gina", "Hugo", "Iris", "Jon", "Kira", "Leo",
    "Mia", "Noah", "Olga", "Paul", "Rosa", "Sam", "Tara", "Umar", "Vera", "Will", "Yara", "Zane",
)  # fmt: skip

THINGS = (
    "marbles", "books", "rolls", "stickers", "crates", "sheep", "apples", "coins", "cards", "beads", "bricks", "tickets", "shells",
    "stamps", "pens", "cups", "hats", "kites", "plants", "stones", "toys", "nuts", "pears", "plums", "buttons", "boxes", "chairs",
    "lamps", "eggs", "ducks", "tulips", "jars", "balls", "cakes", "keys", "bells", "maps", "cows", "ropes", "tents",
)  # fmt: skip

# Events for any thing, beside a scene's own. They force a model to read the verb, because the scene does not predict the event.
COMMON_GAIN = (
    "{name} buys {k} {thing}.",
    "A friend brings {k} {thing}.",
    "{k} more {thing} arrive.",
    "{name} picks up {k} more {thing}.",
    "A truck brings {k} {thing}.",
)
COMMON_LOSE = (
    "{name} sells {k} {thing}.",
    "A friend takes {k} {thing}.",
    "{k} {thing} are gone the next day.",
    "{name} gives away {k} {thing}.",
    "A truck takes away {k} {thing}.",
)

DISTRACTORS = (
    "The room has {d} windows.",
    "{name} is {d} years old.",
    "The bus to town takes {d} minutes.",
    "There are {d} houses on the street.",
    "{name} woke up {d} minutes late.",
    "The clock on the wall is {d} years old.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningScene:
    """One quantity and the events that change it. Fields: {name}, {thing}, {n} for the start, {k} for an event's number."""

    key: str
    opening: str
    gain: tuple[str, ...]
    lose: tuple[str, ...]
    multiply: str
    divide: str
    ask: str
    transfer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsScene:
    """Groups of equal size. Fields: {name}, {thing}, {k} groups of {n} in `part`; {m} in `gain` and `lose`; {k} shares in `divide`."""

    key: str
    part: tuple[str, ...]
    gain: str
    lose: str
    divide: str
    ask: str
    ask_each: str
    transfer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainScene:
    """People compared one with the next. Fields: {name}, {thing}, {n} at the start; {next}, {last}, {k} in a link."""

    key: str
    opening: str
    more: str
    fewer: str
    times: str
    ask_last: str
    ask_total: str
    transfer: bool = False


RUNNING = (
    RunningScene(
        key="marbles",
        opening="{name} has {n} {thing}.",
        gain=("{name} finds {k} more {thing}.", "{name} wins {k} {thing}."),
        lose=("{name} loses {k} {thing}.", "{name} gives {k} {thing} to a friend."),
        multiply="A trade leaves {name} with {k} times as many {thing}.",
        divide="{name} shares the {thing} equally among {k} bags and keeps one bag.",
        ask="How many {thing} does {name} have now?",
    ),
    RunningScene(
        key="savings",
        opening="{name} has saved {n} dollars.",
        gain=("{name} earns {k} dollars.", "{name} gets {k} dollars as a gift."),
        lose=("{name} spends {k} dollars.", "{name} pays {k} dollars for a book."),
        multiply="A kind uncle makes the savings {k} times as large.",
        divide="{name} splits the money into {k} equal parts and keeps one part.",
        ask="How many dollars does {name} have left?",
    ),
    RunningScene(
        key="shelf",
        opening="A shelf holds {n} {thing}.",
        gain=("{name} puts {k} more {thing} on it.", "{k} {thing} are returned."),
        lose=("{k} {thing} are borrowed.", "{name} takes {k} {thing} off the shelf."),
        multiply="After a big order the shelf holds {k} times as many {thing}.",
        divide="The {thing} are moved to {k} shelves, the same number on each.",
        ask="How many {thing} are on the shelf at the end?",
    ),
    RunningScene(
        key="bus",
        opening="A bus leaves with {n} people.",
        gain=("At a stop {k} people get on.", "{k} more people join."),
        lose=("At a stop {k} people get off.", "{k} people leave the bus."),
        multiply="At the station the number of people becomes {k} times as large.",
        divide="The people change into {k} small buses, the same number in each.",
        ask="How many people ride in the bus now?",
    ),
    RunningScene(
        key="garden",
        opening="{name} plants {n} tulips.",
        gain=("{name} plants {k} more tulips.", "{k} new tulips come up."),
        lose=("A storm breaks {k} tulips.", "{name} picks {k} tulips."),
        multiply="By spring there are {k} times as many tulips.",
        divide="The tulips are put in {k} equal rows and one row is kept.",
        ask="How many tulips are there in the end?",
    ),
    RunningScene(
        key="pond",
        opening="There are {n} ducks on a pond.",
        gain=("{k} ducks fly in.", "{k} more ducks land."),
        lose=("{k} ducks fly away.", "{k} ducks swim off."),
        multiply="By noon there are {k} times as many ducks.",
        divide="The ducks form {k} equal groups and only one group stays.",
        ask="How many ducks are on the pond now?",
    ),
    RunningScene(
        key="shop",
        opening="A shop has {n} {thing} in the morning.",
        gain=("{name} makes {k} more {thing}.", "{k} new {thing} come in."),
        lose=("{k} {thing} are sold.", "{name} carries {k} {thing} out."),
        multiply="A big order leaves the shop with {k} times as many {thing}.",
        divide="The {thing} go into {k} equal baskets and one basket stays.",
        ask="How many {thing} are left?",
    ),
    RunningScene(
        key="stickers",
        opening="{name} owns {n} {thing}.",
        gain=("{name} buys {k} {thing}.", "A friend hands over {k} {thing}."),
        lose=("{name} uses {k} {thing}.", "{name} throws away {k} {thing}."),
        multiply="With a lucky box {name} ends up with {k} times as many {thing}.",
        divide="{name} sorts the {thing} into {k} equal piles and keeps one pile.",
        ask="How many {thing} does {name} keep?",
    ),
    RunningScene(
        key="tank",
        opening="A tank holds {n} liters of water.",
        gain=("{name} adds {k} liters.", "Rain adds {k} liters."),
        lose=("{k} liters leak out.", "{name} uses {k} liters."),
        multiply="A pump fills it to {k} times as much.",
        divide="The water is poured equally into {k} smaller tanks.",
        ask="How many liters are in the tank now?",
    ),
    RunningScene(
        key="points",
        opening="{name} starts a game with {n} points.",
        gain=("{name} scores {k} points.", "A bonus gives {k} points."),
        lose=("A mistake costs {k} points.", "{name} drops {k} points."),
        multiply="A gold card makes the points {k} times as many.",
        divide="A trap divides the points by {k}.",
        ask="How many points does {name} have at the end?",
    ),
    RunningScene(
        key="warehouse",
        transfer=True,
        opening="In the morning {n} {thing} stand in a hall.",
        gain=("Workers bring in {k} {thing}.", "{name} carries in {k} more."),
        lose=("{name} carries {k} {thing} away.", "{k} {thing} leave the hall."),
        multiply="By noon the hall holds {k} times as many {thing}.",
        divide="The {thing} are shared equally among {k} halls and this hall keeps its share.",
        ask="How many {thing} are in the hall now?",
    ),
    RunningScene(
        key="flock",
        transfer=True,
        opening="{name} looks after {n} {thing}.",
        gain=("{k} {thing} are found.", "{name} is handed {k} {thing}."),
        lose=("{k} {thing} are lost.", "{name} passes on {k} {thing}."),
        multiply="After some years there are {k} times as many {thing}.",
        divide="The {thing} are put in {k} equal groups and {name} keeps one group.",
        ask="How many {thing} does {name} have now?",
    ),
)

PARTS = (
    PartsScene(
        key="boxes",
        part=("{name} fills {k} boxes with {n} {thing} each.", "{name} packs {k} bags of {n} {thing}."),
        gain="{m} {thing} are left over.",
        lose="{m} {thing} are bad and thrown away.",
        divide="The {thing} are shared equally by {k} people.",
        ask="How many {thing} are there in all?",
        ask_each="How many {thing} does each one get?",
    ),
    PartsScene(
        key="market",
        part=("{name} buys {k} melons for {n} dollars each.", "{name} buys {k} hats at {n} dollars each."),
        gain="A bag costs {m} dollars more.",
        lose="A coupon takes off {m} dollars.",
        divide="The cost is split equally by {k} friends.",
        ask="How many dollars is that in all?",
        ask_each="How many dollars does each one pay?",
    ),
    PartsScene(
        key="trip",
        part=("{name} drives {k} hours at {n} miles an hour.", "{name} rides {k} hours at {n} miles an hour."),
        gain="Then {name} walks {m} miles.",
        lose="Of these, {m} miles do not count.",
        divide="The way is cut into {k} equal stages.",
        ask="How many miles is that in all?",
        ask_each="How many miles is each stage?",
    ),
    PartsScene(
        key="reading",
        part=("{name} reads {n} pages a day for {k} days.", "For {k} days {name} reads {n} pages a day."),
        gain="On a free day {name} reads {m} pages more.",
        lose="{name} skips {m} pages of these.",
        divide="The pages belong to {k} books of equal length.",
        ask="How many pages is that in all?",
        ask_each="How many pages does each book have?",
    ),
    PartsScene(
        key="seats",
        part=("A hall has {k} rows of {n} seats.", "There are {k} tables with {n} seats each."),
        gain="{name} brings {m} more seats.",
        lose="{m} seats are broken.",
        divide="The seats are divided equally among {k} classes.",
        ask="How many seats can be used in all?",
        ask_each="How many seats does each class get?",
    ),
    PartsScene(
        key="eggs",
        part=("{name} collects {n} eggs from each of {k} nests.", "{k} hens lay {n} eggs each."),
        gain="A neighbor brings {m} eggs.",
        lose="{m} eggs break.",
        divide="The eggs are packed equally in {k} cartons.",
        ask="How many eggs are there in all?",
        ask_each="How many eggs are in each one?",
    ),
    PartsScene(
        key="wages",
        part=("{name} works {k} hours for {n} dollars an hour.", "{name} mows {k} lawns for {n} dollars each."),
        gain="{name} also gets a tip of {m} dollars.",
        lose="{name} pays {m} dollars for the bus.",
        divide="The pay is shared equally by {k} workers.",
        ask="How many dollars are left in all?",
        ask_each="How many dollars does each one get?",
    ),
    PartsScene(
        key="beads",
        part=("{name} makes {k} rings with {n} beads each.", "{name} makes {k} chains of {n} beads."),
        gain="{name} needs {m} beads more for a knot.",
        lose="{name} takes {m} beads back out.",
        divide="The beads come from {k} equal jars.",
        ask="How many beads is that in all?",
        ask_each="How many beads were in each jar?",
    ),
    PartsScene(
        key="laps",
        part=("{name} runs {k} laps of {n} meters.", "{name} swims {k} laps of {n} meters."),
        gain="Then {name} adds {m} meters.",
        lose="A short cut saves {m} meters.",
        divide="The way is divided equally among {k} days.",
        ask="How many meters is that in all?",
        ask_each="How many meters is that each day?",
    ),
    PartsScene(
        key="tickets",
        transfer=True,
        part=("{name} sells {k} tickets for {n} dollars each.", "{k} people pay {n} dollars each."),
        gain="A gift adds {m} dollars.",
        lose="The hall costs {m} dollars.",
        divide="The money is divided equally among {k} clubs.",
        ask="How many dollars are there in all?",
        ask_each="How many dollars does each one get?",
    ),
    PartsScene(
        key="bricks",
        transfer=True,
        part=("{name} lays {k} rows of {n} {thing}.", "A wall has {k} rows with {n} {thing} each."),
        gain="{name} adds {m} {thing}.",
        lose="{m} {thing} break.",
        divide="The {thing} come in {k} equal piles.",
        ask="How many {thing} is that in all?",
        ask_each="How many {thing} are in each one?",
    ),
    PartsScene(
        key="milk",
        transfer=True,
        part=("{name} fills {k} jars with {n} liters of milk each.", "{k} cows give {n} liters of milk each."),
        gain="A neighbor brings {m} liters.",
        lose="{m} liters are used.",
        divide="The milk is poured equally into {k} tanks.",
        ask="How many liters are there in all?",
        ask_each="How many liters are in each one?",
    ),
)

CHAINS = (
    ChainScene(
        key="coins",
        opening="{name} has {n} {thing}.",
        more="{next} has {k} more {thing} than {last}.",
        fewer="{next} has {k} fewer {thing} than {last}.",
        times="{next} has {k} times as many {thing} as {last}.",
        ask_last="How many {thing} does {last} have?",
        ask_total="How many {thing} do they have in all?",
    ),
    ChainScene(
        key="ages",
        opening="{name} is {n} years old.",
        more="{next} is {k} years older than {last}.",
        fewer="{next} is {k} years younger than {last}.",
        times="{next} is {k} times as old as {last}.",
        ask_last="How old is {last}?",
        ask_total="How old are they in all?",
    ),
    ChainScene(
        key="fish",
        opening="{name} catches {n} fish.",
        more="{next} catches {k} more fish than {last}.",
        fewer="{next} catches {k} fewer fish than {last}.",
        times="{next} catches {k} times as many fish as {last}.",
        ask_last="How many fish does {last} catch?",
        ask_total="How many fish do they catch in all?",
    ),
    ChainScene(
        key="cards",
        opening="{name} collects {n} {thing}.",
        more="{next} collects {k} {thing} more than {last}.",
        fewer="{next} collects {k} {thing} fewer than {last}.",
        times="{next} collects {k} times as many {thing} as {last}.",
        ask_last="How many {thing} does {last} collect?",
        ask_total="How many {thing} is that together?",
    ),
    ChainScene(
        key="weights",
        opening="The bag of {name} weighs {n} pounds.",
        more="The bag of {next} is {k} pounds heavier than the bag of {last}.",
        fewer="The bag of {next} is {k} pounds lighter than the bag of {last}.",
        times="The bag of {next} weighs {k} times as much as the bag of {last}.",
        ask_last="How many pounds does the bag of {last} weigh?",
        ask_total="How many pounds do the bags weigh together?",
    ),
    ChainScene(
        key="steps",
        transfer=True,
        opening="{name} walks {n} miles.",
        more="{next} walks {k} more miles than {last}.",
        fewer="{next} walks {k} fewer miles than {last}.",
        times="{next} walks {k} times as many miles as {last}.",
        ask_last="How many miles does {last} walk?",
        ask_total="How many miles do they walk in all?",
    ),
)
