#!/bin/bash
# A Notary server that lies, fails or stalls: a real one, behind a proxy that changes its answers.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy N "$NOTARY"
export MANIFESTO_TRUST_SERVER=http://$N
gun=$REGISTRY/acme/app
image=$gun:1.0
make_image image >/dev/null
push_image oci:image:1.0 "$image" >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/other:1.0" >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/sibling:1.0" >/dev/null
echo '{"approved":true}' >approval.json
echo '{"other":1}' >other.json

tuf() { # GUN FILE
	curl -sf "$NOTARY/v2/$1/_trust/tuf/$2"
}
# The files of a repository as they are now, by plain name.
keep() { # DIR GUN
	local role
	mkdir "$1"
	for role in root timestamp snapshot targets; do
		tuf "$2" $role.json >"$1/$role" || t_bail "keep $role"
	done
}
server_state() {
	tuf "$gun" timestamp.json | sha256sum
}

run manifesto put -q --no-passphrase --init --key alice "$image" qa-approval approval.json
[ "$status" = 0 ] || t_bail 'first put'
keep "$T/old" "$gun"
put "$image" contact other.json
keep "$T/now" "$gun"
put "$REGISTRY/acme/sibling:1.0" qa-approval other.json --init --key alice
keep "$T/sibling" "$REGISTRY/acme/sibling"
MANIFESTO_HOME=$T/mallory XDG_CACHE_HOME=$T/mallory manifesto put -q --no-passphrase --init "$REGISTRY/acme/other:1.0" qa-approval other.json \
	>/dev/null || t_bail 'a put of somebody else'
keep "$T/foreign" "$REGISTRY/acme/other"
WATCH=(home "$LAB/data/registry/docker/registry/v2/blobs" "$LAB/data/registry/docker/registry/v2/repositories/acme/app/_manifests")
manifesto get "$image" qa-approval >/dev/null
cp -a home/cache cache.good
cp -a home/manifesto home.good

cold() {
	rm -rf home/cache
}
warm() {
	rm -rf home/cache
	cp -a cache.good home/cache
}
# A rule for a role's file, by plain name, by hash or by version.
rule() { # ROLE ACTION-MEMBERS
	printf '{"method":"GET","path":"acme/app/_trust/tuf/([0-9]+\\\\.)?%s(\\\\.[0-9a-f]+)?\\\\.json","action":%s}' "$1" "$2"
}
swap() { # ROLE DIR
	rule "$1" "\"replace\",\"body_file\":\"$T/$2/$1\""
}

cold
faults N
gets 'the proxy without faults' approval.json "$image" qa-approval
check 'a cold get asks for four files' test "$(grep -c _trust "$T/N.log")" = 4
faults N
gets 'and with a warm cache' approval.json "$image" qa-approval
check 'for one' test "$(grep -c _trust "$T/N.log")" = 1

# --- old and mixed files
for temperature in cold warm; do
	faults N "$(swap timestamp old)"
	$temperature
	get_refused "an old timestamp, $temperature" 8 'timestamp' "$image" qa-approval
	faults N "$(swap timestamp old)" "$(swap snapshot old)" "$(swap targets old)"
	$temperature
	refuses "the whole old repository, $temperature" 8 'timestamp' manifesto list "$image"
	refuses "put to the old repository, $temperature" 8 'timestamp' manifesto put "$image" new-type other.json
	faults N "$(swap timestamp foreign)"
	$temperature
	refuses "the timestamp of another repository, $temperature" 6 'timestamp' manifesto get "$image" qa-approval
done
for role in snapshot targets; do
	faults N "$(swap $role old)"
	cold
	get_refused "an old $role with the current timestamp" 6 "$role" "$image" qa-approval
	warm
	gets "whose place the cache takes: $role" approval.json "$image" qa-approval
	faults N "$(swap $role foreign)"
	cold
	get_refused "the $role of another repository" 6 "$role" "$image" qa-approval
done
faults N "$(swap root sibling)"
cold
get_refused 'the root of another repository with the same keys' 6 'root' "$image" qa-approval
faults N "$(swap root sibling)" "$(swap timestamp sibling)" "$(swap snapshot sibling)" "$(swap targets sibling)"
get_refused 'all of that repository' 6 'root' "$image" qa-approval
refuses 'put to it' 6 'root' manifesto put "$image" new-type other.json
faults N "$(swap root foreign)"
cold
get_refused 'the root of another repository' 10 'pin' "$image" qa-approval
faults N "$(swap root foreign)" "$(swap timestamp foreign)" "$(swap snapshot foreign)" "$(swap targets foreign)"
cold
get_refused 'another repository altogether' 10 'pin' "$image" qa-approval
refuses 'put to another repository' 10 'pin' manifesto put --init "$image" new-type other.json
get_refused 'trust on first use does not pass over a pin' 10 'pin' --tofu "$image" qa-approval
warm
refuses 'another repository behind the cached root' 10 'pin' manifesto get "$image" qa-approval
faults N
warm
put "$image" scan other.json
faults N "$(swap timestamp now)"
get_refused 'a freeze after one more put' 8 'timestamp' "$image" scan

# --- broken files
for role in root timestamp snapshot targets; do
	half=$(head -c 200 "$T/now/$role" | base64 -w0)
	while read -r what want action; do
		faults N "$(rule $role "$action")"
		cold
		refuses "$role: $what" "$want" '' manifesto get --timeout 1s "$image" qa-approval
	done <<-END
		truncated 4 "truncate","bytes":100
		reset 4 "reset"
		closed 4 "drop"
		half-a-file 6 "replace","body_base64":"$half"
		empty 6 "replace","body":""
		null 6 "replace","body":"null"
		{} 6 "replace","body":"{}"
		a-web-page 4 "status","status":200,"body":"<html></html>"
		a-page-behind-a-comment 4 "status","status":200,"body":"<!-- portal --><html></html>"
		endless 6 "local","to":"/endless"
		stalling 4 "local","to":"/stall?n=100&sent=10"
		404 8 "status","status":404
		401 5 "status","status":401
		403 5 "status","status":403
		429 4 "status","status":429
		500 4 "status","status":500
		502 4 "status","status":502
		503 4 "status","status":503,"headers":{"Retry-After":"9999"}
	END
done
cold
faults N "$(rule timestamp '"status","status":404')"
get_refused 'a timestamp that is gone' 8 'timestamp' "$image" qa-approval
refuses 'a repository is not made where a timestamp is gone' 8 'timestamp' manifesto put --init "$image" new-type other.json
faults N "$(rule root '"status","status":404')"
get_refused 'a root that is gone' 8 'gone' "$image" qa-approval
refuses 'a repository is not made again where a known one is gone' 8 'gone' manifesto put --init "$image" new-type other.json
faults N "$(rule targets '"status","status":500')"
get_refused 'no cached data when the server fails' 4 '500' "$image" qa-approval
faults N '{"path":"/","action":"status","status":503}'
warm
get_refused 'nor with a warm cache' 4 '503' --timeout 1s "$image" qa-approval
faults N '{"path":"/","action":"local","to":"/hang"}'
get_refused 'a server that never answers' 4 'time' --timeout 1s "$image" qa-approval
faults N '{"path":"/","action":"local","to":"/drip?n=400&ms=100"}'
refuses 'a server that answers a byte at a time' 4 'time' manifesto get --timeout 1s "$image" qa-approval
faults N '{"path":"/","action":"delay","ms":300}'
gets 'a slow server' approval.json "$image" qa-approval

# --- publishing
# Content is stored before it is signed.
WATCH=(home)
post='{"method":"POST","path":"/_trust/tuf/$","action":'
while read -r what want action; do
	faults N "$post$action}"
	refuses "publishing: $what" "$want" '' manifesto put --timeout 2s -q "$image" lost-type approval.json
	faults N
	run manifesto get "$image" lost-type
	check_status "nothing was published: $what" 3
done <<-'END'
	400 4 "status","status":400
	401 5 "status","status":401
	403 5 "status","status":403
	404 4 "status","status":404
	429 4 "status","status":429
	500 4 "status","status":500
	503 4 "status","status":503
	reset 4 "reset"
	confirmed-but-not-done 12 "status","status":200
	a-conflict-without-end 12 "status","status":400,"body":"{\"errors\":[{\"code\":\"VERSION\",\"message\":\"old\"}]}"
END
faults N "$post\"drop\",\"forward\":true,\"count\":1}"
run manifesto put --timeout 5s "$image" dropped other.json
check_status 'an answer that is lost after publishing' 4
faults N
put "$image" dropped other.json
gets 'the record is there once' other.json "$image" dropped
faults N '{"method":"GET","path":"targets","action":"status","status":500,"skip":0}'
warm
run manifesto put --timeout 1s "$image" unproved approval.json
check_status 'a publish that cannot be read back is not reported as done' 4
faults N
rm -rf home/cache
run manifesto list "$image"
check_status 'though it may have happened' 0

# --- making a repository
fresh=$REGISTRY/acme/fresh
push_image oci:image:1.0 "$fresh:1.0" >/dev/null
gun=$fresh
cold
while read -r what want action; do
	faults N "{\"path\":\"timestamp.key\",\"action\":$action}"
	refuses "the server's key: $what" "$want" '' manifesto put --timeout 1s --init --key alice "$fresh:1.0" qa-approval other.json
done <<-END
	500 4 "status","status":500
	403 5 "status","status":403
	garbage 6 "replace","body":"{}"
	endless 6 "local","to":"/endless"
	reset 4 "reset"
	no-Notary-server 4 "status","status":404
END
faults N "{\"path\":\"/tuf/\$\",\"method\":\"POST\",\"action\":\"status\",\"status\":500}"
run manifesto put --timeout 1s --init --key alice "$fresh:1.0" qa-approval other.json
check_status 'a first publish that fails' 4
faults N
put --init --key alice "$fresh:1.0" qa-approval other.json
gets 'can be repeated' other.json "$fresh:1.0" qa-approval
gun=$REGISTRY/acme/app

# --- time, and a server that lost its data
faults N
refuses 'an expired timestamp' 7 'expired' faketime -f +30d manifesto get "$image" qa-approval
refuses 'a clock set back' 8 'clock' faketime -f -3d manifesto get "$image" qa-approval
lab_server restart notary
get_refused 'a collection that is gone' 8 'gone' "$image" qa-approval
warm
get_refused 'with a warm cache too' 8 'gone' "$image" qa-approval
MANIFESTO_HOME=$T/mallory XDG_CACHE_HOME=$T/mallory manifesto put -q --no-passphrase --init "$image" qa-approval other.json >/dev/null ||
	t_bail 'an attacker creates the collection again'
get_refused 'a collection created again by somebody else, warm' 10 'pin' "$image" qa-approval
cold
get_refused 'a collection created again by somebody else' 10 'pin' "$image" qa-approval
refuses 'put to it' 10 'pin' manifesto put --init "$image" qa-approval approval.json
rm -rf home/manifesto/floors
get_refused 'also without floors' 10 'pin' "$image" qa-approval
rm home/manifesto/trust.json
get_refused 'and without a pin' 10 'no pin' "$image" qa-approval

t_done
