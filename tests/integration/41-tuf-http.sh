#!/bin/bash
# A TUF 1.0 repository behind a plain web server: written to a directory, and read over HTTP by machines that have only
# a pin.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry static static-tls
proxy P "http://$REGISTRY"
gun=$P/acme/app
image=$gun:1.0
make_image layout >/dev/null
subject=$(push_image oci:layout:1.0 "$REGISTRY/acme/app:1.0" 2>/dev/null)
printf 'second\0version\377' >second
echo '{"who":"support"}' >contact.json
file=tuf+file://$STATIC_DIR
web=tuf+${STATIC}
dir=$STATIC_DIR/${P/:/%3A}/acme/app
# A server decodes a path once: the escape in the directory's name is escaped.
url=/${P/:/%253A}/acme/app

publish() { # ARGUMENTS...
	machine publisher
	run manifesto put -q --trust-server "$file" "$@"
	[ "$status" = 0 ] || t_bail "put $*"
	machine first
}
forget_requests() {
	: >"$STATIC_LOG"
	faults P
}
# The requests to the web server since then, below the directory of the GUN, in alphabetical order.
check_asked() { # NAME 'STATUS PATH'...
	local name=$1
	shift
	printf '%s\n' "$@" | sed '/^$/d' | sort >"$T/wanted"
	jq -r '"\(.status) \(.path)"' "$STATIC_LOG" | sed "s|$url/||" | sort >"$T/asked"
	if cmp -s "$T/wanted" "$T/asked"; then ok "$name"; else not_ok "$name" "asked for: $(cat "$T/asked")"; fi
	check "$name: with GET only" test -z "$(jq -r 'select(.method != "GET") | .method' "$STATIC_LOG")"
}
check_registry_asked() { # NAME REQUEST...
	local name=$1
	shift
	check "$name" test "$(jq -r '"\(.method) \(.path)"' "$T/P.log")" = "$(printf '%s\n' "$@")"
}
target_of() { # FILE TYPE
	printf 'targets/%s/%s.sha256-%s' "$2" "$(sum "$1")" "${subject#sha256:}"
}

publish --init --no-passphrase "$image" qa-approval "$approval"

# --- another machine: the pin, then everything that reads
export MANIFESTO_TRUST_SERVER=$web
refused 'without a pin' 10 get "$image" qa-approval
check_stderr_has 'the key that is served is named' 'version 1) has keys '
forget_requests
run manifesto trust pin "$image" "$dir/1.root.json"
check_status 'the root is pinned' 0
check_asked 'which asks for nothing' ''
cold
forget_requests
get_is 'a cold get' "$approval" "$image" qa-approval
check_stderr_empty 'it says nothing more'
check_asked 'a cold get asks for six files' '200 1.root.json' '404 2.root.json' '200 timestamp.json' '200 2.snapshot.json' '200 2.targets.json' \
	"200 $(target_of "$approval" qa-approval)"
check_registry_asked 'and the registry for the tag' 'HEAD /v2/acme/app/manifests/1.0'
check 'what may appear or change is asked for past any cache, what never changes is not' test \
	"$(jq -r 'select(.headers["cache-control"] == "no-cache") | .path | split("/")[-1]' "$STATIC_LOG" | sort | tr '\n' ' ')" = '2.root.json timestamp.json '
forget_requests
touch marker
get_is 'a warm get' "$approval" "$image" qa-approval
check 'it writes nothing' test -z "$(find "$XDG_CACHE_HOME" "$MANIFESTO_HOME" -newer marker)"
check_stderr_empty 'the root that is not there is no warning'
check_asked 'a warm get asks for the timestamp and the next root' '200 timestamp.json' '404 2.root.json'
check_registry_asked 'and for the tag' 'HEAD /v2/acme/app/manifests/1.0'
forget_requests
get_is 'a warm get by digest' "$approval" "$gun@$subject" qa-approval
check_registry_asked 'asks the registry for nothing' ''
publish "$image" qa-approval second
publish "$image" contact contact.json
forget_requests
get_is 'a warm get of something new' second "$image" qa-approval
check_asked 'fetches what has changed' '200 timestamp.json' '404 2.root.json' '200 4.snapshot.json' '200 4.targets.json' \
	"200 $(target_of second qa-approval)"
rm -rf "$MANIFESTO_HOME/floors"
forget_requests
get_is 'a cache without floors' second "$image" qa-approval
check_asked 'is as good' '200 timestamp.json' '404 2.root.json'
cold
get_is 'a home without a cache' second "$image" qa-approval
mkdir cache.good && cp -a "$XDG_CACHE_HOME" cache.good/

same_as_directory() { # NAME ARGUMENTS...
	local name=$1
	shift
	manifesto --trust-server "$file" "$@" | sed "s|$dir|WHERE|" >of-file
	run manifesto "$@"
	check_status "$name" 0
	sed "s|$web$url|WHERE|" "$T/stdout" >of-web
	check_same_file "$name: as from the directory" of-file of-web
}
same_as_directory 'list' list "$image"
check_stdout_has 'with both records' contact
same_as_directory 'list as JSON' list --json "$image"
same_as_directory 'list of a digest' list "$gun@$subject"
same_as_directory 'trust show' trust show "$image"
check_stdout_has 'with the URL of the files' "$web$url"
same_as_directory 'trust show as JSON' trust show --json "$image"
get_is 'a server given with slashes' second --trust-server "$web//" "$image" qa-approval
mkdir -p "$STATIC_DIR/deeper/still" && cp -a "$STATIC_DIR/${P/:/%3A}" "$STATIC_DIR/deeper/still/"
get_is 'a path below the server' second --trust-server "$web/deeper/still" "$image" qa-approval
refused 'no such record' 3 get "$image" nothing
machine stranger
refused 'no such repository' 3 get "$REGISTRY/acme/none:1.0" qa-approval
check_stderr_has 'it says where' "$web"
get_is 'trust on first use' second --tofu "$image" qa-approval
machine first

# A target file of the right length and other bytes: what was signed is at the registry.
target=$dir/$(target_of second qa-approval)
cp "$target" kept
printf 'SECOND\0version\377' >"$target"
cold
get_is 'another target file of the same length' second "$image" qa-approval
cp kept "$target"
cold

# --- TLS, plain HTTP, credentials
get_is 'TLS' second --cacert "$CA" --trust-server "tuf+$STATIC_TLS" "$image" qa-approval
cold
get_is 'TLS without a cache' second --cacert "$CA" --trust-server "tuf+$STATIC_TLS" "$image" qa-approval
refused 'TLS of an unknown CA' 4 --trust-server "tuf+$STATIC_TLS" get "$image" qa-approval
check_stderr_has 'it names --cacert' --cacert
refused 'TLS of another CA' 4 --cacert "$OTHER_CA" --trust-server "tuf+$STATIC_TLS" get "$image" qa-approval
refused 'TLS to a server without it' 4 --trust-server "tuf+https://${STATIC#http://}" get "$image" qa-approval
refused 'plain HTTP to a host that is not this one' 2 --trust-server tuf+http://server.example get "$image" qa-approval
check_stderr_has 'how to allow it is named' --plain-http
check_stderr_has 'and what is better' tuf+https://
for bad in 'tuf+https://' 'tuf+https:///path' "tuf+https://u:p@${STATIC#http://}" "$web?a=b" "$web#x"; do
	refused "the URL $bad" 2 --trust-server "$bad" get "$image" qa-approval
	check_stderr_lacks "no password is repeated: $bad" u:p
done
refused 'another scheme' 2 --trust-server tuf+ftp://server.example get "$image" qa-approval
check_stderr_has 'the schemes are named' tuf+https://
refused 'nobody listens' 4 --trust-server tuf+http://127.0.0.1:1 get "$image" qa-approval
check_stderr_has 'that is reported' 'Connection refused'

setpriv --pdeathsig KILL "$(t_python)" "$T_TOP/tests/support/static.py" --basic 'robot:s3cret' --port-file "$T/basic.port" "$STATIC_DIR" &
fault_pids+=($!)
for ((i = 0; i < 200; i++)); do
	[ ! -s "$T/basic.port" ] || break
	sleep 0.05
done
read -r port <"$T/basic.port" || t_bail 'a server with passwords starts'
refused 'a server that wants a password' 5 --trust-server "tuf+http://127.0.0.1:$port" get "$image" qa-approval
mkdir -p docker
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$port" "$(printf robot:s3cret | base64)" >docker/config.json
cold
DOCKER_CONFIG=$T/docker get_is 'which Docker knows' second --trust-server "tuf+http://127.0.0.1:$port" "$image" qa-approval

# --- it is read-only
registry_state() {
	curl -s "http://$REGISTRY/v2/acme/app/tags/list" | jq -c '.tags | sort'
	find "$LAB/data/registry/docker/registry/v2/blobs" -name data | wc -l
}
machine publisher
echo new >new
echo '{"roles":{"qa":{"keys":[],"types":["scan"]}}}' >teams.json
push_image oci:layout:1.0 "$REGISTRY/acme/unsigned:1.0" >/dev/null 2>&1
registry_state >before
while read -r what arguments; do
	forget_requests
	# shellcheck disable=SC2086 # words
	refused "$what" 2 $arguments
	check_stderr_has "$what: the hint names tuf+file" tuf+file:///
	check "$what: nothing is written" test -z "$(jq -r 'select(.method != "GET" and .method != "HEAD") | .method' "$STATIC_LOG" "$T/P.log")"
done <<-END
	put put $image qa-approval new
	put-of-a-new-type put --init $image other new
	first-put put --init $REGISTRY/acme/unsigned:1.0 qa-approval new
	put-for-no-image put --init $REGISTRY/acme/none:1.0 qa-approval new
	trust-init trust init $image
	trust-refresh trust refresh $image
	sign sign --yes $image qa-approval
	rm rm $image qa-approval
	withdraw withdraw --reason why $image qa-approval
	role-add role add $image qa --key alice --types scan
	role-remove role remove $image qa
	role-sign role sign $image targets
	role-apply role apply -f teams.json $gun
END
registry_state | cmp -s - before
check 'nothing was uploaded' test $? = 0
check 'no key was made for it' test "$(find "$MANIFESTO_HOME/keys" -name '*.key' | wc -l)" = 2
machine first

# --- content: from the web server, then from the registry
cold
faults P '{"path":"/","action":"drop"}'
get_is 'all from the web server, while the registry is down' second "$gun@$subject" qa-approval
check_registry_asked 'which is not even asked' ''
run manifesto list "$gun@$subject"
check_status 'list by digest, while the registry is down' 0
refused 'a tag cannot be resolved without it' 4 get --timeout 2s "$image" qa-approval
target=$dir/$(target_of second qa-approval)
cp -a "$dir" good
restore() {
	rm -rf "$dir"
	cp -a good "$dir"
}
blob=/v2/acme/app/blobs/sha256:$(sum second)
rm "$target"
cold
forget_requests
get_is 'a target that is not there comes from the registry' second "$gun@$subject" qa-approval
check_registry_asked 'which is asked for it' "GET $blob"
forget_requests
get_is 'and then from the cache' second "$gun@$subject" qa-approval
check_registry_asked 'of which nobody is asked' ''
cold
faults P "{\"path\":\"$blob\",\"action\":\"status\",\"status\":404}"
get_refused 'content that is nowhere' 13 '' "$gun@$subject" qa-approval
for what in 'second version' 'second' 'much more than the record says that it has, which is 15 bytes' ''; do
	printf %s "$what" >"$target"
	cold
	faults P
	gets "the target '$what' is replaced by the registry's" second "$gun@$subject" qa-approval
	cold
	faults P "{\"path\":\"$blob\",\"action\":\"status\",\"status\":404}"
	get_refused "the target '$what' and none in the registry" 6 'target' "$gun@$subject" qa-approval
	faults P '{"path":"/","action":"status","status":500}'
	get_refused "the target '$what' and a registry that fails" 6 'target' --timeout 1s "$gun@$subject" qa-approval
done
restore
proxy N "$STATIC"
export MANIFESTO_TRUST_SERVER=tuf+http://$N
while read -r what want action; do
	cold
	faults P
	faults N "{\"path\":\"/targets/\",\"action\":$action}"
	gets "content in spite of $what" second --timeout 10s "$gun@$subject" qa-approval
	cold
	faults P "{\"path\":\"$blob\",\"action\":\"status\",\"status\":404}"
	get_refused "$what, and none in the registry" "$want" '' --timeout 3s "$gun@$subject" qa-approval
	faults P "{\"path\":\"$blob\",\"action\":\"status\",\"status\":401}"
	get_refused "$what, and a registry that wants a login" "$([ "$want" = 6 ] && echo 6 || echo 5)" '' --timeout 3s "$gun@$subject" qa-approval
done <<-'END'
	truncation 4 "truncate","bytes":5
	a-reset 4 "reset","bytes":5
	403 5 "status","status":403
	410 4 "status","status":410
	206 4 "status","status":206,"body":"x"
	204 4 "status","status":204
	500 4 "status","status":500
	a-web-page 6 "status","status":200,"body":"<html></html>"
	an-endless-answer 6 "local","to":"/endless"
END
faults P

# --- metadata: each failure has its own status, and nothing replaces the file
rule() { # FILE ACTION-MEMBERS
	printf '{"method":"GET","path":"acme/app/%s$","action":%s}' "$1" "$2"
}
warm() {
	cold
	cp -a "cache.good/${XDG_CACHE_HOME##*/}" "$XDG_CACHE_HOME"
}
faults N
cold
gets 'the proxy without faults' second "$image" qa-approval
check 'a cold get asks for six files' test "$(wc -l <"$T/N.log")" = 6
in_flight() { # NAME N: so many requests go out before the first is answered
	faults N '{"path":"(root|timestamp).json","action":"delay","ms":1500}'
	gets "$1" second "$image" qa-approval
	check "$1: requests in flight together" test \
		"$(jq -r 'select(.path | test("(root|timestamp).json")) | .peer' "$T/N.log" | sort -u | wc -l)" = "$2"
}
cold
in_flight 'a cold get from afar' 3
in_flight 'a warm get from afar' 2
for name in 1.root.json 2.root.json timestamp.json 4.snapshot.json 4.targets.json; do
	while read -r what want action; do
		[ "$name $what" != '2.root.json 404' ] || continue
		faults N "$(rule "$name" "$action")"
		cold
		refuses "$name: $what" "$want" '' manifesto get --timeout 1s "$image" qa-approval
	done <<-END
		truncated 4 "truncate","bytes":10
		reset 4 "reset"
		closed 4 "drop"
		empty 6 "status","status":200,"body":""
		{} 6 "status","status":200,"body":"{}"
		a-web-page 4 "status","status":200,"body":"<html></html>"
		endless 6 "local","to":"/endless"
		stalling 4 "local","to":"/stall?n=100&sent=10"
		404 8 "status","status":404
		401 5 "status","status":401
		403 5 "status","status":403
		410 4 "status","status":410
		204 4 "status","status":204
		206 4 "status","status":206,"body":"{}"
		304 4 "status","status":304
		400 4 "status","status":400
		429 4 "status","status":429
		500 4 "status","status":500
		502 4 "status","status":502
		503 4 "status","status":503,"headers":{"Retry-After":"9999"}
	END
done
cold
faults N "$(rule 2.root.json '"status","status":200,"body":"<html></html>"')"
refuses 'a server that has a page for everything' 4 '2.root.json' manifesto get "$image" qa-approval
check_stderr_has 'gets a hint' 'must answer 404'
faults N "$(rule 2.root.json '"status","status":403')"
refuses 'a storage bucket that cannot be listed' 5 '403' manifesto get "$image" qa-approval
check_stderr_has 'is explained' 'may list it'
warm
faults N "$(rule 2.root.json '"status","status":403')"
refuses 'the same with a warm cache' 5 '403' manifesto get "$image" qa-approval
faults N '{"path":"/","action":"status","status":503}'
refuses 'no cached data when the server fails' 4 '503' manifesto get --timeout 1s "$image" qa-approval
faults N "$(rule timestamp.json '"status","status":404')"
get_refused 'a timestamp that is gone, with a warm cache' 8 'timestamp' "$image" qa-approval
faults N '{"path":"/","action":"delay","ms":300}'
gets 'a slow server' second "$image" qa-approval
faults N '{"path":"/","action":"local","to":"/drip?n=400&ms=100"}'
refuses 'a server that answers a byte at a time' 4 'time' manifesto get --timeout 1s "$image" qa-approval
faults N "$(rule timestamp.json "\"status\",\"status\":302,\"headers\":{\"Location\":\"$STATIC$url/timestamp.json\"}")"
gets 'a redirect' second "$image" qa-approval
faults N "$(rule timestamp.json '"status","status":302,"headers":{"Location":"timestamp.json"}')"
refuses 'redirects without end' 4 'redirects' manifesto get "$image" qa-approval
faults N
export MANIFESTO_TRUST_SERVER=$web

# --- wrong bytes in the files
for name in timestamp.json 4.snapshot.json 4.targets.json; do
	sed 's/"sig":"./"sig":"x/; s/"version":4/"version":5/' "good/$name" >"$dir/$name"
	cold
	get_refused "wrong bytes of $name" 6 '' "$image" qa-approval
	restore
done
for name in snapshot targets; do
	cp "good/3.$name.json" "$dir/4.$name.json"
	cold
	get_refused "an older $name under the new name" 6 "$name" "$image" qa-approval
	warm
	gets "whose place the cache takes: $name" second "$image" qa-approval
	restore
done
cp good/1.root.json "$dir/2.root.json"
for temperature in cold warm; do
	$temperature
	get_refused "root 1 again as the next root, $temperature" 6 'version 1' "$image" qa-approval
done
restore
warm
tuf=$XDG_CACHE_HOME/manifesto/tuf
check 'the cache has the root by its version and as the newest' test "$(find "$tuf" -name '*root.json' | wc -l)" = 2
for name in root.json 1.root.json snapshot.json targets.json; do
	for text in '' '{}' "$(head -c 300 /dev/urandom | tr -d '\0')" "$(sed 's/"version":1/"version":9/' "$dir/1.root.json")"; do
		warm
		printf %s "$text" >"$(find "$tuf" -name "$name")"
		gets "a cache with another $name" second "$image" qa-approval
	done
done

# --- rollback, freeze, loss, replacement
publish "$image" scan contact.json
warm
gets 'one more put' contact.json "$image" scan
cp -a "$dir" good.later
for temperature in cold warm; do
	restore
	$temperature
	get_refused "an old copy of the directory, $temperature" 8 'timestamp' "$image" qa-approval
	refuses "list of it, $temperature" 8 'timestamp' manifesto list "$image"
done
rm -rf good "$dir" && cp -a good.later good && restore
cold
gets 'and the new one again' second "$image" qa-approval
refuses 'no news for a hundred days' 7 'expired' faketime -f +100d manifesto get "$image" qa-approval
refuses 'the same with a cold cache' 7 'expired' faketime -f +100d manifesto list "$image"
mv "$dir" away
for temperature in cold warm; do
	$temperature
	get_refused "the collection is gone, $temperature" 8 '' "$image" qa-approval
done
machine mallory
run manifesto put -q --no-passphrase --init --trust-server "$file" "$image" qa-approval contact.json
[ "$status" = 0 ] || t_bail 'a put of somebody else'
machine first
for temperature in cold warm; do
	$temperature
	get_refused "the collection was replaced, $temperature" 10 'pin' "$image" qa-approval
done
get_refused 'trust on first use does not pass over a pin' 10 'pin' --tofu "$image" qa-approval
machine newcomer
run manifesto trust pin "$image" away/1.root.json
[ "$status" = 0 ] || t_bail 'pin'
get_refused 'nor does a pin on a machine that has seen nothing yet' 10 'pin' "$image" qa-approval
machine first
rm -rf "$dir" && mv away "$dir"
gets 'and back' second "$image" qa-approval

# --- roles, the gate, history
machine publisher
MANIFESTO_TRUST_SERVER=$file
for role in qa:qa-approval sec:scan,audit; do
	manifesto key generate "${role%:*}" --no-passphrase >/dev/null || t_bail 'a key'
	manifesto role add -q "$image" "${role%:*}" --key "${role%:*}" --types "${role#*:}" || t_bail 'a role'
done
put "$image" qa-approval "$approval" --key qa
put "$image" scan second --key sec
MANIFESTO_TRUST_SERVER=$web
machine first
warm
forget_requests
run manifesto verify "$gun@$subject" --require qa-approval=qa --require scan=sec
check_status 'the gate' 0
check_stdout_is 'it names the image' "$gun@$subject"
check_registry_asked 'without a request to the registry' ''
newest() { # ROLE
	find "$dir" -maxdepth 1 -name "*.$1.json" -printf '%f\n' | sort -n | tail -n 1
}
check_asked 'both roles and the new roots' '200 timestamp.json' '200 2.root.json' '200 3.root.json' '404 4.root.json' \
	"200 $(newest snapshot)" "200 $(newest targets)" "200 $(newest qa)" "200 $(newest sec)"
forget_requests
run manifesto verify "$gun@$subject" --require qa-approval=qa --require scan=sec
check_status 'the gate again' 0
check_asked 'from the cache' '200 timestamp.json' '404 4.root.json'
same_as_directory 'role list' role list "$image"
forget_requests
run manifesto history "$image" scan
check_status 'history' 0
check_stdout_has 'with who put the record' sec
get_is 'an older version of a record' contact.json --version 5 --role targets "$image" scan
name=$(newest sec)
mv "$dir/$name" .
for temperature in cold warm; do
	$temperature
	get_refused "a role's file that is gone, $temperature" 8 'sec' "$gun@$subject" scan
done
mv "$name" "$dir/"
cold
get_is 'and back' second "$gun@$subject" scan

# --- with the copy only
cp -a "$STATIC_DIR" copy && rm -rf "$STATIC_DIR" && cp -a copy "$STATIC_DIR"
cold
lab_server stop registry
get_is 'a copy of the directory serves all, without a registry' second "$gun@$subject" scan

# --- the session in docs/web-server.md, as it is written
mkdir -p "$T/session/tests" && ln -s "$T_TOP/testdata" "$T/session/" && ln -s "$T_TOP/tests/support" "$T/session/tests/"
sed -n '/^    lab=/,/stop --purge/s/^    //p' "$T_TOP/docs/web-server.md" >session.sh
check 'the session has its commands' test "$(grep -cE '^(manifesto|export|skopeo|bash)' session.sh)" = 7
sed -i 's/skopeo copy /skopeo --insecure-policy copy --quiet /' session.sh
machine session
unset MANIFESTO_TRUST_SERVER
(cd "$T/session" && PATH=$(dirname "$T_MANIFESTO"):$PATH TMPDIR=$t_outer_tmp MANIFESTO_PASSPHRASE=secret run bash -e ../session.sh && echo "$status" >status)
check 'it ends well' test "$(cat session/status)" = 0
check_same_file 'with the approval' "$approval" session/out.json

t_done
