#!/usr/bin/env python3
"""Checks an SPDX document in JSON against the specification, and against the tarball that it describes.

Usage: spdx.py DOCUMENT TARBALL
Prints what is wrong; the status is 1 when there is anything.

From "The Software Package Data Exchange (SPDX) Specification Version 2.3": section 6 (document creation information), 7
(package information, 7.9: verification code), 8 (file information), 11 (relationships), annex D (licence expressions).
"""
import hashlib
import json
import pathlib
import re
import sys
import tarfile

ID = re.compile(r"^SPDXRef-[A-Za-z0-9.-]+$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
URI = re.compile(r"^https://[^\s#]+$")
LENGTHS = {"SHA1": 40, "SHA256": 64}
LICENSES = {"Apache-2.0", "BSD-3-Clause", "GPL-3.0-or-later WITH GCC-exception-3.1", "ISC", "LGPL-2.1-or-later", "MIT", "curl"}
RELATIONS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "OPTIONAL_DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF"}
# Members that must be there, and others that may.
DOCUMENT = ({"SPDXID", "spdxVersion", "dataLicense", "name", "documentNamespace", "creationInfo", "packages", "files",
             "relationships"}, set())
PACKAGE = ({"SPDXID", "name", "downloadLocation", "versionInfo", "licenseConcluded", "licenseDeclared", "copyrightText",
            "checksums", "filesAnalyzed"}, {"packageFileName", "homepage", "externalRefs", "packageVerificationCode"})
FILE = ({"SPDXID", "fileName", "checksums"}, set())
RELATION = ({"spdxElementId", "relationshipType", "relatedSpdxElement"}, set())


class Check:
    def __init__(self):
        self.wrong, self.ids = [], set()

    def need(self, condition, *what):
        if not condition:
            self.wrong.append(" ".join(str(w) for w in what))

    def members(self, thing, shape, name):
        self.need(shape[0] <= set(thing), name, "lacks", shape[0] - set(thing))
        self.need(set(thing) <= shape[0] | shape[1], name, "has", set(thing) - shape[0] - shape[1])

    def element(self, thing):
        name = thing.get("SPDXID", "")
        self.need(ID.match(name), "not an identifier:", name)
        self.need(name not in self.ids, "twice:", name)
        self.ids.add(name)
        for checksum in thing.get("checksums", []):
            digits = LENGTHS.get(checksum["algorithm"], 0)
            self.need(re.match("^[0-9a-f]{%d}$" % digits, checksum["checksumValue"]), name, "checksum", checksum)

    def document(self, d):
        self.members(d, DOCUMENT, "document")
        self.element(d)
        self.need(d["SPDXID"] == "SPDXRef-DOCUMENT", "the document is", d["SPDXID"])
        self.need(d["spdxVersion"] == "SPDX-2.3", "version", d["spdxVersion"])
        self.need(d["dataLicense"] == "CC0-1.0", "licence of the data", d["dataLicense"])
        self.need(URI.match(d["documentNamespace"]), "namespace", d["documentNamespace"])
        self.need(TIME.match(d["creationInfo"]["created"]), "time", d["creationInfo"]["created"])
        for creator in d["creationInfo"]["creators"] or [""]:
            self.need(re.match(r"^(Tool|Organization|Person): \S", creator), "creator", creator)
        for package in d["packages"]:
            self.package(package)
        for file in d["files"]:
            self.members(file, FILE, file.get("fileName"))
            self.element(file)
            self.need("SHA1" in sums(file), file.get("fileName"), "has no SHA1")
        for relation in d["relationships"]:
            self.members(relation, RELATION, "relation")
            for end in ("spdxElementId", "relatedSpdxElement"):
                self.need(relation[end] in self.ids, "no element", relation[end])
            self.need(relation["relationshipType"] in RELATIONS, "relation", relation["relationshipType"])

    def package(self, package):
        self.members(package, PACKAGE, package.get("name"))
        self.element(package)
        for which in ("licenseConcluded", "licenseDeclared"):
            self.need(package[which] in LICENSES, package["name"], which, package[which])
        self.need(package["filesAnalyzed"] is ("packageVerificationCode" in package), package["name"], "verification code")
        for reference in package.get("externalRefs", []):
            self.need(reference["referenceCategory"] == "PACKAGE-MANAGER" and reference["referenceType"] == "purl" and
                      re.match(r"^pkg:deb/debian/[a-z0-9.+-]+@[A-Za-z0-9.~%-]+\?arch=\w+$", reference["referenceLocator"]),
                      "reference", reference)

    def content(self, d, path):
        source = d["packages"][0]
        self.need(sums(source) == digests(pathlib.Path(path).read_bytes()), "the checksums are not those of the tarball")
        with tarfile.open(path) as archive:
            files = {"./" + m.name.split("/", 1)[1]: digests(archive.extractfile(m).read()) for m in archive if m.isfile()}
        self.need(files == {f["fileName"]: sums(f) for f in d["files"]}, "the files are not those of the tarball")
        code = hashlib.sha1("".join(sorted(f["SHA1"] for f in files.values())).encode()).hexdigest()
        self.need(source["packageVerificationCode"] == {"packageVerificationCodeValue": code}, "verification code")
        contained = {r["relatedSpdxElement"] for r in d["relationships"] if r["relationshipType"] == "CONTAINS"}
        self.need(contained == {f["SPDXID"] for f in d["files"]}, "a file belongs to no package")
        described = [r["relatedSpdxElement"] for r in d["relationships"] if r["relationshipType"] == "DESCRIBES"]
        self.need(described == [source["SPDXID"]], "the document describes", described)


def sums(thing):
    return {c["algorithm"]: c["checksumValue"] for c in thing.get("checksums", [])}


def digests(data):
    return {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}


def main():
    check = Check()
    document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    check.document(document)
    check.content(document, sys.argv[2])
    print("\n".join(check.wrong[:20]))
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
