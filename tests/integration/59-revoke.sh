#!/bin/bash
# A key goes out of every role of many repositories: what no longer counts is listed first, nobody's role is left without keys, and
# what others must sign is left to them with the command.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
make_image layout >/dev/null
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
pub() { # KEY: NAME.pub
	manifesto key show "$1" | sed -n '/BEGIN/,/END/p' >"$T/$1.pub"
}
roles_with() { # IMAGE FINGERPRINT: the roles that list it
	manifesto trust show --json "$1" | jq -r --arg k "$2" '[.roles[] | select(any(.keys[]; .fingerprint == $k)).name] | join(" ")'
}
leaver=
for name in sam sue; do
	machine "$name"
	manifesto key generate -q "$name"
	pub "$name"
	[ "$name" = sue ] || leaver=$(fp sam)
done
person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}

# --- one repository of each dialect
leaves() { # IMAGE QA PAIR
	local image=$1 qa=$2 pair=$3 subject
	person alice
	run manifesto put --init "$image" contact "$approval"
	root=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	spare_root "$image"
	run manifesto role add "$image" qa --key sam.pub --key sue.pub --types qa-approval
	run manifesto role add "$image" pair --key sam.pub --key sue.pub --types pair --threshold 2
	run manifesto role add "$image" solo --key sam.pub --types solo
	for name in sam sue; do
		person "$name"
		run manifesto trust pin "$image" "$root"
	done
	person sam
	run manifesto put "$image" qa-approval "$approval"
	check_status "$image: sam signs" 0
	subject=$(manifesto list --json "$image" | jq -r '.records[] | select(.type == "qa-approval") | .subject')

	person alice
	run manifesto key revoke --dry-run "$leaver" "$image"
	check_status 'a dry run' 11
	check_stdout_has 'names the role that would have too few keys' "$image: 2 $pair: role '$pair' would have 1 keys and need 2 signatures (manifesto key revoke $leaver $image --key NEW)"
	check_stdout_has 'and the one that its only colleague must re-sign' "$image: 11 $qa:"
	check_stdout_has 'with the command for her' "(manifesto role sign $image $qa)"
	check_stdout_has 'and the one that nobody could sign for' "role '${qa%qa}solo'"
	run manifesto key revoke "$leaver" "$image"
	check_status 'what cannot be done here is left' 11
	check 'the key stays where it is' test "$(roles_with "$image" "$leaver" | wc -w)" -ge 3

	person sue
	run manifesto role sign "$image" qa
	check_status 'the colleague re-signs' 0
	person alice
	run manifesto key revoke --dry-run --json "$leaver" "$image"
	check_json 'then the role can be changed here' ".repositories[0] | (.roles | index(\"$qa\")) and ([.left[].exit] | unique) == [2] and .exit == 2"
	check_json 'the record that stops counting is named' ".repositories[0].changes | map(select(.what == \"record unsigned\")) == [{\"what\": \"record unsigned\", \"role\": \"$qa\", \"detail\": \"qa-approval of $subject\"}]"
	check_json 'and the dry run changed nothing' '.dryRun and .exit == 2'
	check 'the key is still there' test "$(roles_with "$image" "$leaver" | wc -w)" -ge 3
	[ -e "$MANIFESTO_HOME/keys/heir.key" ] || manifesto key generate -q heir
	run manifesto key revoke sam.pub "$image" --key heir
	check_status 'with another key in its place it goes from every role' 0
	check 'the record is named before what was done' test "$(sed -n 's/^.*: \(record unsigned\): .*/\1/p; s/^.*: \(taken out of\) .*/\1/p' "$T/stdout" | tr '\n' ,)" = 'record unsigned,taken out of,'
	check 'no role lists it' test "$(roles_with "$image" "$leaver")" = ''
	check 'the others have their key and the new one' test "$(roles_with "$image" "$(fp heir)" | tr ' ' '\n' | grep -cE "^($qa|$pair|${qa%qa}solo)\$")" = 3
	run manifesto key revoke "$leaver" "$image"
	check_status 'a second run finds it nowhere' 3
	check_stdout_has 'and says so' "$image: no role lists the key"
	person sue
	run manifesto put "$image" qa-approval "$approval"
	check_status 'the colleague goes on' 0
	person sam
	refused 'the leaver does not' 11 put "$image" qa-approval "$approval"
}
leaves oci:layout:1.0 qa pair
export MANIFESTO_TRUST_SERVER=$NOTARY
push_image oci:layout:1.0 "$REGISTRY/acme/app:1.0" >/dev/null 2>&1
leaves "$REGISTRY/acme/app:1.0" targets/qa targets/pair

# --- a root key and a targets key
for image in oci:layout:1.0 "$REGISTRY/acme/app:1.0"; do
	[ "$image" != oci:layout:1.0 ] || unset MANIFESTO_TRUST_SERVER
	[ "$image" = oci:layout:1.0 ] || export MANIFESTO_TRUST_SERVER=$NOTARY
	person alice
	old=$(fp "alice-$([ "$image" = oci:layout:1.0 ] || echo notary-)root")
	run manifesto key revoke "$old" "$image"
	check_status "$image: a root key goes when there is another" 0
	check "$image: no role lists it" test "$(roles_with "$image" "$old")" = ''
	run manifesto key revoke alice "$image"
	check_status "$image: the only targets key does not" 2
	check_stdout_has "$image: the line says how" '--key NEW'
	run manifesto key revoke alice "$image" --key heir
	check_status "$image: but it is replaced" 0
	check "$image: no role lists the old one" test "$(roles_with "$image" "$(fp alice)")" = ''
	run manifesto trust show --json "$image"
	check_status "$image: and all of it verifies" 0
	person sue
	run manifesto list "$image"
	check_status "$image: for colleagues, too" 0
	rm "$MANIFESTO_HOME"/floors/* && cold
	run manifesto list "$image"
	check_status "$image: also from the pin alone" 0
done

# --- a role of two of three: what its colleagues do takes a proposal
person alice
make_image trio --tag 1.0 >/dev/null
run manifesto put --init --key owner oci:trio:1.0 contact "$approval"
for name in one two three; do
	manifesto key generate -q $name
done
run manifesto role add oci:trio:1.0 trio --key one --key two --key three --types trio --threshold 2
run manifesto put --key one oci:trio:1.0 trio "$approval"
check_status 'a role of two of three' 0
mv "$MANIFESTO_HOME"/keys/{two,three}.key .
run manifesto key revoke --dry-run one oci:trio:1.0
check_status 'its colleagues must re-sign it first' 11
check_stdout_has 'with a proposal' '(manifesto role sign oci:trio:1.0 trio --propose @)'

# --- whoever has no key of the owner
person sue
run manifesto key revoke --json "$(machine alice && fp heir)" "$REGISTRY/acme/app:1.0"
check_status 'a colleague cannot revoke' 11
check_json 'every role is left, with the command for its owner' '.repositories[0] | .roles == [] and (.left | length) >= 4 and all(.left[]; .command | startswith("manifesto key revoke")) and any(.left[]; .exit == 11)'
refused 'a key that nobody knows' 3 key revoke --quiet 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef "$REGISTRY/acme/app:1.0"

# --- a team's own delegation is the team's
person alice
nested=$REGISTRY/acme/nested
push_image oci:layout:1.0 "$nested:1.0" >/dev/null 2>&1
export MANIFESTO_KEY=heir
manifesto put -q --init "$nested:1.0" contact "$approval"
manifesto role add -q "$nested:1.0" team --key sue.pub --types sbom
person sue
mkdir -p cli/private
manifesto key export -q sue "$T/cli/private" --role delegation
. "$T_TOP/tests/support/notary.sh"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=sub -keyout sub.key -out sub.crt 2>/dev/null
openssl x509 -in sub.crt -pubkey -noout >sub.pub
notary_in cli delegation add -p "$nested" targets/team/sub sub.crt --paths sbom/
check_status 'a team delegates' 0
person alice
run manifesto key revoke --json sub.pub "$nested:1.0"
check_status 'its key is left to the team' 11
check_json 'with the reason' '.repositories[0].left[0] | .role == "targets/team/sub" and .command == null and (.why | contains("targets/team"))'

# --- whoever keeps a role's file from us hides what it delegates
proxy P "$NOTARY"
faults P '{"method":"GET","path":"/targets/team[.]","action":"replace","body":"{}"}'
hidden() { # KEY: what cannot be seen is not reported as gone
	cold
	MANIFESTO_TRUST_SERVER=http://$P run manifesto key revoke --json "$1" "$nested:1.0"
	check_json 'the role that cannot be read is named' '.repositories[0] | any(.left[]; .role == "targets/team" and .exit == 6 and (.command | startswith("manifesto key revoke"))) and .exit == 6'
}
hidden sub.pub
check_status 'a key that only a damaged role may list' 6
hidden "$(openssl pkey -pubin -in sub.pub -outform DER | sha256sum | cut -d' ' -f1)"
check_status 'by its fingerprint, too' 6
hidden heir
check_status 'a key that is listed elsewhere as well' 6
cold

# --- fifty repositories in one run: their metadata are requested ahead
person fifty
for name in gone stays; do
	manifesto key generate -q --no-passphrase $name
	pub $name
done
export MANIFESTO_KEY=gone
all=()
for ((i = 1; i <= 50; i++)); do
	image=$REGISTRY/many/r$i
	[ $i != 1 ] || push_image oci:layout:1.0 "$image:1.0" >/dev/null 2>&1
	manifesto trust init -q --no-passphrase "$image:1.0" 2>"$T/why" || break
	all+=("$image:1.0")
done
check 'fifty repositories' test ${#all[@]} = 50
run manifesto key revoke -v gone "${all[@]}" "$REGISTRY/many/none:1.0" --key stays
check_status 'one that is not there does not stop the others' 3
check_line_count 'a line for each' 50
check 'all of them' test "$(grep -c ': taken out of targets; root version 2$' "$T/stdout")" = 50
check 'none lists the key' test "$(roles_with "${all[49]}" "$(fp gone)")$(roles_with "${all[0]}" "$(fp gone)")" = ''
# The first request for the sixteenth repository goes out before the answer to the publish of the first.
ahead=$(grep -n 'GET .*/many/r16/' "$T/stderr" | head -1 | cut -d: -f1) first=$(grep -n 'POST .*/many/r1/_trust' "$T/stderr" | head -1 | cut -d: -f1)
check 'requests are in flight together' test "${ahead:-0}" -gt 0 -a "${ahead:-0}" -lt "${first:-0}"
run manifesto key revoke --json gone "${all[@]}"
check_status 'a second run finds it in none' 3
check_json 'each says so' '(.repositories | length) == 50 and all(.repositories[]; .exit == 0 and .roles == [] and .left == [])'
t_done
