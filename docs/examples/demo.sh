#!/bin/sh
# Shows manifesto without a server and without prompts: put, list and get, then what get does after the
# stored file or the signed metadata was changed. `make demo` runs it; by hand: demo.sh [PROGRAM]
#
# Everything happens in a temporary directory with its own home, which is removed at the end. The status is
# not 0 when a step has another result than it should.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
testdata=$here/../../testdata
program=${1:-${MANIFESTO:-$here/../../build/manifesto}}
image=oci:image:1.0
type=qa-approval

say() {
	printf '\n%s\n' "$*"
}
fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# Shows a command of manifesto and runs it.
run() {
	printf '  $ manifesto %s\n' "$*"
	"$program" "$@" || fail "manifesto ended with status $?"
}

# Gets the record into out.json and requires the given status.
get() { # STATUS
	printf '  $ manifesto get %s %s > out.json\n' $image $type
	status=0
	"$program" get $image $type >out.json || status=$?
	[ "$status" = "$1" ] || fail "get ended with status $status, expected $1"
}
accepted() {
	get 0
	cmp out.json approval.json || fail 'get returned other bytes than were put'
	echo '  status 0; out.json has the same bytes as approval.json'
}
refused() {
	get 6
	[ ! -s out.json ] || fail 'get wrote something although it refused'
	echo '  status 6; out.json is empty'
}

# Flips the lowest bit of one byte in place. Doing so twice restores the file.
flip() { # FILE OFFSET
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	octal=$(printf %o $((byte % 2 ? byte - 1 : byte + 1)))
	# shellcheck disable=SC2059 # the format is one byte as an escape
	printf "\\$octal" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# The trust repository's target file is a hard link to the blob if the file system supports that, else a copy.
flip_blob() {
	flip "$blob" 1
	if cmp -s "$blob" "$target"; then return; fi
	flip "$target" 1
}

[ -x "$program" ] || fail "there is no program '$program': run make first"
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
work=$(mktemp -d "${TMPDIR:-/tmp}/manifesto-demo.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cp -R "$testdata/image" "$work/image"
cp "$testdata/approval.json" "$work"
cd "$work"
unset MANIFESTO_KEY MANIFESTO_TRUST_SERVER DOCKER_CONTENT_TRUST_SERVER MANIFESTO_PASSPHRASE
unset REGISTRY_USERNAME REGISTRY_PASSWORD
export HOME="$work" MANIFESTO_HOME="$work/home" XDG_CACHE_HOME="$work/cache"

say "1. Store an approval for the image in the OCI layout 'image'. This makes keys and a trust repository."
run put --init --no-passphrase --key alice --author dana@example.com $image $type approval.json

say '2. List the signed records of this image.'
run list $image

say '3. Get the approval. It is verified before it is written.'
accepted

set -- image/trust/targets/$type/*.sha256-*
target=$1
blob=$(basename "$target")
blob=image/blobs/sha256/${blob%%.*}
say "4. Flip one bit of the stored file, in $blob"
flip_blob
refused
flip_blob
say '5. Flip it back, and the approval is valid again.'
accepted

metadata=image/trust/2.targets.json
at=$(awk '{ print index($0, "dana@example.com") - 1; exit }' $metadata)
[ "$at" -gt 0 ] || fail "the author is not in $metadata"
say "6. Flip one bit of the author's name, in the signed metadata $metadata"
flip $metadata "$at"
refused
flip $metadata "$at"
say '7. Flip it back, and the approval is valid again.'
accepted

say 'You have seen put, list and get of a signed approval; get refused a changed file and changed metadata.'
