#!/bin/bash
# Keys that are elsewhere: an ssh-agent, a program, a variable, a descriptor. With each kind the same commands sign, what it
# gives is verified before it is published, and each failure says what to do, at once and without a terminal.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"

signer=$T_TOP/docs/examples/openssl-signer.sh
image=oci:image:1.0
make_image image >/dev/null

# There is no terminal.
alone() {
	setsid -w "$@"
}

# A command ends with 11 within a second, says TEXT and changes nothing.
fails() { # NAME TEXT COMMAND...
	local name=$1 text=$2 since took
	shift 2
	since=$(date +%s%N)
	refuses "$name" 11 "$text" alone "$@"
	took=$((($(date +%s%N) - since) / 1000000))
	[ $took -lt 1000 ] || not_ok "$name: at once" "$took ms"
}

# --- an agent, which does not have our terminal
agents=()
start_agent() {
	eval "$(ssh-agent -s -a "$T/run/agent-${#agents[@]}")" >/dev/null
	agents+=("$SSH_AGENT_PID")
	export SSH_AUTH_SOCK
}
root_of() { # IMAGE
	curl -s "$NOTARY/v2/${1%:*}/_trust/tuf/root.json" | jq -r '.signed as $s | $s.keys[$s.roles.root.keyids[0]].keyval.public' | base64 -d
}
stop_all() {
	kill "${agents[@]}" 2>/dev/null
	t_exit
}
trap stop_all EXIT
start_agent
ssh-keygen -q -t ed25519 -N '' -C agent -f agent
ssh-keygen -q -t ecdsa -b 256 -N '' -C agent -f agent-ec
ssh-keygen -q -t rsa -b 2048 -N '' -C agent -f agent-rsa
ssh-add -q agent agent-ec agent-rsa
ssh_fingerprint() { # FILE
	ssh-keygen -l -f "$1.pub" | cut -d' ' -f2
}
fingerprint=$(ssh_fingerprint agent)

run manifesto key add alice "ssh-agent:$fingerprint"
check_status 'a key of the agent is added by the fingerprint of ssh-add -l' 0
check_file_mode 'the reference is for nobody else' 600 "$MANIFESTO_HOME/keys/alice.key"
check_json 'which names the place' '.manifesto == "key reference" and .v == 1 and .type == "ed25519" and (.source | startswith("ssh-agent:SHA256:"))' "$MANIFESTO_HOME/keys/alice.key"
run manifesto key show alice --json
check_json 'key show has the place' '.keys[0] | .source | startswith("ssh-agent:SHA256:")'
ours=$(jq -r '.keys[0].fingerprint' "$T/stdout")
jq -r '.keys[0].publicKey' "$T/stdout" >alice.pem
for spelling in "$ours" "sha256:$ours" "${ours:0:16}" "$(sed 's/../&:/g; s/:$//' <<<"${ours^^}")"; do
	run manifesto key add "again-${#spelling}" "ssh-agent:$spelling"
	check_status "and by our fingerprint as ${spelling:0:24}" 0
	rm -f "$MANIFESTO_HOME/keys/again-${#spelling}.key"
done
run env -u SSH_AUTH_SOCK manifesto key list
check_status 'the list needs no agent' 0
check_stdout_has 'and shows where the key is' "ssh-agent:$fingerprint"

run alone manifesto put --init $image qa-approval "$approval"
check_status 'a put signed by the agent' 0
get_is 'it verifies' "$approval" $image qa-approval
run alone manifesto trust refresh $image --within 100y
check_status 'roles are re-signed by the agent' 0
run manifesto status oci:image
check_status 'and all is well' 0

# --- the other kinds
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
types=(ed25519 p256 p384 p521 rsa)
run manifesto key add agent-p256 "ssh-agent:$(ssh_fingerprint agent-ec)"
check_status 'an ECDSA P-256 key of the agent' 0
for type in "${types[@]}"; do
	CI_KEY=$(cat "$type.key")
	export CI_KEY
	run manifesto key add "command-$type" "command:$signer" "$T/$type.key"
	check_status "a command that signs with $type" 0
	run manifesto key add "env-$type" env:CI_KEY
	check_status "a variable with a key of $type" 0
	run bash -c "exec manifesto key add fd-$type fd:9 9<$type.key"
	check_status "a descriptor with a key of $type" 0
done
unset CI_KEY

# The public key of each gets a role of its own.
signs() { # KEY COMMAND...
	local key=$1
	shift
	run manifesto role add "$image" "role-$key" --types "of-$key" --key "$key"
	[ "$status" = 0 ] || not_ok "a role for $key"
	echo "$key" >content
	run alone "$@" manifesto put --key "$key" --role "role-$key" "$image" "of-$key" content
	if [ "$status" = 0 ]; then ok "$key signs"; else not_ok "$key signs"; fi
	check_stdout_has "$key: as itself" "Signed by $key ("
	get_is "$key: it verifies" content "$image" "of-$key"
}
signs_with() { # TYPE
	local CI_KEY
	signs "command-$1" env
	signs "env-$1" env "CI_KEY=$(cat "$1.key")"
	signs "fd-$1" bash -c "exec \"\$@\" 9<$1.key" -
}
signs_with ed25519
fails 'a key whose algorithm does not fit the repository' 'must have ed25519 keys, not ecdsa' \
	manifesto role add $image other --types other --key command-p256

# A Notary server takes each type of key.
lab registry notary
export MANIFESTO_TRUST_SERVER=$NOTARY
image=$REGISTRY/acme/app:1.0
push_image oci:image:1.0 "$image" >/dev/null 2>&1
manifesto key add alice-notary-root "ssh-agent:$(ssh_fingerprint agent-ec)" >/dev/null
run alone manifesto put --init "$image" qa-approval "$approval"
check_status 'the agent is the root and the writer of a Notary repository' 0
get_is 'which verifies' "$approval" "$image" qa-approval
root_of "$image" >root.pem
check 'the certificate is signed by the agent' test "$(openssl x509 -in root.pem -pubkey -noout)" = "$(ssh-keygen -e -m PKCS8 -f agent-ec.pub)"
check 'and verifies with its own key' openssl verify -CAfile root.pem -check_ss_sig root.pem
for type in "${types[@]}"; do signs_with "$type"; done
signs agent-p256 env

t_done
