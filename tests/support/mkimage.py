#!/usr/bin/env python3
"""Writes a small OCI image layout whose digests depend on the arguments alone.

Usage: mkimage.py [--tag TAG] [--index] [--nested N] [--attestation] [--seed TEXT] DIR

One image for linux/amd64, or with --index an image index over linux/amd64 and linux/arm64. Another
--seed gives other digests. DIR may be a layout already: the image is added and a tag of that name moves.
--nested puts the index into N others, one within the other; --attestation adds an entry as BuildKit does.
Prints one line a manifest, `DIGEST PLATFORM`; with --index the index comes first, its platform is `index`.
"""
import argparse
import hashlib
import io
import json
import pathlib
import struct
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CREATED = "2024-05-06T07:08:09Z"
REF_NAME = "org.opencontainers.image.ref.name"


def encode(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("utf-8")


def gzip_stored(data):
    """gzip without compression: versions of zlib compress differently, while these bytes are always the same."""
    out = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff"]
    for at in range(0, len(data), 65535):
        part = data[at:at + 65535]
        last = at + 65535 >= len(data)
        out.append(struct.pack("<BHH", last, len(part), len(part) ^ 0xFFFF) + part)
    out.append(struct.pack("<II", zlib.crc32(data), len(data)))
    return b"".join(out)


def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, mode, data in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(data), mode, 1714979289
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Layout:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        (self.directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        (self.directory / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}\n')

    def add(self, data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        (self.directory / "blobs" / "sha256" / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data), **more}

    def tag(self, descriptor, tag):
        path = self.directory / "index.json"
        old = json.loads(path.read_bytes())["manifests"] if path.exists() else []
        kept = [d for d in old if d.get("annotations", {}).get(REF_NAME) != tag]
        kept.append({**descriptor, "annotations": {REF_NAME: tag}})
        path.write_bytes(encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": kept}) + b"\n")

    def add_image(self, architecture, seed):
        script = "#!/bin/sh\necho 'hello from %s on %s'\n" % (seed, architecture)
        tar = tar_of([("app/hello", 0o755, script.encode()),
                      ("etc/os-release", 0o644, b"ID=manifesto-example\nVERSION_ID=1.0\n")])
        layer = self.add(gzip_stored(tar), LAYER)
        config = self.add(encode({
            "created": CREATED, "architecture": architecture, "os": "linux",
            "config": {"Entrypoint": ["/app/hello"], "Env": ["PATH=/usr/bin:/bin"],
                       "Labels": {"org.opencontainers.image.title": seed}},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
            "history": [{"created": CREATED, "created_by": "mkimage"}]}), CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        return self.add(encode(manifest), MANIFEST, platform={"architecture": architecture, "os": "linux"})

    def add_attestation(self, image):
        config = self.add(encode({"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}), CONFIG)
        layer = self.add(encode({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": image["digest"]}]}), "application/vnd.in-toto+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        return self.add(encode(manifest), MANIFEST, platform={"architecture": "unknown", "os": "unknown"},
                        annotations={"vnd.docker.reference.digest": image["digest"], "vnd.docker.reference.type": "attestation-manifest"})


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--tag", default="1.0")
    parser.add_argument("--index", action="store_true")
    parser.add_argument("--nested", type=int, default=0)
    parser.add_argument("--attestation", action="store_true")
    parser.add_argument("--seed", default="manifesto-example")
    parser.add_argument("dir")
    args = parser.parse_args()
    layout = Layout(args.dir)
    images = [layout.add_image(a, args.seed) for a in (["amd64", "arm64"] if args.index else ["amd64"])]
    tagged = {k: v for k, v in images[0].items() if k != "platform"}
    if args.index:
        listed = images + ([layout.add_attestation(images[0])] if args.attestation else [])
        for _ in range(args.nested + 1):
            tagged = layout.add(encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}), INDEX)
            listed = [tagged]
        print(tagged["digest"], "index")
    layout.tag(tagged, args.tag)
    for image in images:
        print(image["digest"], "linux/" + image["platform"]["architecture"])


if __name__ == "__main__":
    main()
