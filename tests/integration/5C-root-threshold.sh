#!/bin/bash
# A root that needs two signatures, whose keys are on two machines: every change of it is a proposal, and clients that knew
# the first root follow, in both dialects.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

lab registry notary static-tls
make_image layout >/dev/null

# Who signs a role, as the newest metadata says: fingerprints, sorted.
keys_of() { # IMAGE ROLE
	manifesto trust show --json "$1" | jq -r --arg r "$2" '.roles[] | select(.name == $r) | .keys[].fingerprint' | sort
}
fp() { # KEY
	manifesto key show --json "$1" | jq -r ".keys[0].fingerprint"
}
id_of() {
	manifesto proposal list --json "$image" | jq -r '.proposals[0].id'
}
# Readers that saw the first root: one goes on, another has its pin alone.
follows() { # NAME
	machine "reader-$kind"
	cold
	get_is "$1: a reader that knew the first root follows" "$approval" "$image" contact
	rm -rf "$MANIFESTO_HOME" && cp -r "pinned-$kind" "$MANIFESTO_HOME" && cold
	get_is "$1: also from its pin alone" "$approval" "$image" contact
	[ "$kind" != notary ] || {
		rm -rf at && cp -r lagging at
		notary_in at list "$gun"
		check_status "$1: the notary program follows from the first root" 0
		check_stdout_has "$1: and lists the record" contact
	}
}
# The IDs under which the root lists its keys.
certificates() {
	curl -s -m 20 "$NOTARY/v2/$gun/_trust/tuf/root.json" | jq -r '.signed.roles.root.keyids[]' | sort
}
second_signs() { # NAME [PROPOSAL]
	local name=$1
	machine "holder-$kind"
	run manifesto proposal sign --yes --json "$image" "${2:-$(id_of)}"
	check_status "$name: the second holder signs" 0
	check_json "$name: none is missing" '.proposal.missingSignatures == 0'
}

story() { # IMAGE TYPE-OF-ROOT-KEYS
	image=$1
	echo "# on $image"
	machine "owner-$kind"
	run manifesto trust init --json "$image" --root-keys 2 --root-threshold 2 --recovery "kit-$kind"
	check_status 'a root of two signatures' 0
	spare=$(jq -r .recoveryKey "$T/stdout")
	own=$(keys_of "$image" root | grep -v "$spare")
	run manifesto put "$image" contact "$approval"
	check_status 'one person publishes records' 0
	manifesto key generate -q new
	manifesto key generate -q newer --type "$2"
	manifesto trust export >pins.json
	machine "holder-$kind"
	manifesto trust import --force pins.json >/dev/null
	mkdir -p "$MANIFESTO_HOME/keys"
	cp "kit-$kind/recovery-${spare:0:8}.key" "$MANIFESTO_HOME/keys/"
	manifesto key generate -q second --type "$2"
	manifesto key show second >"second-$kind.pub"
	machine "reader-$kind"
	manifesto trust import --force pins.json >/dev/null
	get_is 'a reader knows the first root' "$approval" "$image" contact
	cp -r "$MANIFESTO_HOME" "pinned-$kind"
	rm -rf "pinned-$kind/floors"
	[ "$kind" != notary ] || {
		notary_in lagging list "$gun"
		check_status 'so does the notary program' 0
	}

	# --- the targets key, in a file
	machine "owner-$kind"
	refused 'one root key does not change the root' 11 trust rotate "$image" targets --key new
	check_stderr_has 'the command that proposes it' "manifesto trust rotate $image targets --key new --propose @"
	run manifesto trust rotate "$image" targets --key new --propose "t-$kind.json"
	check_status 'another targets key is proposed' 0
	refused 'the proposer alone does not publish it' 11 proposal publish "$image" "t-$kind.json"
	second_signs targets "t-$kind.json"
	machine "owner-$kind"
	run manifesto proposal publish "$image" "t-$kind.json"
	check_status 'targets: it is published' 0
	check 'targets: the new key signs them' test "$(keys_of "$image" targets)" = "$(fp new)"
	follows targets

	# --- a role: the root changes with it where its keys publish
	machine "owner-$kind"
	export MANIFESTO_KEY=new
	run manifesto role add "$image" qa --key "second-$kind.pub" --types scan --propose @
	check_status 'a role is proposed' 0
	case $kind in
	layout) second_signs role ;;
	notary) check_stdout_has 'which the targets key alone makes' 'No signature is missing' ;;
	esac
	machine "holder-$kind"
	run manifesto proposal publish "$image" "$(id_of)"
	check_status 'role: the second holder publishes it' 0
	MANIFESTO_KEY=second run manifesto put "$image" scan "$approval"
	check_status 'role: and signs in it' 0
	follows role

	# --- the certificate of a root key
	machine "owner-$kind"
	[ "$kind" != notary ] || {
		before=$(certificates)
		refused 'one root key does not renew its certificate' 11 trust rotate "$image" root
		check_stderr_has 'the command that proposes that' "manifesto trust rotate $image root --propose @"
		run manifesto trust rotate "$image" root --propose @
		check_status 'a new certificate of the same key is proposed' 0
		second_signs renewed
		check_json 'renewed: the key is shown as one that goes and comes' "[.proposal.changes[] | select(.role == \"root\" and .detail == \"$own\") | .what] | sort == [\"key added\", \"key removed\"]"
		run manifesto proposal publish "$image" "$(id_of)"
		check_status 'renewed: it is published' 0
		check 'renewed: the keys are the same' test "$(keys_of "$image" root)" = "$(printf '%s\n' "$own" "$spare" | sort)"
		check 'renewed: one certificate is another one' test "$(comm -12 <(echo "$before") <(certificates) | wc -l) $(certificates | wc -l)" = '1 2'
		follows renewed
	}

	# --- the root keys, one after the other
	machine "owner-$kind"
	refused 'one root key does not replace itself' 11 trust rotate "$image" root --key newer
	check_stderr_has 'the command that proposes that too' "manifesto trust rotate $image root --key newer --propose @"
	run manifesto trust rotate "$image" root --key newer --propose "r-$kind.json"
	check_status 'another root key is proposed in a file' 0
	second_signs first "r-$kind.json"
	run manifesto proposal publish "$image" "r-$kind.json"
	check_status 'first: the second holder publishes it' 0
	check 'first: the root lists the new key and the spare' test "$(keys_of "$image" root)" = "$(printf '%s\n' "$(machine "owner-$kind" && fp newer)" "$spare" | sort)"
	follows first
	machine "holder-$kind"
	run manifesto trust rotate "$image" root --key second --propose @
	check_status 'the second holder proposes another key' 0
	machine "owner-$kind"
	run manifesto proposal sign --yes --publish "$image" "$(id_of)"
	check_status 'last: the owner signs and publishes it' 0
	check 'last: neither first key is left' test "$(keys_of "$image" root | grep -c -e "$own" -e "$spare")" = 0
	follows last
}

# What is written to a directory and read from a web server.
site() { # IMAGE
	image=$1
	echo "# on $image, read over TLS"
	export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR
	machine owner-site
	run manifesto trust init "$image" --root-keys 2 --root-threshold 2 --recovery kit-site
	check_status 'a repository in a directory' 0
	manifesto put -q "$image" contact "$approval"
	manifesto key generate -q new
	manifesto trust export >pins.json
	run manifesto trust rotate "$image" targets --key new --propose site.json
	run manifesto trust rotate "$image" targets --key new --propose @
	check_status 'a proposal' 0
	machine reader-site
	manifesto trust import --force pins.json >/dev/null
	export MANIFESTO_TRUST_SERVER=tuf+$STATIC_TLS SSL_CERT_FILE=$CA
	manifesto trust import --force pins.json >/dev/null
	run manifesto proposal list --json "$image"
	check_json 'a reader of the web server finds it' '.proposals | length == 1 and .[0].state == "open" and .[0].missingSignatures == 1'
	id=$(id_of)
	: >"$STATIC_LOG"
	run manifesto proposal show --json "$image" "$id"
	check 'which is loaded once to show it' test "$(jq -r .path "$STATIC_LOG" | grep -c '/timestamp.json$')" = 1
	check_json 'and sees what changes' '[.proposal.changes[] | select(.role == "targets") | .what] | contains(["key removed", "key added"])'
	run manifesto proposal show --json "$image" site.json
	check_json 'so it is in the file' '.proposal | .state == "open" and ([.files[].role] | sort) == ["root", "targets"]'
	machine holder-site
	for MANIFESTO_TRUST_SERVER in "tuf+file://$STATIC_DIR" "tuf+$STATIC_TLS"; do
		manifesto trust import --force pins.json >/dev/null
	done
	mkdir -p "$MANIFESTO_HOME/keys"
	cp kit-site/recovery-*.key "$MANIFESTO_HOME/keys/"
	run manifesto proposal sign --yes --json "$image" "$(id_of)"
	check_json 'its second holder signs it there' '.proposal.missingSignatures == 0'
	refused 'which nobody publishes through a web server' 2 proposal publish "$image" "$(id_of)"
	run manifesto proposal list --json "$image"
	check_json 'nor is it lost by that' '.proposals | length == 1 and .[0].state == "ready"'
	machine owner-site
	export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR
	run manifesto proposal publish "$image" "$(id_of)"
	check_status 'the owner publishes it to the directory' 0
	machine reader-site
	export MANIFESTO_TRUST_SERVER=tuf+$STATIC_TLS
	get_is 'a reader of the web server follows' "$approval" "$image" contact
}

for kind in ${ROOTS_ON:-layout notary site}; do
	case $kind in
	layout)
		unset MANIFESTO_TRUST_SERVER
		story oci:layout:1.0 ed25519
		;;
	notary)
		export MANIFESTO_TRUST_SERVER=$NOTARY
		gun=$REGISTRY/acme/root
		push_image oci:layout:1.0 "$gun:1.0" >/dev/null 2>&1
		story "$gun:1.0" ecdsa
		;;
	site)
		push_image oci:layout:1.0 "$REGISTRY/acme/site:1.0" >/dev/null 2>&1
		site "$REGISTRY/acme/site:1.0"
		;;
	esac
	export MANIFESTO_KEY=alice
done
t_done
