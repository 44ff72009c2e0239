#!/bin/bash
# What people type and write: dates, fingerprints with colons, files of editors that put a byte order mark in front.
. "$(dirname "$0")/../support/t.sh"

export MANIFESTO_KEY=alice
image=oci:app:1.0
make_image app >/dev/null
echo content >file
manifesto put --init --no-passphrase $image qa file >/dev/null 2>&1
bom() { # FILE: with a byte order mark in front
	printf '\357\273\277' && cat "$1"
}

# --- times
expires() { # VALUE FILTER
	run manifesto put --expires "$1" $image qa file
	check_status "--expires '$1'" 0
	run manifesto list --json $image
	check_json "--expires '$1': $2" ".records[0].expires | $2"
}
expires 2090-01-31 '. == "2090-01-31T23:59:59Z"'
expires '2090-01-31 12:30Z' '. == "2090-01-31T12:30:00Z"'
expires 2090-01-31T12:30:15+02:00 '. == "2090-01-31T10:30:15Z"'
expires 1y 'fromdate - now | . > 364 * 86400 and . <= 365 * 86400'
for value in 2090-02-30 2090-01-31T12:30 31.01.2090 2090-01 1yr; do
	run manifesto put --expires "$value" $image qa file
	check_status "--expires '$value' is no time" 2
	check_stderr_has "--expires '$value': the message has examples" '2030-01-31T12:00:00Z'
done
run manifesto put --expires "$(date -u -d yesterday +%F)" $image qa file
check_status 'yesterday is in the past' 2
run manifesto put --expires "$(date -u +%F)" $image qa file
check_status 'today is not: it ends at midnight' 0

# --- fingerprints
root=$(jq -r '.pins[].fingerprints[0]' "$MANIFESTO_HOME/trust.json")
other=$(printf '%064d' 0)
colons() {
	sed 's/../&:/g; s/:$//'
}
for form in "$(tr a-f A-F <<<"$root")" "$(colons <<<"$root")" "$(tr a-f A-F <<<"$root" | colons)" "sha256:$root" "SHA256:$(colons <<<"$root")" \
	"$(sed 's/.\{8\}/& /g; s/ $//' <<<"$root")"; do
	manifesto trust pin $image "$other" >/dev/null 2>&1
	run manifesto get $image qa
	check_status 'another pin' 10
	run manifesto trust pin $image "$form"
	check_status "trust pin takes $form" 0
	run manifesto get $image qa
	check_stdout_file "and it is the same" file
	jq --arg form "$form" '.pins |= map_values(.fingerprints = [$form])' "$MANIFESTO_HOME/trust.json" >pins
	cp pins "$MANIFESTO_HOME/trust.json"
	run manifesto get $image qa
	check_stdout_file "trust.json may have it, too" file
done
for form in ":$root" "$root:" "${root:0:62}" "${root}00" "sha512:$root" "${root:0:2}::${root:2}"; do
	run manifesto trust pin $image "$form"
	check_status "trust pin refuses '$form'" 2
done
manifesto key generate --no-passphrase bob >/dev/null
manifesto key generate --no-passphrase carl >/dev/null
bob=$(manifesto key show --json bob | jq -r .keys[0].fingerprint)
run manifesto key show "$(tr a-f A-F <<<"${bob:0:12}" | colons)"
check_stdout_has 'key show takes the first digits of one' "$bob"
run manifesto role add --key "$(tr a-f A-F <<<"$bob" | colons)" --types scan $image security
check_status 'role add takes one' 0
mv "$MANIFESTO_HOME/keys/bob.key" .
run manifesto role add --key "sha256:$(tr a-f A-F <<<"${bob:0:20}")" --types sbom $image supply
check_status 'and the first digits of a key in the repository' 0
mv bob.key "$MANIFESTO_HOME/keys/"

# --- byte order marks
bom "$MANIFESTO_HOME/trust.json" >pins
cp pins "$MANIFESTO_HOME/trust.json"
run manifesto get $image qa
check_stdout_file 'in trust.json' file
run manifesto trust import pins
check_stdout_is 'in a file to import' 'nothing new'
echo '{"version": 1, "require": [{"type": "qa"}]}' >policy.json
bom policy.json | sed 's/$/\r/' >policy-bom.json
run manifesto policy check policy-bom.json
check_status 'in a policy' 0
run manifesto verify --policy policy-bom.json $image
check_status 'in the policy of a gate' 0
run_with policy-bom.json manifesto verify --policy - $image
check_status 'in a policy on standard input' 0
echo $image | bom - >images
run manifesto verify --require qa --images images
check_status 'in a list of images' 0
run_with images manifesto verify --require qa -
check_status 'in a list on standard input' 0
carl=$(manifesto key show --json carl | jq -r .keys[0].fingerprint)
manifesto key show carl | sed -n '/BEGIN/,/END/p' | bom - >carl.pem
echo '{"schema": "manifesto/teams/v1", "roles": {"qa": {"types": ["qa"], "keys": ["carl.pem"]}}}' | bom - >teams.json
run manifesto role apply --file teams.json oci:app
check_status 'in a file of teams, and in that of a key' 0
run manifesto role keys oci:app qa
check_stdout_has 'which is the key' "$carl"
printf '{"waives": ["sbom"], "version": 1, "name": "w", "for": "us", "until": "2090-01-31"}' | bom - >waiver.json
manifesto role add --key carl --types waiver oci:app qa >/dev/null
manifesto put --key carl $image waiver waiver.json >/dev/null 2>&1
echo '{"version": 1, "require": [{"type": "sbom", "roles": ["supply"]}], "waivers": {"roles": ["qa"]}}' >waived.json
run manifesto verify --policy waived.json $image
check_status 'in a waiver, which ends with a day' 0
iconv -f UTF-8 -t UTF-16 policy.json >policy-16.json
run manifesto policy check policy-16.json
check_status 'UTF-16 is refused' 2
check_stderr_has 'and called so' 'the file is UTF-16, expected UTF-8'

# --- passphrases
printf 'secret\n' >secret
run manifesto key generate --passphrase-file secret protected
MANIFESTO_PASSPHRASE=$'secret\n' run manifesto key export --role delegation protected .
check_status 'a newline at the end of MANIFESTO_PASSPHRASE is cut, as of a file' 0
MANIFESTO_PASSPHRASE=$'\n' run manifesto key export --role delegation protected out
check_status 'and nothing else is no passphrase' 11
began=$SECONDS
run manifesto key generate --timeout 1 --passphrase-cmd 'sleep 30' slow
check_status 'a command that gives no passphrase' 11
check_stderr_has 'is ended' 'gave no answer within 1 seconds'
run manifesto key generate --timeout 1 --passphrase-cmd 'echo secret; exec >&-; sleep 30' slow
check_status 'one that gives it and does not end, too' 11
check 'both soon' test $((SECONDS - began)) -lt 12
check 'no key is made of it' test ! -e "$MANIFESTO_HOME/keys/slow.key"
exec 7<file
MANIFESTO_PASSPHRASE=a REGISTRY_PASSWORD=b MANIFESTO_TRUST_PASSWORD=c run manifesto key generate --passphrase-cmd \
	'env >seen; ls /proc/self/fd >descriptors; echo secret' lonely
check_status 'a command' 0
check 'has the environment' grep -q '^PATH=' seen
check 'but no secrets' test -z "$(grep -E '^(MANIFESTO_PASSPHRASE|REGISTRY_PASSWORD|MANIFESTO_TRUST_PASSWORD)=' seen)"
check 'and no descriptors of ours' test "$(sort descriptors | tr '\n' ' ')" = '0 1 2 3 '

t_done
