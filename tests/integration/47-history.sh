#!/bin/bash
# history and get --version: what happened to records, in a layout, in a tuf+file directory, in a bucket and on a Notary server.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary static s3
proxy N "$NOTARY"
make_image image >/dev/null
for i in 1 2 3 4; do printf 'content %s' $i >c$i; done

# "event version signer" of each record's event, by the JSON lines.
events() { # FILE
	jq -r 'select(.digest) | "\(.event) \(.version) \([(if .addedSigners != [] then .addedSigners else .signers end)[].name] | join(",") | if . == "" then "-" else . end)"' "$1"
}
history_is() { # NAME IMAGE [options] TYPE; expected events on stdin
	local name=$1
	shift
	cat >expected
	run manifesto history --json "$@"
	check_status "$name: status" 0
	events "$T/stdout" >got
	check "$name: events" diff expected got
}
# What `history --all` says of the records of an image is what `history` says of it.
all_agrees() { # NAME IMAGE REPOSITORY [options]
	local name=$1 image=$2 repository=$3 members='[.event, .image, .role, .firstVersion, .version, .type, .digest, [.signers[].fingerprint], .reason, .delegator, .delegatorVersion, .seen]'
	shift 3
	run manifesto history --json "$@" "$image"
	check_status "$name: of the image" "${agree_status-0}"
	subject=$(jq -r 'select(.digest) | .image' "$T/stdout" | head -n 1 | sed 's/.*@//')
	jq -c "select(.digest) | $members" "$T/stdout" | sed 's/"[^"]*@sha256:/"@sha256:/' | sort >want
	run manifesto history --json --all "$@" "$repository"
	check_status "$name: of the repository" "${agree_status-0}"
	jq -s . "$T/stdout" >all
	jq -c "select(.digest and (.image | endswith(\"$subject\"))) | $members" "$T/stdout" | sed 's/"[^"]*@sha256:/"@sha256:/' | sort >got
	check "$name: there are events" test -s want
	check "$name: the same events of the image" diff want got
	check_json "$name: each line names the repository" "all(.repository == \"$repository\" and .schema == \"manifesto/history-event/v1\")" all
}
# "event changedRole key detail" of what became of roles, keys and roots, in `all`.
changes() { # ROLE
	jq -r --arg role "$1" '.[] | select(.changedRole and .role == $role) | "\(.event) \(.changedRole) \(.key.name // "-") \(.detail // "-") \(.version)"' all
}
version_is() { # NAME FILE NOTE VERSION IMAGE TYPE [options]
	local name=$1 file=$2 note=$3 version=$4
	shift 4
	run manifesto get --version "$version" "$@"
	check_status "$name: status" 0
	check_stdout_file "$name: the bytes of then" "$file"
	check_stderr_has "$name: which is reported" "$note"
}
digest() { # FILE
	echo "sha256:$(sum "$1")"
}

# Everything that can happen to a record. The first put makes the trust repository; version 1 of targets is empty.
live() { # IMAGE
	local image=$1
	put "$image" qa c1 --init --author 'A <a@b>'
	put "$image" qa c2
	put "$image" other c3
	run manifesto withdraw -q "$image" qa --reason 'found a hole'
	check_status "$image: withdraw" 0
	put "$image" qa c4 --reinstate
	run manifesto rm -q "$image" qa
	check_status "$image: rm" 0
	put "$image" qa c1
}
check_life() { # IMAGE
	local image=$1
	history_is "$image" "$image" qa <<-'EOF'
		put 2 alice
		replaced 3 alice
		withdrawn 5 alice
		reinstated 6 alice
		removed 7 -
		put 8 alice
	EOF
	cp "$T/stdout" lines
	check "$image: every line is an event with a schema" test "$(jq -c 'select(.schema == "manifesto/history-event/v1" and (.image | test("@sha256:[0-9a-f]{64}$")))' lines | wc -l)" = "$(wc -l <lines)"
	jq -s . lines >all
	check_json "$image: digest and size" ".[0] | .digest == \"$(digest c1)\" and .length == 9 and .author == \"A <a@b>\"" all
	check_json "$image: who withdrew it and why" '.[2] | .reason == "found a hole" and .signers[0].name == "alice"' all
	check_json "$image: what was removed, and who signed that" ".[4] | .digest == \"$(digest c4)\" and .signers == [] and .fileSigners[0].name == \"alice\" and .claimed == null" all
	check_json "$image: the times claimed and seen are of now" '[.[] | select(.event != "removed") | .claimed] + [.[].seen] | all(fromdateiso8601 > now - 600 and fromdateiso8601 < now + 600)' all
	check_json "$image: whose keys verified it" 'all(.delegator == "root" and .delegatorVersion == 1 and .role == "targets")' all
	history_is "$image: of all types" "$image" <<-'EOF'
		put 2 alice
		replaced 3 alice
		put 4 alice
		withdrawn 5 alice
		reinstated 6 alice
		removed 7 -
		put 8 alice
	EOF
	run manifesto history "$image" other
	check_status "$image: as text" 0
	check "$image: a table" grep -qE "^2[0-9TZ:-]+ +2[0-9TZ:-]+ +put +other +targets +4 +alice +9 +$(digest c3) +-$" "$T/stdout"
	run manifesto history "$image" none
	check_status "$image: no such type" 0
	check_stdout_empty "$image: has no events"
	history_is "$image: the newest only" --limit 2 "$image" qa <<-'EOF'
		removed 7 -
		put 8 alice
	EOF
	check "$image: older ones are reported as left out" test "$(jq -c 'select(.event == "not-read") | [.role, .firstVersion, .version]' "$T/stdout")" = '["targets",1,6]'
	run manifesto history --limit 2 "$image" qa
	check_stdout_has "$image: also in text" 'targets: versions 1 to 6 are not shown (--limit)'

	version_is "$image: get of an old version" c2 "version 3 of 'targets', not the current version 8: it was replaced since, by $(digest c1)" 3 "$image" qa
	version_is "$image: of one before a withdrawal" c2 'it was replaced since' 4 "$image" qa
	version_is "$image: of what is the same again" c1 'not the current' 2 "$image" qa
	version_is "$image: of another record" c3 'is still the current one' 5 "$image" other
	run manifesto get "$image" qa --version=8
	check_status "$image: the newest" 0
	check_stdout_file "$image: is what get gives" c1
	check_stderr_empty "$image: nothing more to say"
	refused "$image: withdrawn then" 9 get --version 5 "$image" qa
	check_stderr_has "$image: with the reason" 'found a hole'
	refused "$image: removed then" 3 get --version 7 "$image" qa
	refused "$image: not there yet" 3 get --version 1 "$image" qa
	refused "$image: no such version" 3 get --version 9 "$image" qa
	run manifesto get --version 3 --json -o out "$image" qa
	check_json "$image: it is not current in JSON" '.current == false and .newestVersion == 8 and .record.state == "old" and .record.roleVersion == 3 and (.note | test("replaced"))'
	check_same_file "$image: and written" c2 out
	run manifesto get --version 8 --json -o out "$image" qa
	check_json "$image: the newest is" '.current == true and .note == null and .record.state == "current"'
	run manifesto withdraw -q "$image" other --reason 'gone too'
	version_is "$image: of what is withdrawn now" c3 "was withdrawn by 'targets'" 4 "$image" other
	check_stderr_has "$image: and why" 'gone too'
	run manifesto rm --reinstate -q "$image" other
	check_status "$image: rm --reinstate" 0
	version_is "$image: of what is removed now" c3 'it was removed since' 4 "$image" other
}

# --- a layout
skopeo --insecure-policy copy --quiet oci:image:1.0 oci:app:1.0
live oci:app:1.0
check_life oci:app:1.0
trust=app/trust

all_agrees 'a layout' oci:app:1.0 oci:app

# Tampering and pruning, in a copy.
cp -a app app.good
sed -i 's/"expires":"20/"expires":"21/' app/trust/3.targets.json
run manifesto history --json oci:app:1.0 qa
check_status 'a version that was changed: status' 6
events "$T/stdout" >got
cat >expected <<-'EOF'
	put 2 alice
	replaced 4 alice
	withdrawn 5 alice
	reinstated 6 alice
	removed 7 -
	put 8 alice
EOF
check 'nothing in it is shown, the others are' diff expected got
check 'it is named' test "$(jq -c 'select(.event == "invalid") | [.role, .version]' "$T/stdout")" = '["targets",3]'
check_stderr_has 'and warned of' "1 version in the history of 'oci:app:1.0' does not verify"
run manifesto history oci:app:1.0 qa
check_status 'as text: status' 6
check_stdout_has 'it is named in text too' 'targets: version 3 does not verify: '
refused 'get of that version' 6 get --version 3 oci:app:1.0 qa
get_is 'the current record is not touched by it' c1 oci:app:1.0 qa
# A change in a missing version is reported for the whole range.
run manifesto history --json --role targets oci:app:1.0 other
check 'the next event spans the gap' test "$(jq -c 'select(.event == "put") | [.firstVersion, .version]' "$T/stdout")" = '[3,4]'
rm -rf app
cp -a app.good app
rm app/trust/1.targets.json app/trust/2.targets.json app/trust/6.targets.json
history_is 'versions that are not kept' oci:app:1.0 qa <<-'EOF'
	present 3 alice
	withdrawn 5 alice
	removed 7 -
	put 8 alice
EOF
run manifesto history oci:app:1.0 qa
check_status 'are no failure' 0
check_stdout_has 'they are named' 'targets: versions 1 to 2 are not kept'
check_stdout_has 'one by one' 'targets: version 6 is not kept'
refused 'get of one' 3 get --version 2 oci:app:1.0 qa
rm -rf app
cp -a app.good app
rm "$trust/targets/qa/$(sum c2)".* "app/blobs/sha256/$(sum c2)"
refused 'content that is gone' 13 get --version 3 oci:app:1.0 qa
history_is 'leaves its trace' oci:app:1.0 qa --limit 7 <<-'EOF'
	withdrawn 5 alice
	reinstated 6 alice
	removed 7 -
	put 8 alice
EOF
rm -rf app
cp -a app.good app

# --- a repository with its roles, keys and roots
skopeo --insecure-policy copy --quiet oci:image:1.0 oci:team:1.0
put oci:team:1.0 qa c1 --init
run manifesto history --all --json oci:team
jq -s . "$T/stdout" >all
changes root >got
cat >expected <<-'END'
	root-created root - - 1
	key-added root alice-root - 1
	key-added timestamp alice - 1
	key-added snapshot alice - 1
	key-added targets alice - 1
END
check 'the first root, and whose keys it lists' diff expected got
check_json 'seen, signed and verified' '.[0] | .seen != null and .fileSigners[0].name == "alice-root" and .delegator == "root" and .delegatorVersion == 1 and .image == null' all
for k in carl dora; do manifesto key generate -q --no-passphrase $k; done
manifesto role add -q oci:team qa --key carl --key dora --types qa,scan --force
put oci:team:1.0 qa c2 --key carl
run manifesto sign -q --yes oci:team:1.0 qa --key dora
check_status 'both sign' 0
put oci:team:1.0 scan c3 --key carl
run manifesto role remove -q oci:team qa --key dora
check_status 'dora leaves' 0
put oci:team:1.0 scan c2 --key carl
manifesto role add -q oci:team qa --types more
all_agrees 'a role and its keys' oci:team:1.0 oci:team
check_json 'who left has signed no more, though nobody changed the record' '[.[] | select(.type == "qa" and .role == "qa") | .event] | .[:3] == ["put", "signed", "unsigned"]' all
changes targets >got
cat >expected <<-'END'
	role-created qa - - 3
	key-added qa carl - 3
	key-added qa dora - 3
	type-added qa - qa 3
	type-added qa - scan 3
	key-removed qa dora - 4
	type-added qa - more 5
END
check 'roles, keys and types' diff expected got
check_json 'and the roots that let them publish' '[.[] | select(.event == "root-published") | .version] == [2, 3]' all
check_json 'root by root' '.[] | select(.event == "key-removed" and .changedRole == "snapshot") | .version == 3 and .key.name == "dora" and .delegatorVersion == 2' all
run manifesto history --all oci:team
check_stdout_has 'as text: whose key' 'targets: alice'
check "as text: an event of a record" grep -qE " unsigned +sha256:[0-9a-f]{64} +qa +qa +" "$T/stdout"
check "as text: an event of a role" grep -qE " key-removed +- +- +targets +4 +alice +qa: dora$" "$T/stdout"
run manifesto history --all --json --role qa oci:team
jq -s . "$T/stdout" >all
check_json 'of a role: its own events, and those about it' 'all(.role == "qa" or .changedRole == "qa") and any(.event == "key-removed") and any(.event == "put")' all
run manifesto history --all --json --role root oci:team
jq -s . "$T/stdout" >all
check_json 'of the root' 'length > 3 and all(.role == "root")' all
run manifesto history --all --json oci:team scan
jq -s . "$T/stdout" >all
check_json 'of a type: records alone' 'length > 1 and all(.type == "scan")' all
run manifesto role remove -q oci:team qa --force
all_agrees 'a role that is gone' oci:team:1.0 oci:team
check_json 'its end is an event' 'any(.event == "role-removed" and .changedRole == "qa" and .key == null)' all
cp -a team/trust roots
rm team/trust/1.root.json
run manifesto history --all --json oci:team
check_status 'a root that is not kept' 0
jq -s . "$T/stdout" >all
check_json 'is named, and the next one is the oldest known' 'any(.event == "not-kept" and .role == "root" and .version == 1) and any(.event == "root-present" and .version == 2) and any(.event == "key-present" and .changedRole == "snapshot" and .key.name == "dora") and all(.event != "root-created")' all
sed 's/"expires":"20/"expires":"21/' roots/1.root.json >team/trust/1.root.json
run manifesto history --all --json oci:team
check_status 'a root that was changed: status' 6
check 'it is named, and says nothing' test "$(jq -c 'select(.role == "root" and .version == 1) | .event' "$T/stdout")" = '"invalid"'
cp roots/1.root.json team/trust/1.root.json
sed -i 's/"expires":"20/"expires":"21/' team/trust/3.targets.json
run manifesto history --all --json oci:team
check_status 'a list of roles that was changed: status' 6
jq -s . "$T/stdout" >all
check_json 'it says nothing; the next that verifies spans it' 'any(.event == "invalid" and .role == "targets" and .version == 3) and ([.[] | select(.role == "targets" and .version == 3 and .changedRole)] == []) and any(.event == "key-added" and .key.name == "carl" and .firstVersion == 3 and .version == 4)' all
refused 'a repository has no tag' 2 history --all oci:team:1.0
refused 'nor a platform' 2 history --all --platform linux/amd64 oci:team
refused 'a role that a repository has not' 2 history --all --role nobody oci:team

# --- usage
refused 'a version that is no number' 2 get --version=x oci:app:1.0 qa
refused '--version without a number' 2 get oci:app:1.0 qa --version
refused 'version 0' 2 get --version 0 oci:app:1.0 qa
refused 'no other command takes it' 2 list --version 3 oci:app:1.0
refused 'a limit of 0' 2 history --limit 0 oci:app:1.0
refused 'a limit too high' 2 history --limit 1001 oci:app:1.0
refused 'a role that does not exist' 2 history --role nobody oci:app:1.0
refused 'a type that is none' 2 history oci:app:1.0 'Q A'
run manifesto --version
check 'the version of the program is what it was' grep -qxE 'manifesto [0-9.]+' "$T/stdout"

# --- a bucket
push_image oci:image:1.0 "$REGISTRY/acme/bucket:1.0" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET
live "$REGISTRY/acme/bucket:1.0"
check_life "$REGISTRY/acme/bucket:1.0"
all_agrees 'a bucket' "$REGISTRY/acme/bucket:1.0" "$REGISTRY/acme/bucket"

# --- a directory per repository
push_image oci:image:1.0 "$REGISTRY/acme/dir:1.0" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR
live "$REGISTRY/acme/dir:1.0"
check_life "$REGISTRY/acme/dir:1.0"
all_agrees 'a directory' "$REGISTRY/acme/dir:1.0" "$REGISTRY/acme/dir"
manifesto bundle create -q -o dir.bundle "$REGISTRY/acme/dir:1.0"
run manifesto history --all --json --bundle dir.bundle "$REGISTRY/acme/dir"
check_status 'a bundle: status' 0
jq -s . "$T/stdout" >all
check_json 'a bundle: what it holds, and what it does not' 'any(.event == "not-kept" and .role == "targets") and any(.event == "present") and any(.event == "root-created" and .seen == null)' all
# The same over HTTP, on a machine that has only a pin.
run manifesto history --json "$REGISTRY/acme/dir:1.0"
cp "$T/stdout" from.file
machine reader
export MANIFESTO_TRUST_SERVER=tuf+$STATIC
manifesto trust pin "$REGISTRY/acme/dir:1.0" "$STATIC_DIR/${REGISTRY/:/%3A}/acme/dir/1.root.json" >/dev/null 2>&1
run manifesto history --json "$REGISTRY/acme/dir:1.0"
check_status 'over HTTP: status' 0
jq -c 'del(.seen, .signers[]?.name, .fileSigners[]?.name)' from.file >want
jq -c 'del(.seen, .signers[]?.name, .fileSigners[]?.name)' "$T/stdout" >got
check 'over HTTP: the same events' diff want got
version_is 'over HTTP: an old version' c2 'it was replaced since' 3 "$REGISTRY/acme/dir:1.0" qa
machine first

# --- a Notary server
export MANIFESTO_TRUST_SERVER=http://$N
gun=$REGISTRY/acme/app
image=$gun:1.0
push_image oci:image:1.0 "$image" >/dev/null 2>&1
live "$image"
check_life "$image"
by_number() { # ACTION-MEMBERS: for version 3 of targets
	printf '{"path":"/3\\\\.targets\\\\.json","action":%s}' "$1"
}
faults N "$(by_number '"replace","body":"{}"')"
run manifesto history --json "$image" qa
check_status 'a server with another old version: status' 6
check 'it is named' test "$(jq -c 'select(.event == "invalid") | [.role, .version]' "$T/stdout")" = '["targets",3]'
faults N "$(by_number '"status","status":404')"
run manifesto history "$image" qa
check_status 'a server that has pruned: status' 0
check_stdout_has 'it is named' 'targets: version 3 is not kept'
faults N "$(by_number '"status","status":500')"
refused 'a server that fails' 4 history "$image" qa
refused 'a server that fails, for one version' 4 get --version 3 "$image" qa
faults N

# A repository of the notary program, with changed keys and a role with two members.
export NOTARY_ROOT_PASSPHRASE=$MANIFESTO_PASSPHRASE NOTARY_TARGETS_PASSPHRASE=$MANIFESTO_PASSPHRASE
export NOTARY_SNAPSHOT_PASSPHRASE=$MANIFESTO_PASSPHRASE NOTARY_DELEGATION_PASSPHRASE=$MANIFESTO_PASSPHRASE
gun=$REGISTRY/acme/theirs
image=$gun:1.0
hex=$(push_image oci:image:1.0 "$image" 2>/dev/null)
hex=${hex#sha256:}
notary_in() { # ARGUMENTS...
	run_with yes notary -s "$NOTARY" -d "$T/owner" "$@"
	[ "$status" = 0 ] || t_bail "notary $*"
}
echo yes >yes
notary_in init "$gun"
notary_in add -p "$gun" "qa/sha256-$hex" c1
echo '{"manifesto":{"v":2}}' >custom.json
notary_in add -p --custom custom.json "$gun" "contact/sha256-$hex" c1
notary_in remove -p "$gun" "contact/sha256-$hex"
key_file() { # ROLE
	grep -l "^role: $1\$" owner/private/*.key | head -n 1
}
run manifesto trust pin "$image" "$(curl -s "$NOTARY/v2/$gun/_trust/tuf/root.json" | jq -r '.signed.keys[.signed.roles.root.keyids[0]].keyval.public' |
	base64 -d | openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)"
check_status 'pin it' 0
for member in ann bob; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=$member -keyout $member.key -out $member.crt 2>/dev/null
	run manifesto key import $member $member.key
	check_status "import $member's key" 0
done
notary_in key rotate "$gun" targets
notary_in key rotate "$gun" snapshot -r
notary_in delegation add -p "$gun" targets/qa ann.crt bob.crt --paths qa/
run manifesto history --role qa "$image" qa
check_status 'a role that has published nothing yet' 0
check_stdout_empty 'has no history'
refused 'nor versions' 3 get --role qa --version 1 "$image" qa
put "$image" qa c2 --key ann
put "$image" qa c3 --key bob
run manifesto sign -q --yes "$image" qa --key ann
check_status 'ann signs what bob has put' 0
run manifesto history --json "$image" qa
check_status 'history over changes of keys' 0
jq -s . "$T/stdout" >all
check_json 'the first version of notary was never published' '.[0] | .event == "not-kept" and .role == "targets" and .version == 1' all
check_json 'notary wrote an entry without record signature' '[.[] | select(.role == "targets" and .digest)][0] | .event == "present" and .signers == [] and .delegatorVersion == 1' all
check_json 'the role took over' '[.[] | select(.role == "targets" and .digest)][1] | .event == "unauthorised"' all
check_json 'the events of the role' '[.[] | select(.role == "targets/qa") | "\(.event) \(.version) \([.signers[].name] | sort | join(","))"] == ["put 1 ann", "replaced 2 bob", "signed 3 ann,bob"]' all
check_json 'who added a signature' '[.[] | select(.event == "signed")][0] | (.addedSigners | length == 1 and .[0].name == "ann") and .claimed == null' all
agree_status=6 all_agrees 'the notary program' "$image" "$gun"
changes targets | sed 's/ [0-9]*$//' >got
check 'keys and paths of a delegation' grep -qxF 'key-added targets/qa ann -' got
check 'its type' grep -qxF 'type-added targets/qa - qa' got
changes root | sed 's/ [0-9]*$//' >got
check 'a rotated key of targets goes' test "$(grep -c '^key-removed targets ' got)" = 1
check 'and comes' test "$(grep -c '^key-added targets ' got)" = 2
run manifesto history --json "$image" qa
jq -s . "$T/stdout" >all
check_json 'by the delegation of then' '[.[] | select(.role == "targets/qa")] | all(.delegator == "targets" and .delegatorVersion > 1)' all
version_is 'get of an old version of the role' c2 "version 1 of 'targets/qa'" 1 "$image" qa
push_blob "http://$REGISTRY" acme/theirs c1
version_is 'of targets, which has lost the type' c1 "version 2 of 'targets'" 2 "$image" qa --role targets
cold
history_is 'without a cache' "$image" qa --role qa <<-'EOF'
	put 1 ann
	replaced 2 bob
	signed 3 ann
EOF
check 'nothing of other roles with --role' test "$(jq -r .role "$T/stdout" | sort -u)" = targets/qa
notary_in add -p "$gun" 1.0 c1
run manifesto history --json --limit 1 "$image" qa
check 'a change of a role that has no record of the type is not reported' test "$(jq -r .role "$T/stdout" | sort -u)" = targets/qa
run manifesto history --json "$image" contact
check_status 'a record of another format, well signed: status' 6
check_json 'is reported as such' 'select(.event == "invalid") | .role == "targets" and .version == 3 and (.message | test("contact"))'
notary_in delegation remove -p --yes "$gun" targets/qa
run manifesto history --json "$image" qa
check_status 'after the role was removed' 0
jq -s . "$T/stdout" >all
check_json 'what it signed is still reported, and its end' '[.[] | select(.role == "targets/qa") | .event] == ["put", "replaced", "signed", "unauthorised"]' all
check_json 'by whom' '[.[] | select(.role == "targets/qa")][-1] | .delegator == "targets" and .delegatorVersion > 3' all
check_json 'targets speaks again' '[.[] | select(.role == "targets" and .digest) | .event] == ["present", "unauthorised", "authorised"]' all
check_json 'roles are merged by the time seen' '[.[] | select(.digest) | .seen] | . == sort' all
notary_in delegation add -p "$gun" targets/one ann.crt --paths scan/
notary_in delegation add -p "$gun" targets/two bob.crt --paths scan/
refused 'a type that several roles have needs one named' 2 get --version 1 "$image" scan
check_stderr_has 'they are listed' 'targets/one, targets/two'

# --- a Notary server with a database, whose owner forges the past
lab notary-db
export MANIFESTO_TRUST_SERVER=$NOTARY_DB
image=$REGISTRY/acme/db:1.0
push_image oci:image:1.0 "$image" >/dev/null 2>&1
in_base64() { # FILE
	openssl dgst -sha256 -binary "$1" | base64
}
put --cacert "$CA" --init "$image" qa c1
put --cacert "$CA" "$image" qa c2
put --cacert "$CA" "$image" qa c3
history_is 'from a database' --cacert "$CA" "$image" qa <<-'EOF'
	put 2 alice
	replaced 3 alice
	replaced 4 alice
EOF
psql -q "$LAB_SQL" -c "UPDATE tuf_files SET data = convert_to(replace(convert_from(data, 'UTF8'), '$(in_base64 c2)', '$(in_base64 c4)'), 'UTF8')
	WHERE role = 'targets' AND version = 3"
run manifesto history --json --cacert "$CA" "$image" qa
check_status 'a version rewritten in the database: status' 6
check 'is named' test "$(jq -c 'select(.event == "invalid") | [.role, .version]' "$T/stdout")" = '["targets",3]'
refused 'and not got' 6 get --version 3 --cacert "$CA" "$image" qa
psql -q "$LAB_SQL" -c "DELETE FROM tuf_files WHERE role = 'targets' AND version = 3"
run manifesto history --cacert "$CA" "$image" qa
check_status 'a version deleted from the database is no failure' 0
check_stdout_has 'and named' 'targets: version 3 is not kept'

t_done
