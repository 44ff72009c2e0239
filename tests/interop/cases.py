#!/usr/bin/env python3
"""Prints the outcomes in a JUnit XML file of pytest as lines `ok - NAME` and `not ok - NAME`; what was skipped, or
failed as expected, is `not ok`: nothing is expected to."""
import sys
import xml.etree.ElementTree

for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    print("%s - %s%s" % ("not ok" if bad else "ok", case.get("name"), " (%s)" % bad[0] if bad else ""))
