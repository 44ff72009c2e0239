#!/bin/bash
# Mirrors of Notary repositories: TUF 1.0 under the mirror's keys, with the records, signers, withdrawals and vetoes of the origin.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary s3 static
proxy N "$NOTARY"
# shellcheck disable=SC2153 # set by lab
proxy P "http://$REGISTRY"
make_image layout >/dev/null
repository=$REGISTRY/acme/app
image=$repository:1.0
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
push_image oci:layout:1.0 "$REGISTRY/acme/other:1.0" >/dev/null 2>&1
printf 'second\0version\377' >second
echo third >third
name=${REGISTRY/:/%3A}/acme/app
dir=$T/copy/$name
registry=tuf+oci://$P/acme/trust
bucket=tuf+s3://$S3_BUCKET/mirror
# shellcheck disable=SC2153 # set by proxy
export MANIFESTO_TRUST_SERVER=http://$N

publisher() { # COMMAND...
	machine publisher
	run manifesto "$@"
	[ "$status" = 0 ] || t_bail "$*"
	machine mirror
}
state() { # of a directory: names, times and content
	find "$1" -type f ! -name .lock -printf '%P %T@ %i\n' | sort
	find "$1" -type f ! -name .lock -exec sha256sum {} + | sort
}
mirrored() { # NAME FILES CONTENTS [DESTINATION]
	run manifesto mirror "$repository" "${4-copy}"
	check_status "$1: status" 0
	check_stdout_has "$1: what is written" "$repository: $2 file$([ "$2" = 1 ] || echo s) and $3 content$([ "$3" = 1 ] || echo s) written to "
}

machine publisher
run manifesto put -q --init "$image" contact "$approval"
[ "$status" = 0 ] || t_bail 'the first record'
root=$(manifesto trust show --json "$image" | jq -r '.pinned[0]')
for key in qa q2 sec ops; do manifesto key generate -q "$key" || t_bail 'a key'; done
publisher put -q "$image" ops-note second
publisher role add -q "$image" qa --key qa --key q2 --types qa-approval,scan
publisher role add -q "$image" sec --key sec --types security-review
publisher role add -q "$image" ops --key ops --types ops-note
publisher put -q "$image" qa-approval second --key qa
publisher sign -q --yes "$image" qa-approval --key q2
publisher put -q "$image" scan third --key qa
publisher put -q "$image" old second
publisher withdraw -q --reason 'too old' "$image" old
publisher veto -q --role sec --key sec --reason 'CVE-2026-1' "$image" scan
cat >gate.json <<'END'
{"version": 1, "require": [{"type": "scan"}], "veto": ["sec"]}
END

# --- the first run
machine mirror
run manifesto trust pin "$image" "$root"
run manifesto mirror "$repository" copy
check_status 'a mirror of a Notary repository' 0
check_stderr_has 'it makes keys of its own' 'key made: alice-mirror '
check_stderr_has 'and says what readers pin' 'root key pinned on this machine: '
pin=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
run manifesto mirror --json "$repository" "$registry"
check_status 'to a registry' 0
check_json 'in JSON' ".repositories[0] | .dialect == \"notary\" and .converted and .changed and .pin == [\"$pin\"] and .keysMade == [] and .contents == 0"
run manifesto mirror "$repository" "$bucket"
check_status 'to a bucket' 0

# --- what readers find: what they find at the origin
records() { # what a machine sees of the records
	manifesto list --json --tofu "$image" 2>/dev/null |
		jq -c '[.records[] | {type, subject, digest, state, role: (.role | sub("^targets/"; "")), reason, signers: ([.signers[].fingerprint] | sort)}]'
}
policy() { # the same result on both sides
	"$@" >"$T/gate" 2>&1
	echo $?
}
machine origin-reader
manifesto trust pin "$image" "$root" >/dev/null
records >records.origin
check 'the origin has records of each state' test "$(jq -r '.[].state' records.origin | sort -u | tr '\n' ' ')" = 'current veto withdrawn '
for server in "tuf+file://$T/copy" "$registry" "tuf+$S3_PUBLIC/mirror"; do
	machine "reader-${server//[^a-z0-9]/}"
	export MANIFESTO_TRUST_SERVER=$server
	refused "$server: the origin's pin is not for this copy" 10 get "$image" contact
	run manifesto trust pin "$image" "$pin"
	records | diff records.origin -
	check "$server: the same records, states, roles and signers" test $? = 0
	get_is "$server: get" "$approval" "$image" contact
	get_is "$server: of a role" second "$image" qa-approval
	refused "$server: withdrawn" 9 get "$image" old
	refused "$server: a type that a role has taken over" 3 get "$image" ops-note
	run manifesto verify "$image" --require 'qa-approval=2 of qa'
	check_status "$server: two of a role" 0
	run manifesto verify "$image" --require 'qa-approval=3 of qa'
	check_status "$server: the mirror's key is no third" 9
	run manifesto verify "$image" --require 'scan=2 of qa'
	check_status "$server: nor a second" 9
	run manifesto verify "$image" --require scan
	check_status "$server: one is enough where one is asked for" 0
	run manifesto verify "$image" --policy gate.json
	check_status "$server: unless a role has a veto" 9
	check_stderr_has "$server: whose reason is there" CVE-2026-1
	run manifesto trust show "$image"
	check_stdout_has "$server: trust show says whose copy it is" "copy of   $repository (notary), root 1 "
done
run manifesto trust show --json "$image"
check_json 'in JSON' ".copyOf | .repository == \"$repository\" and .dialect == \"notary\" and .rootVersion == 1 and .timestampVersion > 1 and (.root | length) == 64"
export MANIFESTO_TRUST_SERVER=http://$N
machine mirror
curl -s "$NOTARY/v2/$repository/_trust/tuf/timestamp.json" >origin.timestamp
check 'the timestamp is good no longer than that of the origin' test "$(date -ud "$(jq -r .signed.expires "$dir/timestamp.json")" +%s)" -le \
	"$(date -ud "$(jq -r .signed.expires origin.timestamp)" +%s)"
machine late-reader
run manifesto trust pin --trust-server "tuf+file://$T/copy" "$image" "$pin"
run faketime -f +15d manifesto list --trust-server "tuf+file://$T/copy" "$image"
check_status 'a mirror that is behind is found out by its expiry' 7
machine mirror

# another TUF client
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
cp -r copy "$STATIC_DIR/copy"
"$tuf" --metadata-dir md init "$dir/1.root.json" || t_bail init
url=$STATIC/copy/${name//%/%25}
for target in contact qa-approval; do
	run "$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir "td-$target" \
		--target-name "$target/sha256-${subject#sha256:}" download
	check_status "another TUF client finds $target" 0
done
check_same_file 'the content' "$(find td-qa-approval -type f)" second
run "$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir td-veto \
	--target-name "security-review/veto-sha256-${subject#sha256:}.scan" download
check_status 'a veto has its content, which no registry has' 0

# --- nothing new
state copy >before
faults N
run manifesto mirror "$repository" copy
check_stdout_has 'nothing new' "$repository: nothing new for $dir; timestamp version "
state copy | cmp -s before -
check 'no file is touched' test $? = 0
check 'the origin is asked for its timestamp' test "$(jq -r '"\(.method) \(.path)"' "$T/N.log")" = "GET /v2/$repository/_trust/tuf/timestamp.json"
faults P
run manifesto mirror "$repository" "$registry"
check_stdout_has 'nothing new for a registry' 'nothing new for'
check 'nothing is sent to it' test -z "$(jq -r 'select(.method != "GET" and .method != "HEAD") | .path' "$T/P.log")"

# --- what changes there changes here, and nothing else
publisher put -q "$image" scan second --key q2
mirrored 'a record of a role' 3 1
check 'targets are as they were' test ! -e "$dir/3.targets.json"
same_records() { # NAME
	machine origin-reader
	records >records.origin
	machine "$(basename "$T"/home/manifesto-reader-tuffile*copy | sed s/manifesto-//)"
	MANIFESTO_TRUST_SERVER=tuf+file://$T/copy records >records.copy
	machine mirror
	check "$1: as at the origin" cmp records.origin records.copy
}
same_records 'a record of a role'
publisher rm -q "$image" contact
mirrored 'a record that was removed' 3 0
same_records 'a record that was removed'
publisher role remove -q "$image" qa --key "$(MANIFESTO_HOME=$T/home/manifesto-publisher manifesto key show --json q2 | jq -r '.keys[0].fingerprint')"
run manifesto mirror "$repository" copy
check_status 'a key leaves a role' 0
same_records 'a key leaves a role'
publisher role remove -q "$image" ops
run manifesto mirror "$repository" copy
check_status 'a role leaves' 0
check_json 'it is listed no more' '[.signed.delegations.roles[].name] == ["qa", "sec"]' "$(find "$dir" -name '*.targets.json' -printf '%f %p\n' | sort -n | tail -1 | cut -d' ' -f2)"
same_records 'a role leaves'
publisher key generate -q t2
publisher trust rotate -q "$image" targets --key t2
publisher put -q "$image" contact third --key t2
run manifesto mirror "$repository" copy
check_status 'targets have another key' 0
check 'the next root of the mirror lists it' test -e "$dir/3.root.json"
same_records 'targets have another key'
run manifesto mirror "$repository" copy
check_stdout_has 'and then nothing is new' 'nothing new for'

curl -s "$NOTARY/v2/$repository/_trust/tuf/timestamp.json" >origin.timestamp
publisher put -q "$image" contact second --key t2
mirrored 'and one more record' 3 1

# --- an origin that does not verify; the copy stays
unchanged() { # NAME STATUS TEXT COMMAND...
	local name=$1 want=$2 text=$3
	shift 3
	state copy >before
	run "$@"
	check_status "$name: status" "$want"
	check_stderr_has "$name: the message" "$text"
	state copy | cmp -s before -
	check "$name: the copy stays" test $? = 0
}
unchanged 'an origin that has expired' 7 expired faketime -f +20d manifesto mirror "$repository" copy
faults N "{\"path\":\"/timestamp.json\",\"action\":\"replace\",\"body_file\":\"$T/origin.timestamp\"}"
unchanged 'an origin that is rolled back' 8 version manifesto mirror "$repository" copy
machine amnesiac
cp -r "$T/home/manifesto-mirror" "$MANIFESTO_HOME" && rm -rf "$MANIFESTO_HOME/floors"
unchanged 'which a machine without floors sees in its copy' 8 'has copied version' manifesto mirror "$repository" copy
faults N '{"path":"/_trust/","action":"status","status":503}'
machine mirror
unchanged 'an origin that does not answer' 4 503 manifesto mirror --timeout 2s "$repository" copy
faults N

# --- the mirror's own key signs no records, and nobody writes to a copy
own=$(manifesto key show --json alice-mirror | jq -r '.keys[0].fingerprint')
manifesto key show alice-mirror | sed -n '/BEGIN/,/END/p' >mirror.pem
machine writer
cp -r "$T/home/manifesto-mirror" "$MANIFESTO_HOME" && rm -rf "$MANIFESTO_HOME/floors"
run manifesto trust forget "$image"
run manifesto trust pin "$image" "$pin"
state copy >before
for command in "put $image other second --key alice-mirror" "rm $image contact" "trust refresh --force $image" "role remove $image sec"; do
	# shellcheck disable=SC2086 # words
	MANIFESTO_TRUST_SERVER=tuf+file://$T/copy run manifesto $command
	check_status "who has the mirror's keys is refused: ${command%% /*}" 2
	check_stderr_has "and sent to the original: ${command%% *}" "is a copy of '$repository'"
done
state copy | cmp -s before -
check 'the copy stays' test $? = 0
machine mirror
run manifesto mirror "$REGISTRY/acme/none" "$repository" copy
check_status 'of two repositories one is not there' 3
check_stdout_has 'the other is looked at' 'nothing new for'

# --- one mirror key, two repositories: one copy does not pass for the other
machine publisher2
run manifesto put -q --init "$REGISTRY/acme/other:1.0" contact second
root2=$(manifesto trust show --json "$REGISTRY/acme/other" | jq -r '.pinned[0]')
machine mirror
run manifesto trust pin "$REGISTRY/acme/other" "$root2"
run manifesto mirror "$repository" "$REGISTRY/acme/other" copy
check_status 'two repositories at once' 0
check_stderr_lacks 'the second has the same keys' 'key made'
machine swapped
run manifesto trust pin "$REGISTRY/acme/*" "$pin"
cp -r copy swapped
rm -rf "swapped/$name" && cp -r "swapped/${REGISTRY/:/%3A}/acme/other" "swapped/$name"
MANIFESTO_TRUST_SERVER=tuf+file://$T/swapped
get_is 'in its own place it is read' second "$REGISTRY/acme/other:1.0" contact
refused 'in the place of another it is refused' 6 get "$image" contact
check_stderr_has 'and the message says whose copy it is' "is of a copy of '$REGISTRY/acme/other'"
MANIFESTO_TRUST_SERVER=http://$N
machine publisher
run manifesto role add -q "$image" qa --key mirror.pem --types qa-approval,scan
check_status 'somebody gives the key of the mirror a role' 0
machine mirror
unchanged 'a key of both' 11 'alice-mirror' manifesto mirror "$repository" copy
publisher role remove -q "$image" qa --key "$own"

# --- killed while a registry is written: readers have the old state
publisher put -q "$image" contact third --key t2
faults P '{"method":"PUT","path":"/manifests/","action":"local","to":"/hang"}'
manifesto mirror "$repository" "$registry" >killed.out 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 200; i++)); do
	jq -e 'select(.rule != null)' "$T/P.log" >/dev/null 2>&1 && break
	sleep 0.05
done
kill -KILL $pid
wait $pid 2>/dev/null
check 'a mirror is killed at the manifest' test $? = 137
faults P
machine after-kill
run manifesto trust pin "$image" "$pin"
get_is 'a reader has the old state' "$approval" --trust-server "$registry" "$image" contact
machine mirror
run manifesto mirror "$repository" "$registry"
check_status 'the next run' 0
machine after-kill
get_is 'has the new one' third --trust-server "$registry" "$image" contact
MANIFESTO_TRUST_SERVER=$registry records >records.copy
machine origin-reader
records >records.origin
check 'and the roles that did not change' cmp records.origin records.copy
machine mirror

# --- the mirror has lost its keys: the copy stays
keyless() { # NAME
	rm -rf "$T/home/manifesto-$1" && cp -a "$T/home/manifesto-mirror" "$T/home/manifesto-$1"
	machine "$1"
	rm "$MANIFESTO_HOME/keys/alice-mirror.key"
}
keyless keyless
unchanged 'the key that signs is gone' 11 'put the keys of the mirror back' manifesto mirror "$repository" copy
manifesto key generate -q alice-mirror || t_bail 'another key'
unchanged 'another one has its name' 11 'put the keys of the mirror back' manifesto mirror "$repository" copy
keyless both
cp "$T"/home/manifesto-publisher/keys/t2.key "$MANIFESTO_HOME/keys"
unchanged "a key of the origin's targets does not sign in its place" 11 "key 't2' of the mirror signs for role" manifesto mirror "$repository" copy
machine mirror

# --- a registry that has lost files of the copy
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/trust/manifests/$(curl -s "http://$REGISTRY/v2/acme/trust/tags/list" |
	jq -r --arg name "${repository//[:\/]/_}" '.tags[] | select(startswith($name))')" >manifest.json
lose() { # PATTERN of the name of a file
	local digest
	digest=$(jq -r --arg name "$1" '[.layers[] | select(.annotations["tuf.io/filename"] | test($name)) | .digest][0]' manifest.json)
	curl -sf -X DELETE "http://$REGISTRY/v2/acme/trust/blobs/$digest" || t_bail "the registry loses $1"
}
for file in snapshot 'targets\.json' 'sec\.json'; do
	lose "$file"
	mirrored "a lost $file is written again" 1 0 "$registry"
	machine after-loss
	run manifesto trust pin "$image" "$pin"
	get_is "and read: $file" third --trust-server "$registry" "$image" contact
	rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
	machine mirror
done
run manifesto mirror "$repository" "$registry"
check_stdout_has 'then nothing is new' 'nothing new for'
lose '^1\.root'
refused 'what this machine does not have either' 8 mirror "$repository" "$registry"
check_stderr_has 'is reported as gone' 'the registry has lost files of the mirror'

# --- what the mirror signed long ago is signed again before it expires
push_image oci:layout:1.0 "$REGISTRY/acme/aged:1.0" >/dev/null 2>&1
machine publisher3
run faketime -f -340d manifesto put -q --init "$REGISTRY/acme/aged:1.0" contact second
check_status 'an old repository' 0
root3=$(faketime -f -340d manifesto trust show --json "$REGISTRY/acme/aged" | jq -r '.pinned[0]')
machine mirror3
run manifesto trust pin "$REGISTRY/acme/aged" "$root3"
run faketime -f -340d manifesto mirror "$REGISTRY/acme/aged" aged
check_status 'its mirror' 0
aged=$T/aged/${REGISTRY/:/%3A}/acme/aged
check 'it has two roots' test "$(find "$aged" -name '*.root.json' | wc -l)" = 2
run manifesto mirror "$REGISTRY/acme/aged" aged
check_status 'eleven months later' 0
check 'its root is signed again' test -e "$aged/3.root.json"
check 'and so are its targets' test -e "$aged/3.targets.json"
run manifesto mirror "$REGISTRY/acme/aged" aged
check_stdout_has 'once' 'nothing new for'

# --- of an origin whose targets expire before its timestamp
push_image oci:layout:1.0 "$REGISTRY/acme/ending:1.0" >/dev/null 2>&1
machine publisher4
run faketime -f -1085d manifesto put -q --init "$REGISTRY/acme/ending:1.0" contact second
check_status 'a repository of three years ago' 0
root4=$(faketime -f -1085d manifesto trust show --json "$REGISTRY/acme/ending" | jq -r '.pinned[0]')
machine mirror4
run manifesto trust pin "$REGISTRY/acme/ending" "$root4"
run manifesto mirror "$REGISTRY/acme/ending" ending
check_status 'its mirror' 0
ends() { # FILE
	date -ud "$(jq -r .signed.expires "$1")" +%s
}
curl -s "$NOTARY/v2/$REGISTRY/acme/ending/_trust/tuf/targets.json" >targets.origin
curl -s "$NOTARY/v2/$REGISTRY/acme/ending/_trust/tuf/timestamp.json" >timestamp.origin
check 'its targets end first' test "$(ends targets.origin)" -lt "$(ends timestamp.origin)"
check 'the timestamp of the mirror is good as long as they are' test "$(ends "ending/${REGISTRY/:/%3A}/acme/ending/timestamp.json")" -le "$(ends targets.origin)"
run manifesto mirror "$REGISTRY/acme/ending" ending
check_stdout_has 'and nothing is new then' 'nothing new for'

# --- roles below roles, whose authority is that of their delegators
nested=$REGISTRY/acme/nested
push_image oci:layout:1.0 "$nested:1.0" >/dev/null 2>&1
notary_in owner init "$nested"
notary_in owner publish "$nested"
notary_in owner key rotate "$nested" snapshot -r
for person in lead eu; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$person" \
		-keyout "$person.key" -out "$person.crt" 2>/dev/null
done
notary_in owner delegation add -p "$nested" targets/lead lead.crt --paths qa-approval/,scan/,other/
notary_in owner key import lead.key --role targets/lead
notary_in owner delegation add -p "$nested" targets/lead/eu eu.crt --paths qa-approval/,other/
[ "$status" = 0 ] || t_bail 'a role below a role'
notary_in owner delegation remove -p -y "$nested" targets/lead --paths other/
[ "$status" = 0 ] || t_bail 'a delegator that has lost a path'
fingerprint_of_root() { # GUN
	curl -s "$NOTARY/v2/$1/_trust/tuf/root.json" | jq -r '.signed.keys[.signed.roles.root.keyids[0]].keyval.public' | base64 -d |
		openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1
}
machine eu
manifesto key import eu eu.key >/dev/null 2>&1 || t_bail 'a key'
run manifesto trust pin "$nested" "$(fingerprint_of_root "$nested")"
run manifesto put -q "$nested:1.0" qa-approval third --key eu --role lead/eu
check_status 'a record of a role below a role' 0
machine mirror
run manifesto trust pin "$nested" "$(fingerprint_of_root "$nested")"
run manifesto mirror "$nested" nested
check_status 'its mirror' 0
check_json 'each is a delegation of targets, for its own paths that its delegator has too' \
	'[.signed.delegations.roles[] | [.name, .paths]] == [["lead", ["qa-approval/*", "scan/*"]], ["lead/eu", ["qa-approval/*"]]]' \
	"nested/${REGISTRY/:/%3A}/acme/nested/2.targets.json"
machine nested-reader
run manifesto trust pin "$nested" "$pin"
MANIFESTO_TRUST_SERVER=tuf+file://$T/nested
get_is 'it is read' third "$nested:1.0" qa-approval
run manifesto verify "$nested:1.0" --require qa-approval=lead/eu
check_status 'as that role'"'"'s' 0
run manifesto verify "$nested:1.0" --require qa-approval=lead
check_status 'and not as that of its delegator' 9
run manifesto verify "$nested:1.0" --require scan=lead/eu
check_status 'which may sign no other type' 9
MANIFESTO_TRUST_SERVER=http://$N
machine mirror

# --- a key that a role lists under a wrong ID: nobody at the origin counts it
misnamed=$REGISTRY/acme/misnamed
push_image oci:layout:1.0 "$misnamed:1.0" >/dev/null 2>&1
machine publisher5
run manifesto put -q --init --no-passphrase "$misnamed:1.0" contact second
root5=$(manifesto trust show --json "$misnamed" | jq -r '.pinned[0]')
for key in one two; do manifesto key generate -q --no-passphrase $key; done
run manifesto role add -q "$misnamed" qa --key one --key two --types qa-approval
run manifesto put -q "$misnamed:1.0" qa-approval second --key one
run manifesto sign -q --yes "$misnamed:1.0" qa-approval --key two
check_status 'two people of a role sign' 0
curl -s "$NOTARY/v2/$misnamed/_trust/tuf/targets.json" >targets.origin
"$(t_python)" - "$MANIFESTO_HOME/keys" <<-'END' || t_bail 'another ID'
	import base64, json, sys
	from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

	def key(name):
	    with open(f"{sys.argv[1]}/{name}.key") as f:
	        return json.load(f)

	with open("targets.origin") as f:
	    doc = json.load(f)
	roles = doc["signed"]["delegations"]
	public = key("one")["public"][16:]  # behind the header of a key of this type
	(old,) = (i for i, k in roles["keys"].items() if k["keyval"]["public"] == public)
	new = "1" * 64
	roles["keys"] = dict(sorted((new if i == old else i, k) for i, k in roles["keys"].items()))
	for role in roles["roles"]:
	    role["keyids"] = sorted(new if i == old else i for i in role["keyids"])
	doc["signed"]["version"] += 1
	text = json.dumps(doc["signed"], sort_keys=True, separators=(",", ":")).encode()
	secret = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key("alice")["secret"]))
	doc["signatures"][0]["sig"] = base64.b64encode(secret.sign(text)).decode()
	with open("targets", "w") as f:
	    json.dump(doc, f, separators=(",", ":"))  # the bytes that the server lists in its snapshot
END
curl -sf -F 'files=@targets' "$NOTARY/v2/$misnamed/_trust/tuf/" || t_bail 'targets with another ID'
run manifesto verify "$misnamed:1.0" --require 'qa-approval=2 of qa'
check_status 'at the origin one of them counts' 9
machine mirror5
run manifesto trust pin "$misnamed" "$root5"
run manifesto mirror "$misnamed" misnamed
check_status 'its mirror' 0
pin5=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
check_json 'lists the other one and its own' '.signed.delegations.roles[0].keyids | length == 2' "misnamed/${REGISTRY/:/%3A}/acme/misnamed/2.targets.json"
machine misnamed-reader
run manifesto trust pin "$misnamed" "$pin5"
MANIFESTO_TRUST_SERVER=tuf+file://$T/misnamed
for number in 1 2; do
	run manifesto verify "$misnamed:1.0" --require "qa-approval=$number of qa"
	check_status "so do readers of the mirror: $number" $((number == 1 ? 0 : 9))
done
MANIFESTO_TRUST_SERVER=http://$N
machine mirror

# --- what TUF 1.0 would read as something else
run manifesto mirror "$nested" nested
unlike() { # NAME TEXT ROLE PATH
	notary_in owner delegation add -p "$nested" "$3" lead.crt --paths "$4"
	[ "$status" = 0 ] || t_bail "$1"
	find nested -type f -exec sha256sum {} + | sort >before
	run manifesto mirror "$nested" nested
	check_status "$1" 4
	check_stderr_has "$1: the message" "$2"
	find nested -type f -exec sha256sum {} + | sort | cmp -s before -
	check "$1: the copy stays" test $? = 0
	notary_in owner delegation remove -p -y "$nested" "$3" --paths "$4"
	[ "$status" = 0 ] || t_bail "$1, taken away"
}
for path in 'sc*' 'sca?' 'sca[a-z]' "sca\\"; do
	unlike "a path with '${path: -1}'" 'has no counterpart in TUF 1.0' targets/lead "$path"
done
unlike 'a role with the name of a file' "cannot have the name 'snapshot'" targets/snapshot scan/

# --- a repository of the notary program: tags of images, and a role for all names
tagged=$REGISTRY/acme/tagged
notary_in owner init "$tagged"
notary_in owner key rotate "$tagged" snapshot -r
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=dev -keyout dev.key -out dev.crt 2>/dev/null
notary_in owner delegation add "$tagged" targets/releases dev.crt --all-paths
echo fourth >fourth
notary_in owner add "$tagged" 1.0 fourth
notary_in owner publish "$tagged"
[ "$status" = 0 ] || t_bail 'a collection of the notary program'
machine mirror
run manifesto trust pin "$tagged" "$(fingerprint_of_root "$tagged")"
run manifesto mirror "$tagged" copy
check_status 'it is mirrored' 0
check_stderr_has 'what has no content there is named' "'1.0': "
check_json 'a role for all names is one' '.signed.delegations.roles[0] | .name == "releases" and .paths == ["*", "*/*"] and .threshold == 1 and (.keyids | length) == 2' \
	"copy/${REGISTRY/:/%3A}/acme/tagged/2.targets.json"
check_json 'the tag is there' ".signed.targets[\"1.0\"].hashes.sha256 == \"$(sum fourth)\"" "copy/${REGISTRY/:/%3A}/acme/tagged/2.targets.json"
t_done
