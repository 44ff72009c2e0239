#!/bin/bash
# What people see of a role that is spread over shards: one role. And what reading it costs.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
unset MANIFESTO_PASSPHRASE
export MANIFESTO_TRUST_SERVER=
echo content >content
echo other >other

for i in {1..12}; do
	make_image image --tag "$i" --seed "$i" >/dev/null
done
manifesto key generate -q --no-passphrase team
manifesto put -q --init --no-passphrase oci:image:1 note content
manifesto role add -q oci:image qa --key team --types approval
for i in {1..12}; do
	manifesto put -q "oci:image:$i" approval content --key team
done
manifesto put -q oci:image:3 approval other --key team
manifesto withdraw -q oci:image:4 approval --reason old --key team
manifesto put -q --reinstate oci:image:4 approval other --key team
manifesto rm -q oci:image:5 approval --key team
check 'the role has sixteen shards' test "$(find image -name '*.qa._h?.json' | sed 's/.*_h//' | sort -u | wc -l)" = 16

# ---- roles
run manifesto role list --json oci:image
check_status 'role list' 0
check '... shows the role alone' test "$(jq -r '[.roles[].name] | join(" ")' stdout)" = 'targets qa'
check '... with the records of all shards' test "$(jq '.roles[1].entries' stdout)" = 11
run manifesto trust show --json oci:image
check '... as trust show does' test "$(jq -r '[.roles[].name] | join(" ")' stdout)" = 'root timestamp snapshot targets qa'
run manifesto status --json oci:image
check_status 'status' 0
check '... too' test "$(jq -r '[.repositories[0].roles[].name] | join(" ")' stdout)" = 'root timestamp snapshot targets qa'
run manifesto status --warn-within 4000d --json oci:image
check '... and one expiry of it' test "$(jq '[.repositories[0].findings[] | select(.kind == "role-expiring" and .role == "qa")] | length' stdout)" = 1
run manifesto role add oci:image _h0 --key team --types x
check_status 'a role has no name of a shard' 2
for role in qa._h0 _h0; do
	run manifesto list oci:image:3 --role "$role"
	check_status "list --role $role" 2
	run manifesto role remove oci:image "$role"
	check_status "role remove $role" 3
done

# ---- records
run manifesto list --all --json oci:image
check 'list --all has each record once, with the role' test "$(jq -r '[.records[] | select(.type == "approval") | .role] | join(" ")' stdout)" = 'qa qa qa qa qa qa qa qa qa qa qa'
run manifesto get oci:image:3 approval
check '... get gives the newest' cmp -s stdout other
run manifesto verify --require approval=qa oci:image:3
check_status 'a requirement of the role is met' 0
run manifesto verify --require approval=qa oci:image:5
check_status '... and not by what was removed' 9

# ---- history
events() { jq -rs '[.[] | select(.type == "approval") | .event] | join(" ")' stdout; }
run manifesto history --json oci:image:3
check 'a record that moved was neither removed nor put again' test "$(events)" = 'put replaced'
run manifesto history --json oci:image:4
check '... a withdrawal in the own file is no removal' test "$(events)" = 'put withdrawn put'
run manifesto history --json oci:image:5
check '... a removal is one' test "$(events)" = 'put removed'
run manifesto history --all --json oci:image
check 'history --all has no event of a shard' test "$(jq -rs '[.[] | .changedRole // empty] | unique | join(" ")' stdout)" = 'qa root snapshot targets timestamp'
check '... and each put once' test "$(jq -s '[.[] | select(.event == "put" and .type == "approval")] | length' stdout)" = 13

# ---- versions: those of a shard go on from its role's
versions() { jq -rs '[.[] | select(.type == "approval") | .version] | join(" ")' stdout; }
run manifesto history --json oci:image:3
read -r put replaced <<<"$(versions)"
check 'the later version is the higher one' test "$put" -lt "$replaced"
check '... get --version gives the first' test "$(manifesto get -q --version "$put" oci:image:3 approval)" = content
check '... and the later one' test "$(manifesto get -q --version "$replaced" oci:image:3 approval)" = other
check '... the last but one is as it was' test "$(manifesto get -q --version "$((replaced - 1))" oci:image:3 approval)" = content
run manifesto get --version 9999 oci:image:3 approval
check_status '... a later one there is none' 3

# ---- one shard is read, not all: it works where there are no others
digest=$(manifesto list --json oci:image:3 | jq -r '.records[0].subject')
digits=${digest#sha256:}
mkdir away
find image/trust -name '*.qa._h*.json' ! -name "*.qa._h${digits:0:1}.json" -exec mv -t away {} +
check 'fifteen shards are gone' test "$(find image/trust -name '*.qa._h*.json' | sed 's/.*_h//' | sort -u)" = "${digits:0:1}.json"
for reference in "oci:image@$digest" oci:image:3; do
	run manifesto get "$reference" approval
	check_status "get $reference" 0
	run manifesto verify --require approval=qa "$reference"
	check_status "verify $reference" 0
	run manifesto list "$reference"
	check_status "list $reference" 0
	run manifesto history "$reference"
	check_status "history $reference" 0
done
run manifesto list --all oci:image
check_status 'list --all needs all' 8
run manifesto status oci:image
check_status 'status, too' 8
run manifesto role list --json oci:image
check 'role list says that the role is not whole' test "$(jq -r '.roles[1] | "\(.name) \(.state) \(.problem != null)"' stdout)" = 'qa invalid true'
mv away/* image/trust/
run manifesto list --all oci:image
check_status '... which are there again' 0

# ---- a shard that is loaded after the others has a floor, too
pin=$(manifesto trust show --json oci:image | jq -r '.pinned[0]')
export MANIFESTO_HOME=$T/reader XDG_CACHE_HOME=$T/reader-cache
mkdir "$T/reader"
manifesto trust pin oci:image:3 "$pin" >/dev/null
run manifesto get oci:image:3 approval
check_status 'a machine that reads a tag for the first time' 0
check '... remembers the version of its shard, and of no other' test "$(cat "$T"/reader/floors/*.json | grep -o 'qa\._h.')" = "qa._h${digits:0:1}"

t_done
