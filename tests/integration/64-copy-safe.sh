#!/bin/bash
# copy: nobody's signature is lost and no withdrawal lifted where it writes, its password goes to one registry; killed at each of its
# requests, it leaves nothing half.
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

# --- a password on the command line is for the registry of the destination alone
lab registry s3
proxy S "http://$REGISTRY"
proxy D "http://$REGISTRY"
from=$S/login/source:1.0 to=$D/login/target:1.0
push_image oci:source:1.0 "$from" >/dev/null
push_image oci:source:1.0 "$to" >/dev/null
MANIFESTO_TRUST_SERVER=tuf+file://$T/from put --init --no-passphrase "$from" qa "$approval"
export MANIFESTO_TRUST_SERVER=tuf+file://$T/from
manifesto trust init -q --no-passphrase "${to%:*}"
echo only-for-the-copy >password
login='"path":"","action":"status","status":401,"headers":{"WWW-Authenticate":"Basic realm=\"lab\""}'
for source in '' --from-trust-server="$MANIFESTO_TRUST_SERVER"; do
	faults S "{$login}"
	faults D "{\"count\":1,$login}"
	run_with password manifesto copy -u user --password-stdin ${source:+"$source"} "$from" "$to"
	check_status "${source:-one trust server}: the source has no login" 5
	[ "$source" ] || check_stderr_has 'the option for the destination is not suggested' "were found: use 'docker login'"
	check 'it was asked' test -s S.log
	check 'and did not get the password' sh -c '! grep -qi "basic " S.log'
done
faults S
faults D "{\"count\":1,$login}"
run_with password manifesto copy -u user --password-stdin "$from" "$to"
check_status 'a source without a login' 0
check 'the destination got the password' grep -q "Basic $(printf user:only-for-the-copy | base64)" D.log
check 'and nobody else' sh -c '! grep -qi "basic " S.log'

# --- killed while each of its requests, to the registry and to the trust server, waits for an answer
proxy R "http://$REGISTRY"
proxy B "$S3"
make_image three --seed 1 >/dev/null
for i in 2 3; do
	make_image three --tag $i.0 --seed $i >/dev/null
done
mkdir store target
for i in 1 2 3; do
	push_image oci:three:$i.0 "$R/kill/source:$i.0" >/dev/null
	push_image oci:three:$i.0 "$R/kill/empty:$i.0" >/dev/null
	echo "of $i" >"qa.$i"
	put --init --no-passphrase "oci:three:$i.0" qa "qa.$i"
	MANIFESTO_TRUST_SERVER=tuf+file://$T/store put --init --no-passphrase "$R/kill/source:$i.0" qa "qa.$i"
done
repositories=$LAB/data/registry/docker/registry/v2/repositories/kill
export AWS_ENDPOINT_URL_S3=http://$B

# A repository with the images and without records, and the list of what is copied to it.
fresh() { # NAME
	local i
	prod=$R/kill/$1
	cp -a "$repositories/empty" "$repositories/$1"
	manifesto trust init -q --no-passphrase "$prod" || t_bail "a trust repository for $1"
	for ((i = 1; i <= images; i++)); do
		echo "$from:$i.0 $prod:$i.0"
	done >list
}
# The records are all there or none is, and those that are there have their content. Sets $found to their number.
sound() {
	manifesto list --json --all "$prod" >all.json 2>why || return 1
	found=$(jq '.records | length' all.json)
	# shellcheck disable=SC2046 # a word for each image
	manifesto verify --content --require qa $(cut -d' ' -f2 list) >verified 2>why
	case $?:$found:$(wc -l <verified) in
	[39]:0:0 | "0:$images:$images") ;;
	*) return 1 ;;
	esac
}
# The copy is killed while its Nth request to a server waits; that request goes on when the next run is done. 1: there is no Nth.
kill_at() { # PROXY N
	local pid
	rm -f go
	faults "$1" "{\"path\":\"\",\"skip\":$(($2 - 1)),\"count\":1,\"action\":\"hold\",\"until\":\"$T/go\"}"
	"${copy[@]}" >copy.out 2>&1 </dev/null &
	pid=$!
	until grep -q '"rule": 0' "$1.log" || gone $pid; do
		sleep 0.02
	done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $? = 137 ] || return 1
	faults "$1"
	sound || wrong+=" $1:$2"
	"${copy[@]}" >copy.out 2>&1 </dev/null || wrong+=" then $1:$2"
	{ sound && [ "$found" != 0 ]; } || wrong+=" late $1:$2"
	touch go
}
kills() { # NAME PROXY...
	local name=$1 proxy n wrong='' killed=0
	shift
	for proxy; do
		for ((n = 1; ; n++)); do
			fresh "$images-${proxy,,}-$n"
			kill_at "$proxy" $n || break
			killed=$((killed + 1))
		done
	done
	check "$name: killed at each request ($killed)" test $killed -ge 5
	check "$name: the old or the new state, and the next run does the rest" test -z "$wrong"
}
images=1 from=oci:three
copy=(manifesto copy --from-file list)
export MANIFESTO_TRUST_SERVER=tuf+file://$T/target
kills 'one image of a layout, to a directory' R
images=3 from=$R/kill/source
copy=(manifesto copy --from-trust-server "tuf+file://$T/store" --from-file list)
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
kills 'three images of a registry, to a bucket' R B
t_done
