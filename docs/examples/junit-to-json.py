#!/usr/bin/env python3
"""Writes the results in a JUnit report as JSON, for `manifesto put` and conditions: junit-to-json.py FILE.xml > FILE.json"""
import json
import sys
import xml.etree.ElementTree as ElementTree

cases = list(ElementTree.parse(sys.argv[1]).getroot().iter("testcase"))


def names(*outcomes):
    return ["%s: %s" % (case.get("classname", ""), case.get("name", ""))
            for case in cases if any(case.find(outcome) is not None for outcome in outcomes)]


json.dump({"format": "junit", "tests": len(cases), "failed": names("failure", "error"), "skipped": names("skipped")},
          sys.stdout, indent=2)
print()
