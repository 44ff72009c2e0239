# shellcheck shell=bash
# Registries and their tools beside what we write: sourced by run.sh. Servers listen on free ports of 127.0.0.1.
# shellcheck disable=SC2154 # status, approval and Debian's REGISTRY are set by the harness

peer_pids=()
end_peers() {
	[ ${#peer_pids[@]} = 0 ] || kill "${peer_pids[@]}" 2>/dev/null
	peer_pids=()
}

# Starts a registry and waits until it answers; sets at to its HOST:PORT. PORT in an argument or in ./peer.yml is its port.
start_registry() { # COMMAND...
	local port i
	port=$(free_port)
	[ ! -e peer.yml ] || sed -i "s/PORT/$port/" peer.yml
	setpriv --pdeathsig KILL "${@//PORT/$port}" </dev/null >peer.log 2>&1 &
	peer_pids+=($!)
	at=127.0.0.1:$port
	for ((i = 0; i < 200; i++)); do
		[ "$(http_status "http://$at/v2/")" != 200 ] || return 0
		sleep 0.05
	done
	not_ok "$1 starts" "$(tail -n 3 peer.log)"
	return 1
}

# The types of what is listed beside an image, sorted.
beside() { # IMAGE
	run "$oras" discover --plain-http --format json "$1"
	jq -c '[(.referrers // .manifests)[].artifactType] | sort' "$T/stdout"
}
fallback_tag() { # REPOSITORY
	http_status -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$at/v2/$1/manifests/${subject/:/-}"
}

# What readers and tools make of a copy of $image.
read_copy() { # NAME REPOSITORY MACHINE
	local name=$1 copy=$at/$2
	cp -R "$T/home/manifesto" "$T/home/manifesto-$3"
	machine "$3"
	refused "$name: the copy has no records of its own" 3 get "$copy:1.0" qa-approval
	if [ "$3" != "$from-crane" ]; then
		check_stderr_has "$name: which lie beside it, as the hint says" "manifesto trust map $copy ORIGIN"
	else
		check_stderr_lacks "$name: nothing lies beside it" 'trust map'
	fi
	run manifesto trust map "$copy" "${image%:*}"
	check_status "$name: a map" 0
	get_is "$name: read by the map" "$approval" "$copy:1.0" qa-approval
	run manifesto verify --require qa-approval --content "$copy:1.0"
	check_status "$name: the gate" 0
	[ "$3" != "$from-regctl" ] || promoted "$name" "$copy"
	machine first
}
# In place of the map: the records are published for the copy.
promoted() { # NAME COPY
	run manifesto trust map --remove "$2"
	run manifesto trust init --no-passphrase "$2"
	check_status "$1: a trust repository of its own" 0
	run manifesto copy "${image%:*}@$subject" "$2@$subject" --types qa-approval
	check_status "$1: manifesto copy" 0
	get_is "$1: the record is the copy's own" "$approval" "$2:1.0" qa-approval
}

commands_at() { # NAME: put, get, list, verify, status, repair and prune
	local name=$1 command
	run manifesto put -q --init --no-passphrase --key qa "$image" qa-approval "$approval"
	check_status "$name: put" 0
	spare_root "$image"
	run manifesto put -q "$image" contact notes.txt
	get_is "$name: get" "$approval" "$image" qa-approval
	run manifesto list --json "$image"
	check_json "$name: list" '[.records[].type] | sort == ["contact", "qa-approval"]'
	run manifesto put -q "$image" contact other.txt
	check_status "$name: a replacement" 0
	run manifesto put -q "$image" scan notes.txt
	run manifesto withdraw -q --reason late "$image" contact
	check_status "$name: withdraw" 0
	run manifesto rm "$image" scan
	check_status "$name: rm" 0
	for command in "verify --require qa-approval --content $image" "status $repository" "repair $repository" "status $repository" \
		"prune --older-than 1s --keep-versions 1 $repository" "status $repository"; do
		# shellcheck disable=SC2086 # arguments
		run manifesto $command
		check_status "$name: ${command%% *}" 0
	done
	check_stdout_has "$name: and all is well" 'all is well'
}

# cosign reads what we export, and what it attests becomes a record.
with_cosign() { # NAME
	local name="$1 and cosign" cosign
	peer cosign || return
	cosign=$found
	export COSIGN_PASSWORD=only-for-tests
	rm -f qa.pub cosign.key cosign.pub
	run manifesto key export qa -o qa.pub
	check_status "$name: the public key" 0
	run manifesto export "$image" qa-approval --attach
	check_status "$name: export --attach" 0
	run "$cosign" verify-attestation --key qa.pub --insecure-ignore-tlog --type urn:manifesto:record:v1 "$repository@$subject"
	check_status "$name: verify-attestation" 0
	jq -r .payload "$T/stdout" | base64 -d >statement.json
	check_json "$name: it reads the record" '.predicate.type == "qa-approval" and .predicate.value.decision == "approved"' statement.json
	run "$cosign" generate-key-pair
	run "$cosign" verify-attestation --key cosign.pub --insecure-ignore-tlog --type urn:manifesto:record:v1 "$repository@$subject"
	check "$name: not with another key" test "$status" != 0
	run manifesto export "$image" qa-approval -o bundle.json
	skopeo inspect --raw --tls-verify=false "docker://$image" >image.json
	run "$cosign" verify-blob-attestation --key qa.pub --bundle bundle.json --insecure-ignore-tlog --type urn:manifesto:record:v1 image.json
	check_status "$name: verify-blob-attestation" 0
	run "$cosign" verify-blob-attestation --key cosign.pub --bundle bundle.json --insecure-ignore-tlog --type urn:manifesto:record:v1 image.json
	check "$name: nor this" test "$status" != 0
	echo '{"builder":{"id":"https://ci.example.com"}}' >predicate.json
	run "$cosign" attest-blob --key cosign.key --predicate predicate.json --type https://example.com/build/v1 --bundle theirs.json \
		--tlog-upload=false --use-signing-config=false --yes image.json
	check_status "$name: attest-blob" 0
	run manifesto put -q "$image" provenance --from-dsse theirs.json --signer cosign.pub
	check_status "$name: its attestation becomes a record" 0
	run manifesto get "$image" provenance
	check_json "$name: with its content" '.predicate.builder.id == "https://ci.example.com" and .predicateType == "https://example.com/build/v1"'
	refused "$name: not with another signer" 6 put --force "$image" provenance --from-dsse theirs.json --signer qa.pub
}

with_notation() { # NAME
	local name="$1 and notation" notation
	peer notation || return
	notation=$found
	[ -d "$XDG_CONFIG_HOME/notation/localkeys" ] || run "$notation" cert generate-test --default lab
	run "$notation" sign --insecure-registry --force-referrers-tag=false "$repository@$subject"
	check_status "$name: notation signs the image" 0
	jq -n '{version: "1.0", trustPolicies: [{name: "lab", registryScopes: ["*"], signatureVerification: {level: "strict"},
		trustStores: ["ca:lab"], trustedIdentities: ["*"]}]}' >"$XDG_CONFIG_HOME/notation/trustpolicy.json"
	get_is "$name: our record is there" "$approval" "$image" qa-approval
	run manifesto put -q "$image" after notes.txt
	check_status "$name: a put after it" 0
	run manifesto rm "$image" after
	run manifesto repair "$repository"
	check_status "$name: and a repair" 0
	run "$notation" verify --insecure-registry "$repository@$subject"
	check_status "$name: leave its signature valid" 0
}

# Everything at one registry.
at_registry() { # NAME
	local from=$1 repository=$at/acme/app image=$at/acme/app:1.0 subject api oras regctl crane
	rm -rf "$T/home/manifesto" "$T/home/cache" "$T/trust"
	export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust MANIFESTO_KEY=qa
	make_image "$T/layout" >/dev/null
	subject=$(push_image "oci:$T/layout:1.0" "$image" 2>/dev/null)
	api=$(http_status "http://$at/v2/acme/app/referrers/$subject")
	printf '# %s: the referrers API answers %s\n' "$1" "$api"
	commands_at "$1"
	[ "$api" != 200 ] || check "$1: the API lists the records; no fallback tag is written" test "$(fallback_tag acme/app)" = 404
	with_cosign "$1"
	with_notation "$1"
	[ "$api" != 200 ] || check "$1: there is no fallback tag after all of that" test "$(fallback_tag acme/app)" = 404
	if peer oras; then
		oras=$found
		beside "$image" >kinds
		check_json "$1: oras discover" 'index("application/vnd.manifesto.qa-approval") != null and
			index("application/vnd.manifesto.withdrawn.v1+json") != null' kinds
		run "$oras" cp -r --from-plain-http --to-plain-http "$image" "$at/acme/oras:1.0"
		check_status "$1: oras cp -r" 0
		check "$1: copies all of it" test "$(beside "$at/acme/oras:1.0")" = "$(cat kinds)"
		digest=$(jq -r '[(.referrers // .manifests)[] | select(.artifactType == "application/vnd.manifesto.qa-approval").digest][0]' stdout)
		run "$oras" pull --plain-http -o "$T/pulled-$1" "$at/acme/oras@$digest"
		check "$1: oras pull gives the content" cmp -s "$approval" "$T/pulled-$1/qa-approval.json"
		read_copy "$1: copied by oras" acme/oras "$1-oras"
	fi
	if peer regctl; then
		regctl=$found
		run "$regctl" --host "reg=$at,tls=disabled" artifact tree "$image"
		check_stdout_has "$1: regctl artifact tree" application/vnd.manifesto.qa-approval
		run "$regctl" --host "reg=$at,tls=disabled" image copy --referrers "$image" "$at/acme/regctl:1.0"
		check_status "$1: regctl image copy --referrers" 0
		read_copy "$1: copied by regctl" acme/regctl "$1-regctl"
	fi
	if peer crane; then
		crane=$found
		run "$crane" manifest --insecure "$repository@$(manifesto list --json "$image" | jq -r '.records[0].subject')"
		check_json "$1: crane manifest" '.mediaType == "application/vnd.oci.image.manifest.v1+json"'
		run "$crane" copy --insecure "$image" "$at/acme/crane:1.0"
		check_status "$1: crane copy" 0
		read_copy "$1: copied by crane" acme/crane "$1-crane"
	fi
	unset MANIFESTO_TRUST_SERVER
	export MANIFESTO_KEY=alice
}

versions() {
	local name
	for name in oras regctl crane cosign notation registry olareg; do
		found=$(PATH=${INTEROP_PEERS:+$INTEROP_PEERS:}$PATH command -v $name) || continue
		printf '# %s: %s\n' $name "$({ "$found" version; "$found" --version; } 2>/dev/null | grep -m 1 -oE 'v?[0-9]+\.[0-9]+\.[0-9]+[^ ",]*')"
	done
}

registries() {
	local program at=$REGISTRY
	versions
	printf 'some notes\n' >notes.txt
	printf 'others\n' >other.txt
	at_registry "Debian's registry"
	if peer registry; then
		program=$found
		printf '%s\n' 'version: 0.1' "storage: {delete: {enabled: true}, filesystem: {rootdirectory: $T/distribution}}" \
			'http: {addr: "127.0.0.1:PORT"}' >peer.yml
		! start_registry "$program" serve peer.yml || at_registry 'distribution 3'
		end_peers
		rm -f peer.yml
	fi
	if peer olareg; then
		program=$found
		! start_registry "$program" serve --addr 127.0.0.1 --port PORT --store-type mem --api-delete || at_registry olareg
		end_peers
	fi
}
registries
