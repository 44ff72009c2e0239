#!/bin/bash
# copy: nobody's signature is lost and no withdrawal lifted where it writes; killed at each of its requests, it leaves nothing half.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

# --- what other people have in the roles of the destination
make_image source >/dev/null
printf 'another' >other
put --init --no-passphrase --key alice oci:source:1.0 qa "$approval"
for name in a b c; do
	manifesto key generate -q --no-passphrase $name
done
# A destination with roles for the type; each is NAME:KEY[,KEY].
destination() { # NAME ROLE...
	local name=$1 role keys
	shift
	make_image "$name" >/dev/null
	manifesto trust init -q --no-passphrase "oci:$name"
	for role in "$@"; do
		IFS=, read -ra keys <<<"${role#*:}"
		run manifesto role add "oci:$name" "${role%%:*}" --types qa "${keys[@]/#/--key=}"
		[ "$status" = 0 ] || t_bail "role ${role%%:*} of $name"
	done
	to=oci:$name:1.0
}
signers() { # of the last list --json
	jq -r '[.records[].signers[].name] | unique | join(" ")' "$T/stdout"
}
is_by() { # NAME KEYS
	run manifesto list --json "$to"
	check "$1" test "$(signers)" = "$2"
}

destination team team:a,b
put --key b "$to" qa "$approval"
refuses 'a record of the same content that somebody else signed' 12 'with signatures of others' manifesto copy --key a oci:source:1.0 "$to"
check_stderr_has 'says what is lost' '--force replaces it; what others signed here is lost then'
is_by 'it stays' b
run manifesto copy --key b oci:source:1.0 "$to"
check_status 'who signed it replaces it' 0
is_by 'by a promotion' b
run manifesto list --json "$to"
check_json 'which names its source' '.records[0].promotedFrom | length == 1'
run manifesto sign --yes --key a "$to" qa
check_status 'a second signature' 0
put --force --key alice --author Alice oci:source:1.0 qa "$approval"
refused 'a promotion that has one of the two' 12 copy --key b oci:source:1.0 "$to"
is_by 'both are there' 'a b'
run manifesto copy --force --key b oci:source:1.0 "$to"
check_status '--force' 0
is_by 'replaces both' b

destination withdrawn one:a two:b
put --key b --role two "$to" qa "$approval"
run manifesto withdraw --key b --role two --reason wrong "$to" qa
check_status 'a withdrawal in another role' 0
refuses 'is not lifted' 9 "was withdrawn by 'two'" manifesto copy --role one oci:source:1.0 "$to"
refuses 'nor by --force' 9 "was withdrawn by 'two'" manifesto copy --force --role one oci:source:1.0 "$to"

destination differs one:a two:b three:c
put --key b --role two "$to" qa other
refuses 'another content in another role' 12 "role 'two' has another 'qa' record" manifesto copy --role one oci:source:1.0 "$to"
put --key c --role three "$to" qa other
run manifesto withdraw --key c --role three --reason wrong "$to" qa
check_status 'and a withdrawal in a third' 0
refuses '--force is for the content, not for the withdrawal' 9 "was withdrawn by 'three'" manifesto copy --force --role one oci:source:1.0 "$to"
t_done
