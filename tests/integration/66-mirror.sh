#!/bin/bash
# Mirrors of TUF 1.0 repositories: a directory, a bucket, a registry. Readers with the origin's pin read them as the origin; each
# run copies what is new; wherever one is stopped, readers find the old state or the new one.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry s3 static
# shellcheck disable=SC2153 # set by lab
proxy P "http://$REGISTRY"
proxy Q "http://$REGISTRY"
make_image layout >/dev/null
repository=$REGISTRY/acme/app
image=$repository:1.0
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
printf 'second\0version\377' >second
echo '{"who":"support"}' >contact.json
origin=tuf+file://$T/origin
name=${REGISTRY/:/%3A}/acme/app
files=$T/origin/$name
dir=$T/copy/$name
bucket=tuf+s3://$S3_BUCKET/mirror
registry=tuf+oci://$P/acme/trust
export MANIFESTO_TRUST_SERVER=$origin

publisher() { # COMMAND...
	machine publisher
	MANIFESTO_TRUST_SERVER=$origin run manifesto "$@"
	[ "$status" = 0 ] || t_bail "$*"
	machine mirror
}
reader() { # NAME: a machine that has the origin's pin and nothing else
	machine "$1"
	[ -e "$MANIFESTO_HOME/trust.json" ] || run manifesto trust pin --trust-server "$origin" "$image" "$files/1.root.json"
}
state() { # of a directory: names, times and content
	find "$1" -type f ! -name .lock -printf '%P %T@ %i\n' | sort
	find "$1" -type f ! -name .lock -exec sha256sum {} + | sort
}
tag_of() { # GUN
	printf '%s.%s' "$(printf %s "$1" | tr -c 'A-Za-z0-9.-' _)" "$(printf %s "$1" | sha256sum | cut -c1-32)"
}
tag=$(tag_of "$repository")
manifest_url=http://$REGISTRY/v2/acme/trust/manifests/$tag
asked() { # METHOD-PATTERN PATH-PATTERN: how many requests to the registry since faults P
	jq -r '"\(.method) \(.path)"' "$T/P.log" | grep -cE "^($1) .*$2"
}

publisher put -q --init --no-passphrase "$image" qa-approval "$approval"
publisher put -q "$image" contact contact.json
publisher key generate -q --no-passphrase qa
publisher role add -q "$image" qa --key qa --types scan
publisher put -q "$image" scan second --key qa

# --- the first run, to each kind of destination
machine mirror
refused 'a mirror needs a pin as every reader does' 10 mirror "$repository" copy
check 'nothing is made then' test ! -e copy
run manifesto trust pin "$image" "$files/1.root.json"
run manifesto mirror "$repository" copy
check_status 'to a directory' 0
# two roots, timestamp, snapshot, targets, qa
check_stdout_has 'it says what it wrote, and until when that is good' "$repository: 6 files and 3 contents written to $dir; timestamp version "
check 'it has what readers need, byte for byte' test "$(cd "$dir" && find . -name '*.json' | wc -l)" = 6
for file in "$dir"/*.json; do check_same_file "as the origin: ${file##*/}" "$file" "$files/${file##*/}"; done
for file in "$dir"/targets/*/*; do check_same_file "content: ${file#"$dir"/targets/*/}" "$file" "$files/${file#"$dir/"}"; done
run manifesto mirror --json "$repository" "$bucket"
check_status 'to a bucket' 0
check_json 'in JSON' ".schema == \"manifesto/mirror/v1\" and .exit == 0 and (.repositories[0] | .repository == \"$repository\" and .gun == \"$repository\"
	and .dialect == \"tuf1\" and .changed and (.converted | not) and .files == 6 and .contents == 3 and .pin == [] and .warnings == [] and .exit == 0)"
faults P
run manifesto mirror "$repository" "$registry"
check_status 'to a registry' 0
check_stdout_has 'metadata only' '6 files and 0 contents written to tuf+oci://'
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$manifest_url" >manifest.json
check_json 'one manifest lists the files by their names, for whoever knows TUF mirrors or unpacks artifacts' \
	'[.layers[].annotations["tuf.io/filename"]] == [.layers[].annotations["org.opencontainers.image.title"]] and (.layers | length) == 6
	and .artifactType == "application/vnd.tuf.metadata+json" and ([.layers[].mediaType] | unique) == ["application/vnd.tuf.metadata+json"]' manifest.json
check_json 'and says whose metadata it has' ".annotations[\"vnd.manifesto.repository\"] == \"$repository\"" manifest.json
mkdir unpacked
jq -r '.layers[] | "\(.digest) \(.annotations["org.opencontainers.image.title"])"' manifest.json |
	while read -r digest file; do curl -s "http://$REGISTRY/v2/acme/trust/blobs/$digest" >"unpacked/$file"; done
for file in unpacked/*.json; do check_same_file "in the registry: ${file##*/}" "$file" "$files/${file##*/}"; done

# --- readers, with the origin's pin
for server in "tuf+file://$T/copy" "$bucket" "tuf+$S3_PUBLIC/mirror"; do
	reader "reader-${server//[^a-z0-9]/}"
	case $server in
	tuf+http*) sub=2 ;;
	*) sub=11 ;;
	esac
	export MANIFESTO_TRUST_SERVER=$server
	get_is "$server: get" "$approval" "$image" qa-approval
	get_is "$server: a role's record" second "$image" scan
	run manifesto list "$image"
	check_status "$server: list" 0
	check_stdout_has "$server: with every record" contact
	run manifesto verify "$image" --require scan=qa --require contact
	check_status "$server: the gate" 0
	refused "$server: who has no key publishes nothing" $sub put "$image" scan second --key nobody
done
reader oci
export MANIFESTO_TRUST_SERVER=$registry
faults P
get_is 'a registry: get' second "$image" scan
check 'a cold reader asks for one manifest' test "$(asked GET "/manifests/$tag")" = 1
check 'and for the files that it needs' test "$(asked GET /blobs/)" = 6
check 'and for nothing else' test "$(wc -l <"$T/P.log")" = 7
faults P
get_is 'a registry: get again' second "$image" scan
check 'a warm reader asks for the manifest and the timestamp' test "$(asked GET "/manifests/$tag") $(asked GET /blobs/) $(wc -l <"$T/P.log")" = '1 1 2'
faults P '{"path":"/blobs/","action":"delay","ms":600}'
cold
get_is 'a registry: from afar' second "$image" scan
check 'the first files are requested together' test "$(jq -r 'select(.path | test("/blobs/")) | .active' "$T/P.log" | sort -n | tail -1)" -ge 2
faults P
run manifesto list "$image"
check_status 'list' 0
run manifesto verify "$image" --require scan=qa --require contact
check_status 'the gate' 0
run manifesto trust show "$image"
check_stdout_has 'trust show names the tag' "acme/trust:$tag"
refused 'it is read-only' 2 put "$image" scan second --key qa
check_stderr_has 'and the hint says how it is written' 'manifesto mirror'
refused 'nor is it initialised' 2 trust init "$image"
refused 'another repository is not there' 3 --tofu list "$REGISTRY/acme/none@$subject"
machine stranger
refused 'nor is anything read without a pin' 10 get "$image" scan
get_is 'unless first use is enough' second --tofu "$image" scan
for bad in tuf+oci:// "tuf+oci://$P" "tuf+oci://$P/" "tuf+oci://$P/acme/trust:latest" "tuf+oci://$P/Acme" "tuf+oci://$P/../x" "tuf+oci://u:p@$P/acme/trust"; do
	refused "the URL $bad" 2 --trust-server "$bad" get "$image" scan
	check_stderr_lacks "no password is repeated: $bad" u:p
done
refused 'no registry listens' 4 --trust-server tuf+oci://127.0.0.1:1/acme/trust get "$image" scan

# manifesto-tuf reads the directory and the bucket over HTTP
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
cp -r copy "$STATIC_DIR/copy"
for url in "$STATIC/copy/${name//%/%25}" "$S3_PUBLIC/mirror/${name//%/%25}"; do
	rm -rf md td
	"$tuf" --metadata-dir md init "$files/1.root.json" || t_bail 'init'
	run "$tuf" --metadata-dir md --metadata-url "$url" --target-base-url "$url/targets" --target-dir td \
		--target-name "scan/sha256-${subject#sha256:}" download
	check_status "another TUF client reads ${url%%/copy*}" 0
	check_same_file 'the content' "$(find td -type f | head -1)" second
done

# --- nothing new: nothing is written
machine mirror
export MANIFESTO_TRUST_SERVER=$origin
state "$T/copy" >before
run manifesto mirror "$repository" copy
check_status 'a second run' 0
check_stdout_has 'it says that there is nothing new' "$repository: nothing new for $dir; timestamp version "
state "$T/copy" | cmp -s before -
check 'no file is touched' test $? = 0
faults P
run manifesto mirror "$repository" "$registry"
check_stdout_has 'a registry, too' 'nothing new for'
check 'it read the timestamp, the newest root and the first' test "$(asked GET /blobs/)" = 3
check 'and asked whether all six files are there' test "$(asked HEAD /blobs/) $(asked 'PUT|POST|PATCH' /)" = '6 0'
proxy B "$S3"
run env AWS_ENDPOINT_URL_S3="http://$B" manifesto mirror "$repository" "$bucket"
check_stdout_has 'a bucket, too' 'nothing new for'
check 'it asked for four files' test "$(jq -r .method "$T/B.log" | tr '\n' ' ')" = 'GET GET GET GET '
run manifesto mirror -q "$repository" copy
check_stdout_empty 'with -q it says nothing'

# --- something new: that is copied, and content that is missing at the destination
publisher put -q "$image" qa-approval second
run manifesto mirror "$repository" copy
check_stdout_has 'targets, snapshot and timestamp, and one content' '3 files and 1 content written'
faults B
run env AWS_ENDPOINT_URL_S3="http://$B" manifesto mirror "$repository" "$bucket"
check_stdout_has 'to the bucket as well' '3 files and 1 content written'
check 'which was asked for its content once' test "$(grep -c list-type=2 "$T/B.log") $(grep -c '"HEAD"' "$T/B.log")" = '1 0'
contact=targets/contact/$(sum contact.json).sha256-${subject#sha256:}
rm "$dir/$contact"
curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_KEY_ID:$S3_SECRET" -X DELETE -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
	"$S3_PUBLIC/mirror/${name//%/%25}/$contact"
publisher put -q "$image" qa-approval contact.json
for destination in copy "$bucket"; do
	run manifesto mirror "$repository" "$destination"
	check_stdout_has "what was lost there is written again: $destination" '3 files and 2 contents written'
done
publisher put -q "$image" qa-approval second
run manifesto mirror "$repository" copy
run manifesto mirror "$repository" "$bucket"
faults P
run manifesto mirror "$repository" "$registry"
check_stdout_has 'and to the registry' '3 files and 0 contents written'
check 'no more than these are uploaded' test "$(asked PUT /blobs/uploads/)" -le 4
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$manifest_url" >manifest.json
check_json 'files of the old state are listed no more' '(.layers | length) == 6' manifest.json
reader reader-tuffile
for server in "tuf+file://$T/copy" "$bucket" "$registry"; do
	get_is "the new state: $server" second --trust-server "$server" "$image" qa-approval
done
# A file that the manifest lists and the registry has lost, in turn of a kind.
lose() { # FILE
	digest=$(jq -r ".layers[] | select(.annotations[\"tuf.io/filename\"] == \"$1\") | .digest" manifest.json)
	curl -sf -X DELETE "http://$REGISTRY/v2/acme/trust/blobs/$digest" || t_bail "the registry loses $1"
}
for file in timestamp.json 1.root.json "$(jq -r '.layers[].annotations["tuf.io/filename"]' manifest.json | grep targets)"; do
	lose "$file"
	run manifesto mirror "$repository" "$registry"
	check_stdout_has "what the registry has lost is written again: $file" '1 file and 0 contents written'
	reader late-reader
	cold
	get_is "and read: $file" second --trust-server "$registry" "$image" qa-approval
	machine mirror
done
# Two at once: the slower one does not put an older state in the place of the newer one.
faults P "{\"method\":\"GET\",\"path\":\"/manifests/\",\"skip\":1,\"count\":1,\"action\":\"hold\",\"until\":\"$T/go\"}"
publisher put -q "$image" qa-approval contact.json
manifesto mirror "$repository" "$registry" >slow.out 2>&1 &
slow=$!
for ((i = 0; i < 600; i++)); do
	grep -q '"rule": *0' P.log && break
	sleep 0.05
done
publisher put -q "$image" qa-approval second
run manifesto mirror "$repository" "tuf+oci://$REGISTRY/acme/trust"
check_status 'the faster one of two mirrors' 0
: >go
wait $slow
check 'the slower one gives way' test $? = 12
reader late-reader
get_is 'readers have the newer state' second --trust-server "$registry" "$image" qa-approval
machine mirror
# New keys for all: readers follow the roots.
publisher trust rotate -q "$image" targets --key qa
publisher key generate -q --no-passphrase root2
publisher trust rotate -q "$image" root --key root2
publisher key generate -q --no-passphrase ts
publisher trust rotate -q "$image" timestamp --key ts
publisher put -q "$image" contact second --key qa
faults B
for destination in copy "$bucket" "$registry"; do
	run env AWS_ENDPOINT_URL_S3="http://$B" manifesto mirror "$repository" "$destination"
	check_status "several roots at once: $destination" 0
done
order() { # of the timestamp and the roots in the bucket
	jq -r 'select(.method == "PUT") | .path' "$T/B.log" | sed -n 's,.*/\(timestamp\|[0-9]*\.root\)\.json$,\1,p' | tr '\n' ' '
}
check 'what the old keys have signed goes before the roots that take them away' grep -q '^timestamp .*root' <(order)
publisher key generate -q --no-passphrase root3
publisher trust rotate -q "$image" root --key root3
publisher put -q "$image" contact contact.json --key qa
publisher put -q "$image" contact second --key qa
faults B
run env AWS_ENDPOINT_URL_S3="http://$B" manifesto mirror "$repository" "$bucket"
check_status 'a new key of the root alone' 0
check 'goes before what readers find by it' grep -q 'root timestamp $' <(order)
for destination in copy "$registry"; do run manifesto mirror "$repository" "$destination"; done
reader reader-tuffile
for server in "tuf+file://$T/copy" "$bucket" "$registry"; do
	get_is "the reader follows: $server" second --trust-server "$server" "$image" contact
done
reader late
for server in "$registry" "$bucket" "tuf+file://$T/copy"; do
	get_is "one who comes late does as well: $server" second --trust-server "$server" "$image" contact
done
machine mirror

# --- an origin that does not verify: the status of every reader, and the copy stays
cp -a origin origin.good
unchanged() { # NAME STATUS TEXT [COMMAND before manifesto...]
	local name=$1 want=$2 text=$3 destination
	shift 3
	for destination in copy "$registry"; do
		state "$T/copy" >before
		faults P
		run "$@" manifesto mirror "$repository" "$destination"
		check_status "$name, to $destination: status" "$want"
		check_stderr_has "$name, to $destination: the message" "$text"
		state "$T/copy" | cmp -s before -
		check "$name, to $destination: the directory stays" test $? = 0
		check "$name, to $destination: nothing is sent to the registry" test "$(asked 'PUT|POST|PATCH' /)" = 0
	done
}
unchanged 'an origin that has expired' 7 expired faketime -f +400d
sed -i 's/"sig":"./"sig":"x/' "$files/timestamp.json"
unchanged 'an origin that is damaged' 6 '' env
rm -rf origin && cp -a origin.good origin
mv origin away
unchanged 'an origin that is gone' 8 gone env
mv away origin
publisher put -q "$image" contact contact.json --key qa
run manifesto mirror "$repository" copy
check_status 'the copy goes ahead' 0
cp -a origin origin.new
rm -rf origin && cp -a origin.good origin
unchanged 'an origin that is rolled back' 8 version env
machine fresh
run manifesto trust pin "$image" "$files/1.root.json"
state "$T/copy" >before
refused 'a mirror that has seen nothing compares with its copy' 8 mirror "$repository" copy
check_stderr_has 'and says so' 'the mirror version'
state "$T/copy" | cmp -s before -
check 'which stays' test $? = 0
machine mirror
rm -rf origin && cp -a origin.new origin

# --- somebody publishes to the mirror
rm -rf wrong && run manifesto mirror "$repository" wrong
check_status 'a mirror that people with keys may write to' 0
cp -r "$T/home/manifesto-publisher" "$T/home/manifesto-stray"
machine stray
run manifesto put -q --trust-server "tuf+file://$T/wrong" "$image" urgent second
check_status 'somebody publishes there' 0
machine mirror
publisher put -q "$image" contact contact.json --force
publisher put -q "$image" contact contact.json --force
state wrong >before
refused 'also when the origin has moved on' 12 mirror "$repository" wrong
check_stderr_has 'it says what happened' 'somebody has published to the mirror'
state wrong | cmp -s before -
check 'and nothing of it is lost' test $? = 0

# So it is when the origin has another timestamp key meanwhile, which did not sign what they published.
stray() { # COMMAND...: somebody applies it to a new mirror
	rm -rf wrong "$T/home/manifesto-stray"
	manifesto mirror -q "$repository" wrong || t_bail 'a mirror'
	cp -r "$T/home/manifesto-publisher" "$T/home/manifesto-stray"
	machine stray
	manifesto key generate -q --no-passphrase stray
	run manifesto "$@" -q --trust-server "tuf+file://$T/wrong"
	[ "$status" = 0 ] || t_bail "$*"
	machine mirror
	state wrong >before
}
stray put "$image" urgent second
publisher key generate -q --no-passphrase ts2
publisher trust rotate -q "$image" timestamp --key ts2
publisher put -q "$image" contact contact.json --force
refused 'with another timestamp key at the origin' 12 mirror "$repository" wrong
check_stderr_has 'it says that, too' 'somebody has published to the mirror'
state wrong | cmp -s before -
check 'and nothing of that is lost' test $? = 0
stray trust rotate "$image" timestamp --key stray
refused 'a root that the origin does not have' 8 mirror "$repository" wrong
check_stderr_has 'is named' 'the root of'
publisher put -q "$image" contact contact.json --force
publisher put -q "$image" contact contact.json --force
refused 'and stays one when the origin has moved on' 8 mirror "$repository" wrong
state wrong | cmp -s before -
check 'the mirror stays' test $? = 0
rm -rf wrong && run manifesto mirror "$repository" wrong
next_root=wrong/$name/$(($(find "wrong/$name" -name '*.root.json' | wc -l) + 1)).root.json
echo '{}' >"$next_root"
refused 'a file in the place of the next root' 12 mirror "$repository" wrong
check_stderr_has 'which readers would find' "of 'root' in"

# --- a name that could be a registry's
refused 'a registry without its scheme is no directory' 2 mirror "$repository" registry.example.com/acme
check_stderr_has 'the hint has both ways to write it' 'tuf+oci://registry.example.com/acme'
check 'nothing is made of it' test ! -e registry.example.com
run manifesto mirror -q "$repository" ./dotted.d/copy
check_status 'a directory with ./ in front' 0

# --- what is there is another repository
machine mallory
run manifesto put -q --init --no-passphrase --trust-server "tuf+file://$T/other" "$image" qa-approval second
machine mirror
state "$T/other" >before
refused 'a directory with another repository' 12 mirror "$repository" other
check_stderr_has 'is left alone' 'another repository is there'
state "$T/other" | cmp -s before -
check 'byte for byte' test $? = 0
mkdir -p "clash/$name"
cp contact.json "clash/$name/$(find "$files" -name '*.targets.json' -printf '%f\n' | sort -n | tail -1)"
refused 'other bytes under the name of a version, and no timestamp yet' 12 mirror "$repository" clash
check_stderr_has 'are named' "of 'targets' in"
rm -rf clash && run manifesto mirror "$repository" clash
rm "$(find clash -name '*.root.json' | sort -V | tail -1)"
run manifesto mirror "$repository" clash
check_stdout_has 'a newest root that is missing behind its timestamp is written' '1 file and 0 contents written'
refused 'the origin itself' 2 mirror "$repository" origin
refused 'a web server' 2 mirror "$repository" "tuf+$STATIC/copy"
check_stderr_has 'the hint has what can be written to' tuf+oci://
refused 'a Notary server' 2 mirror "$repository" "http://$P"
refused 'an unknown scheme' 2 mirror "$repository" ftp://server.example/x
refused 'a layout' 2 mirror oci:layout copy
refused 'no destination' 2 mirror "$repository"
run manifesto mirror "$REGISTRY/acme/none" "$repository" "$repository" copy2
check_status 'of several repositories one fails: its status' 3
check_stdout_has 'the others are copied' "$repository: "
check 'once each' test "$(grep -c "^$repository: " "$T/stdout")" = 2
run manifesto mirror --json "$REGISTRY/acme/none" "$repository" copy2
check_json 'in JSON' '.exit == 3 and (.repositories | length) == 2 and .repositories[0].error.code == "not_found" and .repositories[0].exit == 3 and .repositories[1].exit == 0'

# --- origins made by hand: one without consistent snapshots, and one whose veto is not what its record says
by_hand() { # NAME: a repository of that name, changed in the way that the name says and signed again
	push_image oci:layout:1.0 "$REGISTRY/acme/$1:1.0" >/dev/null 2>&1
	machine "$1"
	for command in 'put --init --no-passphrase SUBJECT scan second' 'veto SUBJECT scan --reason no'; do
		# shellcheck disable=SC2086 # words
		run manifesto ${command/SUBJECT/$REGISTRY/acme/$1:1.0}
		[ "$status" = 0 ] || t_bail "$command"
	done
	"$(t_python)" - "$1" "$MANIFESTO_HOME/keys" "origin/${REGISTRY/:/%3A}/acme/$1" <<-'END' || t_bail "$1 by hand"
		import base64, hashlib, json, os, sys
		from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

		name, keys, directory = sys.argv[1:]
		os.chdir(directory)

		def sign(file, key, change):
		    with open(f"{keys}/{key}.key") as f:
		        secret = Ed25519PrivateKey.from_private_bytes(base64.b64decode(json.load(f)["secret"]))
		    with open(file) as f:
		        doc = json.load(f)
		    change(doc["signed"])
		    text = json.dumps(doc["signed"], sort_keys=True, separators=(",", ":")).encode()
		    doc["signatures"][0]["sig"] = secret.sign(text).hex()
		    data = json.dumps(doc).encode()
		    with open(file, "wb") as f:
		        f.write(data)
		    return {"version": doc["signed"]["version"], "length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}

		def other_reason(signed):
		    (veto,) = (v for k, v in signed["targets"].items() if k.startswith("veto/"))
		    veto["custom"]["manifesto"]["reason"] = "NO"

		if name == "plain":
		    sign("1.root.json", "alice-root", lambda s: s.update(consistent_snapshot=False))
		    for role in "targets", "snapshot":
		        os.rename(f"3.{role}.json", f"{role}.json")
		else:
		    targets = sign("3.targets.json", "alice", other_reason)
		    snapshot = sign("3.snapshot.json", "alice", lambda s: s["meta"].update({"targets.json": targets}))
		    sign("timestamp.json", "alice", lambda s: s["meta"].update({"snapshot.json": snapshot}))
	END
	machine "$1-mirror"
	run manifesto trust pin "$REGISTRY/acme/$1" "origin/${REGISTRY/:/%3A}/acme/$1/1.root.json"
}
by_hand plain
run manifesto trust show "$REGISTRY/acme/plain"
check_status 'an origin without consistent snapshots is read' 0
refused 'and not mirrored, since its files change under readers' 4 mirror "$REGISTRY/acme/plain" copy4
check_stderr_has 'it says why' 'has no consistent snapshots'
check 'nothing is written' test -z "$(find copy4 -type f ! -name .lock 2>/dev/null)"
by_hand veto
run manifesto mirror "$REGISTRY/acme/veto" copy4
check_status 'a veto of other content than its description is mirrored' 0
veto=${REGISTRY/:/%3A}/acme/veto/targets/veto
check 'with the content that was signed' diff -r "origin/$veto" "copy4/$veto"
machine mirror

# --- killed at each request that writes, or between any two files: readers have the old state or the new one
whole() { # SERVER OLD NEW
	local code
	machine fresh-reader
	rm -rf "$MANIFESTO_HOME/floors" "$XDG_CACHE_HOME"
	mkdir -p "$MANIFESTO_HOME"
	cp "$T/home/manifesto-reader-tuffile/trust.json" "$MANIFESTO_HOME"
	manifesto get --trust-server "$1" "$image" contact >"$T/got" 2>"$T/why"
	code=$?
	machine mirror
	cat "$T/why"
	[ "$code" = 0 ] && { cmp -s got "$2" || cmp -s got "$3"; }
}
echo third >third # no destination has it yet: the bucket gets content, snapshot, role and timestamp
run manifesto mirror "$repository" "$registry"
run manifesto mirror "$repository" "$bucket"
publisher put -q "$image" contact third --key qa
kill_at() { # NAME PROXY RULE COMMAND...: kills the mirror where a request stays without an answer
	local proxy=$2 rule=$3 pid i
	shift 3
	faults "$proxy" "$rule"
	"$@" >killed.out 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		jq -e 'select(.rule != null)' "$T/$proxy.log" >/dev/null 2>&1 && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	killed=$?
	faults "$proxy"
}
for method in POST PUT; do
	for skip in 0 1 2 3; do
		kill_at registry P "{\"method\":\"$method\",\"path\":\"/\",\"skip\":$skip,\"action\":\"local\",\"to\":\"/hang\"}" manifesto mirror "$repository" "$registry"
		[ "$killed" = 137 ] || continue
		check "killed at $method $skip: a reader of the registry has the old state" whole "$registry" contact.json contact.json
	done
done
kill_at registry P '{"method":"PUT","path":"/manifests/","action":"local","to":"/hang"}' manifesto mirror "$repository" "$registry"
check 'killed at the manifest' test "$killed" = 137
check 'a reader of the registry has the old state' whole "$registry" contact.json contact.json
run manifesto mirror "$repository" "$registry"
check_status 'the next run completes it' 0
check 'and a reader has the new one' whole "$registry" third third
for place in content snapshot role timestamp; do
	# What the run before has written is there; it was killed at the next file.
	kill_at bucket B "{\"method\":\"PUT\",\"path\":\"/\",\"skip\":$([ $place = content ] && echo 0 || echo 1),\"action\":\"local\",\"to\":\"/hang\"}" \
		env AWS_ENDPOINT_URL_S3="http://$B" manifesto mirror "$repository" "$bucket"
	check "killed at the $place in the bucket" test "$killed" = 137
	check "a reader of the bucket has the old state ($place)" whole "$bucket" contact.json contact.json
done
run manifesto mirror "$repository" "$bucket"
check_status 'the next run completes it' 0
check 'and a reader of the bucket has the new one' whole "$bucket" third third
# A directory: content, versioned files, later roots, the timestamp, the first root; each file of that order is a place to stop.
rm -rf copy3
run manifesto mirror "$repository" copy3
cp -a copy3 copy3.new
mkdir copy3.order
(
	cd "copy3.new/$name" || exit
	find targets -type f
	find . -name '*.json' ! -name '*root.json' ! -name timestamp.json -printf '%P\n'
	find . -name '*.root.json' ! -name 1.root.json -printf '%P\n' | sort -n
	echo timestamp.json
) >order
while read -r file; do
	mkdir -p "copy3.order/$name/$(dirname "$file")"
	cp -p "copy3.new/$name/$file" "copy3.order/$name/$file"
	rm -rf copy3 && cp -a copy3.order copy3
	run manifesto mirror "$repository" copy3
	[ "$status" = 0 ] || t_bail "a run after a stop behind $file"
	diff -r -x .lock copy3 copy3.new >/dev/null || t_bail "completing a copy that stopped behind $file"
done <order
ok 'a first copy that was stopped anywhere is completed'

# --- what a registry can answer
machine first
mkdir -p "$MANIFESTO_HOME" && cp "$T/home/manifesto-reader-tuffile/trust.json" "$MANIFESTO_HOME"
export MANIFESTO_TRUST_SERVER=$registry
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$manifest_url" >manifest.json
lie() { # NAME STATUS TEXT JQ-FILTER: of the manifest
	cold
	jq -c "$4" manifest.json >"$T/lie.json"
	faults P "{\"path\":\"/manifests/$tag\",\"action\":\"replace\",\"body_file\":\"$T/lie.json\"}"
	refuses "$1" "$2" "$3" manifesto get "$image" contact
}
layer='.layers[] | select(.annotations["tuf.io/filename"] == "timestamp.json")'
lie 'no layers' 6 layers 'del(.layers)'
lie 'an index' 6 layers '{manifests: [], schemaVersion: 2}'
lie 'no object' 6 object '[.]'
lie 'layers that are no list' 6 layers '.layers = {}'
lie 'a layer that is no object' 6 layer '.layers += [1]'
lie 'no named layer at all: the repository is gone' 8 gone '.layers = []'
lie 'the timestamp missing' 8 timestamp "del($layer)"
lie 'the root missing' 8 '' 'del(.layers[] | select(.annotations["tuf.io/filename"] | endswith("root.json")))'
lie 'two files of one name' 6 "two layers have the name 'timestamp.json'" ".layers += [$layer]"
lie 'two files of one name with different content' 6 'two layers' ".layers += [$layer | .digest = \"sha256:$(printf '%064d' 1)\"]"
for bad in ../timestamp.json /etc/x.json a/b.json .json ..json 'x y.json' x.txt '' "$(printf 'x%.0s' {1..900}).json"; do
	lie "a file name '${bad:0:20}'" 6 'is not the name of a metadata file' ".layers += [$layer | .annotations[\"tuf.io/filename\"] = \"$bad\"]"
done
lie 'a name that is no text' 6 '' ".layers += [$layer | .annotations[\"tuf.io/filename\"] = 1]"
lie 'a claim of 10 GiB' 6 'more than 16384' "($layer).size = 10737418240"
lie 'a claim beyond all numbers' 6 '' "($layer).size = -1"
lie 'another digest than sha256' 6 '' "($layer).digest = \"md5:x\""
lie 'a smaller claim than what comes' 6 '' "($layer).size = 10"
lie 'an old timestamp under the new name' 6 '' "($layer).digest = (.layers[] | select(.annotations[\"tuf.io/filename\"] == \"1.root.json\") | .digest) | ($layer).size = 2000"
printf '{"layers":[%s{}]}' "$(printf '{},%.0s' {1..14001})" >many.json
faults P "{\"path\":\"/manifests/$tag\",\"action\":\"replace\",\"body_file\":\"$T/many.json\"}"
refuses 'more layers than fit' 6 'more than 14000' manifesto get "$image" contact
cold
faults P "{\"path\":\"/manifests/$tag\",\"action\":\"local\",\"to\":\"/endless\"}"
refuses 'a manifest without end' 6 '' manifesto get "$image" contact
lie_once() { # NAME STATUS TEXT PATH ACTION
	cold
	faults P "{\"path\":\"$4\",\"action\":$5}"
	refuses "$1" "$2" "$3" manifesto get --timeout 5s "$image" contact
}
for what in "manifests/$tag" blobs/; do
	lie_once "$what: a web page" 4 'web page' "/$what" '"status","status":200,"headers":{"Content-Type":"text/html"},"body":"<html><body>log in</body></html>"'
	lie_once "$what: 401" 5 401 "/$what" '"status","status":401'
	lie_once "$what: 403" 5 403 "/$what" '"status","status":403'
	lie_once "$what: 404" 8 '' "/$what" '"status","status":404'
	lie_once "$what: 500" 4 500 "/$what" '"status","status":500'
	lie_once "$what: cut short" 4 '' "/$what" '"truncate","bytes":5'
	lie_once "$what: a reset" 4 '' "/$what" '"reset"'
	# Of a file the digest is compared; a manifest lists files.
	lie_once "$what: other bytes" 6 "$([ "$what" = blobs/ ] && echo 'has the digest' || echo layers)" "/$what" '"status","status":200,"body":"{}"'
	lie_once "$what: nothing" 6 '' "/$what" '"status","status":200,"body":""'
	# A registry keeps its content elsewhere: another host gets no password.
	mkdir -p docker
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$P" "$(printf robot:s3cret | base64)" >docker/config.json
	cold
	: >"$T/Q.log"
	faults P "{\"path\":\"$what\",\"action\":\"moved\",\"status\":307,\"to\":\"http://$Q\"}"
	DOCKER_CONFIG=$T/docker get_is "$what: elsewhere" third "$image" contact
	check "$what: the other host was asked" test -s "$T/Q.log"
	check "$what: and got no password" test -z "$(jq -r '.headers.authorization // empty' "$T/Q.log")"
done
faults P
gets 'and the truth again' third "$image" contact
t_done
