#!/bin/bash
# A role that is spread over shards gives the answers of one that is not. Two repositories get the same commands, with the same
# keys: in `few` by a program that divides a file after four records, in `whole` by the one that people run.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE
lab registry

echo content >content
echo other >other
echo '{"version":1,"require":[{"type":"approval","roles":["qa"]},{"type":"note"}],"distinct":["approval","note"]}' >policy.json
echo '{"version":1,"require":[{"type":"note"}],"veto":["qa"],"maxAge":"30d"}' >veto.json
for key in alice alice-root team boss; do
	manifesto key generate -q --no-passphrase "$key"
done
for way in few whole; do
	mkdir "$way"
	cp -r home "$way/home"
done
for i in {1..8}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
	push_image "oci:layout:$i" "$REGISTRY/acme/few:$i" >/dev/null 2>&1
	push_image "oci:layout:$i" "$REGISTRY/acme/whole:$i" >/dev/null 2>&1
done
mkdir bin/few
ln -s "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/few/manifesto
now=+0s
at() { # few|whole ARGUMENTS...: the program, of the repository @, at the time `now`
	local way=$1 program=bin/manifesto
	shift
	[ "$way" = whole ] || program=bin/few/manifesto
	MANIFESTO_HOME=$T/$way/home/manifesto XDG_CACHE_HOME=$T/$way/cache MANIFESTO_TRUST_SERVER=tuf+file://$T/$way/trust \
		faketime -f "$now" "$T/$program" "${@/#@/$REGISTRY/acme/$way}"
}
both() { # ARGUMENTS...
	local way
	for way in few whole; do
		run at "$way" "$@"
		[ "$status" = 0 ] || not_ok "$way: $*"
	done
}
# What differs between two repositories, and two runs, anyway: times, where they are, the versions of files.
same_words() { # FILE
	sed -E -e "s,($T|acme)/(few|whole),here,g" -e 's/20[0-9]{2}-[0-9]{2}-[0-9]{2}(T[0-9:]+Z)?/TIME/g' "$1"
}
same_members() { # FILE: documents without versions; events of one second in any order
	same_words "$1" | jq -S 'walk(if type == "object" then with_entries(select(.key | test("ersion$") | not)) else . end)
		| walk(if type == "object" and (.mediaType | strings | test("manifesto")) then del(.digest) else . end)
		| walk(if type == "object" and has("history") then .history |= sort_by(tojson) else . end)' | jq -sS 'sort_by(tojson)'
}
same_page() { # FILE: the document in a report that was written to `page`
	sed -n 's,.*<script type="application/json" id="data">\(.*\)</script>.*,\1,p' page >document
	same_members document
}
alike() { # FILTER ARGUMENTS...: both end alike, and print the same
	local filter=$1 way code
	shift
	for way in few whole; do
		run at "$way" "$@"
		"$filter" stdout >"$way.out"
		same_words stderr | sort >"$way.err"
		[ "$way" = whole ] || code=$status
	done
	check "$*: the same status" test "$code" = "$status"
	check "$*: the same output" diff few.out whole.out
	check "$*: the same messages" diff few.err whole.err
}

both put -q --init --no-passphrase @:1 note content
both role add -q @ qa --key team --types approval,scan
for i in {1..8}; do
	both put -q "@:$i" approval content --key team
	both put -q "@:$i" note content
done
both put -q @:2 approval other --key team
both withdraw -q @:4 approval --reason old --key team
both withdraw -q @:5 note --reason old
both rm -q @:6 approval --key team
both veto -q @:7 note --role qa --reason no --key team
check 'one of them has shards' test -n "$(find few -name '*._h0.json')"
check '... and the other one has none' test -z "$(find whole -name '*._h*')"

# Of so many shards a list of all records has some in memory at a time.
for i in {1..8}; do
	echo "@:$i"
done >images
for type in a b c d e f; do
	for way in few whole; do
		sed "s,@,$REGISTRY/acme/$way," images >"$way.images"
		run at "$way" put -q --images "$way.images" "$type" content
		check_status "$way: type $type" 0
	done
done
check 'one of them has more shards than are loaded at once' test "$(find few/trust -name '*.targets._h??.json' | sed 's/.*_h//' | sort -u | wc -l)" -gt 16

alike same_words list --all @
alike same_words list --all @ --role targets,qa,targets --state withdrawn,current,veto
alike same_words list --all @ --role qa
alike same_words list --all @ --type x-none
while IFS= read -r line; do
	read -ra arguments <<<"$line"
	alike same_members "${arguments[@]}"
done <<'END'
list --all --json @
list --json @:3
list --json @:4
get @:2 approval
get @:4 approval
verify --json --require approval=qa @:1 @:4 @:5 @:6 @:7
verify --json --policy policy.json @:1 @:4 @:5 @:7
verify --json --policy veto.json @:1 @:7
verify --json --require approval=qa --require note --distinct approval,note --max-age 30d @:1
history --json --all @
history --json @:4
role list --json @
role keys --json @ qa
role mine --json @
trust show --json @
status --json @
status --json --warn-within 4000d @
repair --json @
prune --json --older-than 1s @
trust refresh --dry-run --json --within 4000d @
trust rotate --dry-run --json @ targets --key boss
trust rotate --dry-run --json @ qa --key boss
key revoke --dry-run --json team @ --key boss
key revoke --dry-run --json alice @ --key boss
role remove --dry-run --json @ qa
role remove --dry-run --json --force @ qa
END

alike same_page report @ -o page --policy policy.json
alike same_page report @:1 @:4 -o page --require approval=qa

# What other programs have deleted is missed, and is written again.
for way in few whole; do
	for tag in $(curl -s "http://$REGISTRY/v2/acme/$way/tags/list" | jq -r '.tags[] | select(test("^[0-9]+$") | not)'); do
		digest=$(curl -sI -H 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' \
			"http://$REGISTRY/v2/acme/$way/manifests/$tag" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip')
		curl -s -X DELETE "http://$REGISTRY/v2/acme/$way/manifests/$digest"
	done
done
alike same_members status --json @
check_json '... a difference is reported' '.repositories[0].findings | length > 0'
alike same_members repair --json @
check_json '... and repaired' '.repositories[0] | .catalogue and .images > 0 and .repaired'
alike same_members repair --json @

# A key that a thief may have goes out of all files.
newest() { # ROLE: its newest file in the one with shards
	find few/trust -name "*.$1.json" | sort -V | tail -1
}
lost=$(jq -r '.signed.delegations.roles[] | select(.name == "qa").keyids[0]' "$(newest targets)")
alike same_members key revoke --json team @ --key boss
check 'the shards of its role list it no more' test "$(jq -r '[.signed.delegations.roles[].keyids[]] | unique | length' "$(newest qa)")" = 1
for role in targets qa; do
	check "... nor does the file of $role" sh -c "! grep -F $lost $(newest "$role")"
done
alike same_members list --all --json @
alike same_members verify --json --require approval=qa @:1 @:3

# Bundles.
for way in few whole; do
	run at $way bundle create @:1 @:4 -o $way.tar
	check_status "a bundle: $way" 0
	run at $way list --json --bundle $way.tar @:4
	same_members stdout >$way.out
	run at $way verify --json --require note --bundle $way.tar @:1
	same_members stdout >>$way.out
done
check 'bundles say the same' diff few.out whole.out

# Time goes by, and one shard is written in between.
both role add -q @ qa --key boss --key alice
now=+161d
both trust refresh -q @
both put -q --force @:1 note content
both put -q --force @:1 approval content --key boss
now=+321d
both trust refresh -q @
run at few status --json --warn-within 60d @
check_json 'a role expires with the first of its files' '[.repositories[0].findings[] | select(.kind == "role-expiring") | .role] | sort == ["qa", "root", "targets"]'
both trust refresh -q --within 60d @
alike same_members status --json --warn-within 60d @
now=+500d
for arguments in 'get @:3 note' 'get @:1 approval' 'list --all --json @' 'verify --require note @:1'; do
	read -ra words <<<"$arguments"
	alike same_members "${words[@]}"
done
check_status '... since all is expired' 7
now=+800d
alike same_members status --json @
both trust refresh -q @
alike same_members list --all --json @
alike same_members status --json @

t_done
