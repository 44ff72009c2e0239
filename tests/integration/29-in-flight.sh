#!/bin/bash
# A gate over many repositories: their requests are in flight together, at most 32 of them, and each repository has its own few.
. "$(dirname "$0")/../support/t.sh"

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

# All are held until 32 have come, timestamps and snapshots until those of all repositories have.
printf '{"acme":32,"timestamp.json":%d,".snapshot.json":%d}' $repositories $repositories >tuf/barriers.json
setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/barrier.py" "$T/tuf" "$T/log" </dev/null >port 2>barrier.err &
for _ in {1..200}; do
	[ ! -s port ] || break
	sleep 0.05
done
run manifesto verify --timeout 100s --trust-server "tuf+http://127.0.0.1:$(cat port)" --require qa-approval --images digests
check_status 'verify' 0
check_line_count 'accepts each image' $((2 * repositories))
check 'the requests of all repositories were in flight together, step by step' test -z "$(grep ^late log)"
most=$(sort -rn log | head -n 1 | cut -d' ' -f1)
check 'more than half of the window is used' test "$most" -gt 16
check 'and no more than 32' test "$most" -le 32
check 'each repository is asked for its metadata once' test "$(grep -c '/timestamp.json' log)" = $repositories
check 'five requests a repository' test "$(wc -l <log)" -le $((5 * repositories))

t_done
