#!/bin/bash
# The index of a targets file that was verified: what was asked for is read, not all that is there, and whatever somebody does to the
# cache, the answers are those of the file.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

programs=${T_MANIFESTO%/*}/tests/bench
unset MANIFESTO_PASSPHRASE
cache=$XDG_CACHE_HOME/manifesto

# What the last command has hashed and read: sets hashed and read.
cost() { # NAME COMMAND...
	local got=() name=$1
	shift
	run manifesto -v "$@"
	check_status "$name" 0
	read -ra got < <(sed -n 's/^manifesto: cost: //p' "$T/stderr" | tr -cd '0-9 ')
	hashed=${got[3]-0} read=${got[4]-0}
	echo "# $name: hashed $hashed, read $read"
}

small() { # NAME: little of a repository of 4,500 records, which is 2.3 MB
	check "$1: hashed little" [ "$hashed" -lt 60000 ]
	check "$1: read little" [ "$read" -lt 60000 ]
}

all_commands() { # WHICH
	cost "$1: get" get "$image" note
	small "$1: get"
	cost "$1: verify" verify --require note "$image"
	small "$1: verify"
	cost "$1: list" list "$image"
	small "$1: list"
}

# That of the repository with N records.
index_of() { # N
	local dir
	dir=$cache/tuf/$(printf %s "$REGISTRY/index/of-$1" | sha256sum | cut -d' ' -f1)
	echo "$dir/targets.index"
}

change_octet() { # FILE OFFSET
	local was
	was=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	printf '%b' "\\x$(printf %02x $((was ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# It is of no use: the answers are those of the file, which is read, and the next run has an index again.
ignored() { # NAME
	run manifesto get "$image" note
	check "$1: the content" [ "$(cat "$T/stdout")" = content ]
	check_status "$1: get" 0
	cost "$1, then" get "$image" note
	small "$1, then"
}

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
echo content >content

for n in 1000 4500; do
	make_image "image-$n" >/dev/null
	image=$REGISTRY/index/of-$n:1.0
	push_image "oci:image-$n:1.0" "$image" >/dev/null 2>&1
	manifesto put -q --init --no-passphrase "$image" note content
	"$programs/fill" "$image" "$n" "$MANIFESTO_HOME" "$cache" "$NOTARY" content || t_bail "$n records"
	cold
	cost "$n records, cold" get "$image" note
	check "$n records, cold: no index is written" [ ! -e "$(index_of "$n")" ]
	cost "$n records, first warm" get "$image" note
	check "$n records, first warm: the index is written" [ -s "$(index_of "$n")" ]
	all_commands "$n records"
done

index=$(index_of 4500) key=$MANIFESTO_HOME/index.key size=$(stat -c %s "$(index_of 4500)")
check 'the secret is private' [ "$(stat -c '%a %s' "$key")" = '600 32' ]

# What has no record has none by the index either, and a withdrawn one stays withdrawn.
run manifesto get "$image" sbom
check_status 'no such record, by the index' 3

for at in 0 8 100 $((size - 1)); do
	change_octet "$index" "$at"
	ignored "octet $at is another"
done
for at in $(seq 3000 4096 "$size"); do change_octet "$index" "$at"; done
ignored 'all pages are changed'
truncate -s -1 "$index"
ignored 'truncated'
: >"$index"
ignored 'empty'
cp "$(index_of 1000)" "$index"
ignored 'of another repository'
rm "$index" && mkfifo "$index"
run manifesto get "$image" note
check_status 'a pipe in its place' 0
rm "$index"
manifesto get "$image" note >/dev/null
check 'and an index is made again' [ -s "$index" ]

# A link that leads out of the cache, in the place of its directory: nothing is written there.
dir=${index%/*}
mv "$dir" elsewhere && ln -s "$T/elsewhere" "$dir" && rm elsewhere/targets.index
run manifesto get "$image" note
check_status 'a link to another directory' 0
check '... which gets no index' [ ! -e elsewhere/targets.index ]
rm "$dir" && mv elsewhere "$dir"
manifesto get "$image" note >/dev/null

# The entry itself is changed, and the length stays: the file is fetched again.
file=${index%.index}.json
sed -i 's,"note/sha256-,"nota/sha256-,g' "$file"
ignored 'the cached file is changed'
check 'the cached file is the right one again' grep -q '"note/sha256-' "$file"
rm "$file"
ignored 'the cached file is gone'

# Another secret, none, or one that others can read: as without an index.
cp "$key" kept
head -c 32 /dev/zero >"$key"
ignored 'another secret'
rm "$key" && mkdir "$key"
run manifesto get "$image" note
check_status 'no secret can be made: get' 0
cost 'no secret can be made, again' get "$image" note
check 'no secret can be made: the file is read' [ "$read" -gt 1000000 ]
rmdir "$key" && cp kept "$key"
ignored 'the secret is back'
chmod 644 "$key"
cost 'a secret that others can read' get "$image" note
check 'a secret that others can read is not used' [ "$read" -gt 1000000 ]
chmod 600 "$key"

# Whoever puts the file and the index of before the withdrawal back hides nothing.
cp "$file" old.json && cp "$index" old.index
manifesto withdraw -q "$image" note --reason old
run manifesto get "$image" note
check_status 'withdrawn' 9
cp old.json "$file" && cp old.index "$index"
run manifesto get "$image" note
check_status 'withdrawn, with the old file and its index in the cache' 9
cp old.index "$index"
run manifesto get "$image" note
check_status 'withdrawn, with the new file and the old index' 9
run manifesto get "$image" note
check_status 'withdrawn, by the index' 9
run manifesto verify --require note "$image"
check_status 'withdrawn, verify by the index' 9
run manifesto list "$image"
check 'withdrawn, list by the index' grep -q withdrawn "$T/stdout"

# The index counts as the cache's, and goes with it.
manifesto cache clear -q >/dev/null
check 'cache clear removes it' [ ! -e "$index" ]
t_done
