#!/bin/bash
# copy: records follow their images to another repository, with those who signed them; nothing half, nothing twice.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/team.sh"

lab registry registry-tls notary notary-tls
printf 'third' >third
printf 'scan\0\377 of 1.0' >scan
make_image layout >/dev/null
make_image multi --index >digests
arm64=$(sed -n 's|^\(.*\) linux/arm64$|\1|p' digests)
printf %s "$REGISTRY_TLS_PASSWORD" >password

fingerprint() { # NAME
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
# What a promoted record says: of the last `list --json`.
says() { # NAME FILTER
	check_json "$what: $1" ".records | map({key: .type, value: .}) | from_entries | $2"
}

# --- one story from each kind of trust repository to each other: alice approves, carol promotes, dave reads
story() { # uses $what, $from, $to, $name
	staging=$REGISTRY/staging/$name
	prod=$REGISTRY/prod/$name
	subject=$(push_image oci:layout:1.0 "$staging:1.0")
	push_image oci:layout:1.0 "$prod:1.0" >/dev/null
	as alice
	export MANIFESTO_TRUST_SERVER=$from
	run manifesto put --init --author Alice --reason 'all tests passed' --annotation ticket=QA-1 "$staging:1.0" qa-approval "$approval"
	check_status "$what: alice approves" 0
	root=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")
	put "$staging:1.0" scan scan --expires 90d
	put "$staging:1.0" contact "$approval"
	put "$staging:1.0" old third
	run manifesto withdraw --reason 'too old' "$staging:1.0" old
	put "$staging:1.0" waiver third
	alice=$(fingerprint alice)

	as carol
	export MANIFESTO_TRUST_SERVER=$to
	refused 'no pin of the source' 10 copy --from-trust-server "$from" "$staging:1.0" "$prod"
	manifesto trust pin -q --trust-server "$from" "$staging" "$root" || t_bail 'carol pins the root of staging'
	refused "$what: no trust repository at the destination" 3 copy --from-trust-server "$from" "$staging:1.0" "$prod"
	check_stderr_has "$what: says how to make one" 'manifesto trust init'
	run manifesto trust init "$prod:1.0"
	check_status "$what: carol's repository" 0
	prod_root=$(manifesto trust show --json "$prod" | jq -r '.pinned[0]')
	carol=$(manifesto trust show --json "$prod" | jq -r '.roles[] | select(.name == "targets") | .keys[0].fingerprint')

	version=$(manifesto trust show --json "$prod" | jq '.roles[] | select(.name == "targets") | .version')
	run manifesto copy --from-trust-server "$from" "$staging:1.0" "$prod:1.0"
	check_status "$what: copied" 0
	check_stdout_has "$what: one line says so" "$prod@$subject: 3 records promoted from '$staging:1.0'"
	check_line_count "$what: one line" 1
	check_stderr_has "$what: a withdrawn one is not, which is reported" "'old' was withdrawn by 'targets'"
	check_stderr_lacks "$what: waivers are not mentioned" waiver
	run manifesto trust show --json "$prod"
	check_json "$what: in one publish" ".roles[] | select(.name == \"targets\") | .version == $version + 1"

	# the source is gone
	as dave
	manifesto trust pin -q "$prod" "$prod_root" || t_bail 'dave pins the root of prod'
	run manifesto list --json "$prod:1.0"
	check_status "$what: list" 0
	says 'those that are current, and no waiver' 'keys == ["contact", "qa-approval", "scan"]'
	says 'carol signed them' "[.[].signers[].fingerprint] | unique == [\"$carol\"]"
	says 'what alice says is what she said' '."qa-approval" | .author == "Alice" and .reason == "all tests passed" and .annotations.ticket == "QA-1"'
	says 'alice approved' "[.[].promotedFrom[] | {depth, repository, s: [.signers[].fingerprint]}] | unique
		== [{depth: 1, repository: \"$staging\", s: [\"$alice\"]}]"
	says 'a record ends when hers does' '.scan.expires != null and .contact.expires == null'
	run manifesto list "$prod:1.0"
	check_stderr_has "$what: in words" "from '$staging', where ${alice:0:16} signed it in 'targets'"
	get_is "$what: the content" "$approval" "$prod:1.0" qa-approval
	get_is "$what: any content" scan "$prod:1.0" scan
	run manifesto get --json -o got "$prod:1.0" scan
	check_json "$what: get says it, too" ".record.promotedFrom[0].signers[0].fingerprint == \"$alice\""
	run manifesto history --json "$prod:1.0" qa-approval
	check_json "$what: and history" "select(.event == \"put\") | .promotedFrom[0].signers[0].fingerprint == \"$alice\" and .signers[0].fingerprint == \"$carol\""
	run manifesto history "$prod:1.0" qa-approval
	check_stderr_has "$what: in words" "from '$staging'"
	run manifesto verify "$prod:1.0" --require qa-approval
	check_status "$what: a gate asks for the promoter" 0
	for key in "$alice:0" "$carol:9"; do
		jq -n "{version: 1, require: [{type: \"qa-approval\", original: {keys: [\"${key%:*}\"]}}]}" >policy.json
		run manifesto verify "$prod:1.0" --policy policy.json
		check_status "$what: a gate asks for who approved" "${key#*:}"
	done
	jq -n "{version: 1, require: [{type: \"qa-approval\", original: {keys: [\"$alice\"], repositories: [\"$REGISTRY/test/*\"]}}]}" >policy.json
	run manifesto verify "$prod:1.0" --policy policy.json
	check_status "$what: and where" 9
	run manifesto repair --dry-run "$prod"
	check_status "$what: nothing is left to repair" 0

	# again
	as carol
	version=$(manifesto trust show --json "$prod" | jq '.roles[] | select(.name == "targets") | .version')
	run manifesto copy --json --from-trust-server "$from" "$staging:1.0" "$prod"
	check_status "$what: again" 0
	check_json "$what: nothing is to be done" '.schema == "manifesto/copy/v1" and .copied == 1 and .failed == 0 and .exit == 0
		and (.images[0].records | length) == 3 and ([.images[0].records[].unchanged] | all) and .images[0].copied'
	run manifesto trust show --json "$prod"
	check_json "$what: nothing is published" ".roles[] | select(.name == \"targets\") | .version == $version"

	# other content
	as alice
	MANIFESTO_TRUST_SERVER=$from put --force "$staging:1.0" contact third
	as carol
	refused "$what: another content than that of the destination" 12 copy --from-trust-server "$from" "$staging:1.0" "$prod"
	get_is "$what: it stays" "$approval" "$prod:1.0" contact
	run manifesto copy --force --from-trust-server "$from" "$staging:1.0" "$prod"
	check_status "$what: --force" 0
	check_stdout_has "$what: the others were there" '1 record promoted'
	get_is "$what: replaces it" third "$prod:1.0" contact

	# a withdrawal is not lifted
	run manifesto withdraw --reason no "$prod:1.0" scan
	refused 'withdrawn at the destination' 9 copy --from-trust-server "$from" "$staging:1.0" "$prod"
}
mkdir trust1 trust2
what='Notary to directory' from=$NOTARY to=tuf+file://$T/trust1 name=one story
what='directory to Notary' from=tuf+file://$T/trust2 to=$NOTARY name=two story
what='Notary to Notary' from=$NOTARY to=$NOTARY name=three story

# --- policies
what=policy staging=$REGISTRY/staging/one prod=$REGISTRY/prod/policy
push_image oci:layout:1.0 "$prod:1.0" >/dev/null
as carol
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust1
run manifesto trust init "$prod:1.0"
check_status 'a repository for policies' 0
copy=(copy --from-trust-server "$NOTARY")
state() { find trust1/"$REGISTRY"/prod/policy -type f -exec sha256sum {} + | sort; }
before=$(state)
refused 'what is required is not there' 9 "${copy[@]}" --require missing "$staging:1.0" "$prod"
check_stderr_has 'the finding is shown' "wanted 'missing' signed by a role that may sign it"
refused 'one of two' 9 "${copy[@]}" --require qa-approval --require missing "$staging:1.0" "$prod"
refused 'a condition on the content' 9 "${copy[@]}" --require qa-approval --where 'qa-approval=.approved == 7' "$staging:1.0" "$prod"
refused 'too old' 9 "${copy[@]}" --require qa-approval --max-age 1 "$staging:1.0" "$prod"
refused 'a tag where a digest must be' 9 "${copy[@]}" --policy <(echo '{"version":1,"require":[{"type":"qa-approval"}],"tags":"forbid"}') "$staging:1.0" "$prod"
refused 'a type that is withdrawn' 9 "${copy[@]}" --types old "$staging:1.0" "$prod"
refused 'a type that is not there' 3 "${copy[@]}" --types qa-approval,missing "$staging:1.0" "$prod"
push_image oci:multi:1.0 "$staging:bare" >/dev/null
refused 'an image without records' 3 "${copy[@]}" "$staging:bare" "$prod"
refused 'a broken policy' 2 "${copy[@]}" --policy "$approval" "$staging:1.0" "$prod"
refused 'no trust on first use' 2 "${copy[@]}" --tofu "$staging:1.0" "$prod"
refused 'one argument' 2 "${copy[@]}" "$staging:1.0"
refused 'its own repository' 2 copy "$prod:1.0" "$prod"
check 'nothing was copied' test "$(state)" = "$before"
run manifesto "${copy[@]}" --require qa-approval "$staging:1.0" "$prod"
check_status 'what is required is copied' 0
check_stdout_has 'and nothing else' ': 1 record promoted'
run manifesto "${copy[@]}" --types waiver "$staging:1.0" "$prod"
check_status 'a waiver that is asked for' 0

# --- the image must be there
what=image
refused 'no such image at the source' 3 "${copy[@]}" "$staging:2.0" "$prod"
refused 'no such tag at the destination' 3 "${copy[@]}" "$staging:1.0" "$prod:2.0"
check_stderr_has 'says how to copy it' "oras cp $staging:1.0 $prod:2.0"
MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2 run manifesto trust init "$REGISTRY/prod/empty"
MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2 refused 'no such image in the repository' 3 "${copy[@]}" "$staging:1.0" "$REGISTRY/prod/empty"
check_stderr_has 'says how to copy it, with the tag that it has' "skopeo copy --all docker://$staging:1.0 docker://$REGISTRY/prod/empty:1.0'"
push_image oci:multi:1.0 "$prod:other" >/dev/null
refused 'the tag of another image' 12 "${copy[@]}" "$staging:1.0" "$prod:other"
refused 'a digest of another image' 12 "${copy[@]}" "$staging:1.0" "$prod@$arm64"

# --- platforms
what=platforms staging=$REGISTRY/staging/multi prod=$REGISTRY/prod/multi
push_image oci:multi:1.0 "$staging:1.0" >/dev/null
push_image oci:multi:1.0 "$prod:1.0" >/dev/null
as alice
MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2 put --init --all-platforms "$staging:1.0" qa-approval third
root=$(MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2 manifesto trust show --json "$staging" | jq -r '.pinned[0]')
as carol
manifesto trust pin -q "$staging" "$root"
manifesto trust init -q "$prod"
copy=(copy --from-trust-server "tuf+file://$T/trust2")
run manifesto "${copy[@]}" --platform linux/arm64 "$staging:1.0" "$prod:1.0"
check_status 'one platform' 0
check_stdout_has 'its digest' "$prod@$arm64: 1 record"
run manifesto "${copy[@]}" --all-platforms "$staging:1.0" "$prod"
check_status 'all platforms' 0
check_stdout_has 'the one was there' '1 there before'
get_is 'of the index' third "$prod:1.0" qa-approval

# --- content of one registry is mounted, and one request publishes it all
proxy M "http://$REGISTRY"
proxy U "$NOTARY"
what=mount staging=$M/mount/staging prod=$M/mount/prod
push_image oci:layout:1.0 "$staging:1.0" >/dev/null
push_image oci:layout:1.0 "$prod:1.0" >/dev/null
as alice
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2
put --init "$staging:1.0" qa-approval "$approval"
for type in a b c d; do
	printf %s "$type" >"$type"
	put "$staging:1.0" "$type" "$type"
done
root=$(manifesto trust show --json "$staging" | jq -r '.pinned[0]')
as carol
manifesto trust pin -q "$staging" "$root"
export MANIFESTO_TRUST_SERVER=http://$U
manifesto trust init -q "$prod"
copy=(copy --from-trust-server "tuf+file://$T/trust2" "$staging:1.0" "$prod")
count() { # LOG METHOD PATTERN
	grep -c "\"method\": *\"$2\".*$3" "$1.log"
}

# killed before it publishes: nothing is there, and the next run does all of it
faults M
faults U '{"method":"POST","path":"/_trust/tuf/$","action":"delay","ms":5000,"count":1}'
manifesto "${copy[@]}" >late.out 2>&1 </dev/null &
late=$!
for _ in {1..200}; do
	grep -q '"POST"' U.log && break
	sleep 0.05
done
kill -9 $late
wait $late 2>/dev/null
check 'it was about to publish' grep -q '"POST"' U.log
check 'content is mounted' test "$(count M POST 'mount=')" = 5
check 'and none is uploaded but the empty configuration, once' test "$(count M PUT '/mount/prod/blobs/uploads/')" = 1
faults M
faults U
run manifesto "${copy[@]}"
check_status 'the next run completes what was killed' 0
check_stdout_has 'all of it' ': 5 records promoted'
check 'one publish' test "$(count U POST '/_trust/tuf/')" = 1
for type in a b c d; do
	get_is "record $type" "$type" "$prod:1.0" "$type"
done
faults M
faults U
run manifesto "${copy[@]}"
check_status 'once more' 0
check 'nothing is published' test "$(count U POST '')" = 0
check 'or stored' test "$(count M '\(POST\|PUT\|PATCH\)' '')" = 0

# what was lost is found and stored again
digest=$(sum a)
find "$LAB/data/registry" -path "*mount/prod/_layers/sha256/$digest*" -name link -delete
lab_server restart registry
run manifesto "${copy[@]}"
check_status 'content that was lost' 0
get_is 'is there again' a "$prod:1.0" a

# --- the registry is called otherwise now: the same repositories, other names
what=renamed prod=$REGISTRY/mount/staging
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust1
manifesto trust init -q "$prod"
run manifesto copy --from-trust-server "tuf+file://$T/trust2" "$staging:1.0" "$prod:1.0"
check_status 'a renamed host' 0
get_is 'the content' "$approval" "$prod:1.0" qa-approval

# --- two registries, trust servers, CAs and users; then those of the source are gone
what=far staging=$REGISTRY_TLS/far/app prod=$REGISTRY/far/app
push_image oci:layout:1.0 "$staging:1.0" --dest-creds "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" >/dev/null
push_image oci:layout:1.0 "$prod:1.0" >/dev/null
mkdir -p "$HOME/.docker"
printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY_TLS" "$(printf %s:%s "$REGISTRY_TLS_USER" "$REGISTRY_TLS_PASSWORD" | base64)" >"$HOME/.docker/config.json"
as alice
export MANIFESTO_TRUST_SERVER=$NOTARY_TLS
put --cacert "$CA" --init "$staging:1.0" qa-approval "$approval"
head -c 200000 /dev/urandom >large
put --cacert "$CA" "$staging:1.0" scan large
root=$(manifesto trust show --cacert "$CA" --json "$staging" | jq -r '.pinned[0]')
as carol
manifesto trust pin -q --cacert "$CA" "$staging" "$root"
export MANIFESTO_TRUST_SERVER=$NOTARY
manifesto trust init -q "$prod"
copy=(copy --from-trust-server "$NOTARY_TLS" --cacert "$OTHER_CA")
refused 'the CAs of the destination are not those of the source' 4 "${copy[@]}" "$staging:1.0" "$prod"
run manifesto "${copy[@]}" --from-cacert "$CA" "$staging:1.0" "$prod"
check_status 'each has its own' 0
cat >list <<END
# a release

$staging:1.0 $prod
END
run manifesto bundle create --cacert "$CA" --trust-server "$NOTARY_TLS" "$staging:1.0" -o b.tar
check_status 'a bundle' 0
lab_server stop registry-tls
lab_server stop notary-tls
cold
get_is 'the source is gone' "$approval" "$prod:1.0" qa-approval
get_is 'large content' large "$prod:1.0" scan
run manifesto verify --content --require qa-approval --policy <(jq -n "{version: 1, require: [{type: \"scan\", original: {keys: [\"$(as alice; fingerprint alice)\"]}}]}") "$prod:1.0"
check_status 'a gate needs it no more' 0
refused 'copy does' 4 "${copy[@]}" --from-cacert "$CA" "$staging:1.0" "$prod"
prod=$REGISTRY/far/bundled
push_image oci:layout:1.0 "$prod:1.0" >/dev/null
manifesto trust init -q "$prod"
run manifesto copy --bundle b.tar --from-file list
check_status 'from a bundle, to where the list says' 0
check_stdout_has 'nothing new' '0 records promoted'
run manifesto copy --bundle b.tar "$staging:1.0" "$prod:1.0"
check_status 'from a bundle' 0
get_is 'the content' large "$prod:1.0" scan
refused 'a bundle has its own metadata' 2 copy --bundle b.tar --from-trust-server "$NOTARY" "$staging:1.0" "$prod:1.0"

# --- a release: many images, two repositories
what=release
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust2
for image in staging/r1 staging/r2 prod/r1 prod/r2; do
	push_image oci:layout:1.0 "$REGISTRY/$image:1.0" >/dev/null
	push_image oci:multi:1.0 "$REGISTRY/$image:2.0" >/dev/null
done
as alice
for image in r1:1.0 r1:2.0 r2:1.0; do
	put --init "$REGISTRY/staging/$image" qa-approval "$approval"
	put "$REGISTRY/staging/$image" scan scan
done
roots=$(for image in r1 r2; do manifesto trust show --json "$REGISTRY/staging/$image" | jq -r '.pinned[0]'; done)
as carol
paste -d' ' <(printf '%s\n' "$REGISTRY/staging/r1" "$REGISTRY/staging/r2") - <<<"$roots" | while read -r image root; do
	manifesto trust pin -q "$image" "$root"
done
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust1
for image in r1 r2; do manifesto trust init -q "$REGISTRY/prod/$image"; done
copy=(copy --from-trust-server "tuf+file://$T/trust2" --from-file)
cat >list <<END
# comments and blank lines are passed over

$REGISTRY/staging/r1:1.0 $REGISTRY/prod/r1
  $REGISTRY/staging/r2:1.0	$REGISTRY/prod/r2:1.0
$REGISTRY/staging/r1:2.0 $REGISTRY/prod/r1:2.0
$REGISTRY/staging/r2:2.0 $REGISTRY/prod/r2:2.0
END
run manifesto "${copy[@]}" list
check_status 'one image has no records' 3
check_line_count 'one result a line' 2
check_stdout_has 'the first' "$REGISTRY/prod/r1@"
check_stderr_has 'which one' "not copied: '$REGISTRY/staging/r2:2.0' to '$REGISTRY/prod/r2:2.0'"
check_stderr_has 'and what it stopped' "nothing was published to its repository, because of another image"
run manifesto list --json --all "$REGISTRY/prod/r1"
check_json 'of one repository all' '(.records | length) == 4 and ([.records[].roleVersion] | unique | length) == 1'
run manifesto list --json --all "$REGISTRY/prod/r2"
check_json 'of the other none' '.records == []'
sed -i '$d' list
run_with list manifesto "${copy[@]}" - --json
check_status 'from standard input' 0
check_json 'in JSON' '.copied == 3 and [.images[].to] == ["'"$REGISTRY/prod/r1"'", "'"$REGISTRY/prod/r2:1.0"'", "'"$REGISTRY/prod/r1:2.0"'"]'
printf '%s %s\n' "$REGISTRY/staging/r1:1.0" oci:nowhere:1.0 oci:gone:1.0 "$REGISTRY/prod/r1:1.0" "$REGISTRY/staging/r2:1.0" "$REGISTRY/prod/r2:1.0" >partly
run manifesto "${copy[@]}" partly
check_status 'layouts that are not there' 3
check_line_count 'do not stop the others' 1
check_stdout_has 'which are copied' "$REGISTRY/prod/r2@"
check_stderr_has 'a destination says for itself' "not copied: '$REGISTRY/staging/r1:1.0' to 'oci:nowhere:1.0'"
check_stderr_has 'and a source' "not copied: 'oci:gone:1.0' to '$REGISTRY/prod/r1:1.0'"
echo "$REGISTRY/staging/r1:1.0" >bad
refused 'a line with one name' 2 "${copy[@]}" bad
printf '#\n' >bad
refused 'a list without a pair' 2 "${copy[@]}" bad
refused 'a list and a pair' 2 "${copy[@]}" list a b
printf '%s %s\n' "$REGISTRY/staging/r1:1.0" "$REGISTRY/prod/r1" 'NOT A' NAME >bad
run_with list manifesto "${copy[@]}" - --policy -
check_status 'standard input is one thing only' 2
refused 'a slip stops all of it' 2 "${copy[@]}" bad

# --- who approved is not lost, and a record has one source
what=sources
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust1
source1=$REGISTRY/sources/one source2=$REGISTRY/sources/two prod=$REGISTRY/sources/prod
for image in "$source1" "$source2" "$prod"; do
	push_image oci:layout:1.0 "$image:1.0" >/dev/null
done
as alice
put --init "$source1:1.0" qa-approval "$approval"
put "$source1:1.0" scan scan
as bob
put --init "$source2:1.0" qa-approval "$approval"
put "$source2:1.0" scan third
put "$source2:1.0" contact third
as alice
root1=$(manifesto trust show --json "$source1" | jq -r '.pinned[0]')
as bob
root2=$(manifesto trust show --json "$source2" | jq -r '.pinned[0]')
as carol
manifesto trust pin -q "$source1" "$root1"
manifesto trust pin -q "$source2" "$root2"
manifesto trust init -q "$prod"
printf '%s\n' "$source1:1.0 $prod" "$source2:1.0 $prod" >list
refused 'two sources of one record' 2 copy --types scan --from-file list
check_stderr_has 'are named' "'scan' of the image is promoted from '$source1:1.0' already"
refused 'also when their content is the same' 2 copy --require qa-approval --from-file list
run manifesto copy --types qa-approval "$source1:1.0" "$prod"
check_status 'one of them' 0
refused 'a promotion that loses who approved elsewhere' 12 copy --types qa-approval "$source2:1.0" "$prod"
check_stderr_has 'says where' "promoted from '$source1', with signatures that '$source2:1.0' lacks"
run manifesto list --json "$prod:1.0"
check_json 'the approval is there still' "[.records[].promotedFrom[].repository] == [\"$source1\"]"
run manifesto copy --force --types qa-approval "$source2:1.0" "$prod"
check_status '--force' 0
run manifesto list --json "$prod:1.0"
check_json 'replaces it' "[.records[].promotedFrom[].repository] == [\"$source2\"]"

# one key approves in one repository and promotes to the next: two signatures of it, each for its own
source3=$REGISTRY/sources/three
push_image oci:layout:1.0 "$source3:1.0" >/dev/null
as alice
manifesto trust init -q "$source3"
run manifesto copy --types scan "$source1:1.0" "$source3"
check_status 'a promotion by who approved' 0
root3=$(manifesto trust show --json "$source3" | jq -r '.pinned[0]')
as carol
manifesto trust pin -q "$source3" "$root3"
run manifesto copy --types scan "$source1:1.0" "$prod"
check_status 'the record from where it was made' 0
run manifesto copy --types scan "$source3:1.0" "$prod"
check_stdout_has 'and by way of the other, which is more' '1 record promoted'
run manifesto copy --types scan "$source1:1.0" "$prod"
check_stdout_has 'of which the first is a part' '0 records promoted'

# vetoes stay where they are
as bob
run manifesto veto --reason 'not this one' "$source2:1.0" contact
as carol
run manifesto copy --types contact "$source2:1.0" "$prod"
check_status 'a vetoed record, without a policy that says whose veto counts' 0
check_stderr_has 'is copied with a warning' "'$source2:1.0' vetoes 'contact': a veto is not copied"
refused 'and is not with such a policy' 9 copy --force --policy <(echo '{"version":1,"require":[{"type":"contact"}],"veto":["targets"]}') "$source2:1.0" "$prod"

# what a waiver stands in for is not copied, also where it is asked for by name
as bob
jq -n '{version: 1, name: "release", waives: ["qa-approval"], for: "us", until: "2100-01-01T00:00:00Z"}' >waiver.json
put "$source2:1.0" waiver waiver.json
as carol
jq -n '{version: 1, name: "release", require: [{type: "qa-approval", mediaType: "text/x-none"}, {type: "contact"}],
	waivers: {roles: ["targets"]}}' >waives.json
run manifesto copy --json --force --policy waives.json --types qa-approval,contact "$source2:1.0" "$prod"
check_status 'waived, and asked for' 3
check_stdout_has 'says so' "'qa-approval' of '$source2:1.0' is waived there: it is not copied"
run manifesto copy --json --force --policy waives.json "$source2:1.0" "$prod"
check_status 'waived' 0
check_json 'the rest is copied' '[.images[0].records[].record.type] == ["contact"]'

# --- two roles are two publishes: what is published when the second fails is said, and the next run does the rest
what=roles
proxy R "$NOTARY"
export MANIFESTO_TRUST_SERVER=http://$R
faults R
prod=$REGISTRY/roles/prod
push_image oci:layout:1.0 "$prod:1.0" >/dev/null
as carol
manifesto trust init -q "$prod"
manifesto key generate -q carol2
for role in qa-approval:carol scan:carol2; do
	run manifesto role add "$prod" "${role%%:*}s" --types "${role%%:*}" --key "${role#*:}"
	check_status "a role for ${role%%:*}" 0
done
copy=(copy --from-trust-server "tuf+file://$T/trust1" --types "qa-approval,scan" "$source1:1.0" "$prod")
refused 'a key of one of the roles only' 11 "${copy[@]}" --key carol
faults R '{"method":"POST","path":"/_trust/tuf/$","skip":1,"action":"status","status":500}'
refused 'the second publish fails' 4 "${copy[@]}"
check_stderr_has 'what is published is reported' "the records of 1 of 2 roles are published, those of role 'targets/scans' are not"
check_stderr_has 'and what to do' 'run the command again'
faults R
run manifesto copy --json "${copy[@]:1}"
check_status 'the next run' 0
check_json 'does the rest' '[.images[0].records[] | [.record.type, .unchanged]] == [["qa-approval", true], ["scan", false]]'
get_is 'the one' "$approval" "$prod:1.0" qa-approval
get_is 'and the other' scan "$prod:1.0" scan

# --- a run that is stopped says what it did
what=stopped
for image in r3 r4; do
	push_image oci:layout:1.0 "$REGISTRY/stopped/$image:1.0" >/dev/null
	push_image oci:layout:1.0 "$REGISTRY/stopped/$image:2.0" >/dev/null
	manifesto trust init -q "$REGISTRY/stopped/$image"
done
faults R '{"method":"POST","path":"/stopped/r4/_trust/tuf/$","action":"delay","ms":30000}'
printf '%s\n' "$source1:1.0 $REGISTRY/stopped/r3:1.0" "$source1:1.0 $REGISTRY/stopped/r4:1.0" "$source1:1.0 $REGISTRY/stopped/r3:2.0" >list
set -m
manifesto copy --from-trust-server "tuf+file://$T/trust1" --from-file list >stdout 2>stderr </dev/null &
stopped=$!
set +m
for _ in {1..400}; do
	grep -q '"POST".*stopped/r4' R.log && break
	sleep 0.05
done
kill -INT $stopped
wait $stopped
status=$?
t_command='copy, and SIGINT'
check_status 'it is stopped' 130
check_line_count 'two images of three are copied' 2
check_stdout_has 'also the one behind' "$REGISTRY/stopped/r3@"
check_stderr_has 'and one is not' "not copied: '$source1:1.0' to '$REGISTRY/stopped/r4:1.0'"
faults R

# --- a chain: staging to staging to staging; and layouts
what=chain
unset MANIFESTO_TRUST_SERVER
for i in {0..9}; do
	cp -r layout "l$i"
done
as alice
put --init oci:l0:1.0 qa-approval "$approval"
for i in {1..9}; do
	manifesto trust init -q "oci:l$i"
done
for i in {1..8}; do
	run manifesto copy "oci:l$((i - 1)):1.0" "oci:l$i:1.0"
	check_status "promotion $i" 0
done
run manifesto list --json oci:l8:1.0
check_json 'all of them are shown' '.records[0].promotedFrom | map(.depth) == [1,2,3,4,5,6,7,8]'
get_is 'the content' "$approval" oci:l8:1.0 qa-approval
refused 'an image that a layout lacks' 3 copy oci:l0:1.0 oci:l1:none
check_stderr_has 'is copied by the names of layouts' "'skopeo copy --all oci:l0:1.0 oci:l1:none'"

# two roles may hold the type, with a key here for each: who copies chooses, and then the one that has the record is taken
what='two roles'
cp -r layout both
manifesto trust init -q oci:both
for role in one:qa-approval,scan two:qa-approval; do
	manifesto key generate -q "key-${role%%:*}"
	run manifesto role add oci:both "${role%%:*}" --types "${role#*:}" --key "key-${role%%:*}"
	check_status "role ${role%%:*}" 0
done
put oci:l0:1.0 scan scan
refused 'not chosen' 2 copy --types qa-approval oci:l0:1.0 oci:both
check_stderr_has 'says how' 'choose one with --role or --key; --types'
refused 'a role that may not sign all' 2 copy --role two oci:l0:1.0 oci:both
check_stderr_has 'says how' '--types promotes some types alone'
run manifesto copy --key key-two --types qa-approval oci:l0:1.0 oci:both
check_stdout_has 'a key decides' 'in two, version'
run manifesto copy oci:l0:1.0 oci:both
check_status 'the role that holds the record' 0
check_stdout_has 'is taken, and the other one for the rest' '1 record promoted'
check_stdout_has 'nothing twice' '1 there before'
run manifesto copy --role one oci:l0:1.0 oci:both
check_status 'a role that is asked for' 0

# four eyes: those who approved must differ, not those who promote
what='four eyes'
alice=$(fingerprint alice)
other=$(fingerprint key-one)
eyes() { # ORIGINAL-OF-SCAN
	jq -n "{version: 1, distinct: [\"qa-approval\", \"scan\"], require: [
		{type: \"qa-approval\", original: {keys: [\"$alice\"]}}, {type: \"scan\"$1}]}" >eyes.json
}
eyes ''
run manifesto verify --policy eyes.json oci:both:1.0
check_status 'one approved the one, somebody else the other' 0
jq '.require[].roles = ["one"]' eyes.json >roles.json
run manifesto verify --policy roles.json oci:both:1.0
check_status 'who approved the other may promote the one' 0
eyes ", original: {keys: [\"$alice\", \"$other\"]}"
run manifesto verify --policy eyes.json oci:both:1.0
check_status 'one approved both, whoever promoted them' 9
check_stderr_has 'is named' "too few keys of its own: its original signed by alice (who signed for 'qa-approval', too)"
refused 'the ninth is one too many' 2 copy oci:l8:1.0 oci:l9:1.0
run manifesto list --json oci:l9:1.0
check_json 'nothing is there' '.records == []'
t_done
