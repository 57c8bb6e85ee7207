# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a report as a browser and as an XML parser would, and prints what is in it; complains about what must not be.

    read_page.py PAGE

Complaints: tags that are not balanced, scripts, anything that is loaded, handlers, pictures without a name, names that
are not unique, tables without heads.
"""

import json
import re
import sys
import xml.etree.ElementTree as tree
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "br", "hr", "link", "img", "input"}
LOADING = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href"}


class Reader(HTMLParser):
    """Keeps the stack of open elements, and what was found."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.complaints, self.texts, self.ids = [], [], [], []
        self.heads, self.tables, self.titles, self.notes = [], 0, [], []
        self.attribute_values = []

    def handle_starttag(self, tag, attributes):
        if tag in {"script", "iframe", "object", "embed", "link", "img", "form", "base"}:
            self.complaints.append(f"<{tag}>")
        for name, value in attributes:
            if name in LOADING or name.startswith("on"):
                self.complaints.append(f"{tag} {name}={value}")
            if name == "id":
                self.ids.append(value)
            self.attribute_values.append(value or "")
        self.tables += tag == "table"
        self.heads += [len(self.open)] if tag == "thead" else []
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        if tag not in VOID:
            self.complaints.append(f"<{tag}/> closes itself, which HTML ignores")
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.complaints.append(f"</{tag}> inside {[name for name, _ in self.open[-3:]]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        tag, attributes = self.open[-1] if self.open else ("", {})
        if tag == "style":
            if re.search(r"url\(|@import|https?:", data):
                self.complaints.append("the style sheet loads something")
            return
        self.texts.append(data)
        if tag == "h2":
            self.titles.append(data)
        if attributes.get("role") == "note":
            self.notes.append(data)


def pictures(text, complaints):
    """The names and descriptions of all pictures, read as XML."""
    found = []
    for source in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        picture = tree.fromstring(source)
        if picture.get("aria-hidden") == "true":
            continue
        names = {child.get("id"): child.text for child in picture if child.tag in {"title", "desc"}}
        wanted = (picture.get("aria-labelledby") or "").split()
        if len(wanted) != 2 or picture.get("role") != "img" or any(not names.get(name) for name in wanted):
            complaints.append(f"a picture has no name: {source[:80]}")
            continue
        numbers = re.findall(r"(?:NaN|nan|inf|null)", " ".join(child.get("d") or "" for child in picture.iter()))
        if numbers:
            complaints.append("a path holds what is no number")
        found.append({"title": names[wanted[0]], "description": names[wanted[1]]})
    return found


def main():
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(text)
    reader.close()
    complaints = reader.complaints
    if reader.open:
        complaints.append(f"never closed: {[name for name, _ in reader.open]}")
    if len(reader.ids) != len(set(reader.ids)):
        complaints.append("an id appears twice")
    if len(reader.heads) != reader.tables:
        complaints.append("a table has no head")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text):
        complaints.append("a control character")
    print(
        json.dumps(
            {
                "complaints": complaints,
                "pictures": pictures(text, complaints),
                "cards": reader.titles,
                "notes": reader.notes,
                "tables": reader.tables,
                "text": " ".join(" ".join(reader.texts).split()),
                "attributes": reader.attribute_values,
            }
        )
    )


if __name__ == "__main__":
    main()
