#!/bin/bash
# Two people write the same record at the same time: no record is overwritten without notice.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy N "$NOTARY"
make_image image >/dev/null
image=$REGISTRY/acme/app:1.0
push_image oci:image:1.0 "$image" >/dev/null
export MANIFESTO_TRUST_SERVER=$NOTARY
for ((i = 0; i <= 8; i++)); do
	echo "{\"content\":$i}" >"$T/file.$i"
done
run manifesto put -q --no-passphrase --init --key alice "$image" qa-approval file.0
[ "$status" = 0 ] || t_bail 'first put'

# The same keys on other machines.
homes() {
	local i
	rm -rf homes
	for ((i = 1; i <= 8; i++)); do
		mkdir -p "homes/$i"
		cp -a home/manifesto/. "homes/$i"
	done
}
homes

# The upload of the first put is held back until the second one has published.
late_put() { # FILE OPTIONS: a put whose upload comes late; meanwhile file.2 is published
	faults N '{"method":"POST","path":"/_trust/tuf/$","action":"delay","ms":1500,"count":1}'
	MANIFESTO_HOME=$T/homes/1 XDG_CACHE_HOME=$T/homes/1/c MANIFESTO_TRUST_SERVER=http://$N manifesto put "$image" qa-approval "$@" \
		>"$T/late.out" 2>"$T/late.err" </dev/null &
	late=$!
	for ((i = 0; i < 100; i++)); do
		grep -q '"POST"' "$T/N.log" && break
		sleep 0.05
	done
	MANIFESTO_HOME=$T/homes/2 XDG_CACHE_HOME=$T/homes/2/c manifesto put -q "$image" qa-approval "$T/file.2" >"$T/other.out" 2>&1 </dev/null
	other=$?
	t_command="a late put $*"
	wait $late
	status=$?
	cp "$T/late.out" "$T/stdout"
	cp "$T/late.err" "$T/stderr"
}
late_put file.1
check 'the other put succeeds' test $other = 0
check_status 'a record that changed meanwhile is a conflict' 12
check_stderr_has 'the message says so' 'somebody else'
check_stderr_has 'and the way out' '--force'
check 'one line and a hint' test "$(grep -vc '^manifesto: hint: ' "$T/stderr")" = 1
check_stdout_lacks 'nothing is called done' 'published'
gets "the other's record is intact" file.2 "$image" qa-approval
put "$image" qa-approval file.3
homes
late_put file.1 --force
check_status '--force replaces it' 0
gets 'and wins' file.1 "$image" qa-approval
put "$image" qa-approval file.3
homes
late_put file.2
check_status 'the same bytes by both are success' 0
gets 'and are there' file.2 "$image" qa-approval

# --- a delegation that is made meanwhile takes the type over from targets: nobody would accept the late record
homes
gun=$REGISTRY/acme/app
run manifesto key export alice owner/private --role targets --gun "$gun"
check_status 'the targets key for the notary program' 0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=qa-team -keyout team.key -out team.crt 2>/dev/null
faults N '{"method":"POST","path":"/_trust/tuf/$","action":"delay","ms":3000,"count":1}'
MANIFESTO_HOME=$T/homes/1 XDG_CACHE_HOME=$T/homes/1/c MANIFESTO_TRUST_SERVER=http://$N manifesto put "$image" new-type file.4 \
	>"$T/late.out" 2>"$T/late.err" </dev/null &
late=$!
for ((i = 0; i < 100; i++)); do
	grep -q '"POST"' "$T/N.log" && break
	sleep 0.05
done
run notary -s "$NOTARY" -d "$T/owner" delegation add -p "$gun" targets/team team.crt --paths new-type/
check_status 'the notary program delegates the type meanwhile' 0
t_command='a late put of a type that was delegated meanwhile'
wait $late
status=$?
cp "$T/late.out" "$T/stdout"
cp "$T/late.err" "$T/stderr"
check_status 'the late record is not published' 12
check_stderr_has 'the reason is reported' 'delegations have just changed'
refuses 'there is none' 3 '' manifesto get "$image" new-type

# --- without a proxy: every reported success was the current record at that moment
race() { # NAME IMAGE
	local i pids=() ended=() bad=0 winners=() name=$1
	put "$2" race file.0
	homes
	for ((i = 1; i <= 8; i++)); do
		MANIFESTO_HOME=$T/homes/$i XDG_CACHE_HOME=$T/homes/$i/c manifesto put -q "$2" race "$T/file.$i" >/dev/null 2>"$T/tmp/err.$i" </dev/null &
		pids+=($!)
	done
	for ((i = 1; i <= 8; i++)); do
		wait "${pids[i - 1]}"
		ended+=($?)
		case ${ended[-1]} in
		0) winners+=("$i") ;;
		12) grep -q 'somebody else' "$T/tmp/err.$i" || bad=$((bad + 1)) ;;
		*) bad=$((bad + 1)) ;;
		esac
	done
	check "$name: 8 different puts end with success or conflict (${ended[*]})" test $bad = 0 -a ${#winners[@]} != 0
	run manifesto get "$2" race
	for i in "${winners[@]}"; do
		cmp -s "$T/stdout" "$T/file.$i" && bad=ok
	done
	check "$name: the record is one whose put was reported as done" test "$bad" = ok
	run manifesto list --json "$2"
	check_json "$name: there is one" '[.records[] | select(.type == "race")] | length == 1'
}
race notary "$image"
race 'notary again' "$image"
run manifesto put -q --no-passphrase --init --key alice oci:image:1.0 qa-approval file.0
race layout oci:image:1.0
race 'layout again' oci:image:1.0

t_done
