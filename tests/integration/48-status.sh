#!/bin/bash
# status, and lists of a whole repository: what expires, what is gone, what differs, and who must act.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

unset MANIFESTO_PASSPHRASE
lab registry notary s3
notary_tuf=$NOTARY/v2/$REGISTRY/acme/app/_trust/tuf
repository=$REGISTRY/acme/app
printf 'seen\n' >seen
make_image layout >/dev/null
make_image layout-b --seed b >/dev/null
make_image layout-c --seed c >/dev/null

# Runs manifesto at another time, with a copy of the home, so that floors of the future do not stay. A bucket is read without
# keys: object stores refuse signatures of another time.
at() { # WHEN ARGUMENTS...
	local when=$1
	shift
	rm -rf "$T/then"
	cp -r "$MANIFESTO_HOME" "$T/then"
	MANIFESTO_HOME=$T/then AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY='' run faketime -f "$when" manifesto "$@"
}

# Whether the findings of the last --json run are exactly these kinds, in this order.
findings_are() { # NAME KIND...
	local name=$1
	shift
	check "$name" test "$(jq -r '.repositories[0].findings[].kind' "$T/stdout" | tr '\n' ' ')" = "${*:+$* }"
}

# --- a repository where all is well, on a Notary server, in a bucket and in a directory
for server in "$NOTARY" "tuf+s3://$S3_BUCKET/trust" "tuf+file://$T/trust"; do
	export MANIFESTO_TRUST_SERVER=$server
	case $server in
	http*) dialect=notary ;;
	tuf+s3*) dialect=tuf1 repository=$REGISTRY/acme/bucket ;;
	*) dialect=tuf1 repository=$REGISTRY/acme/other ;;
	esac
	a=$(push_image oci:layout:1.0 "$repository:1.0" 2>/dev/null)
	push_image oci:layout:1.0 "$repository:stable" >/dev/null 2>&1
	b=$(push_image oci:layout-b:1.0 "$repository:2.0" 2>/dev/null)
	c=$(push_image oci:layout-c:1.0 "$repository:3.0" 2>/dev/null)
	run manifesto put --init --no-passphrase "$repository:1.0" qa-approval "$approval"
	spare_root "$repository:1.0"
	check_status "$dialect: the first record" 0
	run manifesto put --expires 20d --author QA "$repository:1.0" contact seen
	run manifesto put "$repository:2.0" qa-approval seen
	run manifesto put "$repository:3.0" qa-approval "$approval"
	check_status "$dialect: four records" 0
	run manifesto withdraw --reason 'bad base image' "$repository:3.0" qa-approval
	check_status "$dialect: one of them is withdrawn" 0

	run manifesto list --all "$repository"
	check_status "$dialect: the list of all images" 0
	check_line_count "$dialect: has a line for each record" 5
	check "$dialect: with type, role, signer, times, size and state" grep -qE \
		"^$a +1\.0,stable +contact +targets +alice +QA +20[-0-9T:]+Z +20[-0-9T:]+Z +5 +current\$" "$T/stdout"
	check "$dialect: both tags of an image" grep -qE "^$a +1\.0,stable +qa-approval " "$T/stdout"
	check "$dialect: the tag of another" grep -qE "^$b +2\.0 +qa-approval .* current\$" "$T/stdout"
	check "$dialect: and what is withdrawn" grep -qE "^$c +3\.0 +qa-approval .* withdrawn\$" "$T/stdout"
	run manifesto list --all --json "$repository"
	check_json "$dialect: as JSON" ".schema == \"manifesto/list/v1\" and (.records | length) == 4 and (.images | length) == 3 and
		([.images[] | select(.subject == \"$a\") | .tags] == [[\"1.0\", \"stable\"]]) and all(.images[]; .gone == false)"
	run manifesto list --all --type contact "$repository"
	check_line_count "$dialect: only a type" 2
	run manifesto list --all --type contact --type qa-approval,other "$repository"
	check_line_count "$dialect: several types, also with commas" 5
	run manifesto list --all --state withdrawn "$repository"
	check_line_count "$dialect: only a state" 2
	check_stdout_has "$dialect: that one" "$c"
	run manifesto list --all --state expired,foreign "$repository"
	check_status "$dialect: nothing in two other states" 0
	check_stdout_empty "$dialect: is an empty list"
	run manifesto list --all --role targets --role targets "$repository"
	check_line_count "$dialect: a role, and no record twice" 5
	run manifesto list --type contact "$repository:1.0"
	check_line_count "$dialect: a type of one image" 2
	refused "$dialect: a role that does not exist" 2 list --all --role nobody "$repository"
	refused "$dialect: a state that does not exist" 2 list --state approved "$repository:1.0"
	refused "$dialect: a type that none can be" 2 list --type Not/A/Type "$repository:1.0"
	refused "$dialect: an empty item" 2 list --type contact, "$repository:1.0"
	refused "$dialect: all images of a tag" 2 list --all "$repository:1.0"
	refused "$dialect: all images of a digest" 2 list --all "$repository@$a"
	refused "$dialect: platforms of a whole repository" 2 list --all --all-platforms "$repository"

	run manifesto status --warn-within 10d "$repository"
	check_status "$dialect: status of a repository where all is well" 0
	check "$dialect: says so" grep -qxF "$repository: 0 all is well: 3 records in force, 3 images" "$T/stdout"
	check_stdout_has "$dialect: tells what is withdrawn, for information" "$repository: 0 record-withdrawn: 'qa-approval' of $c"
	check "$dialect: shows whose keys are here" grep -qE '^targets +[0-9]+ +20[-0-9T:]+Z +1 of 1 +alice$' "$T/stdout"
	run manifesto status --warn-within 10d --quiet "$repository"
	check_stdout_empty "$dialect: --quiet has nothing to say"
	run manifesto status --json "$repository"
	check_status "$dialect: a record that expires within 30 days" 14
	findings_are "$dialect: is the one problem" record-expiring record-withdrawn
	check_json "$dialect: with who must act and how" ".exit == 14 and .repositories[0].exit == 14 and (.repositories[0].findings[0] |
		.actor == \"publisher\" and .action == \"manifesto put $repository@$a contact FILE\" and .type == \"contact\" and .subject == \"$a\")"
	at +21d status "$repository"
	check_stdout_has "$dialect: a record that has lapsed is information" "$repository: 0 record-expired: 'contact' of $a"
	at +21d status --quiet "$repository"
	check_stdout_lacks "$dialect: once it has lapsed nobody is called" record-
done

# --- roles that a server signs itself need no action
repository=$REGISTRY/acme/app
export MANIFESTO_TRUST_SERVER=$NOTARY
expires=$(curl -s "$notary_tuf/timestamp.json" | jq -r .signed.expires)
check 'the Notary timestamp runs out within 30 days' test "$(date -d "$expires" +%s)" -lt $(($(date +%s) + 2592000))
run manifesto status --json --warn-within 25d "$repository"
check 'and yet is no finding' test "$(jq '[.repositories[0].findings[] | select(.role == "timestamp")] | length' "$T/stdout")" = 0
run manifesto status --json --warn-within 1200d "$repository"
check 'of the rest targets, and not the snapshot that the server signs' test \
	"$(jq -r '[.repositories[0].findings[] | select(.kind == "role-expiring").role] | join(" ")' "$T/stdout")" = targets
run manifesto status --json --warn-within 5000d "$repository"
findings_are 'in ten years root and certificates are due as well' \
	role-expiring role-expiring certificate-expiring certificate-expiring record-expiring record-withdrawn

# --- expiry, and who must act
repository=$REGISTRY/acme/other
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
machine other
run manifesto trust pin "$repository" "$T/trust/${repository/:/%3A}/1.root.json"
check_status 'another machine pins the root' 0
cp -r "$MANIFESTO_HOME" fresh
run manifesto status --json --warn-within 370d "$repository"
check_status 'a machine without keys' 14
check_json 'reports that a holder of the key must act' "[.repositories[0].findings[] | select(.role == \"root\" or .role == \"snapshot\")] |
	length == 1 and all(.[]; .actor == \"key-holder\" and .action == \"manifesto trust refresh $repository\")"
machine first
at +4d status --json --warn-within 90d "$repository"
check_json 'served for 7 days: due after half of them' "[.repositories[0].findings[] | select(.kind == \"role-expiring\")] |
	(map(.role) | sort) == [\"snapshot\", \"timestamp\"] and all(.[]; .actor == \"here\" and .action == \"manifesto trust refresh $repository\")"
at +3d status --json --warn-within 90d "$repository"
check_json 'and not before, whatever the window' '[.repositories[0].findings[] | select(.kind == "role-expiring")] | length == 0'
at +8d list --all "$repository"
check_status 'after 7 days nobody can read it' 7
at +8d status --json "$repository"
check_status 'status tells that it has expired' 7
check_json 'which roles, the gravest first, and what to do' '.repositories[0] | .findings[0].kind == "role-expired" and
	([.findings[] | select(.kind == "role-expired").role] | sort) == ["snapshot", "timestamp"] and .findings[0].actor == "here"'
check_json 'and everything else all the same' '.repositories[0].images == 3 and (.repositories[0].roles | length) == 4'
machine fresh
mv fresh "$MANIFESTO_HOME"
cp -r "$T/home/manifesto/keys" "$MANIFESTO_HOME"
run faketime -f +8d manifesto status --json "$repository"
check_status 'a machine that has never seen it' 7
check_json 'may not sign it, even with the keys' '.repositories[0].findings[0].actor == "key-holder"'
run faketime -f +8d manifesto trust refresh "$repository"
check_status 'and looking at it does not change that' 7
machine first

# --- a role that does not verify hides its records: this does not count as a difference of the catalogue
run manifesto key generate --no-passphrase qa
run manifesto key show qa
sed -n '/BEGIN/,/END/p' "$T/stdout" >qa.pem
run manifesto role add "$repository" qa --key qa.pem --types security-review
run manifesto put --key qa "$repository:1.0" security-review seen
check_status 'a record of a delegated role' 0
printf ' ' >>"$(find "$T/trust" -name '*.qa.json' | sort | tail -n 1)"
run manifesto status --json --warn-within 1d "$repository"
check_status 'whose file is then damaged' 6
check_json 'is reported, beside everything else' '.repositories[0] | .findings[0].kind == "role-broken" and .findings[0].role == "qa" and .images == 3 and
	([.findings[].kind] | index("catalogue-drift") == null and index("referrers-drift") == null)'

# --- missing content, differences
export MANIFESTO_TRUST_SERVER=$NOTARY
repository=$REGISTRY/acme/app
blob=$(sum seen)
stored=$LAB/data/registry/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob
check 'the registry keeps the blob where we think' test -s "$stored/data"
mv "$stored" saved
lab_server restart registry
run manifesto status --json --warn-within 10d "$repository"
check_status 'content that is gone' 13
check_json 'is reported for each record in force, the gravest first' ".repositories[0].findings[0:2] |
	all(.[]; .kind == \"blob-missing\" and .exit == 13) and (map(.type) | sort) == [\"contact\", \"qa-approval\"]"
check_json 'and the catalogue, which still shows it, differs' '.repositories[0].findings[2].kind == "catalogue-drift"'
mv saved "$stored"
lab_server restart registry
run manifesto status -v --warn-within 10d "$repository"
check_status 'with the content back all is well again' 0
check 'each blob, image and artifact manifest was asked for once' test \
	"$(grep -c 'HEAD .*/blobs/' "$T/stderr") $(grep -c 'HEAD .*/manifests/sha256' "$T/stderr")" = '3 7'
curl -s -m 20 -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary \
	'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}' \
	"http://$REGISTRY/v2/acme/app/manifests/sha256-${b#sha256:}"
run manifesto status --json --warn-within 10d "$repository"
check_status 'referrers that lack a record' 14
check_json 'are reported with the image and the command' ".repositories[0].findings[0] | .kind == \"referrers-drift\" and .subject == \"$b\" and
	.action == \"manifesto repair $repository\" and .actor == \"here\""

# --- an image that was deleted, a tag that was
curl -s -m 20 -X DELETE "http://$REGISTRY/v2/acme/app/manifests/$c"
run manifesto list --all "$repository"
check 'an image that is gone is shown as such' grep -qE "^$c +\(gone\) +qa-approval " "$T/stdout"
run manifesto status --json --warn-within 10d "$repository"
check_json 'status tells it for information' ".repositories[0].findings | map(select(.kind == \"image-gone\")) |
	length == 1 and .[0].subject == \"$c\" and .[0].exit == 0"
push_image oci:layout-b:1.0 "$repository:1.0" >/dev/null 2>&1
push_image oci:layout-b:1.0 "$repository:stable" >/dev/null 2>&1
run manifesto list --all --json "$repository"
check_json 'tags follow, records do not' "(.images[] | select(.subject == \"$a\") | .tags == [] and .gone == false) and
	(.images[] | select(.subject == \"$b\") | .tags == [\"1.0\", \"2.0\", \"stable\"])"
run manifesto list --all "$repository"
check 'an image without a tag has none' grep -qE "^$a +- +contact " "$T/stdout"

# --- several repositories, servers that fail
run manifesto status --json "$REGISTRY/no/such" "$repository"
check_status 'one repository that does not exist' 3
check_json 'does not hide the other' '.exit == 3 and .repositories[0].error.code == "not_found" and .repositories[0].exit == 3 and
	(.repositories[1].roles | length) == 4'
check_stderr_empty 'and is reported in the document'
run manifesto status "$REGISTRY/no/such" "$repository"
check_status 'the same as text' 3
check_stderr_has 'with a line for the one' 'no/such'
check_stdout_has 'and the table of the other' 'alice-notary-root'
refused 'a repository is no image' 3 list "$repository"
check_stderr_has 'the hint has the command that lists all of them' 'manifesto list --all'
refused 'a tag is not a repository' 2 status "$repository:1.0"
many=()
while [ ${#many[@]} -lt 8 ]; do many+=("$repository"); done
run manifesto status --json "${many[@]}" "$repository:1.0"
check_status 'nor behind others' 2
check_json 'whose state is reported all the same, in one document' '.exit == 2 and (.repositories | length) == 9 and .repositories[8].exit == 2 and (.repositories[7].roles | length) == 4'
refused 'a duration that is none' 2 status --warn-within soon "$repository"
lab_server stop registry
run manifesto status --json "$repository"
check_status 'a registry that is down' 4
check_json 'hides no role' '.repositories[0] | .findings[0].kind == "not-examined" and (.roles | length) == 4'
machine nobody
run manifesto status "$repository"
check_status 'no pin, no status' 10
machine first
lab_server stop notary
run manifesto status --quiet "$repository"
check_status 'a trust server that is down' 4
check_stdout_empty 'gives no result'

# --- a layout has tags in its index, and neither catalogue nor referrers
unset MANIFESTO_TRUST_SERVER
make_image oci --tag 1.0 >/dev/null
make_image oci --tag 2.0 --seed b >/dev/null
run manifesto put --init --no-passphrase oci:oci:1.0 qa-approval "$approval"
spare_root oci:oci:1.0
run manifesto put oci:oci:2.0 qa-approval seen
check_status 'records in a layout' 0
run manifesto list --all oci:oci
check 'the list has their tags' grep -qE '^sha256:[0-9a-f]{64} +2\.0 +qa-approval +targets ' "$T/stdout"
check_line_count 'of all images' 3
run manifesto status oci:oci
check_status 'status of a layout' 0
at +50d status -q oci:oci
check_status 'whose timestamp runs out in 40 days' 0
at +61d status -q oci:oci
check_status 'or in 29' 14
rm "oci/blobs/sha256/$blob"
run manifesto status oci:oci
check_status 'content that the trust repository still has is not gone' 0
find oci/trust -name "$blob.*" -delete
run manifesto status oci:oci
check_status 'and now it is' 13

# --- a root with one key, and keys that are together
make_image one --tag 1.0 >/dev/null
run manifesto put --init --no-passphrase --key solo oci:one:1.0 qa-approval "$approval"
run manifesto status --json oci:one
check_status 'a root with one key, where one person signs' 0
findings_are 'is named' one-root-key
check_json 'with the command that adds one' '.repositories[0].findings[0] | .role == "root" and .actor == "here" and .action == "manifesto trust rotate oci:one root --key SPARE --keep-old"'
run manifesto status --quiet oci:one
check_stdout_empty 'and nobody is disturbed'
run manifesto key generate -q --no-passphrase --type ed25519 mate
manifesto key export mate >mate.pub
run manifesto role add oci:one:1.0 qa --key mate --types scan
run manifesto status oci:one
check_status 'nor where another key signs a type' 0
mv "$MANIFESTO_HOME/keys/mate.key" .
run manifesto role add oci:one:1.0 both --key solo --key mate.pub --types both --threshold 2
run manifesto status --json oci:one
check_status 'a root with one key, where a role needs two' 14
findings_are 'is the finding' one-root-key
spare_root oci:one:1.0
run manifesto status oci:one
check_status 'with another it is none' 0
run manifesto key generate -q --no-passphrase second
run manifesto role add oci:one:1.0 pair --key solo --key second --types pair --threshold 2
run manifesto status --json oci:one
check_status 'two signatures that one machine can make' 14
findings_are 'are a finding, too' keys-together
check_json 'about that role' '.repositories[0].findings[0] | .role == "pair" and .exit == 14'
mv "$MANIFESTO_HOME/keys/second.key" .
run manifesto status oci:one
check_status 'with one key elsewhere they are none' 0
t_done
