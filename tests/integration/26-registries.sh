#!/bin/bash
# Registries as they are: immutable tags, with and without the referrers API, GitLab's fallback tags. What nothing trusts stops
# nothing, dead records do not look alive, and a put takes few requests.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
directory=tuf+file://$T/trust
export MANIFESTO_TRUST_SERVER=$directory
make_image image >/dev/null
make_image other --seed other --tag 2.0 >/dev/null
echo '{"approved":true}' >a.json
echo 'two' >b.txt
head -c 100 /dev/urandom >c.bin
subject=
image_at() { # REPOSITORY
	subject=$(push_image oci:image:1.0 "$REGISTRY/$1:1.0")
	push_image oci:other:2.0 "$REGISTRY/$1:2.0" >/dev/null
}

# --- tags that cannot be written twice
# shellcheck disable=SC2153 # set by proxy
for code in 400 403 409 412; do
	proxy P "http://$REGISTRY" --immutable-tags $code
	repository=immutable/r$code
	image_at $repository
	put "$P/$repository:1.0" qa a.json --init --no-passphrase
	spare_root "$P/$repository:1.0"
	check "$code: the first put writes all there is" test ! -s "$T/stderr"
	for type in scan contact; do
		run manifesto put "$P/$repository:1.0" $type b.txt
		check_status "$code: the next put is refused nothing that matters" 0
		check_stderr_has "$code: it warns" "does not let the catalogue '_manifesto' be written"
		check_stderr_has "$code: the content is safe" 'a tag of its own keeps the content'
		check_stderr_has "$code: and says what to do" "manifesto repair $P/$repository"
	done
	run manifesto put "$P/$repository:2.0" scan c.bin
	check_status "$code: the first record of another image" 0
	lab_server gc registry
	gets "$code: after garbage collection: one" a.json "$P/$repository:1.0" qa
	gets "$code: after garbage collection: two" b.txt "$P/$repository:1.0" contact
	gets "$code: after garbage collection: three" c.bin "$P/$repository:2.0" scan
	run manifesto status "$P/$repository"
	check_status "$code: status says that the lists are behind" 14
	run manifesto repair "$P/$repository"
	check_status "$code: repair does what it can" 0
	check_stderr_has "$code: and says what it cannot" "does not let the catalogue '_manifesto' be written"
	run manifesto status "$P/$repository"
	check_status "$code: what cannot be changed is nobody's work" 0
	check_stdout_has "$code: and is named" 'the registry refused to change that'
	put "$P/$repository:1.0" later a.json
	run manifesto status "$P/$repository"
	check_status "$code: until there is more of it" 14
	run manifesto list --all --json "$P/$repository"
	check_json "$code: tags of ours are no images" '[.images[].tags[]] | sort == ["1.0", "2.0"]'
	run manifesto repair "$REGISTRY/$repository"
	kill "${fault_pids[-1]}"
done

# --- GitLab's registry: the tag sha256-HEX gives the image with that digest
proxy P "http://$REGISTRY"
itself() { # REPOSITORY IMAGE-DIGEST
	curl -s -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
		"http://$REGISTRY/v2/$1/manifests/$2" >itself.json
	faults P "{\"method\":\"GET\",\"path\":\"/manifests/sha256-\",\"action\":\"status\",\"status\":200,\"body\":$(jq -Rs . itself.json),
		\"headers\":{\"Content-Type\":$(jq .mediaType itself.json)}}"
}
make_image index --index --tag 1.0 >/dev/null
for name in image index; do
	subject=$(push_image oci:$name:1.0 "$REGISTRY/gitlab/$name:1.0")
	itself gitlab/$name "$subject"
	put "$P/gitlab/$name:1.0" qa a.json --init --no-passphrase
	spare_root "$P/gitlab/$name:1.0"
	check "GitLab, $name: no warning" test ! -s "$T/stderr"
	run manifesto put "$P/gitlab/$name:1.0" scan b.txt
	check_status "GitLab, $name: a second record" 0
	gets "GitLab, $name: get" b.txt "$P/gitlab/$name:1.0" scan
	run manifesto status "$P/gitlab/$name"
	check_status "GitLab, $name: status" 0
	run manifesto repair "$P/gitlab/$name"
	check_status "GitLab, $name: repair" 0
	check "GitLab, $name: nothing was written at that tag" test "$(http_status "http://$REGISTRY/v2/gitlab/$name/manifests/${subject/:/-}")" = 404
done

# --- the referrers API
proxy A "http://$REGISTRY" --referrers
proxy D "http://$REGISTRY" --referrers --no-delete
# shellcheck disable=SC2153 # set by proxy
api=$A/api/app
image_at api/app
of_type() { # PROXY ARTIFACT-TYPE: digests of the contents that a query gives
	local artifact
	curl -s "http://$1/v2/api/app/referrers/$subject?artifactType=$2" >list
	for artifact in $(jq -r '.manifests[].digest' list); do
		curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/api/app/manifests/$artifact" >artifact.json
		jq -r '.layers[0].digest' artifact.json
	done
}
approvals() {
	of_type "$1" application/vnd.manifesto.qa-approval
}
sum_of() {
	printf 'sha256:%s\n' "$(sha256sum <"$1" | cut -c1-64)"
}
fallback_tag() { # [curl options]: status
	http_status -H 'Accept: application/vnd.oci.image.index.v1+json' "$@" "http://$REGISTRY/v2/api/app/manifests/${subject/:/-}"
}
put "$api:1.0" qa-approval a.json --init --no-passphrase
spare_root "$api:1.0"
check 'a query finds the approval' test "$(approvals "$A")" = "$(sum_of a.json)"
check_json 'its manifest has the time and a file name' '(.annotations["org.opencontainers.image.created"] | test("^[0-9-]+T[0-9:]+Z$"))
	and .layers[0].annotations["org.opencontainers.image.title"] == "qa-approval.json"' artifact.json
check 'no fallback tag is written' test "$(fallback_tag)" = 404
run manifesto put "$api:1.0" qa-approval b.txt
check 'after a replacement a query finds the new one alone' test "$(approvals "$A")" = "$(sum_of b.txt)"
check_json 'with its name' '.layers[0].annotations["org.opencontainers.image.title"] == "qa-approval.txt"' artifact.json
run manifesto put --force "$api:1.0" qa-approval b.txt
check 'the same again, forced, is one' test "$(approvals "$A" | wc -l)" = 1
run manifesto withdraw --reason 'found a hole' "$api:1.0" qa-approval
check 'after a withdrawal a query finds none' test -z "$(approvals "$A")"
check 'the withdrawal has a type of its own' test "$(of_type "$A" application/vnd.manifesto.withdrawn.v1%2Bjson | wc -l)" = 1
run manifesto put --reinstate "$api:1.0" qa-approval a.json
check 'reinstated, it is found' test "$(approvals "$A")" = "$(sum_of a.json)"
check 'and the withdrawal is gone' test -z "$(of_type "$A" application/vnd.manifesto.withdrawn.v1%2Bjson)"
put "$api:1.0" notes b.txt
run manifesto rm "$api:1.0" qa-approval
check 'after rm a query finds none' test -z "$(approvals "$A")"
check 'and what is left is not listed at a fallback tag' test "$(fallback_tag)" = 404
echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}' >empty-list
check 'another tool writes that tag' test "$(fallback_tag -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @empty-list)" = 201
put "$api:1.0" more a.json
run manifesto rm "$api:1.0" more
check 'a removal' test "$status$(fallback_tag)" = 0200
check_json 'adds nothing to it' '.manifests == []' body
run manifesto rm "$api:1.0" notes
run manifesto status "$api"
check_status 'nothing is left over' 0

# A registry that deletes nothing, where others look.
put "$D/api/app:1.0" qa-approval a.json --init --no-passphrase
spare_root "$D/api/app:1.0"
run manifesto put "$D/api/app:1.0" qa-approval b.txt
check_status 'a registry that deletes nothing: put' 0
check_stderr_has 'it warns' 'does not delete the artifact manifest'
check 'the old approval still looks alive' test "$(approvals "$D" | wc -l)" = 2
run manifesto status "$D/api/app"
check_status 'which status reports' 14
run manifesto repair "$D/api/app"
check_status 'repair' 0
check_stderr_has 'says that it cannot be helped' 'does not delete artifact manifests'
run manifesto status "$D/api/app"
check_status 'what cannot be deleted is not reported as work for ever' 0
check_stdout_has 'and is named' 'have 1 too many; the registry refused to change that'
run manifesto rm "$D/api/app:1.0" qa-approval
check_status 'rm of the last record' 0
run manifesto status "$D/api/app"
check_status 'what is left of it is reported, too' 14

# Where it may delete, repair does.
jq -c 'del(.annotations)' artifact.json >stale.json # as an earlier version made it
curl -s -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @stale.json \
	"http://$A/v2/api/app/manifests/sha256:$(sha256sum <stale.json | cut -c1-64)"
check 'a stale approval is put there' test "$(approvals "$A" | wc -l)" = 1
run manifesto status "$api"
check_status 'status names it' 14
run manifesto repair "$api"
check 'repair deletes it' test -z "$(approvals "$A")"

# --- two trust repositories for one image repository: each deletes its own only
two_owners() { # NAME PROXY REPOSITORY
	local name=$1 image=$2/$3:1.0 owner
	image_at "$3"
	for owner in one two; do
		machine $owner
		export MANIFESTO_TRUST_SERVER=tuf+file://$T/$owner
		put "$image" qa-approval a.json --init --no-passphrase
		put "$image" scan-$owner b.txt
	done
	kept() { # NAME
		local type
		run manifesto get "$image" qa-approval
		check_status "$name: $1: get" 0
		referrers_of "$2" "$3" >listed
		for type in scan-one scan-two; do
			check "$name: $1: $type is listed" grep -qx "application/vnd.manifesto.$type" listed
		done
		while read -r artifact; do
			check "$name: $1: is there" test "$(registry_status "$3" "$artifact")" = 200
		done <digests
	}
	kept 'after both have put' "$2" "$3"
	for owner in one two; do
		machine $owner
		export MANIFESTO_TRUST_SERVER=tuf+file://$T/$owner
		run manifesto repair "$2/$3"
		check_status "$name: $owner repairs" 0
		kept "after $owner has repaired" "$2" "$3"
	done
	run manifesto put "$image" qa-approval c.bin
	run manifesto withdraw --reason bad "$image" qa-approval
	run manifesto rm --reinstate "$image" qa-approval
	machine one
	export MANIFESTO_TRUST_SERVER=tuf+file://$T/one
	kept 'after the other has put, withdrawn and removed' "$2" "$3"
	check "$name: the approval of the first is listed, and none of the other" test "$(grep -cx application/vnd.manifesto.qa-approval listed)" = 1
}
registry_status() { # REPOSITORY DIGEST
	curl -s -o /dev/null -w '%{http_code}' -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/$1/manifests/$2"
}
# Types of the artifacts that a query or the fallback list gives; their digests into the file `digests`.
referrers_of() { # PROXY REPOSITORY
	curl -s "http://$1/v2/$2/referrers/$subject" >list
	jq -e .manifests list >/dev/null 2>&1 || curl -s -H 'Accept: application/vnd.oci.image.index.v1+json' \
		"http://$REGISTRY/v2/$2/manifests/${subject/:/-}" >list
	jq -r '.manifests[].digest' list >digests
	jq -r '.manifests[].artifactType' list
}
faults P
two_owners 'fallback lists' "$P" owners/plain
two_owners 'referrers API' "$A" owners/api
machine first
export MANIFESTO_TRUST_SERVER=$directory

# --- how many requests, and how many one after another
requests() { # PROXY COMMAND...
	local log=$T/$1.log
	shift
	: >"$log"
	run manifesto "$@"
	[ "$status" = 0 ] || t_bail "manifesto $*"
	wc -l <"$log"
}
# The longest chain of requests of which each began after the one before it had been answered, in both logs.
chain() { # MS LOG...
	"$(t_python)" - "$@" <<-'END'
		import json, sys
		began = sorted(json.loads(line)["t"] for log in sys.argv[2:] for line in open(log, encoding="utf-8"))
		n, free = 0, 0.0
		for t in began:
		    if t >= free:
		        n, free = n + 1, t + int(sys.argv[1]) / 1000
		print(n)
	END
}
twenty() { # PROXY REPOSITORY
	local i
	image_at "$2"
	put "$1/$2:1.0" type1 a.json --init --no-passphrase
	spare_root "$1/$2:1.0"
	for i in $(seq 2 20); do
		echo "$i" >n
		put "$1/$2:1.0" "type$i" n
	done
}
faults P
twenty "$P" count/plain
n=$(requests P put "$P/count/plain:1.0" another c.bin)
check "a new type takes at most 9 requests ($n)" test "$n" -le 9
n=$(requests P put "$P/count/plain:1.0" type7 c.bin)
check "a replacement takes at most 10 ($n)" test "$n" -le 10
n=$(requests P put "$P/count/plain:1.0" type7 c.bin)
check "nothing to publish takes at most 4 ($n)" test "$n" -le 4
run manifesto status "$P/count/plain"
check_status 'and all is well' 0
twenty "$A" count/api
n=$(requests A put "$A/count/api:1.0" another c.bin)
check "with the referrers API a new type takes at most 7 ($n)" test "$n" -le 7
n=$(requests A put "$A/count/api:1.0" type7 c.bin)
check "and a replacement at most 8 ($n)" test "$n" -le 8
run manifesto status "$A/count/api"
check_status 'and all is well there' 0

# Each round trip takes 40 ms, to the registry and to the trust server alike.
proxy L "http://$REGISTRY" --latency 40
proxy N "$NOTARY" --latency 40
export MANIFESTO_TRUST_SERVER=http://$N
image_at count/far
put "$L/count/far:1.0" first a.json --init --no-passphrase
spare_root "$L/count/far:1.0"
: >"$T/L.log"
: >"$T/N.log"
run manifesto put "$L/count/far:1.0" second b.txt
n=$(chain 40 "$T/L.log" "$T/N.log")
check "at most 7 round trips one after another ($n)" test "$n" -le 7
check "the trust server gets at most 6 requests ($(wc -l <"$T/N.log"))" test "$(wc -l <"$T/N.log")" -le 6
: >"$T/L.log"
: >"$T/N.log"
run manifesto put "$L/count/far:1.0" second c.bin
n=$(chain 40 "$T/L.log" "$T/N.log")
check "nor does a replacement take more ($n)" test "$n" -le 7
# The first root is fetched as well: by it the repository is known from others of its name.
cold
: >"$T/L.log"
: >"$T/N.log"
run manifesto put "$L/count/far:1.0" cold a.json
n=$(chain 40 "$T/L.log" "$T/N.log")
check "with an empty cache it is one more ($n)" test "$n" -le 8
# An upload that was begun ahead is begun again when the registry has forgotten it meanwhile.
for code in 400 404 410; do
	faults L "{\"method\":\"PUT\",\"path\":\"/blobs/uploads/\",\"action\":\"status\",\"status\":$code,\"count\":2}"
	echo "$code" >n
	run manifesto put "$L/count/far:1.0" "code$code" n
	check_status "$code for uploads that were begun ahead: put" 0
	check "$code: no warning" test ! -s "$T/stderr"
	gets "$code: get" n "$L/count/far:1.0" "code$code"
done
# The catalogue's configuration goes up with the content. It is sent once more when the registry has lost it meanwhile, and when
# the catalogue becomes another one.
uploads() {
	jq -r 'select(.method == "PUT" and (.path | contains("/blobs/uploads/"))).path' "$T/L.log" | wc -l
}
faults L '{"method":"PUT","path":"/manifests/_manifesto","action":"status","status":400,"count":1,
	"body":"{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\",\"detail\":{}}]}"}'
: >"$T/L.log"
run manifesto put "$L/count/far:1.0" lost c.bin
check 'a configuration that is lost: put, without a warning' test "$status$(cat "$T/stderr")" = 0
check 'it is sent once more' test "$(uploads)" = 3
run manifesto status "$L/count/far"
check_status 'and all is well' 0
faults L "{\"method\":\"PUT\",\"path\":\"/manifests/sha256:\",\"action\":\"hold\",\"until\":\"$T/go\",\"count\":1}"
: >"$T/L.log"
manifesto put "$L/count/far:1.0" held a.json >held.out 2>&1 &
held=$!
for _ in {1..400}; do
	! grep -q '"PUT".*/manifests/sha256:' "$T/L.log" || break
	sleep 0.05
done
run manifesto put "$L/count/far:1.0" meanwhile b.txt
check_status 'somebody publishes when it is stored' 0
: >"$T/go"
wait "$held"
check 'so that it is another one: put' test "$?$(grep -c warning held.out)" = 00
gets 'get' a.json "$L/count/far:1.0" held
gets 'and what came first' b.txt "$L/count/far:1.0" meanwhile
run manifesto status "$L/count/far"
check_status 'nothing is missing in the catalogue' 0
faults L
run manifesto key generate --no-passphrase bob
run manifesto role add "$L/count/far" other --types other --key bob
: >"$T/L.log"
run manifesto put "$L/count/far:1.0" another c.bin
check 'with delegated roles it goes up when the record is published' test "$status$(uploads)" = 02
run manifesto status "$L/count/far"
check_status 'and all is well there' 0
# One that is refused although it was begun just now is not begun again and again.
faults L '{"method":"PUT","path":"/blobs/uploads/","action":"status","status":400}'
: >"$T/L.log"
run timeout 30 manifesto put "$L/count/far:1.0" refused c.bin
check_status 'a registry that refuses each upload: put' 4
check "which begins it once more, at most ($(uploads))" test "$(uploads)" -le 3
faults L

# --- a repository of many images: 32 requests in flight
{
	printf '[{"path":"/tags/list","action":"status","status":200,"headers":{"Content-Type":"application/json"},"body":%s},' \
		"$(seq -f 'v%g' 1 1000 | jq -Rn '{tags: [inputs]} | tojson')"
	printf '{"method":"HEAD","path":"/manifests/v","action":"status","status":200,"headers":{"Content-Type":"application/vnd.oci.image.manifest.v1+json","Docker-Content-Digest":"%s"}}]' "$subject"
} >"$T/L.rules.new"
mv "$T/L.rules.new" "$T/L.rules"
: >"$T/L.log"
run manifesto list --all --json "$L/count/far"
check_json 'a thousand tags are listed' '[.images[].tags[]] | length == 1000'
n=$(jq -s '[.[].active] | max' "$T/L.log")
check "32 requests are in flight ($n)" test "$n" -ge 30 -a "$n" -le 33

t_done
