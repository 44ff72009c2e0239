#!/bin/bash
# A role of two of three with three homes: what one machine cannot sign becomes a proposal, in a file and beside the image.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

kinds=${PROPOSALS_ON:-layout directory notary notary-db}
case $kinds in *notary-db*) lab registry notary notary-db ;; *) lab registry notary ;; esac
echo one >one
echo two >two
echo three >three
make_image layout >/dev/null

person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}
for name in bob carol dave; do
	person "$name"
	manifesto key generate "$name" >/dev/null
	manifesto key show "$name" >"$name.pub"
done
fingerprint() { # NAME
	sed -n 's/^[^ ]* *ed25519 *\([0-9a-f]\{64\}\) .*/\1/p' "$1.pub"
}
# Changes a member of a proposal.
forge() { # FILE FILTER [jq options]
	local file=$1 filter=$2
	shift 2
	jq "$@" -c "$filter" "$file" >forged.json
}
id_of() { # FILTER
	manifesto proposal list --json "$image" | jq -r ".proposals | map(select($1)) | .[0].id"
}

story() { # IMAGE
	image=$1
	echo "# on $image"
	person alice
	run manifesto put --init "$image" notes one
	check_status 'alice makes the repository' 0
	run manifesto role add "$image" qa --key bob.pub --key carol.pub --key dave.pub --types qa-approval,scan --threshold 2
	check_status 'and a role of two of three' 0
	manifesto trust export >pins.json
	for name in bob carol dave; do
		person "$name"
		manifesto trust import --force pins.json >/dev/null
	done
	rm -f ./?.json other-root.json

	# --- one key is not enough, which is said before anything is stored
	person bob
	refused 'one key of two' 11 put --author "B. O'B" "$image" qa-approval one
	check_stderr_has 'the command that proposes' "manifesto put --author 'B. O'\\''B' $image qa-approval one --propose @"
	run manifesto put "$image" qa-approval one --author Bob --propose p.json
	check_status 'a proposal in a file' 0
	check_stdout_has 'it lacks one signature' '1 more signature is needed: manifesto proposal sign p.json'
	refused 'nothing is published' 3 get "$image" qa-approval
	refused 'a file that is there is not replaced' 2 put "$image" qa-approval two --propose p.json
	refused 'the proposer alone cannot publish it' 11 proposal publish "$image" p.json
	cp p.json first.json

	# --- a colleague sees all of it, signs and publishes
	person carol
	run manifesto proposal show --json "$image" p.json
	check_json 'what changes' '.proposal | .state == "open" and .missingSignatures == 1 and (.records | length) == 1 and (.records[0] | .what == "added" and .record.type == "qa-approval" and .record.author == "Bob") and .changes == []'
	check_json 'who has signed it, and who may' "(.proposal.files | length) == 1 and (.proposal.files[0] | (.signers | length) == 1 and (.keys | length) == 3 and .signers[0].fingerprint == \"$(fingerprint bob)\")"
	refused 'without a terminal it asks for --yes' 2 proposal sign "$image" p.json
	run manifesto proposal sign --yes "$image" p.json
	check_status 'she signs it' 0
	check_stdout_has 'none is missing' 'No signature is missing'
	run manifesto proposal sign --yes "$image" p.json
	check_stdout_has 'once' 'was already signed'
	cp p.json signed.json
	chmod 640 first.json
	exec {lock}<first.json
	flock "$lock"
	cp first.json waiting.json
	run manifesto proposal sign --yes --timeout 1 "$image" first.json
	check_status 'a file that a colleague is writing is not written' 12
	check_same_file 'it has lost nothing' waiting.json first.json
	check 'and has its mode' test "$(stat -c %a first.json)" = 640
	exec {lock}<&-
	run manifesto proposal publish "$image" p.json
	check_status 'and publishes it' 0
	get_is 'it can be read' one "$image" qa-approval
	run manifesto verify --require 'qa-approval=qa' "$image"
	check_status 'a gate accepts it' 0
	run manifesto proposal publish "$image" p.json
	check_stdout_has 'a second time there is nothing to do' 'the repository is already so'

	# --- beside the image: the name of the image is enough
	person bob
	run manifesto put "$image" scan two --propose @
	check_status 'a proposal beside the image' 0
	person dave
	run manifesto proposal list "$image"
	check_stdout_has 'a colleague finds it' 'open'
	id=$(id_of '.state == "open"')
	run manifesto proposal sign --yes --publish "$image" "${id:0:12}"
	check_status 'signs and publishes it' 0
	get_is 'the content was not lost' two "$image" scan
	run manifesto proposal list --json "$image"
	check_json 'it is gone' '.proposals == []'
	refused 'it cannot be found any more' 3 proposal show "$image" "${id:0:12}"

	# --- a removal, a withdrawal, a veto, a further signature
	person bob
	run manifesto rm "$image" scan --propose @
	check_status 'a removal is proposed' 0
	run manifesto withdraw "$image" qa-approval --reason 'CVE-2026-1' --propose w.json
	check_status 'a withdrawal' 0
	run manifesto veto "$image" notes --role qa --reason 'not for us' --propose v.json
	check_status 'a veto' 0
	person carol
	run manifesto sign "$image" qa-approval --yes --propose s.json
	check_status 'a further record signature' 0
	id=$(id_of 'true')
	run manifesto proposal show --json "$image" "$id"
	check_json 'a removal is shown' '.proposal.records[0] | .what == "removed" and .record.type == "scan"'
	run manifesto proposal show "$image" w.json
	check_stdout_has 'the reason of the withdrawal' 'CVE-2026-1'
	check_stdout_has 'and what it replaces' 'in place of:'
	run manifesto proposal show "$image" v.json
	check_stdout_has 'a veto is shown' 'not for us'
	run manifesto proposal sign --yes --publish "$image" "$id"
	check_status 'the removal is published' 0
	refused 'it is gone' 3 get "$image" scan

	# --- somebody has published since: it is applied to what is there now, and signed again
	run manifesto proposal publish "$image" s.json
	check_status 'a proposal whose base is another one now is not published' 11
	check_stderr_has 'and says why' 'somebody has published since'
	person dave
	run manifesto proposal sign --yes --json "$image" s.json
	check_json 'signing applies it, and drops the signature' '.proposal | .moved and .droppedSignatures == 1 and .missingSignatures == 1'
	person carol
	run manifesto proposal sign --yes --publish "$image" s.json
	check_status 'the dropped one is made again' 0
	run manifesto verify --require 'qa-approval=2 of qa' "$image"
	check_status 'two people have signed the record' 0

	# --- a collision: the same record was changed
	run manifesto proposal sign --yes "$image" w.json
	check_status 'the withdrawal was of a record that is another one now' 12
	check_stderr_has 'what to do' 'can be proposed again'
	run manifesto proposal sign --yes --publish "$image" v.json
	check_status 'the veto collides with nothing' 0
	check_stdout_has 'which is reported' '1 signature is dropped'
	person bob
	run manifesto proposal sign --yes --publish "$image" v.json
	check_status 'and is published' 0
	run manifesto list --json --state veto "$image"
	check_json 'it is there' '.records | length == 1 and .[0].type == "notes"'

	# --- a change of the role, which all three sign at once
	person alice
	refused 'a higher threshold needs their signatures' 11 role add "$image" qa --threshold 3
	check_stderr_has 'the command that proposes it' "manifesto role add $image qa --threshold 3 --propose @"
	run manifesto role add --json "$image" qa --threshold 3 --propose @
	check_json 'it is proposed' '(.changes | map(.what) | contains(["threshold", "signed anew"])) and .missingSignatures == 3'
	id=$(id_of 'true')
	for name in bob carol dave; do
		(person "$name" && manifesto proposal sign --yes "$image" "${id:0:8}" >"$name.out" 2>&1) &
	done
	wait
	run manifesto proposal show --json "$image" "$id"
	check_json 'no signature is lost' '.proposal | .state == "ready" and ([.files[].signers | length] | sort) == [1, 3]'
	check_json 'what changes is shown' '[.proposal.changes[] | [.what, .detail]] | contains([["threshold", "3"]])'
	run manifesto proposal publish "$image" "$id"
	check_status 'it is published' 0
	get_is 'what is there can be read' one "$image" qa-approval
	person bob
	rm -f both.json
	run manifesto put "$image" scan three --propose both.json
	for name in carol dave; do
		(person "$name" && manifesto proposal sign --yes "$image" both.json >"$name.out" 2>&1) &
	done
	wait
	check_json 'two who sign one file at once lose nothing' '.files[0].signatures | length == 3' both.json
	run manifesto put --json "$image" scan three --propose @
	check_json 'two are missing now' '.missingSignatures == 2'
	id=$(id_of 'true')
	for name in carol dave; do
		(person "$name" && manifesto proposal sign --yes "$image" "${id:0:8}" >"$name.out" 2>&1) &
	done
	wait
	run manifesto proposal publish "$image" "$id"
	check_status 'and have been given' 0
	get_is 'it can be read' three "$image" scan

	# --- dropping one
	run manifesto rm "$image" scan --propose @
	id=$(id_of 'true')
	run manifesto proposal drop "$image" "${id:0:10}"
	check_status 'a proposal is dropped' 0
	run manifesto proposal list --json "$image"
	check_json 'none is left' '.proposals == []'

	# --- whoever may push puts an image where signatures would be: it is not deleted with the proposal
	if [[ $image != oci:* ]]; then
		run manifesto rm "$image" scan --propose @
		id=$(id_of 'true')
		push_image oci:layout:1.0 "${image%:*}:_manifesto-${id:0:32}-$(fingerprint bob | cut -c-32)" >/dev/null 2>&1
		run manifesto proposal drop "$image" "${id:0:10}"
		check_status 'the proposal is dropped' 0
		get_is 'and the image is there' three "$image" scan
		skopeo list-tags --tls-verify=false "docker://${image%:*}" >tags.json
		check 'signatures beside proposals that are gone are not' test "$(grep -cE '_manifesto-[0-9a-f]{32}-' tags.json)" = 1
	fi
	person alice
	run manifesto role add "$image" qa --types more --propose t.json
	check_status 'a change of the role is proposed' 0
	run manifesto role add "$image" qa --threshold 2
	check_status 'two are enough again' 0
	refused 'the role is another one now' 12 proposal sign --yes "$image" t.json
}

# Whatever comes in a file: nothing of it is believed.
hostile() { # IMAGE
	image=$1
	person bob
	rm -f h.json forged.json link.json
	run manifesto put "$image" qa-approval three --force --reinstate --propose h.json
	check_status 'a proposal' 0
	person carol
	forge h.json '.repository = "other/app"'
	refused 'of another repository' 2 proposal sign --yes "$image" forged.json
	forge h.json '.dialect = "other"'
	refused 'in a foreign dialect' 6 proposal sign --yes "$image" forged.json
	forge h.json '.expires = "2020-01-01T00:00:00Z"'
	refused 'that has expired' 9 proposal sign --yes "$image" forged.json
	forge h.json '.v = 2'
	refused 'of a later version' 6 proposal show "$image" forged.json
	forge h.json '.intent.edits[0].entry.length += 1'
	refused 'whose intent is not what is signed' 6 proposal sign --yes "$image" forged.json
	forge h.json '.files[0].signed |= (@base64d | sub("qa-approval"; "qa-approvaj") | @base64)'
	refused 'whose bytes were changed' 6 proposal sign --yes "$image" forged.json
	forge h.json '.files[0].signatures[0].sig |= ((if startswith("A") then "B" else "A" end) + .[1:])'
	refused 'with a signature that does not verify' 6 proposal sign --yes "$image" forged.json
	forge h.json '.files = [.files[0] | .role = "z" | .signatures = []] | .intent.edits[0] |= (del(.before) | .name |= sub("sha256-.*"; "sha256-" + "ab" * 32))'
	run manifesto proposal show --json "$image" forged.json
	check_json 'a record of another image does not have the tag of this one' '.proposal.records | length == 1 and (.[0].record | (.subject | endswith("ab" * 32)) and (.image | contains(":1.0@") | not))'
	forge h.json '.files[0].signatures += .files[0].signatures'
	refused 'with two signatures of one key' 6 proposal sign --yes "$image" forged.json
	forge h.json '.files[0].signatures[0].keyid = "ff" * 32'
	run manifesto proposal show --json "$image" forged.json
	check_json 'a signature by a key that is not listed counts for nothing' '.proposal | .missingSignatures == 2 and .droppedSignatures == 1'
	forge h.json '.files += .files'
	refused 'with two files of one role' 6 proposal show "$image" forged.json
	forge h.json '.files = []'
	refused 'with no file' 6 proposal show "$image" forged.json
	forge h.json '.intent.edits += .intent.edits'
	refused 'with a target twice' 6 proposal show "$image" forged.json
	forge h.json '.intent |= {edits: [], resign: [{role, empty: true, version: 9007199254740000}]} | .files[0].signatures = []'
	refused 'that would empty a file, under a version that has no successor' 6 proposal show "$image" forged.json
	head -c 500 h.json >forged.json
	refused 'cut off' 6 proposal sign --yes "$image" forged.json
	head -c 17000000 /dev/zero >forged.json
	refused 'too large' 2 proposal show "$image" forged.json
	refused 'that is not there' 2 proposal show "$image" absent.json
	refused 'that is a directory' 2 proposal show "$image" layout
	ln -sf h.json link.json
	run manifesto proposal sign --yes "$image" link.json
	check_status 'a link' 0
	check 'stays one' test -L link.json
	check_json 'and the file behind it is signed' '.files[0].signatures | length == 2' h.json
	person alice
	refused 'a key of no role' 11 proposal sign --yes "$image" h.json
}

# A root is signed by the old key on one machine and by the new one on another.
rotation() { # IMAGE
	image=$1
	person bob
	manifesto key generate bob-root >/dev/null
	manifesto key show bob-root >bob-root.pub
	person alice
	run manifesto trust rotate "$image" root --key bob-root.pub --propose @
	check_status 'a new root key that is on another machine' 0
	check_stdout_has 'is proposed' '1 more signature is needed'
	id=$(id_of 'true')
	refused 'the old key alone does not publish it' 11 proposal publish "$image" "$id"
	manifesto trust rotate -q "$image" root --key bob-root.pub --keep-old --propose other-root.json
	person bob
	run manifesto proposal show --json "$image" "$id"
	check_json 'the keys that come and go are shown' '[.proposal.changes[] | select(.role == "root") | .what] | contains(["key removed", "key added"])'
	run manifesto proposal sign --yes "$image" "$id"
	check_status 'the new key signs' 0
	person alice
	run manifesto proposal publish "$image" "$id"
	check_status 'and it is published' 0
	person carol
	get_is 'who pinned the old key follows' one "$image" notes
	run manifesto trust show --json "$image"
	check_json 'to the new one' '[.roles[] | select(.name == "root") | .keys[].name] == [null] and (.roles[0].version > 2)'
	person alice
	run manifesto proposal list --json "$image"
	check_json 'nothing is left' '.proposals == []'
	person bob
	refused 'another root that was proposed for the one before' 12 proposal sign --yes "$image" other-root.json
}

# A key that the proposal itself adds to a role signs it.
newcomer() { # IMAGE
	image=$1
	person erin
	manifesto key generate erin >/dev/null
	manifesto key show erin >erin.pub
	manifesto trust import --force pins.json >/dev/null
	person alice
	run manifesto role add "$image" qa --key erin.pub --threshold 4 --propose @
	check_status 'a key and a higher threshold are proposed' 0
	id=$(id_of 'true')
	for name in bob carol dave erin; do
		(person "$name" && manifesto proposal sign --yes "$image" "${id:0:8}" >"$name.out" 2>&1) &
	done
	wait
	run manifesto proposal show --json "$image" "$id"
	check_json 'the signature of the key that is added is not lost' '.proposal | .state == "ready" and ([.files[] | select(.role == "qa").signers] | map(length)) == [4]'
	manifesto proposal drop "$image" "$id" >/dev/null
}

for kind in $kinds; do
	case $kind in
	layout)
		unset MANIFESTO_TRUST_SERVER
		rm -rf home/manifesto-alice
		story oci:layout:1.0
		hostile oci:layout:1.0
		rotation oci:layout:1.0
		;;
	directory)
		export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
		mkdir -p trust
		push_image oci:layout:1.0 "$REGISTRY/acme/dir:1.0" >/dev/null 2>&1
		story "$REGISTRY/acme/dir:1.0"
		newcomer "$REGISTRY/acme/dir:1.0"
		;;
	notary | notary-db)
		export MANIFESTO_TRUST_SERVER=$NOTARY
		[ "$kind" = notary ] || export MANIFESTO_TRUST_SERVER=$NOTARY_DB SSL_CERT_FILE=$CA
		push_image oci:layout:1.0 "$REGISTRY/acme/$kind:1.0" >/dev/null 2>&1
		story "$REGISTRY/acme/$kind:1.0"
		hostile "$REGISTRY/acme/$kind:1.0"
		;;
	esac
done

t_done
