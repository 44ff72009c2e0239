#!/bin/bash
# report: a page about images, records, roles and history that says what list, history and verify say.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/report.sh"

make_report_repository app
cell() { # FILE ROW TYPE
	jq -r --arg row "$2" --arg type "$3" '.tables[0] | (.[0] | index($type)) as $at | .[] | select(.[0] | startswith($row + "sha256:")) | .[$at]' "$1.json"
}
cell_has() { # NAME FILE ROW TYPE TEXT
	cell "$2" "$3" "$4" >in.cell
	check "$1" grep -qF -e "$5" in.cell
}

# --- a repository
make_page 'a repository' 0 page oci:app
run manifesto list --all --json oci:app
cp "$T/stdout" list
jq -S .records list >want
jq -S '.repositories[0].lists[0].records' page.stdout >got
check 'its records are those of list' diff want got
jq -S .images list >want
jq -S '.repositories[0].lists[0].images | map(select(.tags != ["2.0"]))' page.stdout >got
check 'its images are those of list, and those with a tag and no record' diff want got
manifesto history --all --json oci:app | jq -S 'del(.schema, .repository)' >want
jq -S '.repositories[0].history[]' page.stdout >got
check 'its history is that of history' diff want got
manifesto trust show --json oci:app | jq -S '.roles[] | [.name, .version, .expires, .threshold, .keys]' >want
jq -S '.repositories[0].roles[] | [.name, .version, .expires, .threshold, .keys]' page.stdout >got
check 'its roles are those of trust show' diff want got
check 'nothing of this machine is in it' sh -c "! grep -qF -e '$HOME' -e canSign -e pinSource page"
check_json 'the newest version comes first' '[.tables[0][1:][] | .[0] | split("sha256")[0]] == ["2.1", "2.0", "1.2", "1.1", "1.0"]' page.json
check_json 'the columns are the types' '.tables[0][0] == ["Image", "contact", "qa-approval", "scan-report", "security-review"]' page.json
cell_has 'signed, by whom' page 1.0 qa-approval 'signedby ann in qa'
cell_has 'text of others is text' page 1.0 contact 'author: </script><script>alert(1)</script><!-- "q" '"'a' & \\u{202e}\\u{2028} \\u{200b} end"
cell_has 'withdrawn, and why' page 1.1 qa-approval 'withdrawnby ann in qa'
cell_has 'the reason' page 1.1 qa-approval 'found a hole </script>'
cell_has 'expiring, and how soon' page 1.2 qa-approval 'expiringby ann in qa'
check 'in days' grep -qE 'expires in (9|10) days, 2[0-9-]+' <(cell page 1.2 qa-approval)
cell_has 'no signature that counts' page 1.2 scan-report 'unsignedin qa'
check 'no record' test "$(cell page 2.0 qa-approval)" = none
check 'a veto on all types stands beside the image' grep -qE '^2.1sha256:.*vetoedby eve in security.*not this one' <(jq -r '.tables[0][1][0]' page.json)
check_json 'without a policy there is no verdict' '(.text | test("accepted|refused|missing") | not) and .data.policy == null and (.data | has("verified") | not)' page.json
check_json 'roles, how many keys, which types' '.tables[1][] | select(.[0] == "qa") | .[1] == "✓ current" and .[2] == "1 of 1 key" and (.[3] | startswith("ann ")) and .[4] == "qa-approvalscan-report"' page.json
check_json 'when trust ends' '.text | test("Trust ends in [0-9]+ days, 2[0-9-]+ [0-9:]+, unless timestamp is re-signed before")' page.json
check_json 'events, newest first' '.tables[2] | ([.[1:][] | .[0]] | . == (sort | reverse)) and any(.[1] == "veto" and .[2] == "all types of 2.1" and .[5] == "not this one") and any(.[1] == "key-removed" and .[2] == "qa: bob") and (.[-5:] | any(.[1] == "root-created"))' page.json
check_json 'marks say what they are' '.titles | any(startswith("withdrawn: qa-approval of 1.1, 2")) or any(test("events \\(withdrawn"))' page.json
make_page 'a warning time' 0 late --warn-within 5d oci:app
cell_has 'a record that lasts longer is signed' late 1.2 qa-approval 'signedby ann'
make_page 'few versions' 0 few --limit 1 oci:app
check_json 'of each role' '[.data.repositories[0].history[] | select(.event == "not-read") | .role] | index("targets") and index("qa")' few.json

# --- with a policy
make_page 'a policy' 0 gated --policy policy.json oci:app
jq -r '.verified[].image' gated.stdout >images
run manifesto verify --policy policy.json --json --images images
check_status 'verify refuses some' 9
jq -S '.images[] | {image, accepted, exit, findings}' "$T/stdout" >want
jq -S '.verified[] | {image, accepted, exit, findings}' gated.stdout >got
check 'the verdicts are those of verify' diff want got
cell_has 'accepted' gated 1.0 Policy accepted
cell_has 'refused, and why' gated 1.1 Policy "refusedqa-approval: 'qa-approval' was withdrawn by 'qa'"
cell_has 'by a veto' gated 2.1 Policy "vetoed by role 'security'"
cell_has 'missing' gated 2.0 qa-approval missing
check 'what is not required is not missing' test "$(cell gated 2.0 contact)" = none
check_json 'counted' '.text | test("5images 1accepted 4refused") or test("5 ?images ?1 ?accepted ?4 ?refused")' gated.json
check_json 'what it requires, in words' '.text | contains("Policy policy.json, release: an image must have") and contains("signed by role qa")' gated.json
make_page 'requirements' 0 required --require contact --require 'lint=2 of qa' oci:app
cell_has 'a type that nobody signed is a column' required 1.0 lint missing

# --- images
make_page 'two images' 0 two oci:app:1.0 oci:app:1.1
check_json 'are one section' '(.data.repositories | length) == 1 and [.tables[0][1:][] | .[0] | split("sha256")[0]] == ["1.1", "1.0"]' two.json
check_json 'with their events, and those of roles' '[.data.repositories[0].history[] | select(.image) | .image | split("@")[1]] | unique | length == 2' two.json
check_json 'roles are in it' '.data.repositories[0].history | any(.event == "key-removed")' two.json
make_page 'an image of the repository too' 0 both oci:app oci:app:1.0
check_json 'stands there once' '.tables[0] | length == 6' both.json

# --- the same data and time give the same page; a bundle needs nothing else
manifesto bundle create -q -o app.bundle oci:app:1.0 oci:app:1.1
at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
mv app app.away
make_page 'a bundle' 0 bundled --bundle app.bundle --at "$at" oci:app
run manifesto report --bundle app.bundle --at "$at" -o again oci:app
check_same_file 'the same bytes' bundled again
run manifesto report --bundle app.bundle --at "$at" -o - oci:app
check_stdout_file 'on standard output, too' bundled
check_json 'its time is the one given' ".data.time == \"$at\" and .data.asOf and (.text | contains(\"Verified as of ${at:0:10} ${at:11:5} UTC\"))" bundled.json
make_page 'a later time' 7 later --bundle app.bundle --at 2099-01-01T00:00:00Z oci:app
check_json 'is in the page as expired' '(.text | test("Not verified")) and .data.repositories[0].exit == 7 and .data.exit == 7 and .data.repositories[0].error.code == "expired"' later.json
mv app.away app

# --- what cannot be verified is in the page and in the status
make_page 'one of two is not there' 3 half oci:app oci:nowhere:1.0
check_json 'the other one is' '.data.repositories | length == 2 and .[0].exit == 0 and .[1].exit == 3' half.json
check_json 'reported in words' '.text | test("oci:nowhere:1.0 ?Not verified: nothing is known of it")' half.json
cp -a app copy
make_page 'a repository without a pin' 10 unpinned oci:copy oci:app
check_json 'is shown as that' '.data.repositories[0].error.code == "pin" and (.tables[0] | length) == 6' unpinned.json
cp -a app/trust good
sed -i 's/"length":7/"length":8/' app/trust/"$(jq -r '.signed.meta["qa.json"].version' app/trust/"$(jq -r '.signed.meta["snapshot.json"].version' app/trust/timestamp.json)".snapshot.json)".qa.json
cold
make_page 'a role that was changed' 6 tampered --policy policy.json oci:app
check_json 'nothing of it is shown as good' '.text | test("accepted [0-9]") or (test("✓ accepted") | not)' tampered.json
rm -rf app/trust
mv good app/trust
sed -i 's/"expires":"20/"expires":"21/' app/trust/3.targets.json
make_page 'a former version that was changed' 6 past oci:app
check_json 'is named' '(.text | contains("1 former version of signed files does not verify")) and (.data.repositories[0].history | any(.event == "invalid" and .version == 3))' past.json

# --- usage; a file is whole or not there
echo old >kept
refused 'no file' 2 report oci:app
refused 'page and JSON on one output' 2 report --json -o - oci:app
refused 'a policy from standard input' 2 report --policy - -o kept oci:app
echo '{"version":1}' >bad.json
refused 'a policy that is none' 2 report --policy bad.json -o kept oci:app
refused 'a reference that is none' 2 report -o kept oci:app 'UPPER CASE'
refused 'nothing' 2 report -o kept
check 'a failed run leaves the file' test "$(cat kept)" = old
refused 'a directory that is not there' 1 report -o none/page oci:app
check 'a full disk is a failure' sh -c "'$T_MANIFESTO' report -q -o - oci:app >/dev/full 2>err; test \$? = 1"

# --- a registry and a Notary server; an image that is gone
lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
repository=$REGISTRY/acme/app
digest=$(push_image oci:app:1.0 "$repository:1.0" 2>/dev/null)
push_image oci:app:1.1 "$repository:1.1" >/dev/null 2>&1
put "$repository:1.0" contact n1 --init --author "$hostile"
put "$repository:1.1" contact n2
make_page 'a Notary server' 0 notary "$repository"
check_json 'has the page, too' '(.text | contains("Notary v1 at")) and (.tables[0] | length) == 3 and (.data.repositories[0].history | any(.event == "root-created" or .event == "root-present"))' notary.json
curl -s -o /dev/null -X DELETE "http://$REGISTRY/v2/acme/app/manifests/$digest"
make_page 'an image that is gone' 0 gone --require contact "$repository"
check_json 'is reported as gone, and not evaluated' '.tables[0][2] | (.[0] | startswith("○ gone")) and .[1] == "not evaluated"' gone.json
manifesto bundle create -q -o registry.bundle "$repository:1.1"
lab_server stop registry notary
make_page 'a bundle without servers' 0 offline --bundle registry.bundle --require contact "$repository:1.1"
make_page 'servers that are down' 4 down "$repository"
check_json 'are in the page' '.data.repositories[0].exit == 4' down.json

t_done
