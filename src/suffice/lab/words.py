"""The fixed words of the world: trades, hobbies, products, list words, and words that fall into classes."""

from __future__ import annotations

TRADES = (
    "baker", "smith", "tailor", "miller", "potter", "weaver", "mason", "carpenter", "printer", "clerk",
    "doctor", "teacher", "painter", "sailor", "farmer", "gardener", "barber", "cook", "pilot", "nurse",
)  # fmt: skip
HOBBIES = (
    "chess", "rowing", "fishing", "singing", "skating", "cycling", "poetry", "archery", "drawing", "fencing",
    "hiking", "juggling", "knitting", "sailing", "swimming", "wrestling", "climbing", "dancing", "riding",
    "running",
)  # fmt: skip
PRODUCTS = (
    "ropes", "clocks", "lamps", "bricks", "barrels", "stoves", "wagons", "bells", "tiles", "brushes",
    "kites", "pianos", "maps", "saws", "tents", "violins", "wheels", "boats", "locks", "pens",
)  # fmt: skip
LIST_WORDS = (
    "apple", "river", "candle", "window", "table", "garden", "pencil", "mirror", "basket", "button",
    "camel", "carpet", "cherry", "circle", "copper", "cotton", "desert", "dragon", "engine", "feather",
    "finger", "flower", "forest", "hammer", "honey", "island", "jacket", "kettle", "ladder", "lemon",
    "magnet", "marble", "needle", "ocean", "orange", "paper", "pepper", "pillow", "rabbit", "ribbon",
    "saddle", "silver", "spider", "ticket", "tunnel", "velvet", "whistle", "yellow",
)  # fmt: skip
CLASSES = {
    "tool": (
        "anvil", "chisel", "pliers", "shovel", "wrench", "spanner", "mallet", "trowel", "sickle", "rasp",
        "crowbar", "clamp", "drill", "hoe", "plane", "rake", "scythe", "spade", "tongs", "lathe", "winch", "awl",
    ),
    "food": (
        "bread", "butter", "cheese", "cake", "soup", "rice", "bean", "carrot", "onion", "potato", "garlic",
        "cabbage", "noodle", "pancake", "porridge", "sausage", "biscuit", "pudding", "jam", "pasta", "turnip", "walnut",
    ),
    "animal": (
        "badger", "beaver", "donkey", "falcon", "ferret", "goose", "heron", "lizard", "monkey", "otter", "parrot",
        "pigeon", "salmon", "squirrel", "tiger", "turtle", "weasel", "wolf", "zebra", "hedgehog", "leopard", "moose",
    ),
    "stone": (
        "agate", "amber", "basalt", "beryl", "flint", "garnet", "granite", "jasper", "onyx", "opal", "quartz",
        "ruby", "sapphire", "slate", "topaz", "zircon", "diamond", "emerald", "obsidian", "pumice", "chalk", "gneiss",
    ),
    "plant": (
        "birch", "cedar", "clover", "daisy", "fern", "heather", "ivy", "jasmine", "lily", "maple", "moss",
        "nettle", "oak", "orchid", "pine", "poppy", "reed", "rose", "thistle", "tulip", "violet", "willow",
    ),
    "garment": (
        "apron", "belt", "blouse", "bonnet", "boot", "cape", "cloak", "coat", "glove", "gown", "hat",
        "hood", "jersey", "mitten", "robe", "sandal", "scarf", "shirt", "skirt", "sock", "tunic", "vest",
    ),
}  # fmt: skip
CLASS_OF = {word: name for name, words in CLASSES.items() for word in words}
