# shellcheck shell=bash
# shellcheck disable=SC2154 # status is set by run
# People, each with a key and a home, and the roles that they sign; source after t.sh and job.sh. The notary program makes the
# image's repository on the Notary server $NOTARY and its delegations.

. "$T_TOP/tests/support/notary.sh"

# Runs the following commands as this person.
as() { # PERSON
	machine "$1"
	export MANIFESTO_KEY=$1
}

fingerprint_of_root() { # GUN
	curl -s "$NOTARY/v2/$1/_trust/tuf/root.json" | jq -r '.signed.keys[.signed.roles.root.keyids[0]].keyval.public' | base64 -d |
		openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1
}

# A repository without records whose snapshot the server signs, so that members of a role can publish.
make_collection() { # GUN
	notary_in owner init "$1"
	notary_in owner publish "$1"
	notary_in owner key rotate "$1" snapshot -r
	[ "$status" = 0 ] || t_bail "a collection for $1"
}

# Each person has a key pair of the same name and trusts the repository.
make_people() { # IMAGE GUN PERSON...
	local image=$1 gun=$2 person root
	shift 2
	root=$(fingerprint_of_root "$gun")
	for person in "$@"; do
		if [ ! -e "$person.key" ]; then
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$person" \
				-keyout "$person.key" -out "$person.crt" 2>/dev/null
		fi
		as "$person"
		[ -e "$MANIFESTO_HOME/keys/$person.key" ] || manifesto key import "$person" "$person.key" >/dev/null 2>&1 || t_bail "a key for $person"
		manifesto trust pin "$image" "$root" >/dev/null 2>&1 || t_bail "$person pins the root"
	done
	machine first
}

make_role() { # GUN ROLE PATH PERSON...
	local gun=$1 role=$2 path=$3 certificates=()
	shift 3
	for person in "$@"; do certificates+=("$person.crt"); done
	notary_in owner delegation add -p "$gun" "targets/$role" "${certificates[@]}" --paths "$path"
	[ "$status" = 0 ] || t_bail "the role $role"
}

# `field FILTER`: one member of all records in `list --json` of the image.
listed() { # IMAGE FILTER
	manifesto list --json "$1" 2>/dev/null | jq -c "$2"
}

# --- the same with manifesto alone, on any kind of repository: alice, on the first machine, owns it

# Each person makes a key, with its public part in PERSON.pub, and trusts the repository.
invite() { # IMAGE PERSON...
	local image=$1 person root
	shift
	root=$(manifesto trust show --json "$image" | jq -r '.pinned[0]')
	for person in "$@"; do
		as "$person"
		if [ ! -e "$person.pub" ]; then
			manifesto key generate "$person" >/dev/null 2>&1 || t_bail "a key for $person"
			manifesto key show --json "$person" | jq -r '.keys[0].publicKey' >"$person.pub"
		fi
		manifesto trust pin "$image" "$root" >/dev/null 2>&1 || t_bail "$person pins the root"
	done
	as alice
	machine first
}

appoint() { # IMAGE ROLE TYPES PERSON...
	local image=$1 role=$2 types=$3 keys=() person
	shift 3
	for person in "$@"; do keys+=(--key "$person.pub"); done
	run manifesto role add "$image" "$role" --types "$types" "${keys[@]}"
	[ "$status" = 0 ] || t_bail "the role $role"
}
