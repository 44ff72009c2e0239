#!/bin/bash
# Images for several platforms: indexes, Docker's manifest lists and schema 2 images; nothing is inherited.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
printf 'second\0version\377' >second
printf 'third' >third
make_image multi --index >digests
index=$(sed -n 's/ index$//p' digests)
amd64=$(sed -n 's|^\(.*\) linux/amd64$|\1|p' digests)
arm64=$(sed -n 's|^\(.*\) linux/arm64$|\1|p' digests)

# The same for each kind of place that can store an index.
records_of() { # NAME IMAGE REPOSITORY
	local name=$1 image=$2 repository=$3
	run manifesto put --init "$image" qa-approval "$approval"
	check_status "$name: put to the index" 0
	check_stdout_has "$name: it is the index's" "@$index'"
	get_is "$name: get of the index" "$approval" "$image" qa-approval
	refused "$name: a platform does not inherit" 3 get --platform linux/amd64 "$image" qa-approval
	check_stderr_has "$name: its digest is named" "$amd64"
	check_stderr_has "$name: the hint says that the index has it" "the index has a 'qa-approval' record"
	refused "$name: a platform that neither has" 3 get --platform linux/amd64 "$image" nothing
	check_stderr_lacks "$name: no such hint there" 'the index has'
	run manifesto put --platform linux/arm64 "$image" qa-approval second
	check_status "$name: put to a platform" 0
	check_stdout_has "$name: it is that image's" "@$arm64'"
	get_is "$name: get of the platform" second --platform linux/arm64 "$image" qa-approval
	get_is "$name: by digest" second "$repository@$arm64" qa-approval
	get_is "$name: the index has its own" "$approval" "$image" qa-approval
	refused "$name: the other platform has none" 3 get --platform linux/amd64 "$image" qa-approval
	run manifesto put --platform linux/arm64 "$image" only-arm third
	refused "$name: nor does the index inherit" 3 get "$image" only-arm
	refused "$name: an unknown platform" 3 get --platform plan9/mips "$image" qa-approval
	check_stderr_has "$name: the known ones are named" 'linux/amd64, linux/arm64'
	refused "$name: a malformed platform" 2 put --platform linux "$image" qa-approval third
	refused "$name: one platform and all" 2 put --platform linux/arm64 --all-platforms "$image" qa-approval third
	run manifesto list --json "$image"
	check_json "$name: list of the index" '[.records[] | "\(.platform) \(.type)"] == ["null qa-approval"]'
	run manifesto list --json --platform linux/arm64 "$image"
	check_json "$name: list of a platform" "[.records[] | \"\\(.subject) \\(.type)\"] == [\"$arm64 only-arm\", \"$arm64 qa-approval\"]"
	run manifesto list --json --all-platforms "$image"
	check_json "$name: list of all" '[.records[] | "\(.platform) \(.type)"] | sort == ["linux/arm64 only-arm", "linux/arm64 qa-approval", "null qa-approval"]'
	run manifesto put --json --all-platforms --reason all "$image" everywhere third
	check_status "$name: put to all" 0
	check_json "$name: the index and each image" "[.items[] | \"\\(.platform) \\(.image | sub(\".*@\"; \"\"))\"] == [\"null $index\", \"linux/amd64 $amd64\", \"linux/arm64 $arm64\"]"
	version=$(jq .version "$T/stdout")
	get_is "$name: the index has it" third "$image" everywhere
	get_is "$name: one image has it" third --platform linux/amd64 "$image" everywhere
	get_is "$name: the other has it" third --platform linux/arm64 "$image" everywhere
	run manifesto put --json --all-platforms --reason all "$image" everywhere third
	check_json "$name: the same again" ".version == $version and ([.items[].unchanged] | all)"
	run manifesto put --platform linux/amd64 "$image" everywhere second
	run manifesto put --json --all-platforms --reason all "$image" everywhere third
	check_json "$name: only what differs is published, at once" ".version == $version + 2 and [.items[].unchanged] == [true, false, true]"
	get_is "$name: it is everywhere again" third --platform linux/amd64 "$image" everywhere
	run manifesto list --all-platforms "$image"
	check "$name: the table has a column for it" grep -qE '^everywhere +linux/amd64 +targets ' "$T/stdout"
}

push_image oci:multi:1.0 "$REGISTRY/acme/multi:1.0" >/dev/null 2>&1
records_of registry "$REGISTRY/acme/multi:1.0" "$REGISTRY/acme/multi"
records_of layout oci:multi:1.0 oci:multi

# --- an image without platforms
make_image single >/dev/null
image=$REGISTRY/acme/single:1.0
subject=$(push_image oci:single:1.0 "$image" 2>/dev/null)
run manifesto put --init --all-platforms "$image" qa-approval "$approval"
check_status 'all platforms of a single image' 0
get_is 'are the image' "$approval" "$image" qa-approval
refused 'it has no platforms to choose from' 3 put --platform linux/amd64 "$image" qa-approval third

# --- Docker's formats
image=$REGISTRY/acme/docker:1.0
docker=$(push_image oci:single:1.0 "$image" --format v2s2 2>/dev/null)
check 'the Docker image has another digest' test "$docker" != "$subject"
run manifesto put --init "$image" qa-approval "$approval"
check_status 'put to a Docker schema 2 image' 0
check_stdout_has 'of its own digest' "@$docker'"
get_is 'get' "$approval" "$image" qa-approval
get_is 'get by digest' "$approval" "${image%:*}@$docker" qa-approval
http_status "http://$REGISTRY/v2/acme/docker/manifests/${docker/:/-}" -H 'Accept: application/vnd.oci.image.index.v1+json' >/dev/null
artifact=$(jq -r .manifests[0].digest "$T/body")
http_status "http://$REGISTRY/v2/acme/docker/manifests/$artifact" -H 'Accept: application/vnd.oci.image.manifest.v1+json' >/dev/null
check_json 'its artifact names that media type' ".subject.mediaType == \"application/vnd.docker.distribution.manifest.v2+json\" and .subject.digest == \"$docker\"" "$T/body"

# skopeo turns an index into a manifest list.
image=$REGISTRY/acme/list:1.0
list=$(push_image oci:multi:1.0 "$image" --format v2s2 2>/dev/null)
http_status "http://$REGISTRY/v2/acme/list/manifests/1.0" -H 'Accept: application/vnd.docker.distribution.manifest.list.v2+json' >/dev/null
check_json 'the registry has a manifest list' '.mediaType == "application/vnd.docker.distribution.manifest.list.v2+json"' "$T/body"
child=$(jq -r '.manifests[] | select(.platform.architecture == "arm64") | .digest' "$T/body")
run manifesto put --init --all-platforms "$image" qa-approval "$approval"
check_status 'put to a manifest list and its images' 0
check_stdout_has 'of its own digest' "@$list'"
get_is 'get of the list' "$approval" "$image" qa-approval
get_is 'get of an image' "$approval" --platform linux/arm64 "$image" qa-approval
get_is 'get of it by digest' "$approval" "${image%:*}@$child" qa-approval
run manifesto list --json --all-platforms "$image"
check_json 'list of all' '[.records[].platform] | sort == [null, "linux/amd64", "linux/arm64"]'

# --- indexes in indexes; what BuildKit lists beside the images
nested() { # LEVELS
	make_image "nested$1" --index --nested "$1" --attestation >digests
	image=oci:nested$1:1.0
	amd64=$(sed -n 's|^\(.*\) linux/amd64$|\1|p' digests)
	run manifesto put --init --platform linux/amd64 "$image" qa-approval second
	check_status "$1 levels: put to a platform" 0
	check_stdout_has "$1 levels: it is the image's" "@$amd64'"
	refused "$1 levels: an image without approval" 9 verify --all-platforms --require qa-approval "$image"
	run manifesto put --json --all-platforms "$image" qa-approval "$approval"
	check_json "$1 levels: all are the index and the images that run" '[.items[].platform] == [null, "linux/amd64", "linux/arm64"]'
	run manifesto verify --all-platforms --require qa-approval "$image"
	check_status "$1 levels: verify" 0
	get_is "$1 levels: get by digest" "$approval" "oci:nested$1@$amd64" qa-approval
	refused "$1 levels: attestations are no platform" 3 get --platform unknown/unknown "$image" qa-approval
	check_stderr_has "$1 levels: the hint says so" attestation
}
nested 0
nested 1
nested 3
make_image deep --index --nested 9 >/dev/null
refused 'deeper than anybody builds' 6 put --init --all-platforms oci:deep:1.0 qa-approval third
check_stderr_has 'is refused' 'nested more than'

# --- members that are null or missing, names that are full references
edited() { # NAME FILTER REFERENCE
	make_image "$layout" >/dev/null
	jq -c "$2" "$layout/index.json" >edited && mv edited "$layout/index.json"
	run manifesto put --init "$3" qa-approval "$approval"
	check_status "$1: put" 0
	get_is "$1: get" "$approval" "$3" qa-approval
}
layout=odd1
edited 'null annotations' '.manifests[0].annotations = null' oci:odd1
layout=odd2
edited 'a null platform' '.manifests[0].platform = null' oci:odd2
layout=odd3
edited 'no media types' 'del(.mediaType, .manifests[0].mediaType)' oci:odd3
for name in docker.io/acme/app:1.0 localhost:5000/acme/app:v2.0-rc.1 registry.example/app; do
	layout=named-${#name}
	edited "$name" ".manifests[0].annotations[\"org.opencontainers.image.ref.name\"] = \"$name\"" "oci:$layout:$name"
	refused "$name: another name" 3 get "oci:$layout:other" qa-approval
	check_stderr_has "$name: the names that are there" "$name"
done
for transport in oci-archive docker-archive docker-daemon containers-storage dir; do
	refused "$transport: is no repository of Docker Hub" 2 get "$transport:app:1.0" qa-approval
	check_stderr_has "$transport: is named" "'$transport:'"
done

t_done
