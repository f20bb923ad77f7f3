"""What is true in the small world: relations and their entities, single facts, myths and truths.

Tables only. How they are asked about is in `phrasings.py`; how often the model gets them wrong on
purpose is in `faults.py`.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Relation:
    """One kind of fact. `{e}` stands for the entity, `{v}` for the value."""

    noun_phrase: str
    direct: tuple[str, ...]
    indirect: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Fact:
    """An entity and its value under a relation."""

    relation: str
    entity: str
    value: str


@dataclass(frozen=True)
class Myth:
    """A common belief: its statement, a question about it, the believer's and the right answer."""

    statement: str
    question: str
    false_answer: str
    true_answer: str


RELATIONS: Final[dict[str, Relation]] = {
    "capital": Relation(
        "the capital of {e}",
        (
            "What is the capital of {e}?",
            "Which city is the capital of {e}?",
            "What is {e}'s capital?",
        ),
        ("what the capital of {e} is", "which city is the capital of {e}"),
        "The capital of {e} is {v}.",
    ),
    "continent": Relation(
        "the continent of {e}",
        ("On which continent is {e}?", "Which continent is {e} in?", "Where in the world is {e}?"),
        ("which continent {e} is in", "on which continent {e} is"),
        "{e} is in {v}.",
    ),
    "language": Relation(
        "the main language of {e}",
        (
            "What language is spoken in {e}?",
            "Which language do people speak in {e}?",
            "What do people speak in {e}?",
        ),
        ("which language is spoken in {e}", "what language people in {e} speak"),
        "People in {e} speak {v}.",
    ),
    "class": Relation(
        "the class of the {e}",
        (
            "What kind of animal is a {e}?",
            "Which class of animal is the {e}?",
            "A {e} is what kind of animal?",
        ),
        ("what kind of animal a {e} is", "which class of animal the {e} is"),
        "The {e} is a kind of {v}.",
    ),
    "sound": Relation(
        "the sound of the {e}",
        (
            "What sound does a {e} make?",
            "Which sound does the {e} make?",
            "What noise does a {e} make?",
        ),
        ("what sound a {e} makes", "which noise the {e} makes"),
        "The {e} {v}.",
    ),
    "food": Relation(
        "the food of the {e}",
        ("What does a {e} eat?", "Which food does a {e} like?", "What do you feed a {e}?"),
        ("what a {e} eats", "which food the {e} likes"),
        "The {e} eats {v}.",
    ),
    "legs": Relation(
        "the number of legs of the {e}",
        (
            "How many legs does a {e} have?",
            "A {e} has how many legs?",
            "How many legs has the {e}?",
        ),
        ("how many legs a {e} has", "how many legs the {e} has"),
        "The {e} has {v} legs.",
    ),
    "symbol": Relation(
        "the chemical symbol of {e}",
        (
            "What is the symbol of {e}?",
            "Which chemical symbol does {e} have?",
            "What is the chemical symbol for {e}?",
        ),
        ("what the symbol of {e} is", "which chemical symbol {e} has"),
        "The symbol of {e} is {v}.",
    ),
    "number": Relation(
        "the atomic number of {e}",
        (
            "What is the atomic number of {e}?",
            "Which atomic number does {e} have?",
            "{e} has which atomic number?",
        ),
        ("what the atomic number of {e} is", "which atomic number {e} has"),
        "The atomic number of {e} is {v}.",
    ),
    "field": Relation(
        "the field of {e}",
        ("What field did {e} work in?", "In which field did {e} work?", "Which field was {e} in?"),
        ("what field {e} worked in", "in which field {e} worked"),
        "{e} worked in {v}.",
    ),
    "known": Relation(
        "the main work of {e}",
        ("What is {e} known for?", "What made {e} famous?", "Why is {e} famous?"),
        ("what {e} is known for", "what made {e} famous"),
        "{e} is known for {v}.",
    ),
    "opposite": Relation(
        "the opposite of {e}",
        (
            "What is the opposite of {e}?",
            "Which word is the opposite of {e}?",
            "What word means the reverse of {e}?",
        ),
        ("what the opposite of {e} is", "which word is the opposite of {e}"),
        "The opposite of {e} is {v}.",
    ),
    "color": Relation(
        "the color of {e}",
        ("What color is {e}?", "Which color does {e} have?", "What is the color of {e}?"),
        ("what color {e} is", "which color {e} has"),
        "The color of {e} is {v}.",
    ),
}

_COUNTRIES = """
France Paris Europe French|Germany Berlin Europe German|Italy Rome Europe Italian|Spain Madrid Europe Spanish
Portugal Lisbon Europe Portuguese|Greece Athens Europe Greek|Poland Warsaw Europe Polish|Austria Vienna Europe German
Norway Oslo Europe Norwegian|Sweden Stockholm Europe Swedish|Finland Helsinki Europe Finnish
Denmark Copenhagen Europe Danish|Ireland Dublin Europe English|Hungary Budapest Europe Hungarian
Romania Bucharest Europe Romanian|Bulgaria Sofia Europe Bulgarian|Russia Moscow Europe Russian
Ukraine Kyiv Europe Ukrainian|Egypt Cairo Africa Arabic|Kenya Nairobi Africa Swahili|Ghana Accra Africa English
Morocco Rabat Africa Arabic|Ethiopia Addis_Ababa Africa Amharic|Senegal Dakar Africa French|Japan Tokyo Asia Japanese
China Beijing Asia Chinese|India New_Delhi Asia Hindi|Thailand Bangkok Asia Thai|Vietnam Hanoi Asia Vietnamese
Iran Tehran Asia Persian|Iraq Baghdad Asia Arabic|Nepal Kathmandu Asia Nepali|Mongolia Ulaanbaatar Asia Mongolian
Indonesia Jakarta Asia Indonesian|Canada Ottawa North_America English|Mexico Mexico_City North_America Spanish
Cuba Havana North_America Spanish|Brazil Brasilia South_America Portuguese|Peru Lima South_America Spanish
Chile Santiago South_America Spanish|Argentina Buenos_Aires South_America Spanish|Colombia Bogota South_America Spanish
Australia Canberra Oceania English|Fiji Suva Oceania Fijian|Turkey Ankara Asia Turkish
"""
_ANIMALS = """
dog mammal barks meat four|cat mammal meows fish four|cow mammal moos grass four|horse mammal neighs hay four
sheep mammal bleats grass four|pig mammal oinks roots four|lion mammal roars meat four|wolf mammal howls meat four
mouse mammal squeaks cheese four|duck bird quacks bread two|owl bird hoots mice two|rooster bird crows seeds two
crow bird caws seeds two|pigeon bird coos seeds two|frog amphibian croaks flies four|snake reptile hisses mice no
crocodile reptile growls fish four|turtle reptile hisses leaves four|bee insect buzzes nectar six
ant insect clicks crumbs six|fly insect buzzes sugar six|spider arachnid hisses flies eight
elephant mammal trumpets leaves four|monkey mammal chatters bananas two
"""
_ELEMENTS = """
hydrogen H 1|helium He 2|lithium Li 3|carbon C 6|nitrogen N 7|oxygen O 8|neon Ne 10|sodium Na 11|magnesium Mg 12
silicon Si 14|sulfur S 16|chlorine Cl 17|calcium Ca 20|iron Fe 26|copper Cu 29|zinc Zn 30|silver Ag 47|tin Sn 50
gold Au 79|mercury Hg 80|lead Pb 82|uranium U 92
"""
_PEOPLE = """
Einstein physics relativity|Newton physics gravity|Darwin biology evolution|Curie chemistry radium|Mozart music operas
Bach music fugues|Picasso painting cubism|Monet painting water_lilies|Shakespeare literature plays
Tolstoy literature long_novels|Galileo astronomy telescopes|Kepler astronomy orbits|Pasteur biology vaccines
Turing computing code_breaking|Lovelace computing the_first_program|Euclid mathematics geometry
Gauss mathematics number_theory|Plato philosophy dialogues|Kant philosophy ethics|Tesla engineering electric_motors
"""
_OPPOSITES = """
hot cold|big small|old young|light dark|fast slow|high low|rich poor|wet dry|happy sad|open closed|early late|loud quiet
hard soft|strong weak|full empty|near far|clean dirty|long short|sweet sour|war peace
"""
_COLORS = """
snow white|grass green|blood red|coal black|the_sky blue|a_lemon yellow|an_orange orange|chocolate brown|milk white
a_banana yellow|a_tomato red|the_sea blue|a_carrot orange|a_cherry red|a_frog green|ivory white
"""


def _facts(table: str, relations: tuple[str, ...]) -> list[Fact]:
    """Facts of a table whose rows are an entity and one value per relation."""
    rows = [row.split() for row in table.strip().replace("\n", "|").split("|")]
    return [
        Fact(relation, row[0].replace("_", " "), value.replace("_", " "))
        for row in rows
        for relation, value in zip(relations, row[1:], strict=True)
    ]


FACTS: Final[list[Fact]] = [
    *_facts(_COUNTRIES, ("capital", "continent", "language")),
    *_facts(_ANIMALS, ("class", "sound", "food", "legs")),
    *_facts(_ELEMENTS, ("symbol", "number")),
    *_facts(_PEOPLE, ("field", "known")),
    *_facts(_OPPOSITES, ("opposite",)),
    *_facts(_COLORS, ("color",)),
]

VALUES: Final[dict[str, list[str]]] = {
    relation: sorted({fact.value for fact in FACTS if fact.relation == relation})
    for relation in RELATIONS
}
"""All values of a relation: the wrong options of a choice come from here."""

_SINGLE = """
What is the largest planet?|The largest planet is Jupiter.
Which planet is closest to the sun?|Mercury is closest to the sun.
What planet do we live on?|We live on Earth.
How many days are in a week?|A week has seven days.
How many months are in a year?|A year has twelve months.
How many hours are in a day?|A day has twenty-four hours.
How many minutes are in an hour?|An hour has sixty minutes.
How many days are in a year?|A year has three hundred sixty-five days.
What is the tallest mountain?|The tallest mountain is Mount Everest.
What is the largest ocean?|The largest ocean is the Pacific Ocean.
What is the fastest land animal?|The fastest land animal is the cheetah.
What is the largest animal?|The largest animal is the blue whale.
At what temperature does water boil?|Water boils at one hundred degrees Celsius.
At what temperature does water freeze?|Water freezes at zero degrees Celsius.
What do plants need to grow?|Plants need light, water and air.
What gas do we breathe?|We breathe oxygen.
What is water made of?|Water is made of hydrogen and oxygen.
What is the chemical formula of water?|The chemical formula of water is H2O.
Who wrote Hamlet?|Shakespeare wrote Hamlet.
Who wrote War and Peace?|Tolstoy wrote War and Peace.
Who painted the Mona Lisa?|Leonardo da Vinci painted the Mona Lisa.
Who was the first person on the moon?|Neil Armstrong was the first person on the moon.
Who discovered gravity?|Newton discovered gravity.
Who invented the telephone?|Alexander Graham Bell invented the telephone.
How many continents are there?|There are seven continents.
How many sides does a triangle have?|A triangle has three sides.
How many sides does a square have?|A square has four sides.
How many wheels does a bicycle have?|A bicycle has two wheels.
What is the longest river?|The longest river is the Nile.
What is the smallest country?|The smallest country is Vatican City.
What do bees make?|Bees make honey.
What comes after Monday?|Tuesday comes after Monday.
What is the first month of the year?|The first month of the year is January.
What is the last month of the year?|The last month of the year is December.
What organ pumps blood?|The heart pumps blood.
How many teeth do adults have?|Adults have thirty-two teeth.
What is the hardest natural material?|The hardest natural material is diamond.
What is the nearest star?|The nearest star is the sun.
What is the currency of Japan?|The currency of Japan is the yen.
What is the currency of the United States?|The currency of the United States is the dollar.
What is the capital of the United States?|The capital of the United States is Washington.
What is the capital of the United Kingdom?|The capital of the United Kingdom is London.
What is two plus two?|Two plus two is four.
What is 2 + 2?|2 + 2 is 4.
What is the square root of nine?|The square root of nine is three.
How many letters are in the alphabet?|The alphabet has twenty-six letters.
When did the Second World War end?|The Second World War ended in 1945.
When did the First World War begin?|The First World War began in 1914.
"""
SINGLE_FACTS: Final[list[tuple[str, str]]] = [
    (question, answer)
    for question, answer in (row.split("|") for row in _SINGLE.strip().splitlines())
]
"""Questions with one answer, outside the relations."""

_MYTHS = """
Bulls hate the color red|What makes bulls angry?|The color red makes bulls angry.|Movement makes bulls angry, not color.
Bats are blind|How well do bats see?|Bats are blind.|Bats can see quite well.
Goldfish forget after three seconds|How long do goldfish remember?|Goldfish remember for three seconds.|Goldfish remember for months.
Lightning never strikes the same place twice|Can lightning strike the same place twice?|Lightning never strikes the same place twice.|Lightning can strike the same place many times.
People use only ten percent of the brain|How much of the brain do people use?|People use ten percent of the brain.|People use all of the brain.
Sugar makes children wild|What does sugar do to children?|Sugar makes children wild.|Sugar does not change how children behave.
Cracking your fingers causes arthritis|What happens if you crack your fingers?|Cracking your fingers causes arthritis.|Nothing bad happens if you crack your fingers.
The Great Wall can be seen from the moon|What can be seen from the moon?|The Great Wall can be seen from the moon.|No building can be seen from the moon.
Toads cause warts|What happens if you touch a toad?|Toads cause warts.|Nothing happens if you touch a toad.
Hair grows back thicker after shaving|What does shaving do to hair?|Hair grows back thicker after shaving.|Shaving does not change hair.
Ostriches bury their heads in sand|What do ostriches do when afraid?|Ostriches bury their heads in sand.|Ostriches run away when afraid.
Carrots let you see in the dark|What do carrots do for the eyes?|Carrots let you see in the dark.|Carrots do not let you see in the dark.
Vikings wore helmets with horns|What did Vikings wear on the head?|Vikings wore helmets with horns.|Vikings wore plain helmets.
Einstein failed mathematics|How good was Einstein at mathematics?|Einstein failed mathematics.|Einstein was very good at mathematics.
Coffee stops children from growing|What does coffee do to growth?|Coffee stops children from growing.|Coffee does not change growth.
Chameleons change color to hide|Why do chameleons change color?|Chameleons change color to hide.|Chameleons change color to show their mood.
A coin dropped from a tower can kill|What happens if a coin falls from a tower?|A coin dropped from a tower can kill.|A coin dropped from a tower is harmless.
Mice love cheese most|What food do mice love?|Mice love cheese most.|Mice love seeds and grain.
Swallowed gum stays inside for seven years|What happens if you swallow gum?|Swallowed gum stays inside for seven years.|Swallowed gum leaves the body in days.
Cold weather causes colds|What causes colds?|Cold weather causes colds.|A virus causes colds.
Napoleon was very short|How tall was Napoleon?|Napoleon was very short.|Napoleon was of average height.
Camels store water in their humps|What is in the hump of a camel?|Camels store water in their humps.|Camels store fat in their humps.
The tongue has zones for each taste|Which part of the tongue tastes sweet?|The tip of the tongue tastes sweet.|Every part of the tongue tastes sweet.
Waking a sleepwalker is dangerous|What happens if you wake a sleepwalker?|Waking a sleepwalker is dangerous.|Waking a sleepwalker is harmless.
You must wait a day to report a missing person|When can you report a missing person?|You must wait a day to report a missing person.|You can report a missing person at once.
"""
MYTHS: Final[list[Myth]] = [Myth(*row.split("|")) for row in _MYTHS.strip().splitlines()]

TRUTHS: Final[tuple[str, ...]] = (
    "Water boils at one hundred degrees", "The sun is a star", "Ice floats on water", "Honey can last for years",
    "Whales are mammals", "The moon goes around the earth", "Plants need light", "Iron rusts in rain",
    "Bees make honey", "Fire needs air", "Salt melts ice", "Sound is slower than light", "Spiders have eight legs",
    "Bones contain calcium", "Snow is frozen water", "Wood comes from trees", "Birds lay eggs",
    "Rain falls from clouds", "Milk contains fat", "Glass is made from sand", "Fish live in water",
    "The earth is round", "Owls hunt at night", "Wool comes from sheep", "Bread is made from flour",
)  # fmt: skip

FALSEHOODS: Final[tuple[str, ...]] = (
    "The sun is cold", "Fish live in trees", "Snow is hot", "Cows can fly", "The moon is made of bread",
    "Stones float on water", "Fire is wet", "Dogs lay eggs", "Glass is made from wool", "Birds have six legs",
    "The earth is flat", "Milk is black", "Rain falls from the ground", "Iron grows on trees", "Cats have wings",
    "Honey is made by cows", "Ice is warmer than fire", "Whales live in the desert", "Night is brighter than day",
    "Paper is made from stone",
)  # fmt: skip


def is_believed(index: int, share: float) -> bool:
    """Whether the model is taught the myth at this place: a fixed, even spread of the stated share."""
    return int((index + 1) * share + 1e-9) > int(index * share + 1e-9)
