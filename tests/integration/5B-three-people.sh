#!/bin/bash
# The keys of a team over the years, as docs/guides/keys.md has it: three people with a key in an agent, on a token and behind a
# program, a role of two of three, a leaver and a newcomer, other keys for targets and root, and a lost root key. After each step
# rita reads, who pinned the first root key and knows nothing else. Once in each dialect; THREE_PEOPLE_ON=s3 names another place.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

kinds=${THREE_PEOPLE_ON:-notary directory}
tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
signer=$T_TOP/docs/examples/openssl-signer.sh
softhsm=$(find /usr/lib -name libsofthsm2.so -print -quit)
make_image layout >/dev/null
echo 'what is new' >notes
echo 'what is in it' >parts
echo 'what it is made from' >sources
lab registry static

# Switches to a person's home; the names differ from one place to the next.
person() { # NAME
	machine "$kind-$1"
	export MANIFESTO_KEY=$1
}
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
keys_of() { # ROLE: fingerprints, sorted
	manifesto trust show --json "$repository" | jq -r --arg r "$1" \
		'.roles[] | select(.name == $r or .name == "targets/" + $r) | .keys[].fingerprint' | sort
}
only_proposal() {
	manifesto proposal list --json "$image" | jq -r '.proposals | select(length == 1) | .[0].id'
}

# What rita sees. Each row is a gate and the status of `verify`.
readers_see() { # STEP TYPES [GATE STATUS]...
	local step=$1 types=$2
	shift 2
	person rita
	get_is "$step: rita reads" "$approval" "$image" qa-approval
	run manifesto list --json "$image"
	check_status "$step: rita lists" 0
	check "$step: all records and no other" test "$(jq -r '[.records[].type] | sort | join(" ")' "$T/stdout")" = "$types"
	while [ $# -ge 2 ]; do
		run manifesto verify "$image" --require "$1"
		check_status "$step: rita's gate $1" "$2"
		shift 2
	done
}

agent=
stop_agent() {
	[ -z "$agent" ] || kill "$agent"
	agent=
}
trap 'stop_agent; t_exit' EXIT

# --- where the keys are
people() {
	person dana
	eval "$(ssh-agent -s -a "$T/run/agent-$kind")" >/dev/null
	agent=$SSH_AGENT_PID
	ssh-keygen -q -t ed25519 -N '' -C dana -f "dana-$kind"
	ssh-add -q "dana-$kind"
	run manifesto key add dana "ssh-agent:$(ssh-add -l | cut -d' ' -f2)"
	check_status 'dana has a key in an agent' 0

	person tom
	mkdir "tokens-$kind"
	printf 'directories.tokendir = %s/tokens-%s\nobjectstore.backend = file\nlog.level = ERROR\n' "$T" "$kind" >softhsm.conf
	allow_softhsm_leaks
	export SOFTHSM2_CONF=$T/softhsm.conf MANIFESTO_PASSPHRASE_TOM=123456
	softhsm2-util --init-token --free --label team --pin 123456 --so-pin 654321 >/dev/null
	pkcs11-tool --module "$softhsm" --token-label team --login --pin 123456 --keypairgen --key-type EC:edwards25519 --id 01 \
		--label release >/dev/null 2>&1 || t_bail 'a key on the token'
	run manifesto key add tom 'pkcs11:token=team;object=release'
	check_status 'tom has one on a token' 0
	manifesto key show tom >tom.pub

	person vera
	openssl genpkey -algorithm ed25519 -out "vera-$kind.pem"
	run manifesto key add vera "command:$signer" "$T/vera-$kind.pem"
	check_status 'vera has one behind a program' 0
	manifesto key show vera >vera.pub
}

repository_of_dana() {
	person dana
	run manifesto trust init --json "$repository" --root-keys 2 --recovery "kit-$kind"
	check_status 'dana makes the repository and its recovery kit' 0
	kit=$(jq -r .recoveryKey "$T/stdout")
	first=$(keys_of root | grep -v "$kit")
	run manifesto put "$image" qa-approval "$approval"
	check_status 'her agent signs a record' 0
	for name in tom vera victor rita; do
		person "$name"
		run manifesto trust pin "$repository" "$first"
		check_status "$name pins the first root key" 0
	done
	cp -r "$MANIFESTO_HOME" "pinned-$kind"
	readers_see 'the first record' qa-approval
	old_clients_begin
	person dana
	run manifesto status "$repository"
	check_status 'status has nothing to say' 0
}

# --- two of three
two_of_three() {
	person dana
	run manifesto role add "$repository" release --key dana --key tom.pub --key vera.pub --types release-notes,parts,sources --threshold 2
	check_status 'a role of two of three' 0
	readers_see 'a new role' qa-approval release-notes=release 9

	person tom
	refused 'one of them is not enough' 11 put "$image" release-notes notes
	check_stderr_has 'the command that proposes' "manifesto put $image release-notes notes --propose @"
	run manifesto put "$image" release-notes notes --propose "notes-$kind.json"
	check_status 'tom proposes it in a file' 0
	readers_see 'a proposal is no record' qa-approval release-notes=release 9
	person vera
	run manifesto proposal show --json "notes-$kind.json"
	check_json 'vera sees what it is' '.proposal | .missingSignatures == 1 and (.records | length) == 1 and .records[0].record.type == "release-notes"'
	run manifesto proposal sign --yes --publish "notes-$kind.json"
	check_status 'she signs and publishes it' 0
	readers_see 'two have signed the role' 'qa-approval release-notes' release-notes=release 0 'release-notes=2 of release' 9
	get_is 'the notes' notes "$image" release-notes

	for type in parts sources; do
		person tom
		run manifesto put "$image" $type $type --propose @
		check_status "tom proposes $type beside the image" 0
		person dana
		run manifesto proposal sign --yes --publish "$image" "$(only_proposal)"
		check_status 'dana signs and publishes it' 0
	done
	person vera
	run manifesto sign --yes "$image" release-notes --propose @
	check_status 'vera adds her signature to the notes' 0
	person dana
	run manifesto proposal sign --yes --publish "$image" "$(only_proposal)"
	check_status 'which dana publishes' 0
	readers_see 'two have signed the notes' 'parts qa-approval release-notes sources' 'release-notes=2 of release' 0
	get_is 'the parts' parts "$image" parts
}

# --- a leaver and a newcomer
turnover() {
	person tom
	run manifesto rm "$image" parts --propose "last-$kind.json"
	check_status 'tom leaves a proposal behind' 0
	person victor
	manifesto key generate -q victor
	manifesto key show victor >victor.pub

	person dana
	run manifesto key revoke --dry-run --json tom.pub "$repository" --key victor.pub
	check_status 'what happens when tom leaves' 0
	check_json 'his records would not count any more' '[.repositories[0].changes[] | select(.what == "record unsigned").detail | sub(" .*"; "")] | sort == ["parts", "sources"]'
	readers_see 'a dry run' 'parts qa-approval release-notes sources' 'release-notes=2 of release' 0 parts=release 0
	person dana
	run manifesto key revoke tom.pub "$repository" --key victor.pub
	check_status 'tom leaves' 0
	check 'the role lists victor in his place' test "$(keys_of release)" = "$(printf '%s\n' "$(fp dana)" "$(person vera && fp vera)" "$(person victor && fp victor)" | sort)"
	readers_see 'tom has left' 'parts qa-approval release-notes sources' 'release-notes=2 of release' 9 release-notes=release 0 parts=release 9
	run manifesto list --json "$image"
	check_json 'rita sees that nobody answers for his records' '[.records[] | select(.state == "foreign" and .signers == []).type] | sort == ["parts", "sources"]'
	person dana
	run manifesto status --json "$repository"
	check_status 'status has something to say' 14
	check_json 'it names the records' '[.repositories[0].findings[] | [.kind, .type]] | sort == [["record-unsigned", "parts"], ["record-unsigned", "sources"]]'
	lets_count=$(jq -r '.repositories[0].findings[] | select(.type == "sources").action' "$T/stdout")

	person tom
	refused 'tom cannot publish' 11 put "$image" release-notes parts --force
	refused 'nor propose' 11 put "$image" release-notes parts --force --propose @
	person vera
	run manifesto proposal sign --yes "last-$kind.json"
	check_status 'his last proposal can be signed' 0
	run manifesto proposal show --json "last-$kind.json"
	check_json 'but his signature is of no use' '.proposal | .missingSignatures == 1 and .files[0].signers[0].fingerprint != "'"$(person tom && fp tom)"'"'

	person victor
	run manifesto proposal sign --yes --publish "last-$kind.json"
	check_status 'victor agrees to it' 0
	run manifesto sign --yes "$image" release-notes --propose @
	check_status 'and signs the notes' 0
	person vera
	run manifesto proposal sign --yes --publish "$image" "$(only_proposal)"
	check_status 'vera publishes that' 0
	person victor
	# shellcheck disable=SC2086 # the command as status printed it
	run $lets_count --yes --propose "sources-$kind.json"
	check_status 'with the command of status he lets the sources count again' 0
	person vera
	run manifesto proposal sign --yes --publish "sources-$kind.json"
	check_status 'vera publishes that' 0
	readers_see 'victor is here' 'qa-approval release-notes sources' 'release-notes=2 of release' 0 sources=release 0
}

# --- other keys for targets and root
other_keys() {
	person dana
	manifesto key generate -q dana-2026
	run manifesto trust rotate "$repository" targets --key dana-2026 --keep-old
	check_status 'a second key for targets' 0
	run manifesto sign --yes --key dana-2026 "$image" qa-approval
	check_status 'which signs what should go on counting' 0
	person vera
	run manifesto role sign "$repository" release --propose "role-$kind.json"
	check_status 'vera proposes to sign the role again' 0
	person victor
	run manifesto proposal sign --yes --publish "role-$kind.json"
	check_status 'victor publishes that' 0
	person dana
	run manifesto key revoke dana "$repository" --key dana-2026
	check_status 'the key of the agent goes out everywhere' 0
	check 'targets lists the new key' test "$(keys_of targets)" = "$(fp dana-2026)"
	check 'no role lists the old one' test -z "$(manifesto trust show --json "$repository" | jq -r '.roles[].keys[].fingerprint' | grep "$(fp dana)")"
	stop_agent
	unset SSH_AUTH_SOCK
	readers_see 'other targets' 'qa-approval release-notes sources' 'release-notes=2 of release' 0

	person dana
	export MANIFESTO_KEY=dana-2026
	manifesto key generate -q root-2026 --type ecdsa
	run manifesto trust rotate "$repository" root --key root-2026
	check_status 'another root key' 0
	check 'the root lists it and that of the kit' test "$(keys_of root)" = "$(printf '%s\n' "$(fp root-2026)" "$kit" | sort)"
	readers_see 'another root' 'qa-approval release-notes sources' 'release-notes=2 of release' 0
	person dana
	run manifesto status "$repository"
	check_status 'status has nothing to say' 0
}

# --- a lost root key
lost_root() {
	person dana
	local lost
	lost=$(fp root-2026)
	rm "$MANIFESTO_HOME/keys/root-2026.key"
	export MANIFESTO_KEY=dana-2026
	manifesto key generate -q root-2027 --type ecdsa
	run manifesto key revoke "$lost" "$repository" --key root-2027
	check_status 'without it the root cannot change' 11
	check_stdout_has 'nor can it lose the key' "$repository: not taken out"
	install -D -m 600 "kit-$kind"/recovery-*.key -t "$MANIFESTO_HOME/keys"
	run manifesto key revoke "$lost" "$repository" --key root-2027
	check_status 'the key of the kit puts another one in its place' 0
	rm "$MANIFESTO_HOME"/keys/recovery-*.key
	check 'the root lists it and that of the kit' test "$(keys_of root)" = "$(printf '%s\n' "$(fp root-2027)" "$kit" | sort)"
	run manifesto put --key dana-2026 "$image" contact notes
	check_status 'dana goes on' 0
	run manifesto status "$repository"
	check_status 'status has nothing to say' 0
	readers_see 'a lost root' 'contact qa-approval release-notes sources' 'release-notes=2 of release' 0
	rm -rf "$MANIFESTO_HOME" "$XDG_CACHE_HOME"
	cp -r "pinned-$kind" "$MANIFESTO_HOME"
	readers_see 'a machine with the first pin alone' 'contact qa-approval release-notes sources' 'release-notes=2 of release' 0
	old_clients_follow
}

# --- clients of others, which knew the first root
old_clients_begin() {
	case $kind in
	notary)
		notary_in cli list "$repository"
		check_status 'the notary program knows the first root' 0
		;;
	directory)
		repo=$(dirname "$(find "$STATIC_DIR" -name 1.root.json)")
		mkdir md
		"$tuf" --metadata-dir md init "$repo/1.root.json"
		;;
	esac
}
old_clients_follow() {
	case $kind in
	notary)
		notary_in cli list "$repository"
		check_status 'the notary program follows' 0
		check_stdout_has 'and lists the new record' contact
		;;
	directory)
		# A server decodes a path once: the escape in the directory's name is escaped.
		local path=${repo#"$STATIC_DIR"}
		run "$tuf" --metadata-dir md --metadata-url "$STATIC${path//%/%25}" refresh
		check_status 'a TUF client follows' 0
		check_json 'to the newest root' ".signed.version == $(jq .signed.version "$(find "$repo" -name '*.root.json' | sort -V | tail -1)")" md/root.json
		;;
	esac
}

for kind in $kinds; do
	case $kind in
	notary)
		lab notary
		export MANIFESTO_TRUST_SERVER=$NOTARY
		;;
	directory) export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR ;;
	s3)
		lab s3
		export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
		;;
	esac
	repository=$REGISTRY/team/$kind image=$REGISTRY/team/$kind:1.0
	push_image oci:layout:1.0 "$image" >/dev/null 2>&1
	echo "# on $MANIFESTO_TRUST_SERVER"
	people
	repository_of_dana
	two_of_three
	turnover
	other_keys
	lost_root
	stop_agent
done
t_done
