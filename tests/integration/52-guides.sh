#!/bin/bash
# Runs every command of the guides as written there: on a registry with a Notary server, and with a TUF directory.
#
# NAME, who has their own home, runs the block "```sh NAME". "# exits with N" after a command is the expected status,
# by default 0. Blocks without a name are not run.
. "$(dirname "$0")/../support/t.sh"

lab registry notary
guides=$T_TOP/docs/guides

# One command of a block, continuation lines and here-documents included.
type_in() { # COMMAND
	local want=0
	[[ $1 =~ \#\ exits\ with\ ([0-9]+)$ ]] && want=${BASH_REMATCH[1]}
	eval "$1" >"$T/typed.out" 2>"$T/typed.err" </dev/null
	local status=$?
	check "$guide, $who: $(head -n 1 <<<"$1" | cut -c1-90)" test $status = "$want"
	[ $status = "$want" ] || sed 's/^/# /' "$T/typed.out" "$T/typed.err"
}

# Runs the blocks of the guide in this shell, so that commands see the variables of earlier ones.
follow() { # GUIDE
	guide=$1 who='' command='' end=''
	local line
	while IFS= read -r line; do
		if [[ -z $who && $line =~ ^'```sh '([a-z-]+)$ ]]; then
			who=${BASH_REMATCH[1]}
			export MANIFESTO_HOME=$T/$run/$who XDG_CACHE_HOME=$T/$run/$who/cache
			[ -d "$MANIFESTO_HOME" ] || mkdir -p "$MANIFESTO_HOME"
		elif [[ -n $who && -z $command && $line == '```' ]]; then
			who=''
		elif [[ -n $who ]]; then
			command+=${command:+$'\n'}$line
			[[ -n $end || ! $line =~ '<<'([A-Z]+)$ ]] || end=${BASH_REMATCH[1]}
			if [[ (-n $end && $line == "$end") || (-z $end && $line != *\\) ]]; then
				[ -z "$command" ] || type_in "$command"
				command='' end=''
			fi
		fi
	done <"$guides/$guide"
}

# The fingerprint of the root, for a guide that begins after trust was set up.
stage() {
	export MANIFESTO_HOME=$T/$run/alice
	mkdir -p "$MANIFESTO_HOME"
	manifesto key generate quinn && manifesto key generate sam && manifesto trust init --key alice "$REPOSITORY" && spare_root "$REPOSITORY" &&
		manifesto role add "$REPOSITORY" qa --key "$(fingerprint_of quinn)" --types qa-approval &&
		manifesto role add "$REPOSITORY" security --key "$(fingerprint_of sam)" --types security-review &&
		manifesto put --key quinn "$IMAGE" qa-approval approval.json &&
		manifesto put --key sam "$IMAGE" security-review review.json || return
	FINGERPRINT=$(manifesto trust show --json "$REPOSITORY" | jq -r '.pinned[0]')
	export FINGERPRINT
}
fingerprint_of() {
	manifesto key list --json | jq -r --arg name "$1" '.keys[] | select(.name == $name).fingerprint'
}

# The registry has no TLS, which the guides do not say.
mkdir -p "$HOME/.config/containers"
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$HOME/.config/containers/registries.conf"
export MANIFESTO_PASSPHRASE='of the test' EXAMPLES=$T_TOP/docs/examples
make_image "$T/second" --tag 1.1 --seed second >/dev/null
for server in "$NOTARY" "tuf+file://$T/trust"; do
	export MANIFESTO_TRUST_SERVER=$server
	for guide in release-approval security-team ci-verification promotion key-formats keys mirrored-images mirrors; do
		run=${server%%:*}-$guide
		REPOSITORY=$REGISTRY/acme/$(tr -c 'a-z\n' - <<<"$run") IMAGE=$REPOSITORY:1.0
		COPY=$REGISTRY/prod/${REPOSITORY##*/}
		export REPOSITORY IMAGE COPY
		skopeo copy -q --dest-tls-verify=false "oci:$T_TOP/testdata/image:1.0" "docker://$IMAGE" || exit 1
		[ $guide != release-approval ] || push_image "oci:$T/second:1.1" "$REPOSITORY:1.1" >/dev/null
		mkdir -p "$T/$run" && cd "$T/$run" || exit 1
		cp "$T_TOP/testdata/approval.json" .
		echo '{"findings":[]}' >scan.json
		echo '{"defaultAction":"SCMP_ACT_ERRNO"}' >seccomp.json
		echo '{"reviewed":"all"}' >review.json
		if [ $guide = ci-verification ] || [ $guide = mirrors ]; then
			stage >"$T/stage" 2>&1
			check "$run: the stage is set" test $? = 0
		fi
		if [ $guide = promotion ]; then
			STAGING=$REGISTRY/staging/$(basename "$REPOSITORY")
			export STAGING
			cp -r "$T_TOP/testdata/image" image
			skopeo copy -q --dest-tls-verify=false "oci:image:1.0" "docker://$STAGING:1.0" || exit 1
		fi
		[ $guide != keys ] || allow_softhsm_leaks
		before=$t_count
		follow $guide.md
		[ -z "${SSH_AGENT_PID-}" ] || kill "$SSH_AGENT_PID"
		unset SSH_AGENT_PID SSH_AUTH_SOCK SOFTHSM2_CONF
		check "$run: the guide has commands" test $((t_count - before)) -ge 8
	done
done

t_done
