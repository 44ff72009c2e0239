#!/bin/bash
# Every server of the lab starts and answers as the other tests expect.
. "$(dirname "$0")/../support/t.sh"

http_is() { # NAME STATUS [curl options] URL
	local name=$1 want=$2 got
	shift 2
	got=$(http_status "$@")
	if [ "$got" = "$want" ]; then ok "$name"; else not_ok "$name" "status $got, expected $want"; fi
}

# A bearer token for SCOPE; credentials as user:password, or none.
token() { # SERVICE SCOPE [user:password]
	curl -sf -m 20 ${3:+-u "$3"} -G "$ISSUER" -d "service=$1" --data-urlencode "scope=$2" | jq -r .token
}

rights() { # TOKEN
	local part=${1#*.}
	part=$(printf '%s' "${part%%.*}" | tr '_-' '/+')
	while [ $((${#part} % 4)) != 0 ]; do part=$part=; done
	printf '%s' "$part" | base64 -d | jq -c '[.access[].actions[]]'
}

lab registry registry-tls registry-mtls registry-token notary notary-tls notary-token notary-db

# --- registries
http_is 'the plain registry answers' 200 "http://$REGISTRY/v2/"
http_is 'the TLS registry asks for credentials' 401 --cacert "$CA" "https://$REGISTRY_TLS/v2/"
check 'it offers basic authentication' grep -qi '^www-authenticate: basic ' "$T/headers"
http_is 'it takes the right password' 200 --cacert "$CA" \
	-u "$REGISTRY_TLS_USER:$REGISTRY_TLS_PASSWORD" "https://$REGISTRY_TLS/v2/"
http_is 'it refuses a wrong password' 401 --cacert "$CA" -u "$REGISTRY_TLS_USER:x" "https://$REGISTRY_TLS/v2/"
http_is 'its certificate is not signed by the other CA' 000 --cacert "$OTHER_CA" "https://$REGISTRY_TLS/v2/"
http_is 'the registry with client certificates refuses strangers' 000 --cacert "$CA" "https://$REGISTRY_MTLS/v2/"
http_is 'it takes the client certificate' 200 --cacert "$CA" --cert "$CLIENT_CERT" --key "$CLIENT_KEY" \
	"https://$REGISTRY_MTLS/v2/"

# --- images
run make_image "$T/layout"
check_status 'an image is made' 0
single=$(cut -d' ' -f1 "$T/stdout")
run make_image "$T/again"
check_stdout_has 'images are deterministic' "$single"
run make_image "$T/again" --seed other --tag other
check_stdout_lacks 'another seed gives another image' "$single"
check 'testdata/image is what mkimage makes' diff -r "$T/layout" "$T_TOP/testdata/image"
make_image "$T/multi" --index >"$T/digests"
check_line_count 'an index and its two images are printed' 3 "$T/digests"
run push_image "oci:$T/layout:1.0" "$REGISTRY/one:1.0"
check_stdout_is 'a push keeps the digest' "$single"
run push_image "oci:$T/multi:1.0" "$REGISTRY/multi:1.0"
check_stdout_is 'a push of an index keeps its digest' "$(sed -n 's/ index$//p' "$T/digests")"
http_is 'the platform images are there' 200 -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
	"http://$REGISTRY/v2/multi/manifests/$(sed -n 's| linux/arm64$||p' "$T/digests")"
run push_image "oci:$T/layout:1.0" "$REGISTRY/docker:1.0" --format v2s2
check_status 'an image is pushed as Docker schema 2' 0
http_is 'it has its manifest' 200 -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
	"http://$REGISTRY/v2/docker/manifests/1.0"
check_json 'of that media type' '.mediaType == "application/vnd.docker.distribution.manifest.v2+json"' "$T/body"

# --- garbage collection removes what no tag refers to
push_image "oci:$T/again:other" "$REGISTRY/one:1.0" >/dev/null
accept='Accept: application/vnd.oci.image.manifest.v1+json'
http_is 'an untagged image is there' 200 -H "$accept" "http://$REGISTRY/v2/one/manifests/$single"
lab_server gc registry
http_is 'garbage collection removed it' 404 -H "$accept" "http://$REGISTRY/v2/one/manifests/$single"
http_is 'the tagged image stays' 200 -H "$accept" "http://$REGISTRY/v2/one/manifests/1.0"

# --- token authentication of the registry
url=https://$REGISTRY_TOKEN/v2/team/app/tags/list
http_is 'the token registry asks for a token' 401 --cacert "$CA" "$url"
check 'its challenge names service and scope' \
	grep -qi 'bearer realm="http.*service="lab-registry",scope="repository:team/app:pull"' "$T/headers"
http_is 'the issuer refuses a wrong password' 401 -u reader:x "$ISSUER?service=lab-registry"
http_is 'the issuer refuses an unknown service' 400 "$ISSUER?service=x"
check 'nobody may not read' test "$(rights "$(token lab-registry repository:team/app:pull)")" = '[]'
check 'nobody may read what is public' \
	test "$(rights "$(token lab-registry repository:public/app:pull,push)")" = '["pull"]'
check 'the reader may not push' \
	test "$(rights "$(token lab-registry repository:team/app:pull,push "$TOKEN_READER")")" = '["pull"]'
reader=$(token lab-registry repository:team/app:pull "$TOKEN_READER")
http_is "the reader's token opens the repository" 404 --cacert "$CA" -H "Authorization: Bearer $reader" "$url"
http_is 'it does not start an upload' 401 --cacert "$CA" -H "Authorization: Bearer $reader" -X POST \
	"https://$REGISTRY_TOKEN/v2/team/app/blobs/uploads/"
http_is 'it does not open another repository' 401 --cacert "$CA" -H "Authorization: Bearer $reader" \
	"https://$REGISTRY_TOKEN/v2/team/other/tags/list"
writer=$(curl -sf -m 20 "$ISSUER" -d grant_type=refresh_token -d "refresh_token=$TOKEN_IDENTITY" \
	-d service=lab-registry -d scope=repository:team/app:pull,push | jq -r .access_token)
http_is "a token for the writer's refresh token starts an upload" 202 --cacert "$CA" \
	-H "Authorization: Bearer $writer" -X POST "https://$REGISTRY_TOKEN/v2/team/app/blobs/uploads/"
run push_image "oci:$T/layout:1.0" "$REGISTRY_TOKEN/team/app:1.0" --dest-creds "$TOKEN_WRITER"
check_stdout_is 'skopeo pushes with token authentication' "$single"

# --- notary servers
key=v2/example.com/app/_trust/tuf/timestamp.key
http_is 'the plain notary server is well' 200 "$NOTARY/_notary_server/health"
http_is 'it makes a key' 200 "$NOTARY/$key"
check_json 'an ed25519 one' '.keytype == "ed25519"' "$T/body"
http_is 'the TLS notary server makes a key' 200 --cacert "$CA" "$NOTARY_TLS/$key"
http_is 'its certificate is not signed by the other CA' 000 --cacert "$OTHER_CA" "$NOTARY_TLS/$key"
http_is 'the token notary server asks for a token' 401 --cacert "$CA" "$NOTARY_TOKEN/$key"
check 'its challenge names the collection' \
	grep -qi 'bearer realm=.*service="lab-notary",scope="repository:example.com/app:\(push,pull\|pull,push\)"' "$T/headers"
writer=$(token lab-notary repository:example.com/app:push,pull "$TOKEN_WRITER")
http_is "it takes the writer's token" 200 --cacert "$CA" -H "Authorization: Bearer $writer" "$NOTARY_TOKEN/$key"
reader=$(token lab-notary repository:example.com/app:push,pull "$TOKEN_READER")
http_is "it refuses the reader's" 401 --cacert "$CA" -H "Authorization: Bearer $reader" "$NOTARY_TOKEN/$key"
wrong=$(token lab-registry repository:example.com/app:push,pull "$TOKEN_WRITER")
http_is 'it refuses a token for the registry' 401 --cacert "$CA" -H "Authorization: Bearer $wrong" "$NOTARY_TOKEN/$key"
http_is 'the notary server on SQL gets a key from the signer' 200 --cacert "$CA" "$NOTARY_DB/$key"
check_json 'an ECDSA one' '.keytype == "ecdsa"' "$T/body"
cp "$T/body" "$T/first"
http_is 'and once more' 200 --cacert "$CA" "$NOTARY_DB/$key"
check_same_file 'the signer keeps it' "$T/first" "$T/body"

# --- the notary client publishes to memory and to SQL
export NOTARY_ROOT_PASSPHRASE=root-passphrase NOTARY_TARGETS_PASSPHRASE=targets-passphrase
export NOTARY_SNAPSHOT_PASSPHRASE=snapshot-passphrase
for server in "$NOTARY" "$NOTARY_DB"; do
	run notary -s "$server" --tlscacert "$CA" -d "$T/${server##*:}" init -p example.com/published
	check_status "notary publishes to $server" 0
	http_is 'a root can be fetched' 200 --cacert "$CA" "$server/v2/example.com/published/_trust/tuf/root.json"
done

# --- one server at a time
lab_server stop notary
http_is 'a stopped server does not answer' 000 "$NOTARY/_notary_server/health"
lab_server restart notary
http_is 'it is back on the same port' 200 "$NOTARY/_notary_server/health"
http_is 'its memory is empty' 404 "$NOTARY/v2/example.com/published/_trust/tuf/root.json"
lab_server restart notary-db
http_is 'a restart with a database forgets nothing' 200 --cacert "$CA" \
	"$NOTARY_DB/v2/example.com/published/_trust/tuf/root.json"

# --- two labs at once, and nothing is left of one whose owner was killed
lab_script=$T_TOP/tests/support/lab.sh
second=$("$BASH" "$lab_script" dir)
sleep 1000 &
owner=$!
run bash "$lab_script" start --owner $owner "$second" registry notary-db
check_status 'a second lab starts beside the first' 0
read -r pid _ <"$second/run/registry.pid"
read -r pid_db _ <"$second/run/postgres.pid"
read -r pid_watcher _ <"$second/run/watcher.pid"
kill -KILL $owner
wait $owner 2>/dev/null
for ((i = 0; i < 200; i++)); do
	[ -e "$second" ] || break
	sleep 0.1
done
check 'its directory is removed when its owner is killed' test ! -e "$second"
check 'so is its registry' gone "$pid"
check 'so is its database' gone "$pid_db"
sleep 0.2
check 'so is its watcher' gone "$pid_watcher"

# --- the user's files and variables have no effect
check 'the home is a temporary one' test "$HOME" = "$T/home"
check 'no variable of the user is left' \
	test -z "$(env | grep -E '^(DOCKER_|http_proxy|HTTPS?_PROXY|CI=|MANIFESTO_P)')"

t_done
