#!/bin/bash
# Copies of a repository whose roles are spread over shards hold what all of them hold.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
repository=$REGISTRY/acme/app
echo content >content
echo other >other
for i in {1..7}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
	push_image "oci:layout:$i" "$repository:$i" >/dev/null 2>&1
done

publish() { # seven images, each with an approval; the first one is replaced, the second withdrawn, the third removed
	manifesto put -q --init "$repository:1" note content || t_bail 'the first record'
	manifesto role add -q "$repository:1" qa --key team --types approval || t_bail 'a role'
	for i in {1..7}; do
		manifesto put -q "$repository:$i" approval content --key team || t_bail "put $i"
	done
	manifesto put -q "$repository:1" approval other --key team
	manifesto withdraw -q --reason old "$repository:2" approval --key team
	manifesto rm -q "$repository:3" approval --key team
}
reads() { # NAME ARGUMENTS: what the reader finds there
	local what=$1 i
	shift
	for i in 1 4 5 6 7; do
		run manifesto verify "$@" --require approval=qa "$repository:$i"
		check_status "$what: image $i" 0
	done
	run manifesto get "$@" "$repository:1" approval
	check "$what: the newest content" cmp -s stdout other
	run manifesto get "$@" "$repository:2" approval
	check_status "$what: what was withdrawn" 9
	run manifesto get "$@" "$repository:3" approval
	check_status "$what: what was removed" 3
	run manifesto role list "$@" --json "$repository:1"
	check "$what: one role, with all records" test "$(jq -r '.roles[] | "\(.name | ltrimstr("targets/")) \(.entries)"' stdout | tr '\n' ' ')" = 'targets 1 qa 6 '
}
manifesto key generate -q team || t_bail 'a key'

# ---- TUF 1.0: a mirror file by file, and a bundle
export MANIFESTO_TRUST_SERVER=tuf+file://$T/origin
publish
reads 'a directory'
run manifesto mirror "$repository" copy
check_status 'a mirror' 0
reads 'the mirror' --trust-server "tuf+file://$T/copy"
run manifesto bundle create "$repository:1" "$repository:2" -o images.tar
check_status 'a bundle' 0
run manifesto get --bundle images.tar "$repository:1" approval
check 'the bundle: the newest content' cmp -s stdout other
run manifesto get --bundle images.tar "$repository:2" approval
check_status 'the bundle: what was withdrawn' 9
run manifesto repair "$repository"
check_status 'repair' 0
run manifesto prune "$repository"
check_status 'prune' 0
reads 'after both'

# ---- Notary: a mirror that is converted
export MANIFESTO_TRUST_SERVER=$NOTARY
manifesto trust forget -q "$repository" >/dev/null 2>&1
export MANIFESTO_HOME=$T/home2 XDG_CACHE_HOME=$T/cache2
manifesto key generate -q team || t_bail 'a key'
publish
reads 'a Notary server'
run manifesto mirror "$repository" converted
check_status 'a converted mirror' 0
pin=$(sed -n 's/.*root key pinned on this machine: //p' stderr)
mkdir "$T/reader"
export MANIFESTO_HOME=$T/reader XDG_CACHE_HOME=$T/cache3
export MANIFESTO_TRUST_SERVER=tuf+file://$T/converted
run manifesto trust pin "$repository:1" "$pin"
reads 'the converted mirror'

t_done
