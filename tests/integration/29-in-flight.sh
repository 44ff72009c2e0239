#!/bin/bash
# Many images: their requests are in flight together, at most 32 of them, and memory does not follow their number. `verify` of many
# repositories, each with its own few requests; `list --all` and `status` of many images.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
programs=${T_MANIFESTO%/*}/tests/bench

repositories=20
lab registry
make_image image >/dev/null
echo '{"approved":true}' >approval.json
for ((i = 0; i < repositories; i++)); do
	push_image oci:image:1.0 "$REGISTRY/acme/r$i:1.0" >/dev/null
	echo "$REGISTRY/acme/r$i:1.0"
done >images
mkdir tuf
run manifesto put -q --trust-server "tuf+file://$T/tuf" --no-passphrase --init --key alice --images images qa-approval approval.json
[ "$status" = 0 ] || t_bail 'put'
digest=$(jq -r '.manifests[0].digest' image/index.json)
for ((i = 0; i < repositories; i++)); do
	printf '%s\n' "$REGISTRY/acme/r$i@$digest" "$REGISTRY/acme/r$i@$digest"
done >digests
rm -rf home/cache

# A web server of the repositories that answers when so many requests of each kind wait; sets web.
barrier() { # {TEXT:N,...}
	echo "$1" >tuf/barriers.json
	: >port
	setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/barrier.py" "$T/tuf" "$T/log" </dev/null >port 2>barrier.err &
	for _ in {1..200}; do
		[ ! -s port ] || break
		sleep 0.05
	done
	web=tuf+http://127.0.0.1:$(cat port)
}

# All are held until 32 have come, timestamps and snapshots until those of all repositories have.
barrier '{"acme":32,"timestamp.json":'$repositories',".snapshot.json":'$repositories'}'
run manifesto verify --timeout 100s --trust-server "$web" --require qa-approval --images digests
check_status 'verify' 0
check_line_count 'accepts each image' $((2 * repositories))
check 'the requests of all repositories were in flight together, step by step' test -z "$(grep ^late log)"
most=$(sort -rn log | head -n 1 | cut -d' ' -f1)
check 'more than half of the window is used' test "$most" -gt 16
check 'and no more than 32' test "$most" -le 32
check 'each repository is asked for its metadata once' test "$(grep -c '/timestamp.json' log)" = $repositories
check 'five requests a repository' test "$(wc -l <log)" -le $((5 * repositories))

# --- peak memory, with ten times as many images and twice as many repositories
peak() { # REPOSITORIES IMAGES
	local i
	for ((i = 0; i < $2; i++)); do
		echo "$REGISTRY/acme/r$((i % $1))@$digest"
	done >list
	run "$programs/run" 1 manifesto verify --trust-server "tuf+file://$T/tuf" --require qa-approval --images list
	check_status "verify of $2 images of $1 repositories" 0
	peak=$(cut -d' ' -f3 "$T/stdout")
}
peak 10 100
few=$peak
peak $repositories 1000
echo "# peak memory: $few and $peak KiB"
if ! grep -q libasan <(ldd "$T_MANIFESTO"); then
	check 'the memory is about the same' test "$peak" -le $((few + 2048))
fi

# --- vetoes, which are loaded behind the rest
manifesto key generate -q --no-passphrase bob
while read -r image; do
	manifesto role add -q --trust-server "tuf+file://$T/tuf" "$image" security --key bob --types review || t_bail 'role add'
done <images
run manifesto veto -q --trust-server "tuf+file://$T/tuf" --role security --key bob --reason old --images images sbom
[ "$status" = 0 ] || t_bail 'veto'
echo '{"version":1,"require":[{"type":"qa-approval"}],"veto":["security"]}' >policy.json
rm -rf home/cache
barrier '{".security.json":'$repositories'}'
run manifesto verify --timeout 100s --trust-server "$web" --policy policy.json --images digests
check_status 'verify with a veto' 0
check 'the veto roles of all repositories were in flight together' test -z "$(grep ^late log)"

# --- bundle: of the 16 images that are open
rm -rf home/cache
barrier '{"timestamp.json":16,".snapshot.json":16}'
mapfile -t all <images
run manifesto bundle create --timeout 100s --trust-server "$web" -o bundle.tar "${all[@]}"
check_status 'bundle' 0
check 'the metadata of 16 repositories were in flight together' test -z "$(grep ^late log)"

# --- copy: the sources are loaded together, and what is copied is not kept
make_content() { # REPOSITORY: with 1 MB of metadata
	"$programs/fill" "$1:1.0" 2000 "$MANIFESTO_HOME" "$XDG_CACHE_HOME/manifesto" "tuf+file://$T/to" approval.json || t_bail fill
}
for ((i = 0; i < repositories; i++)); do
	push_image oci:image:1.0 "$REGISTRY/acme/c$i:1.0" >/dev/null
	echo "$REGISTRY/acme/c$i:1.0"
done >copies
run manifesto put -q --trust-server "tuf+file://$T/to" --no-passphrase --init --key alice --images copies note approval.json
[ "$status" = 0 ] || t_bail 'put'
for ((i = 0; i < repositories; i++)); do make_content "$REGISTRY/acme/c$i"; done
paste -d ' ' images copies >pairs
copies() { # NAME PAIRS
	rm -rf home/cache
	run "$programs/run" 1 manifesto copy -q --timeout 100s --force --trust-server "tuf+file://$T/to" --from-trust-server "$web" \
		--require qa-approval --key alice --from-file "$2"
	check_status "$1" 0
	peak=$(cut -d' ' -f3 "$T/stdout")
}
head -n 2 pairs >two
barrier '{}'
copies 'copy to 2 repositories' two
few=$peak
barrier '{"timestamp.json":'$repositories',".snapshot.json":'$repositories'}'
copies "copy to $repositories repositories" pairs
check 'the metadata of all sources were in flight together' test -z "$(grep ^late log)"
echo "# peak memory: $few and $peak KiB"
if ! grep -q libasan <(ldd "$T_MANIFESTO"); then
	check 'the memory is about the same' test "$peak" -le $((few + 8192))
fi

# --- one repository with many images
images=64
push_image oci:image:1.0 "$REGISTRY/acme/many:1.0" >/dev/null
for ((i = 0; i < images; i++)); do
	jq -c --arg n "$i" '.annotations = {n: $n}' "image/blobs/sha256/${digest#sha256:}" >manifest
	curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @manifest \
		"http://$REGISTRY/v2/acme/many/manifests/t$i" || t_bail 'push'
	echo "$REGISTRY/acme/many:t$i"
done >images
proxy R "http://$REGISTRY" --latency 60
sed -i "s,^[^/]*,$R," images
export MANIFESTO_TRUST_SERVER=tuf+file://$T/tuf
run manifesto put -q --no-passphrase --init --key alice --images images qa-approval approval.json
[ "$status" = 0 ] || t_bail 'put'
# What was requested, how much of it together, and how often there was nothing else to wait for: a step begins.
in_flight() { # NAME REQUESTS STEPS
	local most steps
	most=$(jq -s 'map(.active) | max' "$T/R.log")
	steps=$(jq -s 'map(select(.active == 1)) | length' "$T/R.log")
	echo "# $1: $(wc -l <"$T/R.log") requests, $most in flight, $steps steps"
	check "$1: requests" test "$(wc -l <"$T/R.log")" -le "$2"
	check "$1: more than half of the window is used" test "$most" -gt 16
	check "$1: and no more than 32" test "$most" -le 32
	check "$1: steps, each of which waits for the one before" test "$steps" -le "$3"
}
faults R
run manifesto list --all --json "$R/acme/many"
check_status 'list --all' 0
check_json 'has a record of each image' ".records | length == $images"
in_flight 'list --all' $((images + 3)) 4
faults R
run manifesto status "$R/acme/many"
check_status 'status' 0
in_flight 'status' $((3 * images + 8)) 10

t_done
