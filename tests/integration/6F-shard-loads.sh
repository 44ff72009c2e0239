#!/bin/bash
# Of a role that is spread over shards, a run requests those of its images, together, and no others: with a program that divides its
# files after four records.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
echo content >content
echo again >again

lab registry notary
proxy N "$NOTARY"
export MANIFESTO_TRUST_SERVER=http://$N
R=$REGISTRY/acme
images=20
for ((i = 1; i <= images; i++)); do
	make_image layout --tag $i --seed $i >/dev/null
	push_image oci:layout:$i "$R/app:$i" >/dev/null
	push_image oci:layout:$i "$R/next:$i" >/dev/null
done
digest_of() { # IMAGE NUMBER
	jq -r --arg t "$1" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $t) | .digest' layout/index.json
}
# Shards that were requested, each once; and the most requests for shards that were in progress together.
requested() {
	jq -rs '[.[] | select(.path | test("/_h[0-9a-f]+")) | .path] | unique | length' "$T/N.log"
}
requests() {
	jq -rs '[.[] | select(.path | test("/_h[0-9a-f]+"))] | length' "$T/N.log"
}
at_once() {
	jq -rs '[.[] | select(.path | test("/_h[0-9a-f]+")) | .active] | max // 0' "$T/N.log"
}
forget() {
	faults N
	cold
}

for ((i = 1; i <= images; i++)); do echo "$R/app:$i"; done >tags
for ((i = 1; i <= images; i++)); do echo "$R/app@$(digest_of $i)"; done >digests
run manifesto put -q --init --no-passphrase --images tags note content
check_status 'put for twenty images' 0
all=$(sed 's,.*sha256:\(.\).*,\1,' digests | sort -u | wc -l)
check 'they are in several shards' [ "$all" -gt 4 ]

for names in tags digests; do
	forget
	faults N '{"path":"/_h","action":"delay","ms":1000}' # so that all come before the first one is answered
	run manifesto verify --require note --images $names
	check_status "verify by $names" 0
	check "verify by $names: each shard is requested once" [ "$(requests)" = "$all" ]
	check "verify by $names: together" [ "$(at_once)" -ge $((all / 2)) ]
done

# One that cannot be read refuses its own images, and no others.
first=$(sed -n 's/.*sha256:\(.\).*/\1/p;q' digests)
bad=$(grep -c "sha256:$first" digests)
forget
faults N "{\"path\":\"/targets/_h$first\\\\.\",\"action\":\"status\",\"status\":404}"
run manifesto verify --require note --json --images digests
check 'a shard that is gone' [ "$status" != 0 ]
check "... refuses its $bad images alone" [ "$(jq '[.images[] | select(.accepted | not)] | length' stdout)" = "$bad" ]

forget
run manifesto get "$R/app@$(digest_of 3)" note
check_status 'get' 0
check 'get: one shard' [ "$(requested)" = 1 ]
forget
run manifesto put -q "$R/app@$(digest_of 3)" note again
check_status 'put' 0
forget
run manifesto veto -q "$R/app@$(digest_of 3)" note --role targets --reason broken
check_status 'veto' 0
check 'veto: one shard at most' [ "$(requested)" -le 1 ]

forget
run manifesto list --all --json "$R/app"
check_status 'list --all' 0
check 'list --all: each shard once' [ "$(requests)" = "$(requested)" ]
check '... and all of them' [ "$(requested)" = 16 ]
manifesto key generate -q --no-passphrase team
manifesto role add -q "$R/app" qa --key team --types approval
forget
run manifesto list --all --role qa --json "$R/app"
check_status 'list --all --role' 0
check 'list --all --role: no shard of another role' [ "$(requested)" = 0 ]

for type in a b c d e f; do
	manifesto put -q --images tags "type-$type" content || not_ok "put type-$type"
done
tag_digest() { # TAG: what it names
	curl -sI -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/app/manifests/$1" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip'
}
parts() { # the tags of the catalogue, and what each names
	local tag
	for tag in $(curl -s "http://$REGISTRY/v2/acme/app/tags/list" | jq -r '.tags[] | select(startswith("_manifesto"))' | sort); do
		echo "$tag $(tag_digest "$tag")"
	done
}
parts >before
check 'the catalogue is in parts' [ "$(wc -l <before)" -gt 4 ]
forget
run manifesto status --json "$R/app"
check_status 'status' 0
check 'status: each shard once' [ "$(requests)" = "$(requested)" ]
check '... more than are loaded at a time' [ "$(requested)" -gt 32 ]
check '... and all records' [ "$(jq -c '.repositories[0] | [.records, .images]' stdout)" = "[$((7 * images)),$images]" ]
check '... nothing differs' [ "$(jq '[.repositories[0].findings[] | select(.exit != 0)] | length' stdout)" = 0 ]
for tag in _manifesto "$(sed -n '3s/ .*//p' before)"; do
	curl -s -X DELETE "http://$REGISTRY/v2/acme/app/manifests/$(tag_digest "$tag")"
done
for lost in 1 2; do
	digest=$(jq -r --arg d "$(digest_of $lost)" '"sha256-" + ($d | ltrimstr("sha256:"))' <<<null)
	digest=$(curl -sI -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/acme/app/manifests/$digest" | tr -d '\r' | sed -n 's/^Docker-Content-Digest: //Ip')
	curl -s -X DELETE "http://$REGISTRY/v2/acme/app/manifests/$digest"
done
run manifesto status --json "$R/app"
check 'status: what is lost differs' [ "$(jq -c '[.repositories[0].findings[] | select(.exit != 0) | .kind]' stdout)" = '["catalogue-drift","referrers-drift","referrers-drift"]' ]
run manifesto repair --json --dry-run "$R/app"
check_json '... repair would write it' '.repositories[0] | .catalogue and .images == 2 and .missing == 14 and (.repaired | not)'
run manifesto repair --json "$R/app"
check_json '... and writes it' '.repositories[0] | .catalogue and .images == 2 and .missing == 14 and .repaired'
parts >after
check '... the catalogue is as it was' diff before after
run manifesto repair --json "$R/app"
check_json '... nothing is left' '.repositories[0] | (.catalogue or .repaired | not) and .images == 0'

manifesto trust init -q --no-passphrase "$R/next"
for ((i = 1; i <= images; i++)); do echo "$R/next:$i"; done >next
forget
run manifesto put -q --images next note content
check_status 'the destination is spread, too' 0
forget
run manifesto copy --types note "$R/app@$(digest_of 3)" "$R/next@$(digest_of 3)" --force
check_status 'copy' 0
check 'copy: one shard of the source' [ "$(grep '/acme/app/' "$T/N.log" | jq -rs '[.[] | select(.path | test("/_h[0-9a-f]+"))] | length')" = 1 ]

# --- more shards than are re-signed at a time
export MANIFESTO_TRUST_SERVER=
for type in a b c d e f; do
	for ((i = 1; i <= images; i++)); do echo "oci:layout:$i"; done >local
	manifesto put -q --init --no-passphrase --images local "type-$type" content || not_ok "put type-$type"
done
# Octets of the shards that were in memory, for each step of a run with -vv.
held() {
	sed -n "s/.*shards of subjects '\(.*\)': \([0-9]*\) octets are loaded/\2/p" stderr
}
all=$(find layout -name '*._h*.json' -printf '%f %s\n' | sort -V | awk '{ sub(/^[0-9]*\./, "", $1); size[$1] = $2 } END { for (i in size) n += size[i]; print n }')
run manifesto list --all --json -vv oci:layout
check_status 'list --all of many shards' 0
check '... goes through sixteen parts, or more' [ "$(held | wc -l)" -ge 16 ]
check '... of which none has half of all' [ "$(held | sort -n | tail -1)" -lt $((all / 2)) ]
check '... and has all records' [ "$(jq '.records | length' stdout)" = $((6 * images)) ]
check '... in their order' [ "$(jq -c '[.records[] | [.subject, .type]] | . == sort' stdout)" = true ]
check '... and each image once' [ "$(jq -c '[.images[].subject] | . == (unique | sort)' stdout)" = true ]
run manifesto status --json -vv oci:layout
check_status 'status of many shards' 0
check '... goes through sixteen parts, or more' [ "$(held | wc -l)" -ge 16 ]
check '... of which none has half of all' [ "$(held | sort -n | tail -1)" -lt $((all / 2)) ]
check '... and has all records and images' [ "$(jq -c '.repositories[0] | [.records, .images]' stdout)" = "[$((6 * images)),$images]" ]
run manifesto status --json --warn-within 4000d oci:layout
check '... each role once' [ "$(jq -c '[.repositories[0].findings[] | select(.kind == "role-expiring") | .role]' stdout)" = '["root","targets"]' ]
target=$(find layout/trust/targets -type f | sort | tail -1)
cp "$target" lost
rm "$target"
run manifesto repair --json -vv oci:layout
check_status 'repair of many shards' 0
check '... goes through the parts twice' [ "$(held | wc -l)" -ge 32 ]
check '... of which none has half of all' [ "$(held | sort -n | tail -1)" -lt $((all / 2)) ]
check '... and writes what was lost' cmp -s lost "$target"
mkdir away
mv "$(find layout -name '*._hf*.json' | sort -V | tail -1)" away/
for arguments in '' --json; do
	run manifesto list --all $arguments oci:layout
	check_status "list --all $arguments: one of the last shards is gone" 8
	check '... nothing is shown' [ ! -s stdout ]
done
run manifesto status --json oci:layout
check_status 'status: one of the last shards is gone' 8
check '... which it reports' [ "$(jq -r '.repositories[0].findings[] | select(.kind == "role-broken") | .role' stdout)" = "$(basename away/* .json | sed 's/^[0-9]*\.//')" ]
check '... with the records of the others' [ "$(jq '.repositories[0].records' stdout)" -gt $((5 * images)) ]
mv away/* layout/trust/
newest() { # ROLE: version of its file
	basename "$(find layout -name "*.$1.json" | sort -V | tail -1)" ".$1.json"
}
check 'there are shards of two digits' [ -n "$(find layout -name '*._h??.json')" ]
before=$(newest snapshot) shard=$(basename "$(find layout -name '*._h??.json' | head -1)" .json)
run manifesto trust refresh --dry-run --force --json oci:layout
check_status 'refresh --dry-run' 0
check '... writes nothing' [ "$(newest snapshot)" = "$before" ]
run manifesto trust refresh --json oci:layout
check_status 'refresh when nothing is due' 0
check '... writes nothing' [ "$(newest snapshot)" = "$before" ]
run manifesto trust refresh --force --json oci:layout
check_status 'refresh --force' 0
check '... lists each role once' [ "$(jq -c '[.repositories[0].roles[].name]' stdout)" = '["root","targets","snapshot","timestamp"]' ]
check '... in several publishes' [ "$(newest snapshot)" -gt $((before + 4)) ]
check '... one for each first digit at most' [ "$(newest snapshot)" -le $((before + 17)) ]
check '... re-signs a shard once' [ "$(newest "${shard#*.}")" = $((${shard%%.*} + 1)) ]
for ((i = 1; i <= images; i++)); do
	for type in a f; do
		manifesto get "oci:layout:$i" "type-$type" 2>"$T/tmp/why" | cmp -s - content || not_ok "$type of image $i"
	done
done
t_done
