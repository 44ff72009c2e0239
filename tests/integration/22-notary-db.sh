#!/bin/bash
# The main commands with a Notary server on PostgreSQL whose keys a notary-signer holds: ECDSA timestamps and snapshots, over TLS.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary-db
export MANIFESTO_TRUST_SERVER=$NOTARY_DB
printf 'second\0version\377' >second
printf 'third' >third
make_image layout >/dev/null
image=$REGISTRY/acme/app:1.0
tuf=$NOTARY_DB/v2/$REGISTRY/acme/app/_trust/tuf
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
man() {
	run manifesto --cacert "$CA" "$@"
}
ours() { # NAME FILE [options] IMAGE TYPE
	local name=$1 file=$2
	shift 2
	get_is "$name" "$file" --cacert "$CA" "$@"
}

# --- the three commands
refused 'the first put without --init' 3 --cacert "$CA" put "$image" qa-approval "$approval"
man put --init "$image" qa-approval "$approval"
check_status 'the first put' 0
fingerprint=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
curl -s --cacert "$CA" "$tuf/root.json" >root.json
for role in timestamp snapshot; do
	check_json "the $role key is of ECDSA" "(.signed.keys[.signed.roles.$role.keyids[0]].keytype) == \"ecdsa\"" root.json
	curl -s --cacert "$CA" "$tuf/$role.key" >key.json
	check "and the server's" test "$(jq -r .keyval.public key.json)" = "$(jq -r ".signed.keys[.signed.roles.$role.keyids[0]].keyval.public" root.json)"
	curl -s --cacert "$CA" "$tuf/$role.json" >role.json
	check_json 'it signs' '.signatures[0].method == "ecdsa"' role.json
done
ours 'get' "$approval" "$image" qa-approval
cold
ours 'get without a cache' "$approval" "$image" qa-approval
man put "$image" qa-approval second
check_status 'another content' 0
ours 'replaced the first' second "$image" qa-approval
man put "$image" qa-approval second
check_stdout_has 'an unchanged one' 'is already stored'
man list --json "$image"
check_json 'the list' '.records | length == 1 and .[0].state == "current" and .[0].signers[0].name == "alice"'

# --- the notary program reads it
run_with second notary -s "$NOTARY_DB" --tlscacert "$CA" -d "$T/cli" verify "$REGISTRY/acme/app" "qa-approval/sha256-${subject#sha256:}"
check_status 'notary verifies it' 0
check_stdout_file 'and gives it back' second

# --- many at once: the database refuses some of them, which then retry
for ((i = 0; i < 8; i++)); do
	printf '%s' "$i" >content.$i
	manifesto --cacert "$CA" put "$image" parallel-$i content.$i </dev/null >out.$i 2>&1 &
	pids[i]=$!
done
for ((i = 0; i < 8; i++)); do
	t_command="put parallel-$i"
	cp out.$i "$T/stderr"
	wait "${pids[i]}"
	status=$?
	check_status "parallel put $i" 0
done
man list --json "$image"
check_json 'all of them are there' '[.records[].type | select(startswith("parallel-"))] | length == 8'
for i in 0 7; do
	ours "content of $i" content.$i "$image" parallel-$i
done
config=$(registry_get "http://$REGISTRY/v2/acme/app/manifests/_manifesto" >/dev/null && jq -r .config.digest "$T/body")
registry_get "http://$REGISTRY/v2/acme/app/blobs/$config" >/dev/null
check_json 'and in the catalogue' '[.images[].manifesto[].type | select(startswith("parallel-"))] | length == 8' "$T/body"

# --- the server restarts with its data
lab_server restart notary-db
ours 'after a restart' second "$image" qa-approval
man put "$image" contact third
check_status 'a put after it' 0
ours 'it is there' third "$image" contact

# --- another machine
machine second
refused 'no pin' 10 --cacert "$CA" get "$image" qa-approval
man trust pin "$image" "$fingerprint"
ours 'with the pin' second "$image" qa-approval

# --- deleted and made again
curl -s --cacert "$CA" -X DELETE "$tuf/" >/dev/null
refused 'a deleted collection' 8 --cacert "$CA" get "$image" qa-approval
machine stranger
MANIFESTO_KEY=mallory man put --init "$image" qa-approval third
check_status 'somebody makes another' 0
machine second
refused 'it is not what was pinned' 10 --cacert "$CA" get "$image" qa-approval
machine first
refused 'also to who made the first' 10 --cacert "$CA" put --init "$image" qa-approval third

t_done
