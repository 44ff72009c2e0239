#!/bin/bash
# Other projects' TUF clients read our store, and other projects' tests try our client. `make check` does not need it. What is not
# installed on this machine is not run, and is reported and counted. docs/testing.md describes the variables.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/store.sh"
unset MANIFESTO_PASSPHRASE

here=$T_TOP/tests/interop
python=${INTEROP_PYTHON:-$(t_python)}
export PYTHONPATH=${INTEROP_PYTHONPATH-} PYTHONDONTWRITEBYTECODE=1
not_run=0
not_run() { # NAME WHY
	not_run=$((not_run + 1))
	printf 'not run - %s: %s\n' "$1" "$2"
}
# Sets found to a program: of the directory INTEROP_PEERS, or installed. What is missing is reported once.
missing=' '
peer() { # NAME
	found=$(PATH=${INTEROP_PEERS:+$INTEROP_PEERS:}$PATH command -v "$1") && return
	[[ $missing = *" $1 "* ]] || not_run "$1" 'INTEROP_PEERS names no directory with it, and it is not installed'
	missing+="$1 "
	return 1
}

lab static registry notary s3
make_store "$STATIC_DIR/store"

# All records of the store, read by a program that gets their names as arguments.
reads_all() { # NAME COMMAND...
	local name=$1 version target
	shift
	version=$("$@" --version 2>&1 </dev/null)
	case $? in
	0) printf '# %s\n' "$version" ;;
	*)
		not_run "$name reads the store" "${version:-$1 does not start}"
		return
		;;
	esac
	mkdir -p "$T/read"
	run_with "$T/names" "$@" "$STATIC/${store##*/}/trust/" "$STATIC/${store##*/}/trust/targets/" "$store/trust/1.root.json" "$T/read"
	check_status "$name reads the store" 0
	while read -r target; do
		if cmp -s "$T/records/${target//\//%2F}" "$T/read/${target//\//%2F}"; then
			ok "$name: $target"
		else
			not_ok "$name: $target"
		fi
	done <"$T/names"
	rm -rf "$T/read"
}
clients_read() { # WHAT
	reads_all "python-tuf$1" "$python" "$here/read_python.py"
	if command -v node >/dev/null; then
		reads_all "tuf-js$1" node "$here/read_js.mjs"
	else
		not_run "tuf-js$1 reads the store" 'no node'
	fi
}
clients_read ''
# The same in roles that are spread over shards.
ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
machine shards
make_store "$STATIC_DIR/sharded"
check 'a role has shards' test -n "$(find "$store" -name '*._h0.json')"
clients_read ' with shards'
ln -sf "$T_MANIFESTO" bin/manifesto
machine first
store=$STATIC_DIR/store
note_records

# Mirrors of a Notary repository and of one in a directory; each is on a web server and in a bucket.
reads_mirrors() {
	local kind image repository url name version type
	if ! version=$("$python" "$here/read_python.py" --version 2>&1 </dev/null); then
		not_run 'python-tuf reads mirrors' "$version"
		return
	fi
	export MANIFESTO_PASSPHRASE=x
	make_image "$T/mirrored" >/dev/null
	for kind in notary directory; do
		image=$REGISTRY/acme/mirrored-$kind:1.0 repository=$REGISTRY/acme/mirrored-$kind
		push_image "oci:$T/mirrored:1.0" "$image" >/dev/null 2>&1
		case $kind in
		notary) export MANIFESTO_TRUST_SERVER=$NOTARY ;;
		directory) export MANIFESTO_TRUST_SERVER=tuf+file://$T/origin ;;
		esac
		machine "$kind-mirror"
		for type in qa-approval scan; do run manifesto put -q --init "$image" $type "$approval"; done
		run manifesto key generate -q qa
		run manifesto role add -q "$image" qa --key qa --types review
		run manifesto put -q "$image" review "$approval" --key qa
		[ "$status" = 0 ] || t_bail "records for a mirror of a $kind"
		name=${repository/:/%253A}
		for url in "$STATIC/mirror/$name" "$S3_PUBLIC/mirror/$name"; do
			case $url in
			"$STATIC"*) run manifesto mirror "$repository" "$STATIC_DIR/mirror" ;;
			*) run manifesto mirror "$repository" "tuf+s3://$S3_BUCKET/mirror" ;;
			esac
			check_status "a mirror of a $kind: ${url%%/mirror*}" 0
			rm -rf read && mkdir read
			curl -sf "$url/1.root.json" >root.json
			manifesto list --json "$image" 2>/dev/null | jq -r '.records[] | .type + "/" + (.subject | sub(":"; "-"))' >mirrored-names
			run_with mirrored-names "$python" "$here/read_python.py" "$url/" "$url/targets/" root.json read
			check_status 'python-tuf reads it' 0
			check 'all of it' test "$(find read -type f | wc -l)" = 3
			for type in qa-approval scan review; do check_same_file "with the content: $type" "$(find read -name "$type*")" "$approval"; done
		done
	done
	unset MANIFESTO_TRUST_SERVER MANIFESTO_PASSPHRASE
	machine first
}
reads_mirrors

# The conformance suite starts the client a few hundred times.
conformance() {
	local suite=${INTEROP_TUF_CONFORMANCE-} why outcome name code
	[ -n "$suite" ] || suite=$("$python" -c 'import tuf_conformance, os; print(os.path.dirname(os.path.dirname(tuf_conformance.__file__)))' 2>/dev/null)
	if [ ! -d "$suite/tuf_conformance" ]; then
		not_run 'the conformance suite tries manifesto-tuf' "INTEROP_TUF_CONFORMANCE names no clone of it, nor has $python the package"
		return
	fi
	export PYTHONPATH=$suite${PYTHONPATH:+:$PYTHONPATH}
	if ! why=$("$python" -c 'import pytest, tuf, securesystemslib, cryptography' 2>&1); then
		not_run 'the conformance suite tries manifesto-tuf' "$(tail -n 1 <<<"$why")"
		return
	fi
	command -v faketime >/dev/null || not_run 'five cases of the conformance suite' 'no faketime'
	"$python" -m pytest -q -p no:cacheprovider --runxfail --rootdir="$suite" --junitxml="$T/junit.xml" "$suite/tuf_conformance" \
		--entrypoint="$tuf" >"$T/pytest" 2>&1 </dev/null
	code=$?
	# Any other status means that the suite does not start here, for example because its packages have other versions.
	if [ $code -gt 1 ]; then
		not_run 'the conformance suite tries manifesto-tuf' "$(grep '^E  ' "$T/pytest" | tail -n 1 | sed 's/^E *//')"
		return
	fi
	if ! "$python" "$here/cases.py" "$T/junit.xml" >"$T/cases" 2>/dev/null || [ ! -s "$T/cases" ]; then
		not_ok 'the conformance suite runs' "$(tail -n 20 "$T/pytest")"
		return
	fi
	: >"$T/stdout"
	: >"$T/stderr"
	while IFS= read -r outcome; do
		name="conformance: ${outcome#* - }"
		if [ "${outcome%% -*}" = ok ]; then ok "$name"; else not_ok "$name"; fi
	done <"$T/cases"
	if ! grep -q '^not ok' "$T/cases"; then return; fi
	tail -n 100 "$T/pytest" | sed 's/^/# /'
}
conformance

# The TUF repositories of other projects, as they were through the years. A clone may be given: INTEROP_HISTORY=DIRECTORY has them under
# the names of the projects ("sigstore+root-signing").
history() { # OWNER/NAME
	local name="manifesto-tuf beside python-tuf on the history of $1" clone=${INTEROP_HISTORY-}/${1/\//+} why line
	if ! command -v faketime >/dev/null; then
		not_run "$name" 'no faketime'
		return
	fi
	if ! why=$("$python" -c 'import tuf, cryptography' 2>&1); then
		not_run "$name" "$(tail -n 1 <<<"$why")"
		return
	fi
	[ -e "$clone/HEAD" ] || clone=$clone/repo
	if [ ! -e "$clone/HEAD" ]; then
		clone=$T/history.git
		rm -rf "$clone"
		if ! why=$(timeout 300 git clone --quiet --bare "https://github.com/$1" "$clone" 2>&1 </dev/null); then
			not_run "$name" "$(tail -n 1 <<<"$why")"
			return
		fi
	fi
	: >"$T/stdout"
	"$python" "$here/history.py" "$clone" "$tuf" "${INTEROP_STATES:-20}" >"$T/history" 2>"$T/stderr" </dev/null
	check "$name: it runs" grep -q '^ok' "$T/history"
	while IFS= read -r line; do
		case $line in
		'ok - '*) ok "$1: ${line#ok - }" ;;
		'not ok - '*) not_ok "$1: ${line#not ok - }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$T/history"
}
history sigstore/root-signing
history docker/tuf


# A second object store: versitygw, whose manners are those of Amazon's.
free_port() {
	local port
	while :; do
		port=$((10240 + RANDOM % 22000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo $port
}
second_store() {
	local program port image i pids=() server
	peer versitygw || return
	program=$found
	port=$(free_port)
	mkdir -p gateway/records meta
	setpriv --pdeathsig KILL "$program" --port "127.0.0.1:$port" --access testkey --secret testsecret posix --sidecar "$T/meta" "$T/gateway" \
		</dev/null >gateway.log 2>&1 &
	server=$!
	for ((i = 0; i < 200; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.05
	done
	export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret
	export MANIFESTO_TRUST_SERVER=tuf+s3://records/tuf
	make_image "$T/layout" >/dev/null
	image=$REGISTRY/acme/app:1.0
	push_image "oci:$T/layout:1.0" "$image" >/dev/null 2>&1
	run manifesto put --init --no-passphrase "$image" first "$approval"
	check_status 'versitygw: a first publish' 0
	for i in 1 2 3 4 5 6 7 8; do
		(
			machine "writer$i"
			mkdir -p "$MANIFESTO_HOME"
			cp -a "$T/home/manifesto/keys" "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
			manifesto put -q "$image" "type-$i" "$approval" >"$T/put.$i" 2>&1
		) &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}"
		check "versitygw: writer $((i + 1)) of 8 at once" test $? = 0
	done
	machine reader
	mkdir -p "$MANIFESTO_HOME"
	cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
	run manifesto list --json "$image"
	check_json 'versitygw: a reader finds all records' '.records | length == 9'
	get_is 'versitygw: and their content' "$approval" "$image" type-8
	machine first
	run manifesto status "${image%:*}"
	check 'versitygw: status lists the content' test "$status" = 0 -o "$status" = 14
	run manifesto prune --older-than 1s --keep-versions 1 --json "${image%:*}"
	check_json 'versitygw: prune' '.repositories[0] | .exit == 0'
	get_is 'versitygw: what is pruned is not missed' "$approval" "$image" type-1
	AWS_REGION=eu-north-1 refused 'versitygw: the wrong region' 2 get "$image" type-1
	AWS_SECRET_ACCESS_KEY=wrong refused 'versitygw: the wrong secret' 5 put "$image" type-1 "$approval"
	kill "$server"
	wait "$server" 2>/dev/null
	unset MANIFESTO_TRUST_SERVER AWS_ENDPOINT_URL_S3 AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
}
second_store

. "$here/registries.sh"

t_complete=1
printf '%d passed, %d failed, %d not run\n' $((t_count - t_failed)) $t_failed $not_run
[ $t_failed = 0 ]
