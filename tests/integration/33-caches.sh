#!/bin/bash
# Cache and home: emptied, poisoned, read-only, missing, shared by many processes. get returns trusted bytes, and nothing else.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy N "$NOTARY"
proxy P "http://$REGISTRY"
export MANIFESTO_TRUST_SERVER=http://$N
image=$P/acme/app:1.0
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/other:1.0" >/dev/null
echo '{"approved":true}' >approval.json
echo '{"other":1}' >other.json
run manifesto put -q --no-passphrase --init --key alice "$image" qa-approval other.json
[ "$status" = 0 ] || t_bail 'first put'
manifesto get "$image" qa-approval >/dev/null
cp -a home/cache cache.old
put "$image" qa-approval approval.json
put "$P/acme/other:1.0" qa-approval other.json --init --key alice
gets 'the record' approval.json "$image" qa-approval
cp -a home/cache cache.good
cp -a home/manifesto home.good
tuf=cache/manifesto/tuf/$(printf %s "${image%:*}" | sha256sum | cut -c1-64)
other=cache/manifesto/tuf/$(printf %s "$P/acme/other" | sha256sum | cut -c1-64)
blob=cache/manifesto/blobs/$(sha256sum <approval.json | cut -c1-64)
files=$(cd home && find "$tuf" "$blob" -type f)
check 'metadata and blob are cached' test -s "home/$blob" -a -s "home/$tuf/targets.json" -a -s "home/$tuf/root.json"

# A get works whatever the cache contains, and the next one needs two requests, because the cache was repaired.
survives() { # NAME
	gets "$1" approval.json "$image" qa-approval
	faults N
	faults P
	run manifesto get "$image" qa-approval
	check "$1: mended" test "$(cat "$T/N.log" "$T/P.log" | wc -l)" = 2
	rm -rf home/cache
	cp -a cache.good home/cache
}

# --- emptied and poisoned
rm -rf home/cache
survives 'a wiped cache'
for file in $files; do
	name=${file##*/}
	[ "$file" = "$blob" ] && name=blob
	rm "home/$file"
	survives "$name is missing"
	head -c 3000 /dev/urandom >"home/$file"
	survives "$name is garbage"
	: >"home/$file"
	survives "$name is empty"
	truncate -s -1 "home/$file"
	survives "$name is cut short"
	truncate -s 3G "home/$file"
	survives "$name has 3 GB"
	rm "home/$file"
	mkdir "home/$file"
	gets "$name is a directory" approval.json "$image" qa-approval
	rm -rf home/cache && cp -a cache.good home/cache
	rm "home/$file"
	mkfifo "home/$file"
	t_command="a FIFO for $name"
	run timeout 20 manifesto get "$image" qa-approval
	check "$name is a FIFO" cmp approval.json "$T/stdout"
	rm -rf home/cache && cp -a cache.good home/cache
	rm "home/$file"
	ln -s /etc/passwd "home/$file"
	survives "$name is a link elsewhere"
done
for file in root.json 1.root.json snapshot.json targets.json; do
	cp "home/$other/$file" "home/$tuf/$file"
	survives "$file is that of another repository"
	[ -s "cache.old/${tuf#cache/}/$file" ] && cp "cache.old/${tuf#cache/}/$file" "home/$tuf/$file"
	survives "$file is older"
done
cp -a "home/$other/." "home/$tuf/"
survives 'all files are of another repository'
cp -a "cache.old/${tuf#cache/}/." "home/$tuf/"
survives 'all files are older'
cp other.json "home/$blob"
survives 'another blob in the cache'
chmod 777 home/cache
gets 'a cache that everybody can write' approval.json "$image" qa-approval
rm -rf home/cache
echo file >home/cache
gets 'a file in the place of the cache' approval.json "$image" qa-approval
rm home/cache
ln -s /nowhere/at/all home/cache
gets 'a dangling link in the place of the cache' approval.json "$image" qa-approval
rm home/cache

# --- as a user who may not write
user=nobody
if [ "$(id -u)" = 0 ]; then
	as_user=(setpriv "--reuid=$user" "--regid=$(id -g $user)" --clear-groups)
else
	as_user=()
fi
as() {
	"${as_user[@]}" "$@"
}
cp "$T_MANIFESTO" "$T/manifesto-copy" && chmod 755 "$T/manifesto-copy" "$T"
cp -a home.good ro-home && rm -rf ro-home/keys
[ ${#as_user[@]} = 0 ] || chown -R nobody ro-home
cp -a cache.good ro-cache
[ ${#as_user[@]} = 0 ] || chown -R nobody ro-cache
chmod -R a-w ro-home ro-cache
run as test -w ro-home/floors
check_status 'the user cannot write the home' 1
mkdir -m 555 empty-home
quiet_get() { # NAME, ENVIRONMENT...
	local name=$1
	shift
	run as env "$@" ./manifesto-copy get "$image" qa-approval
	if [ "$status" = 0 ] && cmp -s approval.json "$T/stdout" && [ ! -s "$T/stderr" ]; then ok "$name"; else not_ok "$name"; fi
}
quiet_get 'a read-only home and cache' MANIFESTO_HOME="$T/ro-home" XDG_CACHE_HOME="$T/ro-cache"
quiet_get 'a read-only home, and an empty read-only cache' MANIFESTO_HOME="$T/ro-home" XDG_CACHE_HOME="$T/empty-home"
quiet_get 'a read-only home, and a cache that cannot be made' MANIFESTO_HOME="$T/ro-home" XDG_CACHE_HOME=/proc/none
quiet_get 'the same, seen from HOME' MANIFESTO_HOME="$T/ro-home" XDG_CACHE_HOME= HOME=/nonexistent
run as env MANIFESTO_HOME="$T/empty-home" ./manifesto-copy get "$image" qa-approval
check_status 'an empty read-only home: no pin' 10
check_stdout_empty 'and no output'
run as env MANIFESTO_HOME="$T/empty-home" ./manifesto-copy get --tofu "$image" qa-approval
check_status 'trust on first use works there' 0
check_stdout_file 'and gives the record' approval.json
check_stderr_has 'with a word that it cannot be remembered' 'cannot be stored'
run as env -u HOME -u MANIFESTO_HOME -u XDG_DATA_HOME -u XDG_CACHE_HOME ./manifesto-copy get --tofu "$image" qa-approval
check_status 'no home directory at all' 0
check_stdout_file 'with trust on first use' approval.json
run as env MANIFESTO_HOME="$T/ro-home" ./manifesto-copy list "$image"
check_status 'list with a read-only home' 0
chmod -R u+w ro-home ro-cache
mkdir "$T/ro-home/keys" 2>/dev/null
chmod 000 ro-home/floors
[ ${#as_user[@]} = 0 ] || {
	run as env MANIFESTO_HOME="$T/ro-home" ./manifesto-copy get "$image" qa-approval
	check 'floors that cannot be read are not taken for none' test "$status" != 0
	check_stdout_empty 'nothing is given then'
}
chmod 755 ro-home/floors
chmod 000 ro-home/trust.json
run as env MANIFESTO_HOME="$T/ro-home" ./manifesto-copy get --tofu "$image" qa-approval
[ ${#as_user[@]} = 0 ] || check 'pins that cannot be read are not taken for none' test "$status" != 0
chmod 644 ro-home/trust.json

# --- many readers at once
rm -rf home/cache
pids=()
for ((i = 0; i < 20; i++)); do
	manifesto get "$image" qa-approval >"$T/tmp/out.$i" 2>"$T/tmp/err.$i" </dev/null &
	pids+=($!)
done
bad=0
for ((i = 0; i < 20; i++)); do
	wait "${pids[i]}" && cmp -s approval.json "$T/tmp/out.$i" && [ ! -s "$T/tmp/err.$i" ] || bad=$((bad + 1))
done
check '20 processes on one cold cache' test $bad = 0
find home/cache home/manifesto -name '.tmp-*' >"$T/left"
check_line_count 'which leave no temporary files' 0 "$T/left"
survives 'the cache that they made is whole'
pids=()
for ((i = 0; i < 20; i++)); do
	manifesto get "$image" qa-approval >"$T/tmp/out.$i" 2>"$T/tmp/err.$i" </dev/null &
	pids+=($!)
	[ $((i % 4)) != 0 ] || rm -rf home/cache 2>/dev/null
done
bad=0
for ((i = 0; i < 20; i++)); do
	wait "${pids[i]}" && cmp -s approval.json "$T/tmp/out.$i" || bad=$((bad + 1))
done
check '20 processes on a cache that is wiped meanwhile' test $bad = 0

# --- a digest: no tag opens a connection to the registry, so a run that has nothing cached asks for the image
by_digest=${image%:1.0}@$(jq -r '.manifests[0].digest' image/index.json)
rm -rf home/cache
faults N '{"path":"/targets","action":"delay","ms":500}' # long enough for the registry to answer first
faults P
gets 'by digest, with an empty cache' approval.json "$by_digest" qa-approval
faults N
check 'the registry has two requests' test "$(jq -r .method "$T/P.log" | tr '\n' ' ')" = 'HEAD GET '
check 'of one connection' test "$(jq .peer "$T/P.log" | sort -u | wc -l)" = 1
faults P
gets 'by digest, with a cache' approval.json "$by_digest" qa-approval
check 'the registry has none' test ! -s "$T/P.log"
rm "home/$blob"
gets 'by digest, with metadata only' approval.json "$by_digest" qa-approval
check 'the registry has one' test "$(jq -r .method "$T/P.log")" = GET
rm -rf home/cache
faults N '{"path":"","action":"status","status":404}'
faults P
run manifesto get "$by_digest" qa-approval
check 'the registry is asked before the trust server has answered' test "$(jq -r .method "$T/P.log")" = HEAD
faults N
for rule in '"action":"status","status":404' '"action":"status","status":500' '"action":"reset"' '"action":"delay","ms":100000'; do
	rm -rf home/cache
	faults P "{\"method\":\"HEAD\",$rule}"
	gets "nothing hangs on the answer ($rule)" approval.json "$by_digest" qa-approval
done

t_done
