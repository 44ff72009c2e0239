#!/bin/bash
# What leaves a repository whose roles are spread over shards, and what comes into it: proposals, attestations, bundles, copies
# under another name. On a directory and on a Notary server.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry notary
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
whole=$T_MANIFESTO
echo '{"decision":"approved"}' >content
echo '{"decision":"rejected"}' >other
repository=$REGISTRY/acme/app
for i in {1..6}; do
	make_image layout --tag "$i" --seed "$i" >/dev/null
	push_image "oci:layout:$i" "$repository:$i" >/dev/null 2>&1
done
cat >check.py <<'END'
"""check.py ENVELOPE-OR-BUNDLE PUBLIC-KEY: verifies a DSSE envelope and prints its payload."""
import base64, json, sys
from cryptography.hazmat.primitives import serialization
doc = json.load(open(sys.argv[1]))
envelope = doc.get("dsseEnvelope", doc)
payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
key = serialization.load_pem_public_key(open(sys.argv[2], "rb").read())
key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), pae)
sys.stdout.write(payload.decode())
END
subject_of() { # N
	manifesto list --json "$repository:$1" | jq -r '.records[0].subject'
}
records() {
	manifesto list --all --json "$repository" | jq '.records | length'
}

proposals() { # NAME
	local name=$1
	run manifesto veto "$repository:3" note --role qa --reason no --key second --propose p.json
	check_status "$name: a veto, which is in the role's own file, is" 0
	run manifesto proposal sign --yes --publish "$repository" p.json
	check_status "$name: ... and published" 0
	check "$name: ... which changes no other record" test "$(records)" = 13
	rm p.json
	run manifesto role add "$repository:1" qb --key second --types b --propose @
	check_status "$name: a new role is proposed" 0
	manifesto put -q --force "$repository:1" note content
	run manifesto proposal sign --yes --publish "$repository:1" "$(manifesto proposal list --json "$repository:1" | jq -r '.proposals[0].id')"
	check_status "$name: ... and published, after somebody has published in a shard" 0
	run manifesto role list --json "$repository"
	check_json "$name: ... and nothing is lost" '[.roles[] | .entries] | add == 13 and length == 3'
	run manifesto role remove "$repository" qa --key team --propose p.json
	check_status "$name: a key that has signed shards goes by a proposal" 0
	check "$name: ... which re-signs them" test "$(jq '[.files[] | select(.role | contains("_h"))] | length' p.json)" -gt 1
	run manifesto proposal sign --yes --publish "$repository" p.json
	check_status "$name: ... be published" 0
	rm p.json
	check "$name: ... and all is read" test "$(records)" = 13
	run manifesto role keys --json "$repository" qa
	check_json "$name: ... and the role has one key" '[.roles[]?.keys[]?, .keys[]?] | length == 1'
	run manifesto role add "$repository" qa --key team
	check_status "$name: it comes back" 0
}

attestations() { # NAME
	local name=$1 format
	for format in in-toto dsse bundle; do
		rm -f out.json
		run manifesto export "$repository:4" approval --format $format -o out.json --key team
		check_status "$name: export --format $format" 0
	done
	check "$name: another program verifies the bundle" test "$("$(t_python)" check.py out.json team.pem | jq -r '[.subject[0].digest.sha256, .predicate.value.decision] | join(" ")')" = \
		"$(subject_of 4 | cut -d: -f2) approved"
	run manifesto export "$repository:4" approval --attach --key team
	check_status "$name: export --attach" 0
	run manifesto put -q --key team "$repository:5" approval other --force
	run manifesto export "$repository:5" approval --format in-toto
	check_json "$name: the newest content is exported" '.predicate.value.decision == "rejected"'
}

bundles() { # NAME: with the program of before, which reads shards, too
	local name=$1 program
	run manifesto bundle create "$repository:1" "$repository:4" "$repository:5" -o "$name.tar"
	check_status "$name: a bundle" 0
	for program in manifesto "$whole"; do
		run "$program" verify --bundle "$name.tar" --require approval=qa --require note "$repository:1" "$repository:4"
		check_status "$name: ${program##*/} verifies it" 0
		run "$program" get --bundle "$name.tar" "$repository:5" approval
		check "$name: ${program##*/} reads the newest content" cmp -s stdout other
		refused "$name: ${program##*/} knows that it holds no other image" 3 get --bundle "$name.tar" "$repository:6" approval
	done
}

targets_key() { # NAME: what a root of two signatures takes, where nothing goes without a proposal
	local name=$1
	run manifesto trust rotate "$repository" targets --key second --keep-old --propose p.json
	check_status "$name: the new one alone is proposed" 0
	run manifesto proposal sign --yes --publish "$repository" p.json
	check_status "$name: ... and published" 0
	rm -f p.json
	refused "$name: ... once" 2 trust rotate "$repository" targets --key second --keep-old
	run manifesto trust rotate "$repository" targets --key second --propose p.json
	check_status "$name: then the old one goes by a proposal" 0
	run manifesto proposal sign --yes --publish "$repository" p.json
	check_status "$name: ... that is published" 0
	rm -f p.json
	run manifesto trust show --json "$repository"
	check_json "$name: ... and targets has the new one" '[.roles[] | select(.name == "targets").keys[].name] == ["second"]'
	cold
	check "$name: ... and all is read" test "$(records)" = 13
	refused "$name: ... which does not go without another one" 2 trust rotate "$repository" targets --key second
}

manifesto key generate -q --no-passphrase team
manifesto key generate -q --no-passphrase second
manifesto key export team -o team.pem >/dev/null
for kind in directory notary; do
	case $kind in
	directory) export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust ;;
	notary)
		export MANIFESTO_TRUST_SERVER=$NOTARY
		mkdir -m 700 server
		mv "$MANIFESTO_HOME/keys" server/keys
		rm -f server/keys/alice*
		export MANIFESTO_HOME=$T/server XDG_CACHE_HOME=$T/cache-server
		;;
	esac
	manifesto put -q --init --no-passphrase "$repository:1" note content || t_bail 'the first record'
	manifesto role add -q "$repository:1" qa --key team --key second --types approval || t_bail 'a role'
	for i in {1..6}; do
		manifesto put -q "$repository:$i" approval content --key team || t_bail "put $i"
		manifesto put -q "$repository:$i" note content || t_bail "put $i"
	done
	proposals $kind
	manifesto put -q --force "$repository:1" approval content --key team
	manifesto put -q --force "$repository:4" approval content --key team
	attestations $kind
	bundles $kind
	if [ $kind = directory ]; then
		# --- a copy of the images under another name, read by the name that they were signed under
		for i in 1 4 5; do
			skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$repository:$i" "docker://$REGISTRY/mirror/app:$i" 2>copy.err || t_bail 'a copy'
		done
		run manifesto trust map "$REGISTRY/mirror/app" "$repository"
		check_status 'trust map' 0
		run manifesto verify --require approval=qa "$REGISTRY/mirror/app:1" "$REGISTRY/mirror/app:4"
		check_status '... a gate' 0
		run manifesto get "$REGISTRY/mirror/app:5" approval
		check '... a record' cmp -s stdout other
		run manifesto list --all --json "$REGISTRY/mirror/app"
		check_json '... the list' '[.records[] | select(.type == "approval")] | length == 6'
	fi
	targets_key $kind
done
t_done
