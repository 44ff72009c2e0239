#!/bin/bash
# The content of the registry: skopeo reads it, the catalogue lists it, garbage collection keeps it.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
printf 'second\0version\377' >second
printf 'third' >third
base=http://$REGISTRY/v2

skopeo_raw() { # IMAGE
	run skopeo inspect --raw --tls-verify=false "docker://$1"
	check_status "skopeo inspects ${1#*/}" 0
}
# The fallback index of an image's referrers, into $T/stdout.
referrers() { # REPOSITORY SUBJECT
	skopeo_raw "$REGISTRY/$1:${2/:/-}"
}
# The catalogue's JSON, into catalogue.json.
catalogue() { # REPOSITORY
	local config
	skopeo_raw "$REGISTRY/$1:_manifesto"
	cp "$T/stdout" catalogue-manifest.json
	config=$(jq -r .config.digest catalogue-manifest.json)
	check "the catalogue of $1 is there" test "$(registry_get "$base/$1/blobs/$config")" = 200
	cp "$T/body" catalogue.json
	check 'its digest is right' test "sha256:$(sum catalogue.json)" = "$config"
}
collect_garbage() {
	lab_server gc registry
	cold
}

# --- one image
repository=acme/app
image=$REGISTRY/$repository:1.0
make_image layout >/dev/null
subject=$(push_image oci:layout:1.0 "$image" 2>/dev/null)
run manifesto put --init "$image" qa-approval second
run manifesto put "$image" qa-approval "$approval"
run manifesto put "$image" contact third
check_status 'three puts, two records' 0

# --- the artifact manifest
referrers $repository "$subject"
cp "$T/stdout" index.json
check_json 'the fallback tag is an OCI index of the two' '.schemaVersion == 2 and .mediaType == "application/vnd.oci.image.index.v1+json"
	and ([.manifests[].artifactType] | sort) == ["application/vnd.manifesto.contact", "application/vnd.manifesto.qa-approval"]
	and ([.manifests[].mediaType] | unique) == ["application/vnd.oci.image.manifest.v1+json"]' index.json
artifact=$(jq -r '.manifests[] | select(.artifactType == "application/vnd.manifesto.qa-approval") | .digest' index.json)
skopeo_raw "$REGISTRY/$repository@$artifact"
cp "$T/stdout" artifact.json
check 'its digest is right' test "sha256:$(sum artifact.json)" = "$artifact"
check_json 'the index knows its size' ".manifests[] | select(.digest == \"$artifact\") | .size == $(stat -c %s artifact.json)" index.json
check_json 'the artifact manifest is one of OCI 1.1' ".schemaVersion == 2 and .mediaType == \"application/vnd.oci.image.manifest.v1+json\"
	and .artifactType == \"application/vnd.manifesto.qa-approval\"
	and .config == {mediaType: \"application/vnd.oci.empty.v1+json\", digest: \"sha256:$(printf '{}' | sha256sum | cut -d' ' -f1)\", size: 2} + (.config | with_entries(select(.key == \"data\")))
	and .subject.digest == \"$subject\" and .subject.mediaType == \"application/vnd.oci.image.manifest.v1+json\" and .subject.size > 0
	and (.layers | length) == 1 and .layers[0].digest == \"sha256:$(sum "$approval")\" and .layers[0].size == $(stat -c %s "$approval")
	and .layers[0].mediaType == \"application/json\"" artifact.json
check 'the subject is what the size says' test "$(registry_get "$base/$repository/manifests/$subject"; stat -c %s "$T/body")" = "200$(jq .subject.size artifact.json)"
check 'the record signs its digest' test "$(curl -s "$NOTARY/v2/$REGISTRY/$repository/_trust/tuf/targets.json" |
	jq -r ".signed.targets[\"qa-approval/sha256-${subject#sha256:}\"].custom.manifesto.artifact")" = "$artifact"
check 'skopeo copies the artifact' skopeo --insecure-policy copy --quiet --src-tls-verify=false \
	"docker://$REGISTRY/$repository@$artifact" oci:artifact:a
check_same_file 'with its content' "$approval" "artifact/blobs/sha256/$(sum "$approval")"
check 'skopeo copies the catalogue' skopeo --insecure-policy copy --quiet --src-tls-verify=false \
	"docker://$REGISTRY/$repository:_manifesto" oci:catalogue:c
check_same_file 'with all current content' third "catalogue/blobs/sha256/$(sum third)"

# --- the catalogue
catalogue $repository
check_json 'it is an image manifest whose layers are the current content' "(.mediaType == \"application/vnd.oci.image.manifest.v1+json\")
	and ([.layers[].digest] | sort) == ([\"sha256:$(sum "$approval")\", \"sha256:$(sum third)\"] | sort)" catalogue-manifest.json
check_json 'it has the members of the proof of concept' "[.images[] | {image_digest, manifesto: [.manifesto[] | {type, digest}]}] == [{
	image_digest: \"$subject\", manifesto: [{type: \"contact\", digest: \"sha256:$(sum third)\"},
	{type: \"qa-approval\", digest: \"sha256:$(sum "$approval")\"}]}]" catalogue.json
check_json 'and ours' '[.images[].manifesto[] | has("created", "mediaType", "role", "size")] | all' catalogue.json

# --- another image, one content for two records
make_image layout --seed two --tag 2.0 >/dev/null
second_subject=$(push_image oci:layout:2.0 "$REGISTRY/$repository:2.0" 2>/dev/null)
run manifesto put "$REGISTRY/$repository:2.0" qa-approval "$approval"
catalogue $repository
check_json 'both images are in the catalogue' "([.images[].image_digest] | sort) == ([\"$subject\", \"$second_subject\"] | sort)" catalogue.json
check_json 'the content is listed once' '[.layers[].digest] | length == 2' catalogue-manifest.json

# --- garbage collection
collect_garbage
get_is 'after garbage collection: a record' "$approval" "$image" qa-approval
get_is 'another' third "$image" contact
get_is 'one of the other image' "$approval" "$REGISTRY/$repository:2.0" qa-approval
check 'what was replaced is gone' test "$(registry_get "$base/$repository/blobs/sha256:$(sum second)")" = 404
run manifesto put "$image" contact second
check_status 'a put after it' 0
check_stderr_empty 'without a warning'
get_is 'it is there' second "$image" contact
run manifesto put "$image" qa-approval "$approval"
check_stdout_has 'an unchanged one' 'is already stored'
run manifesto put "$image" scan third
check_status 'a put of what was collected' 0
referrers $repository "$subject"
check_json 'the fallback index has what is current, once' '([.manifests[].artifactType] | sort) ==
	["application/vnd.manifesto.contact", "application/vnd.manifesto.qa-approval", "application/vnd.manifesto.scan"]' "$T/stdout"
cp "$T/stdout" index.json
for artifact in $(jq -r '.manifests[].digest' index.json); do
	check 'a manifest that it names exists' test "$(registry_get "$base/$repository/manifests/$artifact")" = 200
done
collect_garbage
for type in contact:second qa-approval:"$approval" scan:third; do
	get_is "after another collection: ${type%%:*}" "${type#*:}" "$image" "${type%%:*}"
done

# --- the image itself is only held by its digest: a tag that moved
push_image oci:layout:2.0 "$image" >/dev/null 2>&1
collect_garbage
get_is 'records of an image that was collected' "$approval" "$REGISTRY/$repository@$subject" qa-approval
get_is 'and of the one that took its tag' "$approval" "$image" qa-approval
run manifesto put "$image" contact third
check_status 'a put to it' 0
get_is 'it is there' third "$image" contact

# --- an index and its images
repository=acme/multi
image=$REGISTRY/$repository:1.0
make_image multi --index >digests
push_image oci:multi:1.0 "$image" >/dev/null 2>&1
index=$(sed -n 's/ index$//p' digests)
run manifesto put --init --all-platforms "$image" qa-approval "$approval"
check_status 'a put for all platforms' 0
run manifesto put --platform linux/arm64 "$image" contact third
check_status 'and for one' 0
catalogue $repository
check_json 'the catalogue has the index and its images' "([.images[].image_digest] | sort) == $(cut -d' ' -f1 digests | jq -Rnc '[inputs] | sort')" catalogue.json
collect_garbage
get_is 'after garbage collection: the index' "$approval" "$image" qa-approval
for platform in linux/amd64 linux/arm64; do
	get_is "$platform" "$approval" --platform $platform "$image" qa-approval
done
get_is 'only one platform' third --platform linux/arm64 "$image" contact
run manifesto put --all-platforms "$image" qa-approval second
check_status 'a put for all platforms after it' 0
check_stderr_empty 'without a warning'
referrers $repository "$index"
check_json 'the index has one artifact' '[.manifests[].artifactType] == ["application/vnd.manifesto.qa-approval"]' "$T/stdout"
collect_garbage
get_is 'after another collection: the index' second "$image" qa-approval
get_is 'a platform' second --platform linux/amd64 "$image" qa-approval
get_is 'and what was put before' third --platform linux/arm64 "$image" contact

# --- content that is lost
rm -rf "$LAB/data/registry/docker/registry/v2/blobs/sha256/$(sum third | cut -c 1-2)/$(sum third)"
lab_server restart registry
cold
refused 'content that is gone' 13 get --platform linux/arm64 "$image" contact
get_is 'others do not mind' second "$image" qa-approval
run manifesto put --platform linux/amd64 "$image" scan "$approval"
check_status 'a put to a registry that lacks a blob' 0
catalogue $repository
check_json 'the catalogue says which' '[.images[].manifesto[] | select(.missing)] | length == 1 and .[0].type == "contact"' catalogue.json
run manifesto put --platform linux/arm64 "$image" contact third
check_status 'the content put again' 0
get_is 'is back' third --platform linux/arm64 "$image" contact

t_done
