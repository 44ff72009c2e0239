#!/bin/bash
# Bundles: records, content and trust metadata of images in one file, from which another machine reads without a network.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/team.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary static static-tls
printf 'second\0version\377' >second
printf 'third' >third
echo '{"who":"support"}' >contact.json
make_image layout >/dev/null
make_image multi --index >digests
arm64=$(sed -n 's|^\(.*\) linux/arm64$|\1|p' digests)

# The program where no socket leads anywhere. Without the right to make such a place it runs as it is.
cat >bin/offline <<'SH'
#!/bin/sh
if unshare --map-root-user --net true 2>/dev/null; then
	exec unshare --map-root-user --net manifesto "$@"
fi
exec manifesto "$@"
SH
chmod +x bin/offline
retar() { # FROM TO WHAT [ARGUMENT...]
	check "a file for the test: $3 ${4-}" "$(t_python)" "$T_TOP/tests/support/retar.py" "$@"
}
bundle() { # NAME IMAGE... -o FILE
	local name=$1
	shift
	run manifesto bundle create "$@"
	check_status "$name" 0
	check_stdout_empty "$name: nothing on stdout"
}
# A machine with the pin and nothing else.
reader() { # NAME IMAGE FINGERPRINT
	machine "$1"
	MANIFESTO_TRUST_SERVER=$NOTARY run manifesto trust pin ${4+--bundle "$4"} "$2" "$3"
	check_status "a reader pins the root" 0
}
reads() { # NAME FILE ARGUMENTS...
	local name=$1 file=$2
	shift 2
	run offline get "$@"
	check_status "$name: status" 0
	check_stdout_file "$name: the same bytes" "$file"
	check_stderr_empty "$name: and says nothing"
}

# --- the same over every kind of trust repository
story() { # uses $what, $image, $multi
	run manifesto put --init --author Dana "$image" qa-approval "$approval"
	check_status "$what: put" 0
	fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	run manifesto put --platform linux/arm64 "$multi" qa-approval third
	[ "${multi%:*}" = "${image%:*}" ] || run manifesto put --init --platform linux/arm64 "$multi" qa-approval third
	check_status "$what: put to a platform" 0
	run manifesto put "$image" contact contact.json
	run manifesto put "$image" old second
	run manifesto withdraw --reason 'too old' "$image" old
	check_status "$what: a withdrawal" 0

	bundle "$what: create" "$image" "$multi" -o b.tar
	check_stderr_has "$what: it says what it made" 'bundle of 2 images with 3 records, '
	run manifesto bundle create --json "$multi" "$image" "$image" -o again.tar
	check_status "$what: create once more, in another order" 0
	check_json "$what: in JSON" ".schema == \"manifesto/bundle-create/v1\" and .output == \"again.tar\" and (.images | length) == 2
		and .records == 3 and .digest == \"sha256:$(sum b.tar)\" and .length == $(stat -c %s b.tar) and .warnings == []"
	check_same_file "$what: the same state gives the same file" b.tar again.tar
	run manifesto bundle create "$image" "$multi" -o -
	check_stdout_file "$what: on standard output, too" b.tar
	check "$what: tar lists it" tar tf b.tar
	mkdir -p seen && rm -rf seen/* && tar xf b.tar -C seen
	# shellcheck disable=SC2016 # for the other shell
	check "$what: each blob has its digest" sh -c 'cd seen/blobs/sha256 && for f in *; do [ "$(sha256sum <"$f")" = "$f  -" ] || exit 1; done'
	check "$what: skopeo reads the image's manifest from it" test \
		"$(skopeo --insecure-policy inspect --raw "oci-archive:b.tar:$name" | sha256sum | cut -d' ' -f1)" = "${subject#sha256:}"
	# shellcheck disable=SC2016 # variables of jq
	check_json "$what: each artifact manifest is listed, and refers to its image" '[.manifests[] | select(.artifactType)] | length == 3' seen/index.json

	reader "$what" "$image" "$fingerprint" b.tar
	reads "$what: get" "$approval" --bundle b.tar "$image" qa-approval
	reads "$what: get of a platform" third --bundle b.tar --platform linux/arm64 "$multi" qa-approval
	reads "$what: get by digest" "$approval" --bundle b.tar "${image%:*}@$subject" qa-approval
	check "$what: nothing goes into the cache" test ! -e "$XDG_CACHE_HOME"
	run offline get --bundle b.tar -o got "$image" contact
	check_same_file "$what: get into a file" contact.json got
	run offline list --bundle b.tar --json "$image"
	check_json "$what: list" '[.records[] | "\(.type) \(.state)"] == ["contact current", "old withdrawn", "qa-approval current"]'
	run offline list --bundle b.tar --json --all "${image%:*}"
	check_json "$what: list of the repository" "([.images[] | select(.tags == [\"1.0\"]) | .subject] == [\"$subject\"]) and all(.images[]; .gone | not)"
	run offline history --bundle b.tar --json "$image"
	check_status "$what: history" 0
	check "$what: it has the withdrawal" grep -qF '"reason":"too old"' "$T/stdout"
	run offline verify --bundle b.tar --content --require qa-approval=targets --require contact "$image"
	check_status "$what: verify" 0
	check "$what: it accepts the image" grep -qxE "[^@]+@$subject" "$T/stdout"
	run offline verify --bundle b.tar --require old "$image"
	check_status "$what: what was withdrawn is refused as online" 9
	run offline verify --bundle b.tar --require nothing "$image"
	check_status "$what: what is missing is refused as online" 9
	refused "$what: an image that it does not have" 3 get --bundle b.tar "${image%:*}:2.0" qa-approval
	refused "$what: a repository that it does not have" 3 get --bundle b.tar other.example.com/acme/app:1.0 qa-approval
	check_stderr_has "$what: that is named" "no trust repository of 'other.example.com/acme/app'"
	run offline trust show --bundle b.tar "$image"
	check_status "$what: trust show" 0
	bundle "$what: a bundle of a bundle" --bundle b.tar "$image" "$multi" -o same.tar
	check_same_file "$what: of all of it is the same" b.tar same.tar
	run offline bundle create --bundle b.tar "$image" -o less.tar
	check_status "$what: of less of it" 0
	reads "$what: get from that" "$approval" --bundle less.tar "$image" qa-approval
	run offline get --bundle less.tar --platform linux/arm64 "$multi" qa-approval
	check_status "$what: the other image is not in it" 3
	run offline get --bundle less.tar "${image%:*}@$arm64" qa-approval
	check_status "$what: its record is, and its content is not" 13
	machine first
}

subject=$(push_image oci:layout:1.0 "$REGISTRY/acme/notary:1.0" 2>/dev/null)
push_image oci:multi:1.0 "$REGISTRY/acme/notary:multi" >/dev/null 2>&1
push_image oci:layout:1.0 "$REGISTRY/acme/web:1.0" >/dev/null 2>&1
push_image oci:multi:1.0 "$REGISTRY/acme/web:multi" >/dev/null 2>&1
what=notary image=$REGISTRY/acme/notary:1.0 multi=$REGISTRY/acme/notary:multi name=$REGISTRY/acme/notary:1.0
export MANIFESTO_TRUST_SERVER=$NOTARY
story
cp b.tar notary.tar
notary_pin=$fingerprint
what=directory image=$REGISTRY/acme/web:1.0 multi=$REGISTRY/acme/web:multi name=$REGISTRY/acme/web:1.0
export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR
story
cp b.tar directory.tar
directory_pin=$fingerprint
run manifesto bundle create --trust-server "tuf+$STATIC_TLS" --cacert "$LAB/tls/ca.crt" "$image" "$multi" -o web.tar
check_status 'from a web server' 0
check_same_file 'it is the same file' directory.tar web.tar
what=layout image=oci:app:1.0 multi=oci:app:multi name=oci:1.0
unset MANIFESTO_TRUST_SERVER
skopeo --insecure-policy copy --quiet oci:layout:1.0 oci:app:1.0 >/dev/null 2>&1
skopeo --insecure-policy copy --quiet --all oci:multi:1.0 oci:app:multi >/dev/null 2>&1
subject=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "1.0").digest' app/index.json)
story
mv app elsewhere
machine layout
reads 'layout: the layout need not be there' "$approval" --bundle b.tar oci:app:1.0 qa-approval
machine first
mv elsewhere app

# --- what other programs read of it
rm -rf seen && mkdir seen && tar xf notary.tar -C seen
setpriv --pdeathsig KILL "$(t_python)" -u -m http.server --bind 127.0.0.1 --directory seen 0 >web.out 2>&1 </dev/null &
fault_pids+=($!)
for ((i = 0; i < 200; i++)); do
	grep -q 'port [0-9]' web.out && break
	sleep 0.05
done
NOTARY=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' web.out) notary_in reader list "$REGISTRY/acme/notary"
check_status 'notary lists what a web server hands out of it' 0
check 'it has the records' grep -qE "^qa-approval/sha256-${subject#sha256:} +$(sum "$approval") " "$T/stdout"
rm -rf seen && mkdir seen && tar xf directory.tar -C seen
machine directory
get_is 'a directory of TUF 1.0 is one when it is unpacked' "$approval" --trust-server "tuf+file://$T/seen/trust" "$REGISTRY/acme/web:1.0" qa-approval
machine first

# --- several repositories in one bundle, of both forms
n=$REGISTRY/acme/notary:1.0 d=$REGISTRY/acme/web:1.0
both() { # of two trust servers: the second is made of the first and what it adds
	"$(t_python)" "$T_TOP/tests/support/retar.py" notary.tar both.tar merge directory.tar '^(trust|blobs)/'
}
check 'two repositories in one file' both
machine both
run manifesto trust pin --bundle notary.tar "$n" "$notary_pin"
run manifesto trust pin --bundle directory.tar "$d" "$directory_pin"
run offline verify --bundle both.tar --require qa-approval "$n" "${d%:*}@$(skopeo inspect --raw --tls-verify=false "docker://$d" | sha256sum | cut -d' ' -f1 | sed 's/^/sha256:/')"
check_status 'verify of both' 0
check_line_count 'both are accepted' 2

# --- forms of tar, and any order
for form in pax gnu ustar; do
	retar notary.tar "$form.tar" form "$form"
	reads "a tar file of the form $form, the other way round" "$approval" --bundle "$form.tar" "$n" qa-approval
done
tar cf gnutar.tar -C "$T" --transform 's|^seen2|.|' -b 64 --format=gnu seen2 2>/dev/null || { mkdir seen2 && tar xf notary.tar -C seen2 && tar cf gnutar.tar -b 64 -C seen2 .; }
reads 'as GNU tar packs a directory' "$approval" --bundle gnutar.tar "$n" qa-approval

# --- everything in it is untrusted
bad() { # NAME STATUS TEXT FILE
	get_refused "$1" "$2" "$3" --bundle "$4" "$n" qa-approval
	run offline verify --bundle "$4" --content --require qa-approval "$n"
	check_status "$1: verify" "$2"
	check_stdout_empty "$1: verify accepts nothing"
}
tampered() { # NAME STATUS TEXT WHAT [ARGUMENT...]
	local name=$1 want=$2 text=$3
	shift 3
	retar notary.tar bad.tar "$@"
	bad "$name" "$want" "$text" bad.tar
}
head -c 3000 notary.tar >bad.tar
bad 'a truncated file' 6 'is not a usable tar file' bad.tar
head -c $(($(stat -c %s notary.tar) - 1024)) notary.tar >bad.tar
bad 'a file without its end' 6 'it ends too early' bad.tar
head -c $(($(stat -c %s notary.tar) - 512)) notary.tar >bad.tar
bad 'a file with half of its end' 6 'it ends too early' bad.tar
(cat notary.tar && printf 'more%508s' '') >bad.tar
bad 'octets behind the end' 6 'behind the end' bad.tar
(cat notary.tar && cat directory.tar) >bad.tar
bad 'a second file behind the end' 6 'behind the end' bad.tar
: >bad.tar
bad 'an empty file' 6 'it ends too early' bad.tar
cp "$approval" bad.tar
bad 'another file' 6 'is not a usable tar file' bad.tar
tar cf bad.tar contact.json
bad 'another tar file' 6 "it has no 'oci-layout'" bad.tar
gzip -k notary.tar
bad 'a compressed file' 6 'compressed with gzip' notary.tar.gz
mkfifo pipe
refused 'a pipe' 2 get --bundle pipe "$n" qa-approval
refused 'a directory' 2 get --bundle seen "$n" qa-approval
refused 'no such file' 2 get --bundle nothing.tar "$n" qa-approval
tampered 'a member twice' 6 "'index.json' twice" double '^index.json$'
tampered 'a name that leads out' 6 "named '../x'" add ../x y
tampered 'an absolute name' 6 "named '/x'" add /x y
tampered 'a name with an empty segment' 6 "named 'a//x'" add a//x y
tampered 'a symbolic link' 6 "a symbolic link: 'blobs/x'" kind 2 blobs/x
tampered 'a hard link' 6 "a hard link: 'blobs/x'" kind 1 blobs/x
tampered 'a device' 6 "a device: 'blobs/x'" kind 3 blobs/x
tampered 'a named pipe' 6 "a named pipe: 'blobs/x'" kind 6 blobs/x
tampered 'a claim of 10 GiB' 6 'claims more than the file has' claim 10737418240
tampered 'a changed record' 6 '' flip "blobs/sha256/$(sum "$approval")"
tampered 'a changed timestamp' 6 '' flip 'timestamp.json$'
tampered 'a changed root' 6 'required signatures of role' edit 'root.json$' '"expires":"20' '"expires":"21'
tampered 'a changed list of roles' 6 '' flip '/targets\.'
tampered 'an index of another kind' 6 "expected an index with the artifact type" edit '^index.json$' bundle.v1 bundle.v2
tampered 'a layout of another version' 6 "layout version '2.0.0'" edit '^oci-layout$' 1.0.0 2.0.0
tampered 'a repository in both forms' 6 'has two trust repositories' add "trust/${REGISTRY/:/%3A}/acme/notary/timestamp.json" '{}'
tampered 'no timestamp' 8 "'timestamp'" drop 'timestamp.json$'
tampered 'no snapshot' 8 "'snapshot'" drop '/snapshot\.'
tampered 'no content' 13 'does not hold the content' drop "blobs/sha256/$(sum "$approval")"
tampered 'a longer record' 6 'bytes, not' edit "blobs/sha256/$(sum "$approval")" '{' '{ '
tampered 'one tag of two images' 2 'has several images' edit '^index.json$' acme/notary:multi acme/notary:1.0
index=$(tar xOf notary.tar index.json | jq -r '.manifests[] | select(.annotations | .["org.opencontainers.image.ref.name"]? | strings | endswith(":multi")).digest')
retar notary.tar bad.tar edit "blobs/sha256/${index#sha256:}" '{' '{ '
run offline get --bundle bad.tar --platform linux/arm64 "${n%:*}:multi" qa-approval
check_status 'a changed image index under a tag' 6
run offline bundle create --bundle bad.tar "${n%:*}:multi" -o of-bad.tar
check_status 'nor is a bundle made of it' 6
check 'and no file' test ! -e of-bad.tar
retar notary.tar bad.tar edit '^index.json$' acme/notary:1.0 'acme/notary:1.0/../b'
run offline list --bundle bad.tar --json --all "${n%:*}"
check_json 'what can be no tag is none' '(.images | length) > 0 and [.images[].tags[]] == []'
retar notary.tar moved.tar flip index.json
run offline get --bundle moved.tar "${n%:*}@sha256:$(printf x | sha256sum | cut -d' ' -f1)" qa-approval
check 'a changed index is never more than another answer to a tag' test "$status" != 0
machine unpinned
bad 'without a pin' 10 'no pin' notary.tar
run manifesto trust pin --bundle notary.tar "$n" "$directory_pin"
bad 'with the pin of another' 10 'matches the pin' notary.tar

# --- rollback, between bundles and servers
machine notary
cp notary.tar before.tar
machine first
MANIFESTO_TRUST_SERVER=$NOTARY run manifesto withdraw --reason recalled "$n" qa-approval
check_status 'a withdrawal' 0
MANIFESTO_TRUST_SERVER=$NOTARY bundle 'a newer bundle' "$n" -o after.tar
machine notary
reads 'the older bundle, before the newer one was seen' "$approval" --bundle before.tar "$n" qa-approval
refused 'the newer one' 9 get --bundle after.tar "$n" qa-approval
check_stderr_has 'it says why' recalled
bad 'then the older one is a rollback' 8 'version' before.tar
retar after.tar mixed.tar merge before.tar 'v2/.*/(snapshot|targets)\.|timestamp'
bad 'so is one with its metadata' 8 'version' mixed.tar

# --- the time of the judgement
machine late
run manifesto trust pin --bundle directory.tar "$d" "$directory_pin"
run offline get --bundle directory.tar --at 2020-05-05T12:00:00Z --json -o got "$d" qa-approval
check_status 'as of another time' 0
check_stderr_has 'which is shown' 'as of 2020-05-05T12:00:00Z'
check_json 'also in JSON' '.at == "2020-05-05T12:00:00Z"'
for command in list history verify\ --require\ qa-approval; do
	# shellcheck disable=SC2086 # words
	run offline $command --bundle directory.tar --at 2020-05-05T12:00:00Z --json "$d"
	check "also of ${command%% *}" grep -qF '"at":"2020-05-05T12:00:00Z"' "$T/stdout"
done
check 'such a run remembers nothing' test -z "$(find "$MANIFESTO_HOME/floors" -name '*.json' 2>/dev/null)"
refused 'when all of it has expired' 7 get --bundle directory.tar --at 2099-01-01 "$d" qa-approval
check 'nor does one in the future' test -z "$(find "$MANIFESTO_HOME/floors" -name '*.json' 2>/dev/null)"
reads 'now it is accepted all the same' "$approval" --bundle directory.tar "$d" qa-approval
check 'and that is remembered' test -n "$(find "$MANIFESTO_HOME/floors" -name '*.json')"
machine tofu
run offline get --tofu --bundle directory.tar --at 2020-05-05 "$d" qa-approval
check_status 'first use as of another time' 0
check_stderr_has 'is for this run' 'trusted on first use, in this run'
check 'and no pin is stored' test ! -e "$MANIFESTO_HOME/trust.json"
machine late
refused 'a time of what is no bundle' 2 get --at 2099-01-01 "$d" qa-approval
refused 'no time at all' 2 get --bundle directory.tar --at soon "$d" qa-approval

# --- age: what is signed counts
reads 'a bundle that is young enough' "$approval" --bundle directory.tar --max-age 1h "$d" qa-approval
run offline get --bundle directory.tar --max-age 1h --at "$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)" "$d" qa-approval
check_status 'two hours later it is not' 7
check_stderr_has 'which is reported' 'may be older than 1h'
run offline verify --bundle directory.tar --max-age 1h --at "$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)" --require qa-approval "$d"
check_status 'verify says so, too' 7
run offline verify --bundle directory.tar --max-age 1h --require qa-approval "$d"
check_status 'verify of a young one' 0
refused 'an age of what is no bundle' 2 get --max-age 1h "$d" qa-approval

# --- roots: a machine with an older pin or floor follows
machine first
rotated() { # NAME IMAGE SERVER FINGERPRINT-OF-THE-FIRST-ROOT FILE KEY-TYPE
	run manifesto key generate --type "$6" "root-$1"
	MANIFESTO_TRUST_SERVER=$3 run manifesto trust rotate "${2%:*}" root --key "root-$1"
	check_status "$1: a new root key" 0
	MANIFESTO_TRUST_SERVER=$3 bundle "$1: a bundle with it" "$2" -o "$5"
	check "$1: it has both roots" test "$(tar tf "$5" | grep -cE '/[12]\.root\.json$')" = 2
	reader "old-pin-$1" "$2" "$4" "$5"
	reads "$1: the old pin leads to the new root" contact.json --bundle "$5" "$2" contact
	machine first
}
rotated notary "$n" "$NOTARY" "$notary_pin" root-notary.tar ecdsa
rotated directory "$d" "tuf+file://$STATIC_DIR" "$directory_pin" root-directory.tar ed25519
machine late
reads 'a floor at the old root does so, too' contact.json --bundle root-directory.tar "$d" contact
run offline list --bundle root-directory.tar --json --all "${d%:*}"
check_json 'what a bundle does not hold is not gone' '[.images[] | select(.notCopied)] != [] and all(.images[]; .gone == false)'
machine first
tuf=$STATIC_DIR/${REGISTRY/:/%3A}/acme/web
cp "$tuf/1.root.json" root.json
sed -i 's/"expires":"20/"expires":"21/' "$tuf/1.root.json"
machine new-pin
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR run manifesto trust pin "$d" "$tuf/2.root.json"
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR bundle 'a bundle beside a damaged old root' "$d" -o no-root.tar
check 'it has the roots that hold' test "$(tar tf no-root.tar | grep 'root\.json$')" = "trust/${REGISTRY/:/%3A}/acme/web/2.root.json"
cp root.json "$tuf/1.root.json"
machine first

# --- a role that does not verify: the bundle has what else there is, and readers get the same answer
machine first
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR run manifesto role add "$d" qa --types scan --key "$(manifesto key list --json | jq -r '.keys[] | select(.name == "alice").fingerprint')"
check_status 'a role' 0
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR run manifesto put --role qa "$d" scan third
check_status 'which has a record' 0
tuf=$STATIC_DIR/${REGISTRY/:/%3A}/acme/web
role=$(find "$tuf" -name '*.qa.json' | sort -V | tail -n 1)
cp "$role" role.json
sed -i 's/"expires":"20/"expires":"21/' "$role"
MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR bundle 'a bundle beside a damaged role' "$d" -o damaged.tar
check_stderr_has 'it warns' "records of role 'qa' of '${d%:*}' cannot be read: "
cp role.json "$role"
machine late
reads 'what others signed is there' contact.json --bundle damaged.tar "$d" contact
run offline get --bundle damaged.tar "$d" scan
check_status 'what the role might have is refused' 8
machine first

# --- an image that is kept in another repository's store
MANIFESTO_TRUST_SERVER=$NOTARY run manifesto put --init --store "$REGISTRY/acme/notes" "$d" qa-approval second
check_status 'put with --store' 0
fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
MANIFESTO_TRUST_SERVER=$NOTARY bundle 'a bundle with --store' --store "$REGISTRY/acme/notes" "$d" -o store.tar
reader store "$REGISTRY/acme/notes" "$fingerprint" store.tar
reads 'get with --store' second --bundle store.tar --store "$REGISTRY/acme/notes" "$d" qa-approval
machine first

# --- what cannot be made
machine first
export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR
proxy P "http://$REGISTRY"
moving=$P/acme/moving:1.0
push_image oci:layout:1.0 "$REGISTRY/acme/moving:1.0" >/dev/null 2>&1
run manifesto put -q --init "$moving" qa-approval second
skopeo inspect --raw --tls-verify=false "docker://$d" >first.json
skopeo inspect --raw --tls-verify=false "docker://${d%:*}:multi" >other.json
for file in first other; do
	rules+=("{\"path\":\"/manifests/1.0\",\"count\":1,\"action\":\"replace\",\"body_file\":\"$T/$file.json\",\"headers\":{\"Docker-Content-Digest\":\"sha256:$(sum $file.json)\",\"Content-Type\":\"$(jq -r .mediaType $file.json)\"}}")
done
faults P "${rules[@]}"
refused 'a tag that moves meanwhile' 12 bundle create "$moving" "$moving" -o two-of-one.tar
check_stderr_has 'is named' "'$moving' moved to another image"
check 'nothing is written of it' test ! -e two-of-one.tar
refused 'no output' 2 bundle create "$d"
refused 'no image' 3 bundle create "${d%:*}:none" -o none.tar
check 'nothing is written' test ! -e none.tar
mv "$STATIC_DIR/${REGISTRY/:/%3A}/acme/web/targets" targets.away
lab_server stop registry
refused 'no registry' 4 bundle create "$d" -o none.tar
check 'nothing is written then' test ! -e none.tar
t_done
