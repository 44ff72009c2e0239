#!/bin/bash
# Keys of a role that is spread over shards: whoever signs for the role signs for all of its files, and nobody else does.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
export MANIFESTO_TRUST_SERVER=
echo content >content
for i in {1..7}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
done
for key in team second third boss spare anchor; do
	manifesto key generate -q "$key"
done

story() { # REPOSITORY: with seven images; two roles are divided
	repository=$1
	manifesto put -q --init "$repository:1" note content || t_bail 'the first record'
	manifesto role add -q "$repository:1" qa --key team --types approval || t_bail 'a role'
	for i in {1..7}; do
		manifesto put -q "$repository:$i" approval content --key team || t_bail "put $i"
		manifesto put -q "$repository:$i" note content || t_bail "put $i"
	done
}
newest() { # ROLE
	find layout -name "*.$1.json" | sort -V | tail -1
}
# Who may sign the shards of a role, as its own file says; that of the key of a name.
listed() { # ROLE
	jq -r '[.signed.delegations | .keys as $k | .roles[] | select(.name | contains("._h")) | .keyids | map($k[.].keyval.public) | sort] | unique | map(join("+")) | join(" ")' "$(newest "$1")"
}
public() { # KEY...
	local key
	for key in "$@"; do
		manifesto key export "$key" -o "$T/$key.pem" >/dev/null 2>&1
		openssl pkey -pubin -in "$T/$key.pem" -outform DER | tail -c 32 | od -An -v -tx1 | tr -d ' \n'
		echo
	done | sort | paste -sd+
}
all_records() {
	manifesto list --all --json "$repository" 2>"$T/tmp/why" | jq -e '[.records[] | select(.status != "withdrawn")] | length == 14'
}
reads() { # NAME: this program, one that has nothing yet, and one that knows no shards
	local what=$1 i lost=0
	check "$what: all records" all_records
	cold
	check "$what: without a cache" all_records
	rm -rf td
	for i in 2 6; do
		for type in note approval; do
			"$tuf" --metadata-dir md --metadata-url "$files_url" --target-base-url "$files_url/targets" --target-dir td \
				--target-name "$type/$(manifesto list --json "$repository:$i" | jq -r '.records[0].subject' | tr : -)" download >>tuf.out 2>&1 || lost=$((lost + 1))
		done
	done
	check "$what: another program's client" test $lost = 0
}
signs() { # KEY TYPE: what it signs passes a gate
	MANIFESTO_KEY=$1 manifesto put -q --force "$repository:3" "$2" content
	run manifesto verify --require "$2" "$repository:3"
	check_status "$1 signs $2" 0
}

story oci:layout
serve_files layout/trust
"$tuf" --metadata-dir md init layout/trust/1.root.json || t_bail 'manifesto-tuf init'
reads 'at first'

# ---- a delegated role
thresholds() { # ROLE: of its shards, as its own file lists them; and the fewest signatures of its files
	local shard
	printf '%s ' "$(jq '[.signed.delegations.roles[] | select(.name | contains("._h")).threshold] | unique | join("+")' -r "$(newest "$1")")"
	for shard in "$1" "$1"._h{{0..9},{a..f}}; do
		jq '.signatures | length' "$(newest "$shard")"
	done | sort -n | head -1
}
run manifesto role add oci:layout qa --key second --threshold 2
check_status 'a key comes, and two must sign' 0
check 'the shards list both keys' test "$(listed qa)" = "$(public team second)"
check '... and the threshold, and both have signed all files' test "$(thresholds qa)" = '2 2'
reads 'with a threshold of two'
signs second approval
mv "$MANIFESTO_HOME/keys/team.key" .
refused 'one of them is not enough' 11 put --force oci:layout:3 approval content
mv team.key "$MANIFESTO_HOME/keys"
run manifesto role add oci:layout qa --threshold 1
check_status 'one is enough again' 0
signs second approval
check '... and the shards list that' test "$(thresholds qa)" = '1 1'
check 'it signs: the shards list it' test "$(listed qa)" = "$(public team second)"
reads 'with two keys'
run manifesto role remove oci:layout qa --key team
check_status 'the first one goes' 0
check 'the shards list the other one alone' test "$(listed qa)" = "$(public second)"
reads 'with the second'
run manifesto trust rotate oci:layout qa --key third
check_status 'the key of a role is replaced' 0
check 'the shards list the new one' test "$(listed qa)" = "$(public third)"
reads 'with the third'
signs third approval
run manifesto role add oci:layout qa --key second
signs second approval
MANIFESTO_KEY=second run manifesto trust refresh --force oci:layout
check_status 'one of two keys signs all' 0
run manifesto role remove oci:layout qa --key third
check_status 'the other one goes, whose signature nothing needs' 0
check 'the shards do not list it' test "$(listed qa)" = "$(public second)"
reads 'without it'

# ---- targets, and the root
run manifesto trust rotate oci:layout targets --key boss
check_status 'the key of targets is replaced' 0
check 'its shards list the new one' test "$(listed targets)" = "$(public boss)"
reads 'with another key of targets'
run manifesto trust rotate oci:layout targets --key spare --keep-old
check_status 'a key of targets comes' 0
signs spare note
check 'its shards list it' test "$(listed targets)" = "$(public boss spare)"
reads 'with two keys of targets'
run manifesto key revoke boss oci:layout
check_status 'one of two is revoked' 0
check 'its shards list the other one' test "$(listed targets)" = "$(public spare)"
reads 'after that'
run manifesto trust rotate oci:layout root --key anchor
check_status 'the key of the root is replaced' 0
reads 'with another root'
signs second approval
signs spare note

# ---- as a file declares it
teams() { # THRESHOLD TYPES KEY...
	local threshold=$1 types=$2
	shift 2
	printf '%s\n' "$@" | jq -R . | jq -s --argjson n "$threshold" --arg types "$types" \
		'{schema: "manifesto/teams/v1", roles: {qa: {keys: map(. + ".pem"), types: ($types | split(",")), threshold: $n}}}' >teams.json
}
teams 2 approval second third
run manifesto role apply -f teams.json oci:layout
check_status 'a threshold of two' 0
check 'the shards list it, and two have signed all files' test "$(thresholds qa)" = '2 2'
check '... and the keys' test "$(listed qa)" = "$(public second third)"
teams 1 approval,scan third
MANIFESTO_KEY=third run manifesto role apply -f teams.json --force oci:layout
check_status 'other keys and types' 0
check 'the shards list those keys' test "$(listed qa)" = "$(public third)"
signs third scan
signs third approval
teams 1 approval second
MANIFESTO_KEY=second run manifesto role apply -f teams.json oci:layout
check_status 'a type with a record is not taken away' 2
MANIFESTO_KEY=second run manifesto role apply -f teams.json --force oci:layout
check_status '... but with --force' 0
refused '... its record is gone' 3 get oci:layout:3 scan
check 'the shards list those keys, too' test "$(listed qa)" = "$(public second)"
check 'and the types that are left' test "$(jq -r '[.signed.delegations.roles[] | select(.name | contains("._h")) | .paths[] | split("/")[0]] | unique | join(" ")' "$(newest qa)")" = approval
reads 'as a file declares it'

# ---- by one who has no key of the role
run manifesto role add oci:layout qa --key third
MANIFESTO_KEY=third manifesto role sign -q oci:layout qa
mv "$MANIFESTO_HOME/keys/second.key" "$MANIFESTO_HOME/keys/third.key" .
refused 'nobody could read what the key that goes has signed' 11 role remove oci:layout qa --key third.pem
check_stderr_has '... and what must be done first' "'manifesto role sign oci:layout qa'"
mv second.key "$MANIFESTO_HOME/keys"
run manifesto role sign oci:layout qa
check_status 'a holder of the other key signs all files' 0
mv "$MANIFESTO_HOME/keys/second.key" .
mv third.key "$MANIFESTO_HOME/keys"
run manifesto role remove oci:layout qa --key third
check_status 'a key goes by the hand of one who cannot sign for the role' 0
check_stderr_has '... who is told what is left to do' "'manifesto role sign oci:layout qa'"
check '... for which there is need' test "$(listed qa)" = "$(public second third)"
reads 'meanwhile'
MANIFESTO_KEY=third refused 'the key signs no more' 11 put --force oci:layout:3 approval content --role qa
mv second.key "$MANIFESTO_HOME/keys"
run manifesto role sign oci:layout qa
check_status 'a holder signs the role' 0
check 'the shards do not list it' test "$(listed qa)" = "$(public second)"
reads 'after that, too'

# ---- a role that is removed, and one of its name
refused 'a role with records is not removed' 2 role remove oci:layout qa
run manifesto role remove --force oci:layout qa
check_status 'with --force it is' 0
run manifesto list --all --json oci:layout
check_json '... with its records, and no others' '[.records[].type] | unique == ["note"]'
run manifesto role add oci:layout qa --key third --types approval
check_status 'a role of its name' 0
run manifesto get oci:layout:1 approval
check_status '... has none of them' 3
for i in {1..7}; do
	MANIFESTO_KEY=third manifesto put -q "oci:layout:$i" approval content || not_ok "put $i"
done
check '... and is divided again' test "$(listed qa)" = "$(public third)"
reads 'of the new role'
t_done
