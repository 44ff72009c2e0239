#!/bin/bash
# Attestations for other tools and of other tools: export, --attach, put --from-dsse, verify --vsa. What is written is checked by
# OpenSSL and Python, which know nothing of this program.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry notary
make_image layout >/dev/null
echo '{"decision":"approved","ratio":1.50}' >yes.json
printf 'plain words\n' >words.txt
cat >check.py <<'END'
"""check.py ENVELOPE-OR-BUNDLE PUBLIC-KEY: verifies a DSSE envelope and prints its payload."""
import base64, json, sys
from cryptography.hazmat.primitives import serialization
doc = json.load(open(sys.argv[1]))
envelope = doc.get("dsseEnvelope", doc)
payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
key = serialization.load_pem_public_key(open(sys.argv[2], "rb").read())
key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), pae)
sys.stdout.write(payload.decode())
END
cat >envelope.py <<'END'
"""envelope.py STATEMENT KEY [HASH]: a DSSE envelope signed by OpenSSL."""
import base64, json, subprocess, sys
payload, kind = open(sys.argv[1], "rb").read(), b"application/vnd.in-toto+json"
open("pae", "wb").write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
how = ["dgst", "-sha256", "-sign", sys.argv[2], "pae"] if len(sys.argv) > 3 else \
    ["pkeyutl", "-sign", "-rawin", "-in", "pae", "-inkey", sys.argv[2]]
sig = subprocess.run(["openssl", *how], check=True, capture_output=True).stdout
print(json.dumps({"payload": base64.b64encode(payload).decode(), "payloadType": kind.decode(),
                  "signatures": [{"keyid": "theirs", "sig": base64.b64encode(sig).decode()}]}))
END
verified() { # DOCUMENT KEY
	"$(t_python)" check.py "$1" "$2"
}
not_verified() { # DOCUMENT KEY
	! verified "$1" "$2" 2>/dev/null
}
for key in qa other; do
	run manifesto key generate --no-passphrase $key
	run manifesto key export $key -o $key.pub
	check_status "the public key of $key" 0
done
run manifesto key generate --no-passphrase --type ecdsa curve

story() { # NAME IMAGE
	local name=$1 image=$2 digest
	run manifesto put -q --init --no-passphrase --key qa "$image" qa-approval yes.json --author Dana --annotation ticket=QA-1
	check_status "$name: a record" 0
	run manifesto put -q --key qa "$image" notes words.txt
	digest=$(manifesto list --json "$image" | jq -r '.records[0].subject | sub("sha256:"; "")')

	# --- the Statement
	run manifesto export "$image" qa-approval --format in-toto
	check_status "$name: a Statement" 0
	check_json "$name: it is about the image" "._type == \"https://in-toto.io/Statement/v1\" and .subject[0].digest.sha256 == \"$digest\""
	check_json "$name: it has the record and its content" \
		'.predicateType == "urn:manifesto:record:v1" and .predicate.author == "Dana" and .predicate.annotations == ["ticket=QA-1"] and
		.predicate.value.decision == "approved" and (.predicate.signers | length) == 1'
	check "$name: numbers of the content stay as they were" grep -q '"ratio":1.50' "$T/stdout"
	run manifesto export "$image" notes --format in-toto
	check_json "$name: content that is no JSON is there by its digest" \
		"(.predicate | has(\"value\") | not) and .predicate.content.digest.sha256 == \"$(sha256sum words.txt | cut -d' ' -f1)\""

	# --- signed
	run manifesto export "$image" qa-approval --predicate-type https://example.com/qa/v1 --format dsse -o dsse.json
	check_status "$name: an envelope" 0
	check "$name: another program verifies it" verified dsse.json qa.pub
	check "$name: and not with another key" not_verified dsse.json other.pub
	check "$name: the content is the predicate" test "$(verified dsse.json qa.pub | jq -c '[.predicateType, .predicate.decision]')" = \
		'["https://example.com/qa/v1","approved"]'
	run manifesto export "$image" qa-approval -o bundle.json
	check_status "$name: a bundle" 0
	check "$name: another program verifies that, too" verified bundle.json qa.pub
	check "$name: its shape" jq -e '.mediaType == "application/vnd.dev.sigstore.bundle.v0.3+json" and
		(.verificationMaterial.publicKey.hint | length) == 64 and (.dsseEnvelope.signatures | length) == 1' bundle.json

	# --- what cannot be
	refused "$name: a key that has not signed the record" 11 export --key other "$image" qa-approval
	refused "$name: a predicate that is no JSON object" 2 export --predicate-type a:b "$image" notes
	refused "$name: a type that is no URI" 2 export --predicate-type approval "$image" qa-approval
	refused "$name: an unknown format" 2 export --format cose "$image" qa-approval
	refused "$name: no such record" 3 export "$image" nothing
	run manifesto withdraw -q "$image" notes --reason wrong
	refused "$name: a withdrawn record" 9 export "$image" notes
	check_stdout_empty "$name: and nothing is written"

	# --- of others
	run manifesto export "$image" qa-approval --format in-toto -o theirs.json
	for kind in ed25519 'EC -pkeyopt ec_paramgen_curve:P-256' 'RSA -pkeyopt rsa_keygen_bits:2048'; do
		# shellcheck disable=SC2086 # options
		openssl genpkey -algorithm $kind -out their.key 2>/dev/null
		openssl pkey -in their.key -pubout -out their.pub
		# shellcheck disable=SC2086 # a hash, or nothing
		"$(t_python)" envelope.py theirs.json their.key ${kind#ed25519} >foreign.json
		run manifesto put -q --key qa "$image" provenance --from-dsse foreign.json --signer their.pub --force
		check_status "$name: an attestation of a key of type ${kind%% *}" 0
	done
	run manifesto get "$image" provenance
	check "$name: the Statement is the content" cmp -s theirs.json "$T/stdout"
	run manifesto list --json "$image" --type provenance
	check_json "$name: the record names who signed it" ".records[0].annotations[\"dsse.signer\"] ==
		\"$(openssl pkey -pubin -in their.pub -outform DER | sha256sum | cut -d' ' -f1)\" and
		.records[0].annotations[\"dsse.predicateType\"] == \"urn:manifesto:record:v1\" and
		.records[0].mediaType == \"application/vnd.in-toto+json\""
	refused "$name: another signer" 6 put "$image" provenance --from-dsse foreign.json --signer other.pub --force
	refused "$name: no signer" 2 put "$image" provenance --from-dsse foreign.json
	jq '.subject[0].digest.sha256 |= sub("^."; "z")' theirs.json >elsewhere.json
	"$(t_python)" envelope.py elsewhere.json their.key hash >foreign2.json
	refused "$name: an attestation of another image" 6 put "$image" provenance --from-dsse foreign2.json --signer their.pub --force
	jq '.payload |= sub("^ey"; "e2")' foreign.json >broken.json
	refused "$name: a payload that was changed" 6 put "$image" provenance --from-dsse broken.json --signer their.pub --force
	refused "$name: no file" 2 put "$image" provenance --from-dsse nothing.json --signer their.pub

	# --- summaries
	jq -n '{version: 1, require: [{type: "qa-approval"}]}' >policy.json
	run manifesto verify "$image" --policy policy.json --vsa vsa.jsonl --key other
	check_status "$name: a summary of what passed" 0
	check "$name: another program verifies it" verified vsa.jsonl other.pub
	verified vsa.jsonl other.pub >summary.json
	check "$name: it says so" jq -e "(.predicateType == \"https://slsa.dev/verification_summary/v1\") and .predicate.verificationResult == \"PASSED\" and
		.subject[0].digest.sha256 == \"$digest\" and .predicate.policy.digest.sha256 == \"$(sha256sum policy.json | cut -d' ' -f1)\" and
		.predicate.inputAttestations[0].digest.sha256 == \"$(sha256sum yes.json | cut -d' ' -f1)\"" summary.json
	run manifesto verify "$image" --require qa-approval --require missing --vsa vsa.jsonl --key other --verifier-id https://ci.example.com/gate
	check_status "$name: a summary of what did not" 9
	verified vsa.jsonl other.pub >summary.json
	check "$name: it says that, too, and who" jq -e '.predicate.verificationResult == "FAILED" and .predicate.verifier.id == "https://ci.example.com/gate" and
		.predicate.policy.annotations.require == ["qa-approval", "missing"] and (.predicate.inputAttestations | length) == 1' summary.json
	check "$name: and nothing else is required" jq -e '.predicate.policy.annotations | keys == ["require"]' summary.json
	run manifesto verify "$image" --policy policy.json --require notes --where 'qa-approval=.decision == "approved"' --distinct qa-approval,notes \
		--max-age 30d --vsa vsa.jsonl --key other
	check_status "$name: all that a command line can ask for" 9
	verified vsa.jsonl other.pub >summary.json
	check "$name: is in the summary" jq -e '.predicate.policy | .annotations == {"require": ["notes"], "where": ["qa-approval=.decision == \"approved\""],
		"distinct": "qa-approval,notes", "maxAge": "30d"} and (.digest.sha256 | length) == 64' summary.json
	run manifesto verify "$image" --policy policy.json --vsa vsa.jsonl --key other
	verified vsa.jsonl other.pub >summary.json
	check "$name: nothing of it without" jq -e '.predicate.policy | has("annotations") | not' summary.json
	run manifesto verify "$image" "${image%:*}:none" --require qa-approval --vsa vsa.jsonl --key other
	check_status "$name: one image is not there" 3
	check "$name: it has no summary" test "$(wc -l <vsa.jsonl)" = 1
	run manifesto verify "$image" --require qa-approval --require missing --vsa vsa.jsonl --key other
	verified vsa.jsonl other.pub >summary.json
	check "$name: an image that failed has no level" jq -e '.predicate.verifiedLevels == ["FAILED"] and [.predicate.inputAttestations[].name] == ["qa-approval"]' summary.json
	run manifesto verify "$image" --require qa-approval --where 'qa-approval=.decision == "no"' --vsa vsa.jsonl --key other
	verified vsa.jsonl other.pub >summary.json
	check "$name: what does not meet its requirement is no input" jq -e '.predicate | .verificationResult == "FAILED" and .inputAttestations == []' summary.json
	rm vsa.jsonl
	refused "$name: a summary without a key" 2 verify "$image" --require qa-approval --vsa vsa.jsonl
	refused "$name: a key of another type" 11 verify "$image" --require qa-approval --vsa vsa.jsonl --key curve
	check_stderr_has "$name: which is reported" "summaries are signed with ed25519 keys; key 'curve' is ecdsa"
	refused "$name: a verifier that is no URI" 2 verify "$image" --require qa-approval --vsa vsa.jsonl --key other --verifier-id me
	check "$name: no summary was written" test ! -e vsa.jsonl
	mkdir -p taken
	run manifesto verify "$image" --require qa-approval --vsa taken --key other
	check_status "$name: a summary that cannot be written" 1
	refused "$name: which does not hide that an image was refused" 9 verify "$image" --require missing --vsa taken --key other
	run manifesto verify "$image" "$image" --require qa-approval --vsa vsa.jsonl --key other
	check "$name: one line for each image" test "$(wc -l <vsa.jsonl)" = 2
}
story layout oci:layout
refused 'a layout has no place for a bundle' 2 export --attach oci:layout qa-approval

# --- keys: one that can sign attestations, of those that signed the record
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
run manifesto role add -q oci:layout team --types dual,alone --key "$(fp curve)" --key "$(fp qa)"
check_status 'a role with keys of two types' 0
run manifesto put -q --key curve oci:layout dual yes.json
run manifesto sign -q --yes --key qa oci:layout dual
run manifesto export oci:layout dual -o dual.bundle
check_status 'a record of both' 0
check 'is exported with the one that can' verified dual.bundle qa.pub
refused 'the other one cannot' 11 export --key curve oci:layout dual
check_stderr_has 'which is reported' "attestations are signed with ed25519 keys; key 'curve' is ecdsa"
run manifesto put -q --key curve oci:layout alone yes.json
refused 'a record of that one alone' 11 export oci:layout alone
refused 'an attachment that is no bundle' 2 export --attach --format dsse oci:layout dual
check_stderr_has 'is no bundle, whatever the image is' 'only a bundle'

# --- the key of a summary is tried before anything is requested
echo right >passphrase
run manifesto key generate --passphrase-file passphrase locked
run env MANIFESTO_PASSPHRASE=wrong MANIFESTO_TRUST_SERVER=http://127.0.0.1:1 manifesto verify 127.0.0.1:1/app:1.0 --require qa-approval \
	--vsa vsa.jsonl --key locked
check_status 'a summary whose key stays locked' 11

# --- large content stands there by its digest
text_of() { # SIZE: JSON of so many octets
	printf '{"a":"'
	head -c $(($1 - 8)) /dev/zero | tr '\0' x
	printf '"}'
}
text_of $((15 << 20)) >most.json
printf '{}%*s' $(((15 << 20) - 1)) '' >large.json # whose beginning is JSON, too
run manifesto put -q --key qa oci:layout most most.json
run manifesto export oci:layout most -o most.bundle
check_status 'content that is just small enough' 0
check 'is in the predicate' test "$(verified most.bundle qa.pub | jq -c '.predicate.value.a | length')" = $(((15 << 20) - 8))
run manifesto export oci:layout most --predicate-type a:b --format dsse -o most.dsse
check 'or is it' test "$(verified most.dsse qa.pub | jq -c '.predicate.a | length')" = $(((15 << 20) - 8))
run manifesto put -q --key qa oci:layout large large.json
run manifesto export oci:layout large --format in-toto
check_json 'larger content is there by its digest' "(.predicate | has(\"value\") | not) and .predicate.content.size == $(((15 << 20) + 1))"
refused 'and can be no predicate' 2 export --predicate-type a:b oci:layout large
check_stderr_has 'which is reported' 'has 15728641 bytes, and a predicate has at most 15728640'

# --- so does content that is nested as deeply as a record's JSON may be: in the predicate it would be one level deeper
nested() { # LEVELS
	printf '{"a":%.0s' $(seq $(($1 - 1)))
	printf '{}'
	printf '}%.0s' $(seq $(($1 - 1)))
}
for levels in 63 64 65; do
	nested $levels >deep.json
	run manifesto put -q --key qa oci:layout deep-$levels deep.json
	run manifesto export oci:layout deep-$levels -o deep.bundle
	check_status "content of $levels levels is exported" 0
	check "content of $levels levels: where it is" test "$(verified deep.bundle qa.pub | jq '.predicate | has("value")')" = \
		"$([ $levels = 63 ] && echo true || echo false)"
done
run manifesto export oci:layout deep-64 --predicate-type a:b -o deep.bundle
check_status '64 levels are a predicate' 0
refused '65 are none' 2 export --predicate-type a:b oci:layout deep-65

mkdir 'at@here'
cp -r layout 'at@here/layout'
run manifesto put -q --init --no-passphrase --key qa 'oci:at@here/layout:1.0' qa-approval yes.json
run manifesto export 'oci:at@here/layout:1.0' qa-approval --format in-toto
check_json 'the name of a subject is whole' '.subject[0].name == "oci:at@here/layout:1.0"'

push_image oci:layout:1.0 "$REGISTRY/acme/app:1.0" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=$NOTARY
proxy P "http://$REGISTRY"
# shellcheck disable=SC2153 # set by proxy
image=$P/acme/app:1.0
story notary "$image"

# --- beside the image
run manifesto export --attach "$image" qa-approval --predicate-type https://example.com/qa/v1
check_status 'a bundle beside the image' 0
digest=$(manifesto list --json "$image" | jq -r '.records[0].subject')
url=http://$REGISTRY/v2/acme/app
run curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' "$url/manifests/${digest/:/-}"
check_json 'it is among the referrers' '[.manifests[] | select(.artifactType == "application/vnd.dev.sigstore.bundle.v0.3+json")] | length == 1 and
	.[0].annotations["dev.sigstore.bundle.predicateType"] == "https://example.com/qa/v1"'
bundle=$(jq -r '.manifests[] | select(.artifactType | contains("sigstore")).digest' "$T/stdout")
run curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$url/manifests/$bundle"
check_json 'its subject is the image, its layer the bundle' ".subject.digest == \"$digest\" and (.layers | length) == 1 and
	.layers[0].mediaType == .artifactType and .annotations[\"dev.sigstore.bundle.content\"] == \"dsse-envelope\""
curl -fsS "$url/blobs/$(jq -r '.layers[0].digest' "$T/stdout")" >attached.json
check 'another program verifies what is there' verified attached.json qa.pub
records() { # FILE
	jq -c '[.manifests[] | select(.artifactType | contains("sigstore") | not).digest] | sort' "$1"
}
curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' "$url/manifests/${digest/:/-}" >before.json
run manifesto export --attach "$image" qa-approval
check_status 'a second bundle' 0
run curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' "$url/manifests/${digest/:/-}"
check_json 'stands beside the first' '[.manifests[] | select(.artifactType == "application/vnd.dev.sigstore.bundle.v0.3+json")] | length == 2'
check 'and the records are listed as before' test "$(records before.json)" = "$(records "$T/stdout")" -a "$(records before.json)" != '[]'
run manifesto put -q --key qa "$image" later yes.json
check_status 'a put after that' 0
run manifesto repair "${image%:*}"
check_status 'and a repair' 0
run curl -fsS -H 'Accept: application/vnd.oci.image.index.v1+json' "$url/manifests/${digest/:/-}"
check_json 'leave the bundle where it is' "[.manifests[].digest] | index(\"$bundle\") != null"

# --- what a registry says is not believed: the bundle is there and listed, or there is no success
index='application/vnd.oci.image.index.v1+json'
attach() { # PREDICATE-TYPE: each makes another bundle
	run manifesto export --attach "$image" qa-approval --predicate-type "$1"
}
list_now() {
	curl -fsS -H "Accept: $index" "$url/manifests/${digest/:/-}"
}
put_list() { # FILE [MEDIA-TYPE]
	curl -fsS -X PUT -H "Content-Type: ${2-$index}" --data-binary @"$1" "$url/manifests/${digest/:/-}"
}
while read -r what path answer; do
	faults P "{\"method\":\"PUT\",\"path\":\"$path\",$answer}"
	list_now >before.json
	attach "a:$what"
	check_status "a registry that ${what//-/ } gets no success" 12
	check_stderr_has "$what: which is reported" 'attach the bundle: '
	check_stdout_empty "$what: and nothing else"
	list_now >after.json
	check "$what: the list is as it was" cmp -s before.json after.json
done <<-'END'
	takes-a-list-and-drops-it /manifests/sha256- "action":"status","status":201
	claims-to-keep-lists /manifests/sha256: "action":"replace","headers":{"OCI-Subject":"sha256:0000000000000000000000000000000000000000000000000000000000000000"}
END
faults P

# --- entries of others stay as they are, also those that nobody has put a name to
list_now | jq '.annotations = {who: "somebody"} | .manifests |= (map(select(.artifactType | contains("sigstore") | not) | del(.annotations)) | .[0].extra = 1)' >theirs.json
put_list theirs.json
attach a:theirs
check_status 'a bundle in a list of others' 0
list_now >after.json
check 'leaves it as it is' test "$(jq -S 'del(.manifests[] | select(.artifactType | contains("sigstore")))' after.json)" = "$(jq -S . theirs.json)"
check_json 'beside the bundle' '[.manifests[] | select(.artifactType | contains("sigstore"))] | length == 1' after.json
bundle=$(jq -r '.manifests[] | select(.artifactType | contains("sigstore")).digest' after.json)
for method in GET HEAD; do
	printf '{"method":"%s","path":"/manifests/%s","action":"status","status":404}\n' $method "$bundle"
done >gone
faults P "$(head -1 gone)" "$(tail -1 gone)"
attach a:theirs
check_status 'a bundle that is listed and not there is no success' 12
faults P

# --- what is no list is left alone
curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$url/manifests/1.0" >manifest.json
put_list manifest.json application/vnd.oci.image.manifest.v1+json
attach a:image
check_status 'an image where the list should be' 12
check_stderr_has 'is reported' 'attach the bundle: the registry does not keep it among the referrers of the image'
check 'and left alone' test "$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$url/manifests/${digest/:/-}" | sha256sum)" = "$(sha256sum <manifest.json)"

t_done
