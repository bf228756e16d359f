"""Pages as a browser and a reader of XML see them."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Checks that every element is closed in its turn, and keeps tags, attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def drawings(page: str) -> dict[str, ElementTree.Element]:
    """Returns the outer drawings that have text alternatives, parsed as XML, by their key."""
    found = {}
    for start in re.finditer(r'<svg role="img"', page):
        depth, end = 0, start.start()
        for tag in re.finditer(r"<(/?)svg\b", page[start.start() :]):
            depth += -1 if tag.group(1) else 1
            if depth == 0:
                end = start.start() + tag.end() + 1
                break
        tree = ElementTree.fromstring(page[start.start() : end])
        found[tree.find("title").get("id").removesuffix("-title")] = tree
    return found


def loads_nothing(page: str) -> list[tuple[str, dict[str, str]]]:
    """Checks that a page asks for nothing outside itself and holds no handler; returns its elements."""
    tags = read(page).tags
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in tags}
    for _, attributes in tags:
        for name in {"src", "href", "action", "data", "srcset"} & set(attributes):
            assert attributes[name].startswith(("data:text/csv", "#"))
        assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in page
    return tags
