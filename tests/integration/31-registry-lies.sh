#!/bin/bash
# A registry that lies, fails or stalls: a real one, behind a proxy that changes its answers. An outage is never "not found".
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy P "http://$REGISTRY"
proxy Q "http://$REGISTRY"
proxy S "http://$REGISTRY" --tls-cert "$LAB/tls/server.crt" --tls-key "$LAB/tls/server.key"
export MANIFESTO_TRUST_SERVER=$NOTARY
# shellcheck disable=SC2153 # set by proxy
image=$P/acme/app:1.0
make_image image >/dev/null
subject=$(push_image oci:image:1.0 "$REGISTRY/acme/app:1.0")
make_image wrong --seed other >/dev/null
push_image oci:wrong:1.0 "$REGISTRY/acme/app:wrong" >/dev/null
make_image index --tag 2.0 --index >/dev/null
push_image oci:index:2.0 "$REGISTRY/acme/app:2.0" >/dev/null
echo '{"approved":true}' >approval.json
echo '{"approved":true}' | sed s/true/fals/ >wrong.json
echo '{"other":1}' >other.json
run manifesto put -q --no-passphrase --init --key alice "$image" qa-approval approval.json
[ "$status" = 0 ] || t_bail 'put through the proxy'
blob=$(sha256sum <approval.json | cut -c1-64)
WATCH=(home "$LAB/data/registry/docker/registry/v2/blobs" "$LAB/data/registry/docker/registry/v2/repositories/acme/app/_manifests")
# What the Notary server has.
server_state() {
	curl -s "$NOTARY/v2/$P/acme/app/_trust/tuf/timestamp.json" | sha256sum
}

# Before each try the caches are empty, so that everything is asked for.
lie() { # RULE...
	rm -rf home/cache
	faults P "$@"
}
get_blob='"method":"GET","path":"/blobs/sha256:'$blob'"'
head_tag='"method":"HEAD","path":"/manifests/1.0"'
any_tag='"path":"/manifests/1.0"'
get_manifest='"method":"GET","path":"/manifests/"'

lie
gets 'the proxy without faults' approval.json "$image" qa-approval

# --- the blob
lie "{$get_blob,\"action\":\"replace\",\"body_file\":\"$T/wrong.json\"}"
get_refused 'another blob of the same length' 6 "$blob" "$image" qa-approval
check 'nothing of it is cached' test ! -e "home/cache/manifesto/blobs/$blob"
lie "{$get_blob,\"action\":\"replace\",\"body\":\"\"}"
get_refused 'an empty blob' 6 "$blob" "$image" qa-approval
lie "{$get_blob,\"action\":\"replace\",\"body\":\"{\\\"approved\\\":true}\\nx\"}"
get_refused 'a blob with a byte more' 6 '' "$image" qa-approval
lie "{$get_blob,\"action\":\"truncate\",\"bytes\":5}"
get_refused 'a blob cut short' 4 '' "$image" qa-approval
lie "{$get_blob,\"action\":\"local\",\"to\":\"/endless\"}"
get_refused 'a blob without end' 6 '' "$image" qa-approval
lie "{$get_blob,\"action\":\"local\",\"to\":\"/stall?n=18&sent=4\"}"
refuses 'a blob that stalls' 4 'time' manifesto get --timeout 1s "$image" qa-approval
lie "{$get_blob,\"action\":\"replace\",\"headers\":{\"Content-Type\":\"text/html\",\"Docker-Content-Digest\":\"sha256:$(printf '%064d' 0)\"}}"
gets 'headers of a blob are not believed, its content is' approval.json "$image" qa-approval
while read -r code want; do
	lie "{$get_blob,\"action\":\"status\",\"status\":$code,\"body\":\"not found, no such record\"}"
	refuses "$code for the blob" "$want" "$code" manifesto get --timeout 3s "$image" qa-approval
done <<-'END'
	401 5
	403 5
	429 4
	500 4
	502 4
	503 4
	504 4
END
lie "{$get_blob,\"action\":\"status\",\"status\":404}"
get_refused '404 for the blob' 13 "$blob" "$image" qa-approval
lie "{$get_blob,\"action\":\"status\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"},\"count\":1}"
gets '429 with Retry-After is waited for' approval.json "$image" qa-approval
lie "{$get_blob,\"action\":\"status\",\"status\":429,\"headers\":{\"Retry-After\":\"100000\"}}"
refuses 'but no day' 4 '429' timeout 20 manifesto get --timeout 5s "$image" qa-approval
lie "{$get_blob,\"action\":\"reset\"}"
get_refused 'a reset connection' 4 '' "$image" qa-approval
lie "{$get_blob,\"action\":\"drop\"}"
refuses 'a connection that is closed' 4 '' manifesto get "$image" qa-approval

# --- the image
while read -r code want; do
	lie "{$any_tag,\"action\":\"status\",\"status\":$code}"
	refuses "$code for the tag" "$want" "$code" manifesto get --timeout 3s "$image" qa-approval
	lie "{$any_tag,\"action\":\"status\",\"status\":$code}"
	refuses "$code for the tag of a list" "$want" "$code" manifesto list --timeout 3s "$image"
	lie "{$any_tag,\"action\":\"status\",\"status\":$code}"
	refuses "$code for the tag of a put" "$want" "$code" manifesto put --timeout 3s "$image" new-type other.json
done <<-'END'
	401 5
	403 5
	429 4
	500 4
	502 4
END
for code in 400 403 404 405 501; do
	lie "{$head_tag,\"action\":\"status\",\"status\":$code}"
	gets "a HEAD that is refused with $code is asked again with GET" approval.json "$image" qa-approval
done
lie "{$any_tag,\"action\":\"status\",\"status\":404}"
get_refused '404 for the tag' 3 '1.0' "$image" qa-approval
lie "{$head_tag,\"action\":\"reset\"}"
refuses 'a reset connection for the tag' 4 '' manifesto list "$image"
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":\"sha256:xyz\"}}"
gets 'a digest header that is none: the manifest is fetched and hashed' approval.json "$image" qa-approval
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":\"sha256:$(printf '%064d' 1)\"}}"
get_refused "another image's digest: records do not follow the tag" 3 'qa-approval' "$image" qa-approval
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":null}}"
gets 'no digest header: the manifest is fetched and hashed' approval.json "$image" qa-approval
check 'it was fetched' grep -q '"GET", "path": "/v2/acme/app/manifests/1.0"' "$T/P.log"
page='"status":200,"body":"<html>log in first</html>","headers":{"Content-Type":"text/html"}'
lie "{\"path\":\"/v2/\",\"action\":\"status\",$page}"
refuses 'a page for people instead of a registry' 6 '' manifesto get "$image" qa-approval
refuses 'the same for a put' 6 '' manifesto put "$image" new-type other.json
refuses 'the same for a list' 6 '' manifesto list "$image"
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":null}}" "{$get_manifest,\"action\":\"status\",$page}"
refuses 'such a page instead of the manifest' 6 '' manifesto get "$image" qa-approval
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":null}}" "{$get_manifest,\"action\":\"local\",\"to\":\"/endless\"}"
refuses 'a manifest without end' 6 '' manifesto get "$image" qa-approval
lie "{$head_tag,\"action\":\"replace\",\"headers\":{\"Docker-Content-Digest\":null}}" "{$get_manifest,\"action\":\"truncate\",\"bytes\":40}"
refuses 'a manifest cut short' 4 '' manifesto get "$image" qa-approval
lie "{$get_manifest,\"action\":\"replace\",\"body_file\":\"$T/wrong.json\"}"
refuses 'another document for a digest' 6 '' manifesto put "$P/acme/app@$subject" new-type other.json
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$REGISTRY/v2/acme/app/manifests/wrong" >wrong.manifest
check 'a valid manifest to be swapped in' jq -e .config wrong.manifest
lie "{$get_manifest,\"action\":\"replace\",\"body_file\":\"$T/wrong.manifest\",\"headers\":{\"Docker-Content-Digest\":\"$subject\"}}"
refuses 'another valid manifest for a digest, with the header that was asked for' 6 'digest' \
	manifesto put "$P/acme/app@$subject" new-type other.json
lie "{$get_manifest,\"action\":\"replace\",\"body_file\":\"$T/wrong.manifest\"}"
refuses 'another manifest for an index' 6 'digest' manifesto get --platform linux/arm64 "$P/acme/app:2.0" qa-approval
lie "{$get_manifest,\"action\":\"status\",\"status\":500}"
refuses 'an index that cannot be had' 4 '500' manifesto put --timeout 3s --all-platforms "$P/acme/app:2.0" qa-approval other.json

# --- redirects
lie '{"method":"GET","path":"/blobs/sha256:'"$blob"'","action":"status","status":401,"headers":{"WWW-Authenticate":"Basic realm=\"r\""},"count":1}' \
	"{$get_blob,\"action\":\"status\",\"status\":307,\"headers\":{\"Location\":\"http://$Q/v2/acme/app/blobs/sha256:$blob\"}}"
faults Q
export REGISTRY_USERNAME=robot REGISTRY_PASSWORD=secret
gets 'a blob at another origin' approval.json "$image" qa-approval
unset REGISTRY_USERNAME REGISTRY_PASSWORD
check 'the registry got the password' grep -q '"authorization": "Basic ' "$T/P.log"
check 'the other origin was asked' grep -q "$blob" "$T/Q.log"
check 'but got no password' test "$(grep -ci authorization "$T/Q.log")" = 0
lie "{$get_blob,\"action\":\"status\",\"status\":307,\"headers\":{\"Location\":\"http://$Q/v2/acme/app/blobs/sha256:$blob\"}}"
faults Q "{\"path\":\"/\",\"action\":\"replace\",\"body_file\":\"$T/wrong.json\"}"
get_refused 'a wrong blob at another origin' 6 "$blob" "$image" qa-approval
faults Q "{\"path\":\"/\",\"action\":\"status\",\"status\":403}"
get_refused '403 at another origin' 5 '403' "$image" qa-approval
lie "{$get_blob,\"action\":\"local\",\"to\":\"/redirect?to=http://$P/v2/acme/app/blobs/sha256:$blob\"}"
refuses 'redirects in a circle' 4 'redirect' manifesto get "$image" qa-approval
lie "{$get_blob,\"action\":\"local\",\"to\":\"/redirect?to=file:///etc/passwd\"}"
refuses 'a redirect to a file' 4 '' manifesto get "$image" qa-approval
lie "{$get_blob,\"action\":\"local\",\"to\":\"/redirect?to=http://user:password@$Q/v2/acme/app/blobs/sha256:$blob\"}"
faults Q
run manifesto get "$image" qa-approval
check 'no password is taken from a redirect' test "$(grep -ci authorization "$T/Q.log")" = 0
# Large enough to be looked for before it is sent: this proxy does not say that it speaks TLS, so uploads would leave it.
{ head -c 70000 /dev/zero | tr '\0' ' ' && cat approval.json; } >large.json
put "$image" large large.json
put "$S/acme/app:1.0" qa-approval large.json --cacert "$CA" --init --key alice
gets 'TLS in front of the registry' large.json --cacert "$CA" "$S/acme/app:1.0" qa-approval
rm -rf home/cache
faults S "{\"method\":\"GET\",\"path\":\"/blobs/sha256\",\"action\":\"status\",\"status\":307,\"headers\":{\"Location\":\"http://$Q/v2/acme/app/blobs/sha256:$blob\"}}"
faults Q
refuses 'a redirect from https to http' 4 'redirect' manifesto get --cacert "$CA" "$S/acme/app:1.0" qa-approval
check 'which is not followed' test ! -s "$T/Q.log"

# --- put
while read -r method path; do
	for fault in '500 4' '403 5' '401 5' '429 4'; do
		lie "{\"method\":\"$method\",\"path\":\"$path\",\"action\":\"status\",\"status\":${fault% *}}"
		echo "{\"$method\":\"$path $fault\"}" >other.json
		run manifesto put --timeout 1s "$image" "t-${fault% *}" other.json
		if [ "$status" = "${fault#* }" ] && [ "$(grep -vcE '^manifesto: hint|^Storing' "$T/stderr")" = 1 ]; then
			ok "${fault% *} for $method $path"
		else
			not_ok "${fault% *} for $method $path" "expected status ${fault#* }"
		fi
	done
done <<-'END'
	POST /blobs/uploads
	PUT /blobs/uploads
	PUT /manifests/sha256
END
lie
run manifesto list --json "$image"
check_json 'none of them was published' '[.records[].type] == ["large", "qa-approval"]'
for code in 400 401 403 405 409 412 429 500; do
	lie "{\"method\":\"PUT\",\"path\":\"/manifests/_manifesto$\",\"action\":\"status\",\"status\":$code}"
	run manifesto put --timeout 3s "$image" catalogue-$code other.json
	check_status "$code for the catalogue stops nothing" 0
	check_stderr_has "$code for the catalogue is a warning" 'warning: it is published'
	check_stderr_has "$code for the catalogue: with a way out" 'manifesto repair'
	lie
	gets "$code for the catalogue: the record is there" other.json "$image" catalogue-$code
	lie "{\"path\":\"/manifests/sha256-\",\"action\":\"status\",\"status\":$code}"
	run manifesto put --timeout 3s "$image" list-$code other.json
	check_status "$code for the list of referrers stops nothing" 0
done
lie "{\"method\":\"PUT\",\"path\":\"/manifests/sha256:\",\"action\":\"status\",\"status\":400,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"MANIFEST_INVALID\\\"}]}\"}"
run manifesto put "$image" artifact-400 other.json
check_status 'an artifact manifest that is refused stops nothing' 0
check_stderr_has 'and is a warning' 'refused its artifact manifest'
{ head -c 70000 /dev/urandom; } >lie.json
lie '{"method":"HEAD","path":"/blobs/sha256","action":"status","status":200,"headers":{"Content-Length":"10"}}'
run manifesto put "$image" lie lie.json
refused=$status
lie
run manifesto get "$image" lie
if [ "$refused" != 0 ] && [ "$status" = 3 ]; then
	ok 'a blob that is claimed to be there and is not: no record without its content'
else
	not_ok 'a blob said to be there that is not: no record without its content' "put ended with $refused"
fi
lie '{"method":"PUT","path":"/blobs/uploads","action":"status","status":201}'
run manifesto put "$image" lie lie.json
refused=$status
lie
run manifesto get "$image" lie
if [ "$refused" != 0 ] && [ "$status" = 3 ]; then
	ok 'an upload that is confirmed but not kept: no record without its content'
else
	not_ok 'an upload that is confirmed but not kept: no record without its content' "put ended with $refused"
fi
lie '{"method":"PUT","path":"/blobs/uploads","action":"drop","forward":true,"count":1}'
echo '{"dropped":1}' >dropped.json
run manifesto put "$image" dropped dropped.json
refused=$status
lie
run manifesto put "$image" dropped dropped.json
check_status "an upload that took effect without an answer (put ended with $refused): again works" 0
gets 'and gives it' dropped.json "$image" dropped
lie '{"method":"POST","path":"/blobs/uploads","action":"status","status":401,"headers":{"WWW-Authenticate":"Basic realm=\"r\""},"count":1}' \
	"{\"method\":\"POST\",\"path\":\"/blobs/uploads\",\"action\":\"status\",\"status\":202,\"headers\":{\"Location\":\"http://$Q/v2/acme/app/blobs/uploads/x?y=z\"}}"
faults Q '{"path":"/","action":"status","status":403}'
echo '{"elsewhere":1}' >other.json
refuses 'an upload sent to another origin' 5 '' env REGISTRY_USERNAME=robot REGISTRY_PASSWORD=secret \
	manifesto put "$image" elsewhere other.json
check 'which gets no password' test "$(grep -ci authorization "$T/Q.log")" = 0

# --- after the publish trouble is a warning
lie '{"method":"PUT","path":"/manifests/_manifesto","action":"status","status":500}'
echo '{"after":1}' >after.json
run manifesto put --timeout 5s "$image" after after.json
check_status 'the catalogue fails after the publish: done' 0
check_stderr_has 'with a warning' 'warning'
lie
gets 'the record is there' after.json "$image" after
put "$image" repaired other.json
curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$REGISTRY/v2/acme/app/manifests/_manifesto" >catalogue
check 'the next put mends the catalogue' grep -q "$(sha256sum <after.json | cut -c1-64)" catalogue

t_done
