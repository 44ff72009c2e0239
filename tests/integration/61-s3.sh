#!/bin/bash
# A trust repository in an object store: Ceph's, and what it does not do by itself: answers that are lost, other refusals, other
# regions, conditions that are ignored.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

lab registry s3
proxy P "$S3"
make_image layout >/dev/null
make_image layout-b --seed b >/dev/null
echo second >second
new() { # NAME: an image of its own, and the base of its files
	image=$REGISTRY/acme/$1:1.0
	files=${REGISTRY/:/%3A}/acme/$1
	push_image oci:layout:1.0 "$image" >/dev/null 2>&1
}
at_store() { # NAME-OF-FILE: what everybody reads there
	curl -sf -m 20 "$S3_PUBLIC/tuf/${files//%/%25}/$1"
}
status_at_store() { # NAME-OF-FILE
	http_status "$S3_PUBLIC/tuf/${files//%/%25}/$1"
}
through() { # COMMAND...: requests go through the proxy
	AWS_ENDPOINT_URL_S3=http://$P run "$@"
}
# A rule for requests of a method to the files of the present repository.
rule() { # METHOD PATTERN ACTION [more members]
	printf '{"method":"%s","path":"%s","action":"%s"%s}' "$1" "$2" "$3" "${4:+,$4}"
}
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf

# --- put, and what is in the bucket then
new app
refused 'the first put without --init' 3 put "$image" qa-approval "$approval"
run manifesto put --init "$image" qa-approval "$approval"
check_status 'the first put' 0
check_stdout_has 'it says where it publishes' "published to tuf+s3://$S3_BUCKET/tuf/$files"
get_is 'get' "$approval" "$image" qa-approval
run manifesto list "$image"
check_status 'list' 0
run manifesto verify "$image" --require qa-approval
check_status 'verify' 0
check 'the timestamp must not be stale in a cache' grep -qi '^cache-control: no-cache' <(curl -sI "$S3_PUBLIC/tuf/${files//%/%25}/timestamp.json")
check 'the others never change' grep -qi '^cache-control: .*immutable' <(curl -sI "$S3_PUBLIC/tuf/${files//%/%25}/1.root.json")
check 'they are JSON' grep -qi '^content-type: application/json' <(curl -sI "$S3_PUBLIC/tuf/${files//%/%25}/1.root.json")
run manifesto put "$image" qa-approval second --key alice
check_status 'a replacement' 0
get_is 'the newest' second "$image" qa-approval
run manifesto put "$image" scan second
run manifesto rm "$image" scan
check_status 'rm' 0
refused 'it is gone' 3 get "$image" scan
run manifesto withdraw --reason 'a hole' "$image" qa-approval
check_status 'withdraw' 0
refused 'it is withdrawn' 9 get "$image" qa-approval
run manifesto rm --reinstate "$image" qa-approval
run manifesto put "$image" qa-approval "$approval"
check_status 'and put again' 0
run manifesto trust refresh --force "$image"
run manifesto trust refresh "$image"
check_status 'trust refresh' 0

# --- readers without our program's store: plain HTTP on the public address, and without keys
export AWS_ACCESS_KEY_ID='' AWS_SECRET_ACCESS_KEY=''
get_is 'a reader without keys' "$approval" "$image" qa-approval
refused 'who has no keys cannot publish' 5 put "$image" qa-approval second
check_stderr_has 'and the hint names the keys' 'AWS_ACCESS_KEY_ID'
export AWS_ACCESS_KEY_ID=$S3_KEY_ID AWS_SECRET_ACCESS_KEY=$S3_SECRET
machine reader
at_store 1.root.json >root.json
manifesto trust pin "$image" root.json >/dev/null 2>&1
MANIFESTO_TRUST_SERVER=tuf+$S3_PUBLIC/tuf run manifesto get "$image" qa-approval
check_status 'tuf+http:// on the public address' 0
check_stdout_file 'reads what was published' "$approval"
cold
MANIFESTO_TRUST_SERVER=tuf+$S3_PUBLIC/tuf run manifesto -v get "$image" qa-approval
check_stderr_lacks 'content comes from the bucket, not from the registry' '/blobs/'
machine first

# --- status and repair: a target file that is gone
delete() { # NAME-OF-FILE
	curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_KEY_ID:$S3_SECRET" -X DELETE -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
		"$S3_PUBLIC/tuf/${files//%/%25}/$1"
}
spare_root "$image"
run manifesto status "${image%:*}"
check_status 'status' 0
target=targets/qa-approval/$(sum "$approval").sha256-$(jq -r '.manifests[0].digest' layout/index.json | cut -d: -f2)
check 'the content is in the bucket' cmp -s <(at_store "$target") "$approval"
delete "$target"
run manifesto status "${image%:*}"
check_status 'status sees that a target file is gone' 14
run manifesto repair "${image%:*}"
check_status 'repair' 0
check 'writes it again' cmp -s <(at_store "$target") "$approval"

# --- keys: session tokens, profiles, credential_process, virtual-host style
(
	eval "$("$BASH" "$T_TOP/tests/support/lab.sh" s3-token "$LAB")"
	manifesto -v put "$image" token second >token.out 2>&1
	echo $? >token.status
	printf '%s' "$AWS_SESSION_TOKEN" >token.text
	AWS_SESSION_TOKEN=${AWS_SESSION_TOKEN}x manifesto put "$image" token2 second >bad.out 2>&1
	echo $? >bad.status
)
check 'a session token' test "$(cat token.status)" = 0
check 'is in no log' test -s token.text -a "$(grep -cF "$(cat token.text)" token.out)" = 0
check 'a wrong one is refused' test "$(cat bad.status)" = 5
check 'and the keys are at fault' grep -qF 'refuses the keys of AWS_ACCESS_KEY_ID' bad.out
mkdir -p "$HOME/.aws"
cat >"$HOME/.aws/config" <<END
[default]
region = us-east-1
[profile ci]
region = us-east-1
endpoint_url = $S3
credential_process = "$T/bin/aws keys" --as json
[profile virtual]
region = us-east-1
endpoint_url = http://localhost:${S3##*:}
s3 =
    addressing_style = virtual
END
cat >"$HOME/.aws/credentials" <<END
# keys
[virtual]
aws_access_key_id = $S3_KEY_ID
aws_secret_access_key = $S3_SECRET
END
cat >"$T/bin/aws keys" <<END
#!/bin/sh
printf '%s\n' "\$@" >"$T/process.arguments"
env >"$T/process.environment"
echo '{"Version": 1, "AccessKeyId": "$S3_KEY_ID", "SecretAccessKey": "$S3_SECRET", "Expiration": "2099-01-01T00:00:00Z"}'
END
chmod +x "$T/bin/aws keys"
unset AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL_S3
AWS_PROFILE=ci AWS_SECRET_ACCESS_KEY='' AWS_SESSION_TOKEN=not-theirs MANIFESTO_PASSPHRASE='correct horse' run manifesto put "$image" process second
check_status 'a credential_process' 0
printf '%s\n' --as json >want
check 'gets its arguments' diff want process.arguments
check 'and no secret of ours' test "$(grep -cE '^(AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|MANIFESTO_PASSPHRASE)=' process.environment)" = 0
unset AWS_SECRET_ACCESS_KEY
AWS_PROFILE=virtual run manifesto -v put --plain-http "$image" virtual second
check_status 'virtual-host style, keys of a profile' 0
check_stderr_has 'it is' "http://$S3_BUCKET.localhost:"
AWS_PROFILE=nobody refused 'a profile that is none' 2 list "$image"
check_stderr_has 'is named' "'nobody'"
printf '#!/bin/sh\nprintf "{\\"AccessKeyId\\": \\"x\\", \\"Secret%%s" hush; exit 0\n' >"$T/bin/aws keys"
AWS_PROFILE=ci refused 'a credential_process that prints something else' 5 list "$image"
check_stderr_has 'is named' "credential_process of the AWS profile 'ci'"
check_stderr_lacks 'and not repeated' hush
rm -r "$HOME/.aws"
AWS_REGION='' refused 'no region and no endpoint' 2 list "$image"
check_stderr_has 'what to set' AWS_REGION
export AWS_ENDPOINT_URL_S3=$S3 AWS_ACCESS_KEY_ID=$S3_KEY_ID AWS_SECRET_ACCESS_KEY=$S3_SECRET

# --- what is refused has its reason
AWS_SECRET_ACCESS_KEY=wrong refused 'a wrong key' 5 put "$image" qa-approval second
check_stderr_has 'the keys are at fault' 'for the keys of AWS_ACCESS_KEY_ID'
AWS_SECRET_ACCESS_KEY='' refused 'half a pair of keys' 5 list "$image"
MANIFESTO_TRUST_SERVER=tuf+s3://no-such-bucket/tuf refused 'a bucket that is none' 2 put --init "$image" qa-approval second
check_stderr_has 'is named' "there is no bucket 'no-such-bucket'"
run faketime -f +1h manifesto put "$image" qa-approval second
check_status 'a clock that is wrong' 5
check_stderr_has 'both clocks are named' 'the clocks differ: here it is'
for bad in 'tuf+s3://' 'tuf+s3:///x' 'tuf+s3://a' "tuf+s3://$S3_BUCKET/a/../b" "tuf+s3://$S3_BUCKET//a" "tuf+s3://u:p@$S3_BUCKET/x" "tuf+s3://$S3_BUCKET/a?b"; do
	MANIFESTO_TRUST_SERVER=$bad refused "the URL '$bad'" 2 list "$image"
done
AWS_ENDPOINT_URL_S3=http://s3.example refused 'plain HTTP to another host' 2 list "$image"
AWS_ENDPOINT_URL_S3=$S3/path refused 'an endpoint with a path' 2 list "$image"
faults P '{"path":"/","action":"status","status":301,"headers":{"x-amz-bucket-region":"eu-central-1"}}'
AWS_ENDPOINT_URL_S3=http://$P refused 'another region' 2 put "$image" qa-approval second
check_stderr_has 'which one' 'set AWS_REGION=eu-central-1'
faults P '{"path":"/","action":"status","status":400,"body":"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>"}'
AWS_ENDPOINT_URL_S3=http://$P refused 'said in the body' 2 put "$image" qa-approval second
check_stderr_has 'which one' 'set AWS_REGION=eu-west-3'
faults P '{"method":"PUT","path":"/","action":"status","status":403,"body":"<Error><Code>AccessDenied</Code></Error>"}'
AWS_ENDPOINT_URL_S3=http://$P refused 'no right to write' 5 put "$image" qa-approval second
check_stderr_has 'which rights there must be' 's3:PutObject'
faults P '{"path":"/","action":"status","status":307,"headers":{"Location":"http://127.0.0.1:1/"}}'
AWS_ENDPOINT_URL_S3=http://$P refused 'a redirect is not followed' 2 put "$image" qa-approval second

faults P "$(rule GET /timestamp.json status '"status":200,"headers":{"Content-Type":"text/html"},"body":"<html><body>log in</body></html>"')"
AWS_ENDPOINT_URL_S3=http://$P refused 'a login page' 4 get "$image" qa-approval
check_stderr_has 'is no broken signature' 'web page'

# --- a store that ignores conditions is refused at the first publish, and nothing is in force
for ignored in if-none-match if-match; do
	new "ignores-$ignored"
	faults P "$(rule PUT / ignore "\"headers\":[\"$ignored\"]")"
	AWS_ENDPOINT_URL_S3=http://$P refused "a store that ignores $ignored" 2 put --init "$image" qa-approval "$approval"
	check_stderr_has 'says what it ignores' 'ignores the conditions of writes'
	check 'nothing is in force' test "$(status_at_store timestamp.json)" = 404
done
new known
run manifesto put --init "$image" qa-approval "$approval"
check_status 'a store that heeds them' 0
rm -r "$MANIFESTO_HOME/stores"
faults P "$(rule PUT / ignore '"headers":["if-match","if-none-match"]')"
AWS_ENDPOINT_URL_S3=http://$P refused 'a repository that was moved to another' 2 put "$image" qa-approval second
faults P "$(rule PUT / status '"status":501,"body":"<Error><Code>NotImplemented</Code></Error>"')"
AWS_ENDPOINT_URL_S3=http://$P refused 'a store that knows none' 2 put "$image" qa-approval second
for etag in null '"\"\""'; do
	faults P "$(rule GET /timestamp.json replace "\"headers\":{\"ETag\":$etag}")"
	AWS_ENDPOINT_URL_S3=http://$P refused "a store that names no version: ETag $etag" 2 put "$image" qa-approval second
	check_stderr_has 'says what it lacks' 'gives no ETag for the conditions of writes'
	check 'nothing is written without a condition' test -z "$(grep '"PUT"' "$T/P.log" | grep /timestamp.json)"
done
faults P
through manifesto put "$image" qa-approval second
check_status 'the same without faults' 0
get_is 'has the record' second "$image" qa-approval

# --- answers that are lost or say nothing: each request in turn took effect without an answer
lost() { # NAME RULE [RULES]
	local name=$1
	shift
	echo "$name" >content
	faults P "$@"
	through manifesto put "$image" qa-approval content
	check_status "$name: status" 0
	get_is "$name: it is there" content "$image" qa-approval
}
for what in snapshot.json targets.json /timestamp.json /targets/; do
	lost "the answer about $what is lost" "$(rule PUT "$what" drop '"forward":true,"count":1')"
	lost "the request for $what is lost" "$(rule PUT "$what" reset '"count":1')"
	lost "409 for $what" "$(rule PUT "$what" status '"status":409,"count":1,"body":"<Error><Code>ConditionalRequestConflict</Code></Error>"')"
	lost "500 for $what, which took effect" "$(rule PUT "$what" replace '"count":1')" "$(rule PUT "$what" status '"status":500,"count":1')"
done
faults P "$(rule PUT /timestamp.json drop '"forward":true')" "$(rule GET /timestamp.json status '"status":503,"skip":1')"
echo unknown >content
AWS_ENDPOINT_URL_S3=http://$P run manifesto put --timeout 5 "$image" qa-approval content
check_status 'no answer at all' 4
check_stderr_has 'what is known' 'not known whether'
run manifesto put "$image" qa-approval content
check_status 'the same command again' 0
get_is 'finds it done, or does it' content "$image" qa-approval

# --- a first publish that was stopped: who holds its keys goes on, nobody else takes it
new stopped
faults P "$(rule PUT snapshot.json status '"status":403')"
AWS_ENDPOINT_URL_S3=http://$P refused 'stopped behind the root' 5 put --init "$image" qa-approval "$approval"
check 'the root is there' test "$(status_at_store 1.root.json)" = 200
at_store 1.root.json >root.before
refused 'readers' 3 get "$image" qa-approval
machine other
MANIFESTO_KEY=bob refused 'somebody else cannot take the name' 3 put --init --timeout 10 "$image" qa-approval "$approval"
machine first
run manifesto put --init "$image" qa-approval "$approval"
check_status 'the same command again' 0
check 'goes on with that root' cmp -s <(at_store 1.root.json) root.before
get_is 'and publishes' "$approval" "$image" qa-approval

delete timestamp.json
refused 'a repository whose timestamp is gone is not made again' 12 trust init "$image"
check 'nothing is in force' test "$(status_at_store timestamp.json)" = 404
new leftovers
run manifesto put --init "$image" qa-approval "$approval"

# --- files that stopped publishers have left are passed over
for file in 3.snapshot.json 4.snapshot.json 3.targets.json; do
	curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user "$S3_KEY_ID:$S3_SECRET" -X PUT -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
		--data-binary left "$S3_PUBLIC/tuf/${files//%/%25}/$file"
done
run manifesto put "$image" qa-approval second
check_status 'names that are taken' 0
get_is 'the next free ones are used' second "$image" qa-approval
check 'what was there stays' test "$(at_store 3.snapshot.json)" = left
run manifesto put "$image" qa-approval "$approval"
check_status 'and behind them' 0

# --- round trips: with --latency, whoever asks alone begins a new one
new trips
run manifesto put --init "$image" qa-approval "$approval"
proxy L "$S3" --latency 100
rounds() { # NAME: of the log L
	grep -v '/v2/' "$T/L.log" | jq -s '[.[] | select(.active == 1)] | length'
}
echo third >content
AWS_ENDPOINT_URL_S3=http://$L run manifesto put "$image" qa-approval content # the store of this address is tried
faults L
echo fourth >content
AWS_ENDPOINT_URL_S3=http://$L run manifesto put "$image" qa-approval content
check_status 'a publish' 0
check 'takes at most 8 round trips' test "$(rounds)" -le 8
check 'all of which are counted' test "$(rounds)" -ge 5
faults L
AWS_ENDPOINT_URL_S3=http://$L run manifesto get "$image" qa-approval
check 'a get takes at most 5' test "$(rounds)" -le 5

# --- status lists the content once, however many records there are
for type in one two three four; do put "$image" $type "$approval"; done
faults L
AWS_ENDPOINT_URL_S3=http://$L run manifesto status "${image%:*}"
check 'status finds the content' test "$status" = 0 -o "$status" = 14
check 'with one request' test "$(grep -c '[?&]list-type=2' "$T/L.log")" = 1
check 'and asks for no object of it' test -z "$(grep '/targets/' "$T/L.log")"

# --- a cache before the bucket's public address that is behind
new cached
run manifesto put --init "$image" qa-approval "$approval"
at_store timestamp.json >stale.json
put "$image" qa-approval second
public=tuf+http://$P/$S3_BUCKET/tuf
faults P
get_is 'through a cache that asks' second --trust-server "$public" "$image" qa-approval
faults P "$(rule GET /timestamp.json replace '"body_file":"'"$T/stale.json"'"')"
refused 'a cache that is behind is found out by whoever has published' 8 get --trust-server "$public" "$image" qa-approval
run manifesto status --quiet --trust-server "$public" "${image%:*}"
check_status 'status says so' 8
machine new-to-it
mkdir -p "$MANIFESTO_HOME"
cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
get_is 'who comes new is behind, no more' "$approval" --trust-server "$public" "$image" qa-approval
faults P
get_is 'until the cache asks again' second --trust-server "$public" "$image" qa-approval
machine first

# --- secrets
run manifesto -v -v put "$image" secrets second
check_stderr_lacks 'no secret in the log' "$S3_SECRET"
check_stderr_lacks 'no signature' 'Signature='
check 'nor in the home' test -z "$(grep -rlF "$S3_SECRET" "$MANIFESTO_HOME" "$XDG_CACHE_HOME")"

# --- the session in docs/publishing.md, as it is written
mkdir -p "$T/session/tests" && ln -s "$T_TOP/testdata" "$T/session/" && ln -s "$T_TOP/tests/support" "$T/session/tests/"
sed -n '/^    lab=/,/stop --purge/s/^    //p' "$T_TOP/docs/publishing.md" >session.sh
check 'the session has its commands' test "$(grep -cE '^(manifesto|export|skopeo|bash)' session.sh)" = 8
sed -i 's/skopeo copy /skopeo --insecure-policy copy --quiet /' session.sh
machine session
unset MANIFESTO_TRUST_SERVER AWS_ENDPOINT_URL_S3 AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
(cd "$T/session" && PATH=$(dirname "$T_MANIFESTO"):$PATH TMPDIR=$t_outer_tmp run bash -e ../session.sh && echo "$status" >status)
check 'it ends well' test "$(cat session/status)" = 0
check_same_file 'with the approval' "$approval" session/out.json

t_done
