#!/usr/bin/env python3
"""Reads the page that `manifesto report` makes, and refuses one that could load or run anything.

Usage: page.py FILE
Prints one JSON object: `data`, the document inside; `tables`, rows of the texts of cells, with the heads first;
`text`, all that is shown; `titles`, those of the marks of a timeline.
"""
import html.parser
import json
import sys

VOID = {"meta", "br", "hr", "img", "link", "input"}
KNOWN = set("html head meta title style body header h1 h2 h3 p ul li b code nav a main section div table thead tbody tr th td "
            "span time footer script svg g path circle rect text".split())
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# The characters that nothing may hand out as such: some of those in src/base/text.c.
UNSAFE = [chr(c) for c in [*range(0, 9), *range(11, 32), 0x7f, 0xad, *range(0x200b, 0x2010), *range(0x2028, 0x202f),
                           *range(0x2060, 0x2070), 0xfeff]]


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tables, self.shown, self.titles, self.scripts, self.policy = [], [], [], [], [], []
        self.ids = set()

    def fail(self, text):
        sys.exit("page.py: line %d: %s" % (self.getpos()[0], text))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in KNOWN:
            self.fail("element <%s>" % tag)
        if len(values) != len(attributes):
            self.fail("an attribute twice in <%s>" % tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "srcset", "style", "action", "xlink:href", "background", "data"):
                self.fail("attribute %s" % name)
            if name == "href" and not (value or "").startswith("#r"):
                self.fail("a link to %s" % value)
        if values.get("id") in self.ids:
            self.fail("the ID %s twice" % values["id"])
        self.ids |= {values["id"]} if "id" in values else set()
        if values.get("http-equiv"):
            self.policy.append(values.get("content"))
        if tag == "script" and (values != {"type": "application/json", "id": "data"}):
            self.fail("a script that runs: %s" % values)
        if tag == "script":
            self.scripts.append("")
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "title" and "svg" in self.open:
            self.titles.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.fail("</%s> does not end what is open" % tag)

    def handle_data(self, text):
        where = self.open[-1] if self.open else ""
        if where == "script":
            self.scripts[-1] += text
        elif where == "title" and "svg" in self.open:
            self.titles[-1] += text
        elif where != "style":
            self.shown.append(text)
            if "td" in self.open or "th" in self.open:
                self.tables[-1][-1][-1] += text

    def handle_comment(self, text):
        self.fail("a comment")


def main():
    with open(sys.argv[1], "rb") as f:
        source = f.read().decode("utf-8")
    for c in UNSAFE:
        if c in source:
            sys.exit("page.py: U+%04X in the page" % ord(c))
    page = Page()
    page.feed(source)
    page.close()
    if page.open:
        sys.exit("page.py: not closed: %s" % page.open)
    if page.policy != [POLICY]:
        sys.exit("page.py: the content security policy is %s" % page.policy)
    if source.index("http-equiv") > source.index("<style"):
        sys.exit("page.py: the content security policy comes too late")
    if len(page.scripts) != 1 or set("<>&") & set(page.scripts[0]):
        sys.exit("page.py: the data can end its element")
    tables = [[[" ".join(cell.split()) for cell in row] for row in table] for table in page.tables]
    print(json.dumps({"data": json.loads(page.scripts[0]), "tables": tables, "text": " ".join("".join(page.shown).split()),
                      "titles": page.titles}))


main()
