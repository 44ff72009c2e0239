#!/bin/bash
# A copy of an image is read by the trust repository of its origin: whose pin decides, where tags and content come from, and what a
# registry that lies, a password and a map that leads astray cannot do.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

# The copies are in one registry, behind the proxy P; the origin is in another one, which wants a login.
lab registry registry-tls notary static
proxy P "http://$REGISTRY"
proxy N "$NOTARY"
export MANIFESTO_TRUST_SERVER=http://$N
# shellcheck disable=SC2153 # set by lab and proxy
origin=$REGISTRY_TLS/staging/app copy=$P/prod/app
mkdir -p "$HOME/.docker"
login() {
	jq -n --arg host "$REGISTRY_TLS" --arg auth "$(printf '%s' "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" | base64 -w 0)" \
		'{auths: {($host): {auth: $auth}}}' >"$HOME/.docker/config.json"
}
login
man() {
	run manifesto --cacert "$CA" "$@"
}
reads() { # NAME FILE ARGUMENTS...
	local name=$1 file=$2
	shift 2
	man get "$@"
	check_status "$name: status" 0
	check_stdout_file "$name: the same bytes" "$file"
}
refused() { # NAME STATUS ARGUMENTS...
	local name=$1 want=$2
	shift 2
	man "$@"
	check_status "$name: status $want" "$want"
	check_stdout_empty "$name: nothing on stdout"
}
count() { # NAME...: requests in the logs of the proxies
	local name n=0
	for name in "$@"; do
		n=$((n + $(wc -l <"$T/$name.log")))
	done
	echo $n
}

make_image layout >/dev/null
make_image layout --tag 2.0 --seed other >/dev/null
make_image layout --tag multi --index >digests
printf 'an approval\n' >approval.txt
printf 'not copied\n' >left.txt
export SSL_CERT_FILE=$CA
push_image oci:layout:1.0 "$origin:1.0" --dest-creds "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null 2>&1
push_image oci:layout:multi "$origin:multi" --dest-creds "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null 2>&1
man put -q --init --no-passphrase "$origin:1.0" qa-approval approval.txt
check_status 'the origin has a record' 0
man put -q "$origin:1.0" left left.txt
man put -q --platform linux/arm64 "$origin:multi" qa-approval left.txt
root=$(manifesto --cacert "$CA" trust show --json "$origin" | jq -r '.pinned[0]')
subject=$(push_image oci:layout:1.0 "$REGISTRY/prod/app:1.0" 2>/dev/null)
other=$(push_image oci:layout:2.0 "$REGISTRY/prod/app:2.0" 2>/dev/null)
push_image oci:layout:multi "$REGISTRY/prod/app:multi" >/dev/null 2>&1
blob=$(sum approval.txt)

# --- a miss
machine reader
man trust pin "$origin" "$root"
faults P
refused 'a copy without records beside it' 3 get "$copy:1.0" qa-approval
check_stderr_lacks 'no records lie beside it' 'trust map'
# What `oras cp -r` copies: the content, the artifact manifest, and where the registry has no referrers API, the list at a tag.
registry_get "https://$REGISTRY_TLS/v2/staging/app/manifests/${subject/:/-}" --cacert "$CA" -u "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null
cp body list
copy_artifacts() { # REPOSITORY
	local digest
	printf '{}' >empty
	push_blob "http://$REGISTRY" "$1" approval.txt
	push_blob "http://$REGISTRY" "$1" left.txt
	push_blob "http://$REGISTRY" "$1" empty
	for digest in $(jq -r '.manifests[].digest' list); do
		registry_get "https://$REGISTRY_TLS/v2/staging/app/manifests/$digest" --cacert "$CA" -u "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null
		cp body artifact
		check "an artifact manifest is copied to $1" curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
			--data-binary @artifact "http://$REGISTRY/v2/$1/manifests/$digest"
	done
	check "and their list" curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @list \
		"http://$REGISTRY/v2/$1/manifests/${2/:/-}"
}
copy_artifacts prod/app "$subject"
faults P
for command in "get $copy:1.0 qa-approval" "list $copy:1.0" "history $copy:1.0"; do
	# shellcheck disable=SC2086
	refused "a miss beside the records of another (${command%% *})" 3 $command
	check_stderr_has 'says so, and names the ways on' "2 records of another trust repository lie beside the image"
	check_stderr_has 'a map' "'manifesto trust map $copy ORIGIN'"
	check_stderr_has 'and a copy' "'manifesto copy'"
done
man verify --require qa-approval --json "$copy:1.0"
check_status 'verify misses it as well' 3
check_stdout_has 'and says so' 'manifesto trust map'
# The lists are asked for on the miss alone, once: the API, and the tag of registries that have none.
faults P
man get "$copy:1.0" qa-approval
check "a miss costs two requests more, for a list that is in one of two places ($(count P))" test "$(count P)" = 3
for noise in '"action":"status","status":500' '"action":"replace","body":"<html>"' '"action":"drop"' '"action":"local","to":"/endless"'; do
	faults P "{\"path\":\"/referrers/|/manifests/sha256-\",$noise}"
	refused "noise there changes nothing: $noise" 3 get "$copy:1.0" qa-approval
done
faults P

# --- the map
man trust map "$P/prod/*" "$REGISTRY_TLS/staging/*"
check_status 'a map' 0
check_stdout_is 'is confirmed' "'$P/prod/*' is read by the trust repository of '$REGISTRY_TLS/staging/*'"
man trust map
check_stdout_has 'and listed' "$REGISTRY_TLS/staging/*"
man trust map --json
check_json 'in JSON, too' ".schema == \"manifesto/trust-map/v1\" and .maps == {\"$P/prod/*\": \"$REGISTRY_TLS/staging/*\"}"
check_json 'it is in trust.json' ".maps == {\"$P/prod/*\": \"$REGISTRY_TLS/staging/*\"}" "$MANIFESTO_HOME/trust.json"
reads 'get of the copy' approval.txt "$copy:1.0" qa-approval
reads 'get by digest' approval.txt "$copy@$subject" qa-approval
reads 'get of a platform' left.txt --platform linux/arm64 "$copy:multi" qa-approval
man list --json "$copy:1.0"
check_json 'list' ".image == \"$copy@$subject\" and ([.records[].type] == [\"left\", \"qa-approval\"])"
man list --json --all "$copy"
check_json 'list --all: tags are those of the copy' "[.images[] | select(.subject == \"$subject\") | .tags] == [[\"1.0\"]]"
push_image oci:layout:1.0 "$REGISTRY/partly/app:1.0" >/dev/null 2>&1
man trust map "$P/partly/app" "$origin"
man list --json --all "$P/partly/app"
check_json 'what was not copied is not gone' "[.images[] | [.subject == \"$subject\", .gone, .notCopied]] | sort == [[false, false, true], [true, false, null]]"
man list --all "$P/partly/app"
check_stdout_has 'also in text' '(not copied)'
check_stdout_lacks 'in place of gone' '(gone)'
man trust map --remove "$P/partly/app"
man history --json "$copy:1.0"
check_status 'history' 0
man verify --require qa-approval=targets "$copy:1.0"
check_stdout_is 'verify prints the copy' "$copy@$subject"
man trust show --json "$copy"
check_json 'trust show tells whose it is' ".gun == \"$origin\" and .map == \"$P/prod/*\" and .pinned == [\"$root\"]"
man trust show "$copy"
check_stdout_has 'in text, too' "map       $P/prod/*"
man role list --json "$copy"
check_json 'role list' ".gun == \"$origin\""
man status "$copy"
check_status 'status' 0
check_stdout_lacks 'finds nothing missing beside the copy' drift
check_stdout_lacks 'nor content' blob-missing
check "what this machine remembers is filed under the origin" test "$(find "$MANIFESTO_HOME/floors" -name '*.json' | wc -l)" = 1

# --- where content comes from
cold
faults P
mv "$HOME/.docker/config.json" config.json
lab_server stop registry-tls
reads 'with the registry of the origin down: from the copy' approval.txt "$copy:1.0" qa-approval
check "the copy was asked for it" grep -q "/v2/prod/app/blobs/sha256:$blob" P.log
man verify --content --require qa-approval "$copy:1.0"
check_status 'verify with content' 0
curl -s -o /dev/null -X DELETE "http://$REGISTRY/v2/prod/app/blobs/sha256:$(sum left.txt)"
cold
refused 'what the copy lacks may be at the origin, which is down' 4 get "$copy:1.0" left
check_stderr_has 'that is named' "$REGISTRY_TLS"
man status "$copy"
check_stdout_has 'status says what it could not examine' not-examined
lab_server restart registry-tls
refused 'the origin wants a login' 5 get "$copy:1.0" left
mv config.json "$HOME/.docker"
reads 'with it: from the origin' left.txt "$copy:1.0" left
man status "$copy"
check_stdout_lacks 'status finds it there, too' blob-missing
cold
faults P "{\"path\":\"/blobs/sha256:$blob\",\"action\":\"replace\",\"body\":\"an approvaL\\n\"}"
reads 'a copy with other content: from the origin' approval.txt "$copy:1.0" qa-approval
cold
lab_server stop registry-tls
refused 'unless that does not answer' 6 get "$copy:1.0" qa-approval
faults P "{\"path\":\"/blobs/sha256:$blob\",\"action\":\"status\",\"status\":500}"
refused 'two that do not answer' 4 get "$copy:1.0" qa-approval
lab_server restart registry-tls
for lost in "$(sum left.txt)" "$blob"; do
	curl -s -o /dev/null --cacert "$CA" -u "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" -X DELETE "https://$REGISTRY_TLS/v2/staging/app/blobs/sha256:$lost"
done
refused 'one that does not answer: it may have the content' 4 get "$copy:1.0" qa-approval
faults P
cold
refused 'both say that they have none' 13 get "$copy:1.0" left
reads 'the copy alone has it' approval.txt "$copy:1.0" qa-approval
man status --json "$copy"
check_json 'status names the origin in what is to be done' \
	".repositories[0].findings | map(select(.kind == \"blob-missing\")) | length == 2 and all(.[]; .action | startswith(\"manifesto put $origin@\"))"

# --- a registry of copies that lies moves tags, and nothing else
copy_artifacts prod/app "$other"
refused 'an image without records has none, whatever is listed beside it' 3 get "$copy:2.0" qa-approval
curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
	--data-binary @<(curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/prod/app/manifests/2.0") \
	"http://$REGISTRY/v2/prod/app/manifests/1.0"
refused 'a tag that was moved' 3 get "$copy:1.0" qa-approval
man verify --require qa-approval "$copy:1.0"
check_status 'the gate refuses it' 9
check_stdout_empty 'and prints nothing'
reads 'the digest has it still' approval.txt "$copy@$subject" qa-approval
push_image oci:layout:1.0 "$REGISTRY/prod/app:1.0" >/dev/null 2>&1
# A repository of the attacker's own, under the name of the copy: nothing of it is read.
machine attacker
man put -q --init --no-passphrase --key eve "$copy:2.0" qa-approval approval.txt
check_status 'somebody publishes under the name of the copy' 0
machine reader
refused 'which counts for nothing' 3 get "$copy:2.0" qa-approval
man --tofu get "$copy:2.0" qa-approval
check_status 'nor on first use' 3

# --- passwords
secret=only-for-the-copy
echo "$secret" >secret
with_password() {
	t_command="get with a password: $*"
	manifesto --cacert "$CA" -u user --password-stdin get "$@" <secret >"$T/stdout" 2>"$T/stderr"
	status=$?
}
basic=$(printf 'user:%s' "$secret" | base64)
challenge='"action":"status","status":401,"headers":{"WWW-Authenticate":"Basic realm=\"lab\""}'
cold
push_image oci:layout:1.0 "$REGISTRY/pass/app:1.0" >/dev/null 2>&1
machine writer
push_image oci:layout:1.0 "$REGISTRY/staging/app:1.0" >/dev/null 2>&1
proxy W "http://$REGISTRY"
faults W
run manifesto put -q --init --no-passphrase "$W/staging/app:1.0" qa-approval left.txt
check_status 'a record for it' 0
other_root=$(manifesto trust show --json "$W/staging/app" | jq -r '.pinned[0]')
machine reader
run manifesto trust map "$P/pass/app" "$W/staging/app"
check_status 'a map to a registry behind another proxy' 0
run manifesto trust pin "$W/staging/app" "$other_root"
faults P "{\"count\":1,\"path\":\"^/v2/pass/\",$challenge}"
faults W "{\"path\":\"^/v2/staging/app/blobs/\",$challenge}"
with_password "$P/pass/app:1.0" qa-approval
check_status 'the origin refuses who has no login there' 5
check 'the password went to the copy' grep -qi "basic $basic" P.log
check 'the origin was asked' test -s W.log
check 'and did not get the password' sh -c "! grep -qi 'basic' W.log"
jq -n --arg host "$W" '{auths: {($host): {auth: "b3JpZ2luOm93bg=="}}}' >"$HOME/.docker/config.json"
faults P
faults W "{\"count\":1,\"path\":\"^/v2/staging/app/blobs/\",$challenge}"
with_password "$P/pass/app:1.0" qa-approval
check_status 'with a login of its own it answers' 0
check 'which it got' grep -q 'Basic b3JpZ2luOm93bg==' W.log
check 'and nobody else' sh -c '! grep -q b3JpZ2luOm93bg== P.log N.log'
login

# --- how many requests
faults W
push_image oci:layout:1.0 "$REGISTRY/own/app:1.0" >/dev/null 2>&1
machine writer
run manifesto put -q --init --no-passphrase "$P/own/app:1.0" qa-approval left.txt
own_root=$(manifesto trust show --json "$P/own/app" | jq -r '.pinned[0]')
machine reader
run manifesto trust pin "$P/own/app" "$own_root"
push_blob "http://$REGISTRY" pass/app left.txt
requests() { # IMAGE: of a get
	faults P
	faults N
	faults W
	run manifesto get "$1" qa-approval
	check_stdout_file "get $1" left.txt
	n=$(count P N W)
}
for state in cold warm; do
	[ $state = warm ] || cold
	requests "$P/own/app:1.0"
	[ $state = cold ] || requests "$P/own/app:1.0"
	unmapped=$n
	[ $state = warm ] || cold
	requests "$P/pass/app:1.0"
	check "a $state get of a copy costs no request more ($n, $unmapped)" test "$n" = "$unmapped"
	check 'and none to the registry of the origin' test ! -s W.log
done
# Records of the same trust repository beside an image are no hint; those of another one are, and are counted alone.
refused 'a miss beside records of its own' 3 get "$P/own/app:1.0" missing
check_stderr_lacks 'names no map' 'trust map'
copy_artifacts own/app "$subject"
refused 'a miss beside those of another' 3 get "$P/own/app:1.0" missing
check_stderr_has 'names one' '2 records of another trust repository'
for i in 1 2 3 4 5 6; do
	push_image oci:layout:1.0 "$REGISTRY/pass/app:$i" >/dev/null 2>&1
done
faults N
run manifesto verify --content --require qa-approval "$P"/pass/app:{1,2,3,4,5,6}
check_line_count 'a gate over six copies' 6
check 'loads the trust repository once' test "$(grep -c timestamp.json N.log)" = 1

# --- names that have a pin of their own
refuses 'a map of a name that is pinned' 10 "'$P/own/app' is pinned by itself" manifesto trust map "$P/own/app" "$W/staging/app"
check_stderr_has 'says how to forget the pin' "'manifesto trust forget $P/own/app'"
run manifesto trust pin "$P/wide/*" "$own_root"
refuses 'a map of a prefix that is pinned' 10 "'$P/wide/*' is pinned by itself" manifesto trust map "$P/wide/*" "$W/staging/*"
check_stderr_has 'which no command forgets' 'no command removes the pin of a prefix'
refuses 'a pin of a name that is mapped' 2 "'$P/pass/app' is mapped to '$W/staging/app'" manifesto trust pin "$P/pass/app" "$root"
run manifesto trust pin "$P/prod/*" "$root"
check_status 'a pin of a pattern that is mapped' 2
run manifesto trust map "$P/*" "$W/staging/app"
check_status 'a map of a prefix around it' 0
check_stderr_has 'warns of the name that has a pin' "'$P/own/app' has a pin of its own, which decides for it"
requests "$P/own/app:1.0"
check 'which decides: its own trust repository is read' grep -q "/v2/$P/own/app/_trust/" N.log
run manifesto trust pin "$P/own/app" "$root"
refused 'and a pin that does not fit is not weakened by the map' 10 get "$P/own/app:1.0" qa-approval
run manifesto trust pin "$P/own/app" "$own_root"
run manifesto trust pin "$P/own2/app" "$own_root"
check_stderr_has 'a pin of a longer name takes it out of the map' "the map '$P/*' no longer decides for it"
run manifesto trust map --remove "$P/*"
check_status 'a map is removed' 0
refused 'one that is not there' 3 trust map --remove "$P/*"
run manifesto trust forget --yes "$P/own2/app"
check_status 'what is remembered of a name is its own, mapped or not' 0

# --- maps that lead astray
home_before=$(sum "$MANIFESTO_HOME/trust.json")
refuses 'a map to a name that is mapped' 2 'a map is not followed twice' manifesto trust map "$P/third/app" "$P/pass/app"
refuses 'a map whose pattern another one leads to' 2 'a map is not followed twice' manifesto trust map "$W/staging/*" "$P/own/*"
refuses 'a circle of two' 2 'a map is not followed twice' manifesto trust map "$REGISTRY_TLS/staging/*" "$P/prod/*"
refuses 'a map of a name to itself' 2 'a map is not followed twice' manifesto trust map "$P/x/app" "$P/x/app"
refuses 'a map of a prefix into itself' 2 'a map is not followed twice' manifesto trust map "$P/x/*" "$P/x/y/*"
for pair in "$P/x/*/y $P/z" "$P/x $P/z/*" "acme/* $P/z/*" "* $P/z" "$P* $P/z" "oci:/srv/x $P/z" "$P/x:1.0 $P/z" "$P/x $P/z:1.0" "$P/x $P/Z"; do
	# shellcheck disable=SC2086
	refused "what is no map: $pair" 2 trust map $pair
done
refused 'one argument' 2 trust map "$P/x/app"
check 'nothing of that is stored' test "$(sum "$MANIFESTO_HOME/trust.json")" = "$home_before"
run manifesto trust map alpine "$P/library/alpine"
check_json 'names are stored as metadata have them' ".maps[\"docker.io/library/alpine\"] == \"$P/library/alpine\"" "$MANIFESTO_HOME/trust.json"
run manifesto trust map --remove alpine
check_status 'and removed as they are typed' 0
run manifesto trust map "$P/lost/app" "$W/lost/app"
machine writer
run manifesto put -q --init --no-passphrase --store "$W/lost/app" "$P/own/app:1.0" qa-approval left.txt
machine reader
push_image oci:layout:1.0 "$REGISTRY/lost/app:1.0" >/dev/null 2>&1
refused 'an origin that is not pinned' 10 get "$P/lost/app:1.0" qa-approval
check_stderr_has 'the origin is named' "no pin for '$W/lost/app'"
check_stderr_has 'in the command, too' "manifesto trust pin $W/lost/app FINGERPRINT"
run manifesto verify --require qa-approval "$P/lost/app:1.0"
check_status 'the gate refuses it' 10
check_stderr_has 'and names the command' "manifesto trust pin $W/lost/app FINGERPRINT"
check_stderr_lacks 'but not what a gate never does' tofu
edit() { # FILTER
	cp "$MANIFESTO_HOME/trust.json" trust.json
	jq "$1" trust.json >"$MANIFESTO_HOME/trust.json"
}
edit ".maps[\"$W/staging/app\"] = \"$P/prod/app\""
refused 'a chain that was written by hand' 2 get "$P/pass/app:1.0" qa-approval
cp trust.json "$MANIFESTO_HOME"
for value in 7 '""' '"no repository"' "\"$W/staging/app:1.0\"" "\"$W/*/x\""; do
	edit ".maps[\"$P/pass/app\"] = $value"
	refused "a map that is broken: $value" 10 get "$P/pass/app:1.0" qa-approval
	cp trust.json "$MANIFESTO_HOME"
done
edit '.maps = []'
refused 'maps that are no object' 10 get "$P/pass/app:1.0" qa-approval
cp trust.json "$MANIFESTO_HOME"

# --- what is written goes to the origin, by its name
server_state() {
	curl -s "$NOTARY/v2/$W/staging/app/_trust/tuf/timestamp.json" "http://$REGISTRY/v2/pass/app/tags/list" | sha256sum
}
machine writer
cp -R "$MANIFESTO_HOME" home/manifesto-both
machine both
run manifesto trust map "$P/pass/app" "$W/staging/app"
for command in "put IMAGE qa-approval $T/approval.txt" "sign --yes IMAGE qa-approval" "rm IMAGE qa-approval" "withdraw --reason x IMAGE qa-approval" \
	"veto --reason x IMAGE" "role add IMAGE qa --key alice --types qa" "role remove IMAGE qa" "role sign IMAGE targets" \
	"trust init IMAGE" "trust refresh --force IMAGE" "trust clock --yes IMAGE" "proposal list IMAGE"; do
	# shellcheck disable=SC2086
	refuses "${command%% IMAGE*}" 2 "the trust repository of '$W/staging/app' speaks for this image" manifesto ${command/IMAGE/$P/pass/app:1.0}
	check_stderr_has 'names the origin' "run the command for '$W/staging/app'"
done
for command in "repair $P/pass/app" "trust rotate $P/pass/app targets --key alice" "key revoke alice $P/pass/app"; do
	# shellcheck disable=SC2086
	run manifesto $command
	check "${command%% 1*}: is refused" test "$status" = 2 -o "$status" = 11
	check_stderr_has 'names the origin' "'$W/staging/app'"
done
run manifesto put -q --store "$W/staging/app" "$P/pass/app:1.0" second left.txt
check_status 'who names the store decides himself' 0
machine reader
requests "$P/pass/app:1.0"

# --- other machines
run manifesto trust export
cp stdout all.json
check_json 'maps are exported' ".maps | has(\"$P/prod/*\") and has(\"$P/pass/app\")" all.json
run manifesto trust export "$P/pass/app" "$W/staging/app"
check_json 'one by its name, as pins are' ".maps == {\"$P/pass/app\": \"$W/staging/app\"} and (.pins | keys) == [\"$W/staging/app\"]"
refused 'one that is not there' 3 trust export "$P/none/app"
machine third
run manifesto trust import --json all.json
check_status 'import' 0
check_json 'names the maps' ".mapped | index(\"$P/prod/*\") and index(\"$P/pass/app\")"
requests "$P/pass/app:1.0"
run manifesto trust import all.json
check_stdout_is 'once more there is nothing new' 'nothing new'
import() { # NAME STATUS FILTER
	jq "$3" all.json >changed.json
	sum "$MANIFESTO_HOME/trust.json" >before
	refused "$1" "$2" trust import changed.json
	check 'and nothing is taken over' test "$(cat before)" = "$(sum "$MANIFESTO_HOME/trust.json")"
}
import 'a map that differs' 10 ".maps[\"$P/pass/app\"] = \"$W/other/app\""
import 'one of a longer pattern that differs' 10 ".maps[\"$P/prod/app\"] = \"$W/other/app\""
import 'one that would decide in place of a pin' 10 ".maps[\"$P/own/app\"] = \"$W/other/app\" | del(.pins[\"$P/own/app\"])"
import 'a pin in place of a map' 10 "del(.maps) | .pins[\"$P/pass/app\"] = .pins[\"$W/staging/app\"]"
import 'a pin that would take a name out of a map' 10 "del(.maps) | .pins[\"$P/prod/app\"] = .pins[\"$W/staging/app\"]"
import 'a chain' 2 ".maps[\"$W/staging/*\"] = \"$W/other/app\""
import 'a circle' 2 ".maps[\"$REGISTRY_TLS/staging/*\"] = \"$P/prod/*\""
import 'a pin and a map for one pattern' 6 ".maps[\"$P/own/app\"] = \"$W/other/app\""
import 'a map to nothing' 6 ".maps[\"$P/new/app\"] = \"\""
import 'a map of one name to many' 6 ".maps[\"$P/new/app\"] = \"$W/other/*\""
import 'a map that is no text' 6 ".maps[\"$P/new/app\"] = 7"
import 'a map that names no repository' 6 ".maps[\"$P/new/app\"] = \"no repository\""
import 'maps that are no object' 6 '.maps = 7'
import 'more maps than there may be' 2 '.maps = ([range(1001) | {key: "h.example/a\(.)", value: "h.example/b"}] | from_entries)'
jq ".maps = {} | .pins = {\"$W/wide/*\": .pins[\"$W/staging/app\"]}" all.json >wide.json
run manifesto trust import wide.json
check_status 'a pin of a prefix' 0
import 'a map within the prefix of one pin' 10 ".pins = {} | .maps = {\"$W/wide/dev/*\": \"$W/wide/prod/*\"}"
jq ".maps[\"$P/prod/app\"] = \"$REGISTRY_TLS/staging/app\"" all.json >agrees.json
run manifesto trust import --json agrees.json
check_json 'a longer pattern that says the same' ".mapped == [\"$P/prod/app\"]"
jq ".maps = {\"$P/pass/app\": \"$W/other/app\", \"$P/own/app\": \"$W/other/app\"} | .pins = {\"$P/prod/app\": .pins[\"$W/staging/app\"]}" all.json >forced.json
run manifesto trust import --force forced.json
check_status '--force' 0
check_json 'replaces maps and pins' ".maps[\"$P/pass/app\"] == \"$W/other/app\" and .maps[\"$P/own/app\"] == \"$W/other/app\" and
	(.pins | has(\"$P/own/app\") | not) and (.pins | has(\"$P/prod/app\")) and (.maps | has(\"$P/prod/app\") | not)" "$MANIFESTO_HOME/trust.json"

# --- a bundle of a copy
machine reader
run manifesto bundle create "$P/pass/app:1.0" -o b.tar
check_status 'a bundle' 0
run manifesto get --bundle b.tar "$P/pass/app:1.0" qa-approval
check_stdout_file 'is read by the map' left.txt
machine fresh
run manifesto get --bundle b.tar "$P/pass/app:1.0" qa-approval
check_status 'without it, the bundle does not have that repository' 3

# --- TUF 1.0: a directory, and the same on a web server
machine tuf
run manifesto put -q --init --no-passphrase --trust-server "tuf+file://$STATIC_DIR" "$W/staging/app:1.0" qa-approval left.txt
check_status 'a repository in a directory' 0
tuf_root=$(manifesto trust show --trust-server "tuf+file://$STATIC_DIR" --json "$W/staging/app" | jq -r '.pinned[0]')
for server in "tuf+file://$STATIC_DIR" "tuf+$STATIC"; do
	machine "tuf-${server%%:*}"
	run manifesto trust map "$P/pass/*" "$W/staging/*"
	run manifesto trust pin --trust-server "$server" "$W/staging/app" "$tuf_root"
	run manifesto get --trust-server "$server" "$P/pass/app:1.0" qa-approval
	check_stdout_file "${server%%:*}: get" left.txt
	run manifesto verify --content --trust-server "$server" --require qa-approval "$P/pass/app:1.0"
	check_status "${server%%:*}: verify" 0
done
t_done
