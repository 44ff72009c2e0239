#!/usr/bin/env python3
"""Writes what is in a release, and which libraries it uses, as an SPDX 2.3 document in JSON.

Usage: sbom.py VERSION TARBALL PROGRAM TIME

The libraries are those of PROGRAM on this machine, with the versions of their Debian packages: linked, or loaded when they
are used. The document depends on these and on the tarball alone.
"""
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
# By the beginning of the shared library's name.
LICENSES = {"libasan.": "GPL-3.0-or-later WITH GCC-exception-3.1", "libubsan.": "GPL-3.0-or-later WITH GCC-exception-3.1",
            "ld-linux": "LGPL-2.1-or-later", "libc.": "LGPL-2.1-or-later", "libcrypto.": "Apache-2.0", "libcurl.": "curl",
            "libjansson.": "MIT", "libjq.": "MIT", "libp11-kit.": "BSD-3-Clause", "libsodium.": "ISC"}


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def license_of(soname):
    found = [text for prefix, text in LICENSES.items() if soname.startswith(prefix)]
    if not found:
        sys.exit("sbom.py: the licence of %s is not known: add it to LICENSES" % soname)
    return found[0]


def checksums(data):
    return [{"algorithm": name, "checksumValue": hashlib.new(name, data).hexdigest()} for name in ("SHA1", "SHA256")]


def library(soname, path, package):
    """The Debian package of a shared library."""
    shape = "${Package}\n${Version}\n${Architecture}\n${Homepage}\n"
    package, version, arch, home = output_of("dpkg-query", "-W", "-f", shape, package).splitlines()[:4]
    purl = "pkg:deb/debian/%s@%s?arch=%s" % (package, version.replace("+", "%2B").replace(":", "%3A"), arch)
    return {"SPDXID": "SPDXRef-Library-" + soname, "name": package, "versionInfo": version, "filesAnalyzed": False,
            "downloadLocation": "NOASSERTION", "licenseConcluded": license_of(soname), "licenseDeclared": license_of(soname),
            "copyrightText": "NOASSERTION", "packageFileName": soname,
            "checksums": checksums(pathlib.Path(path).read_bytes()), **({"homepage": home} if home else {}),
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]}


def libraries(how, program):
    lines = output_of("bash", str(HERE / "libraries.sh"), how, program).splitlines()
    return [library(*line.split()) for line in lines]


def files(tarball):
    with tarfile.open(tarball) as archive:
        members = [m for m in archive if m.isfile()]
        return [{"SPDXID": "SPDXRef-File-%d" % number, "fileName": "./" + member.name.split("/", 1)[1],
                 "checksums": checksums(archive.extractfile(member).read())} for number, member in enumerate(members, 1)]


def relation(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def document(version, tarball, program, time):
    data, name = pathlib.Path(tarball).read_bytes(), "manifesto-" + version
    contents, linked = files(tarball), libraries("linked", program)
    needed, optional = libraries("needed", program), libraries("optional", program)
    sums = sorted(f["checksums"][0]["checksumValue"] for f in contents)
    source = {"SPDXID": "SPDXRef-Package", "name": "manifesto", "versionInfo": version, "filesAnalyzed": True,
              "downloadLocation": "NOASSERTION", "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
              "copyrightText": "NOASSERTION", "packageFileName": pathlib.Path(tarball).name, "checksums": checksums(data),
              "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()}}
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package")]
    relations += [relation("SPDXRef-Package", "CONTAINS", f["SPDXID"]) for f in contents]
    relations += [relation("SPDXRef-Package", "DYNAMIC_LINK", p["SPDXID"]) for p in linked]
    relations += [relation(p["SPDXID"], "RUNTIME_DEPENDENCY_OF", "SPDXRef-Package") for p in needed]
    relations += [relation(p["SPDXID"], "OPTIONAL_DEPENDENCY_OF", "SPDXRef-Package") for p in optional]
    created = datetime.datetime.fromtimestamp(int(time), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = {"SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "name": name,
              "creationInfo": {"created": created, "creators": ["Tool: manifesto-" + version]},
              "packages": [source] + linked + needed + optional, "files": contents, "relationships": relations}
    # Another document has another name.
    digest = hashlib.sha256(json.dumps(result, sort_keys=True).encode()).hexdigest()
    return {**result, "documentNamespace": "https://spdx.org/spdxdocs/%s-%s" % (name, digest)}


def main():
    json.dump(document(*sys.argv[1:]), sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
