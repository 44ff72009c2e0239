#!/bin/bash
# Other keys for every role, root and targets too: in a layout (TUF 1.0) and on a Notary server. Clients that knew the old root
# follow: manifesto, manifesto-tuf, and the notary program.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
lab registry notary
make_image layout >/dev/null
root_of() { # STDERR of a first put
	sed -n 's/.*root key pinned on this machine: //p' "$T/stderr"
}
fp() { # KEY
	manifesto key show --json "$1" | jq -r ".keys[0].fingerprint"
}
# Who signs a role, as the newest metadata says: fingerprints, sorted.
keys_of() { # IMAGE ROLE
	manifesto trust show --json "$1" | jq -r --arg r "$2" '.roles[] | select(.name == $r) | .keys[].fingerprint' | sort
}
new_key() { # NAME [TYPE]
	manifesto key generate -q "$1" --type "${2-ed25519}"
}

# --- TUF 1.0: a layout
image=oci:layout:1.0
run manifesto put --init "$image" contact "$approval"
check_status 'a repository' 0
root=$(root_of)
machine reader
run manifesto trust pin "$image" "$root"
cp -r "$MANIFESTO_HOME" "$T/pinned-layout"
get_is 'a reader knows the first root' "$approval" "$image" contact
repo=$(dirname "$(find layout -name 1.root.json)")
cp "$repo/1.root.json" first.root.json
machine first
for k in root2 targets2 snap2 qa qa2 root3; do new_key $k; done

refused 'a role without a new key' 2 trust rotate "$image" root
refused 'a role that is not there' 3 trust rotate "$image" nobody --key root2
refused 'a key that is not there' 11 trust rotate "$image" root --key nobody
refused 'the key that it has' 2 trust rotate "$image" root --key alice-root
run manifesto trust rotate --dry-run --json "$image" root --key root2
check_status 'a dry run' 0
check_json 'says what would change' ".repositories[0] | .dryRun and .rootVersion == 2 and ([.changes[].what] | sort) == [\"key added\", \"key removed\"] and .rootKeys == []"
check 'and changes nothing' test ! -e "$repo/2.root.json"
run manifesto trust rotate "$image" root --key root2
check_status 'the root key is replaced' 0
check_stdout_has 'the new fingerprint is printed' "root key: $(fp root2)"
check_stdout_has 'and that nobody needs to act' 'Colleagues need to do nothing'
check 'root 2 lists the new key alone' test "$(keys_of "$image" root)" = "$(fp root2)"
check_json 'it has the signatures of both' '.signatures | length == 2' "$repo/2.root.json"
check 'nothing but the root changed' test ! -e "$repo/3.targets.json"

run manifesto trust rotate --json "$image" targets --key targets2
check_status 'the targets key is replaced' 0
check_json 'what it signed is re-signed' '.repositories[0] | [.changes[] | select(.what == "signed anew")] == [{"what": "signed anew", "role": "targets", "detail": null}]'
check 'targets list the new key alone' test "$(keys_of "$image" targets)" = "$(fp targets2)"
check 'so do snapshot and timestamp' test "$(keys_of "$image" snapshot) $(keys_of "$image" timestamp)" = "$(fp targets2) $(fp targets2)"
run manifesto trust rotate "$image" snapshot --key snap2 --keep-old
check_status 'a key is added to the snapshot' 0
check 'the old one stays' test "$(keys_of "$image" snapshot | wc -l)" = 2
run manifesto trust rotate "$image" timestamp --key snap2
check_status 'the timestamp key is replaced' 0
run manifesto role add "$image" qa --key qa --types qa-approval
run env MANIFESTO_KEY=qa manifesto put "$image" qa-approval "$approval"
check_status 'a delegated role' 0
run manifesto trust rotate "$image" qa --key qa2
check_status 'its key is replaced' 0
check_stdout_has 'its record is named: no key that counts has signed it' 'record unsigned: qa qa-approval of'
check 'the role lists the new key' test "$(keys_of "$image" qa)" = "$(fp qa2)"

manifesto key show root3 | sed -n '/BEGIN/,/END/p' >root3.pub
rm "$MANIFESTO_HOME/keys/root3.key"
refused 'a root key that is elsewhere cannot replace the only one' 11 trust rotate "$image" root --key root3.pub
run manifesto trust rotate "$image" root --key root3.pub --keep-old
check_status 'but it can be added' 0
check 'the root lists two keys' test "$(keys_of "$image" root | wc -l)" = 2

machine reader
get_is 'a reader that knew the first root follows' "$approval" "$image" contact
rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
cp -r "$T/pinned-layout" "$MANIFESTO_HOME"
get_is 'so does one that has only its pin' "$approval" "$image" contact
mkdir md
"$tuf" --metadata-dir md init first.root.json || t_bail 'init of manifesto-tuf'
serve_files "$repo"
url=$files_url
run "$tuf" --metadata-dir md --metadata-url "$url" refresh
check_status 'a TUF client that had the first root follows' 0
check_json 'to the newest' '.signed.version' md/root.json

# --- 50 roots
machine first
new_key even
for ((i = 0; i < 50; i++)); do
	key=$([ $((i % 2)) = 0 ] && echo even || echo root2)
	manifesto trust rotate -q "$image" root --key "$key" || break
done
check '50 rotations' test "$i" = 50
newest=$(find "$repo" -name '*.root.json' | sed 's|.*/\([0-9]*\)\.root.*|\1|' | sort -n | tail -1)
check 'are 50 roots' test "$newest" -ge 55
machine reader
get_is 'a reader follows 50 roots in one run' "$approval" "$image" contact
rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
cp -r "$T/pinned-layout" "$MANIFESTO_HOME"
get_is 'from its pin alone' "$approval" "$image" contact
rm -rf md && mkdir md
"$tuf" --metadata-dir md init first.root.json
run "$tuf" --metadata-dir md --metadata-url "$url" refresh
check_status 'a TUF client follows, too' 0
check_json 'to the newest of them' ".signed.version == $newest" md/root.json

# --- Notary
export MANIFESTO_TRUST_SERVER=$NOTARY
machine first
gun=$REGISTRY/acme/app
image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
run manifesto put --init "$image" contact "$approval"
check_status 'a repository on a Notary server' 0
root=$(root_of)
notary_in lagging list "$gun"
check_status 'the notary program knows the first root' 0
machine server-reader
run manifesto trust pin "$image" "$root"
cp -r "$MANIFESTO_HOME" "$T/pinned-notary"
get_is 'so does a reader' "$approval" "$image" contact
machine first
new_key nroot2 ecdsa
served() { # ROLE
	curl -s -m 20 "$NOTARY/v2/$gun/_trust/tuf/$1.json"
}
follows() { # NAME
	cp -r lagging "at.$1"
	notary_in "at.$1" list "$gun"
	check_status "$1: the notary program follows from the first root" 0
	machine server-reader
	rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
	cp -r "$T/pinned-notary" "$MANIFESTO_HOME"
	get_is "$1: a reader with the first pin follows" "$approval" "$image" contact
	machine first
}
refused 'an ed25519 key cannot be a root key' 2 trust rotate "$image" root --key targets2
refused 'nor does the server leave the timestamp to others' 2 trust rotate "$image" timestamp --key targets2

certificate() {
	served root | jq -r '.signed.roles.root.keyids[0]'
}
before=$(certificate)
run manifesto trust rotate "$image" root
check_status 'the root certificate is renewed' 0
check 'another certificate' test "$(certificate)" != "$before"
check 'of the same key' test "$(keys_of "$image" root)" = "$root"
follows renewed
run manifesto trust rotate --json "$image" root --key nroot2
check_status 'the root key is replaced' 0
check_json 'the answer has the new key' ".repositories[0].rootKeys | length == 1 and .[0].fingerprint == \"$(fp nroot2)\""
check 'the root lists it alone' test "$(keys_of "$image" root)" = "$(fp nroot2)"
follows replaced
run manifesto trust rotate "$image" targets --key targets2
check_status 'the targets key is replaced' 0
check 'targets list it alone' test "$(keys_of "$image" targets)" = "$(fp targets2)"
follows targets

for role in timestamp snapshot; do
	before=$(keys_of "$image" $role)
	run manifesto trust rotate --dry-run --json "$image" $role
	check_json "$role: a dry run names the key that goes" ".repositories[0].changes | .[0].detail == \"$before\" and .[1].detail == \"a new key of the server\""
	check "$role: and asks the server for none" test "$(keys_of "$image" $role)" = "$before"
	run manifesto trust rotate "$image" $role
	check_status "$role: the server gets a new key" 0
	check "$role: which the root lists" test "$(keys_of "$image" $role)" != "$before"
	follows "server-$role"
done
new_key snap3
run manifesto trust rotate "$image" snapshot --key snap3
check_status 'the snapshot becomes ours' 0
check 'the root lists our key' test "$(keys_of "$image" snapshot)" = "$(fp snap3)"
follows client-snapshot
run manifesto put "$image" scan "$approval"
check_status 'and is signed by it' 0
run manifesto trust rotate "$image" snapshot
check_status 'the snapshot goes back to the server' 0
follows back
run env MANIFESTO_KEY=targets2 manifesto put "$image" after "$approval"
check_status 'publishing goes on' 0

# --- a key that is elsewhere, by its certificate
certificate_for() { # NAME CN [AGE]: of one day, begun AGE ago
	printf '[req]\nprompt = no\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\nCN = %s\n[ext]\nbasicConstraints = critical,CA:FALSE\n' "$2" >req.cnf
	faketime -f "-${3-1h}" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -config req.cnf -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
certificate_for c "$gun"
certificate_for d another
openssl x509 -in c.crt -pubkey -noout >c.pub
refused 'a bare key of somebody else cannot be a Notary root' 11 trust rotate "$image" root --key c.pub --keep-old
refused 'nor one whose certificate names another repository' 2 trust rotate "$image" root --key d.crt --keep-old
run manifesto trust rotate "$image" root --key c.crt --keep-old
check_status 'a certificate is added to the root' 0
check 'the root lists both' test "$(keys_of "$image" root | wc -l)" = 2
follows certificate

# --- a root certificate that has expired: of the root's only key, made 23 hours ago for one day
short=$REGISTRY/acme/short
push_image oci:layout:1.0 "$short:1.0" >/dev/null 2>&1
manifesto put -q --init "$short:1.0" contact "$approval"
certificate_for e "$short" 23h
manifesto key import -q short e.key
run manifesto trust rotate "$short:1.0" root --key e.crt
check_status 'a root with a certificate of one day' 0
cp -r "$MANIFESTO_HOME" fresh
late() {
	MANIFESTO_HOME=$T/fresh run faketime -f +2h manifesto "$@"
}
late get "$short:1.0" contact
check_status 'once it has expired nothing is read' 7
check_stdout_empty 'nor shown'
check_stderr_has 'the hint has the command' 'manifesto trust rotate REPOSITORY root'
late status "$short"
check_status 'status is 7' 7
check_stdout_has 'shows the roles' 'KEYS HERE'
check_stdout_has 'and what to do' "7 certificate-expired: the certificate of root key short expired"
late trust refresh "$short"
check_status 'a refresh cannot help' 7
late put "$short:1.0" scan "$approval"
check_status 'nor does a put' 7
mv fresh seen
mkdir -p fresh
cp -r seen/keys seen/trust.json fresh
late trust rotate "$short:1.0" root
check_status 'a machine that has never seen the repository does not renew it' 7
rm -r fresh
mv seen fresh
late trust rotate "$short:1.0" root
check_status 'the root is renewed' 0
late get "$short:1.0" contact
check_status 'and read again' 0
check_stdout_file 'as before' "$approval"

# --- several repositories, one of which is not there
run manifesto trust rotate --json "$image" "$REGISTRY/acme/none:1" targets --key alice
check_status 'the gravest status of several' 3
check_json 'each has its own' '[.repositories[].exit] == [0, 3] and .exit == 3'
t_done
