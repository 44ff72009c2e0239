#!/bin/bash
# A TUF directory that several writers share, each with their own key and home: nothing is lost, readers succeed at every moment,
# writers may be killed at any point, and they may be different users.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry static
chmod 711 "$T"
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
image=$REGISTRY/acme/app:1.0
dir=$STATIC_DIR/tuf
writers=8

as() { # NAME COMMAND...
	local name=$1
	shift
	MANIFESTO_HOME=$T/homes/$name MANIFESTO_KEY=$name XDG_CACHE_HOME=$T/homes/$name/cache "$@"
}
# Makes a home with a key; NAME.pem is its public part.
new_writer() { # NAME
	as "$1" manifesto key generate -q --no-passphrase "$1" >/dev/null || t_bail "the key of $1"
	as "$1" manifesto key show "$1" | sed -n '/BEGIN/,/END/p' >"$T/$1.pem"
}
# The pins of the first machine, for another one.
introduce() { # NAME
	mkdir -p "$T/homes/$1"
	cp "$T/home/manifesto/trust.json" "$T/homes/$1"
}

# Reads repeatedly until stopped, with and without floors, from the directory and from the web server that serves it. Records each
# status.
read_on() { # NAME TRUST-SERVER
	while [ ! -e "$T/stop" ]; do
		as "$1" manifesto list --tofu --trust-server "$2" "$image" >/dev/null 2>"$T/why.$1"
		echo $? >>"$T/read.$1"
		[ "$(tail -n 1 "$T/read.$1")" = 0 ] || cat "$T/why.$1" >>"$T/why.all"
		[ "${1#new}" = "$1" ] || rm -rf "$T/homes/$1"
	done
}
pids=()
readers() { # start|stop
	if [ "$1" = start ]; then
		rm -f "$T/stop" "$T"/read.*
		: >"$T/why.all"
		read_on seen-file "tuf+file://$dir" &
		pids=($!)
		read_on new-file "tuf+file://$dir" &
		pids+=($!)
		read_on seen-web "tuf+$STATIC/tuf" &
		pids+=($!)
		read_on new-web "tuf+$STATIC/tuf" &
		pids+=($!)
		return
	fi
	: >"$T/stop"
	wait "${pids[@]}"
}
# The readers got these statuses only.
readers_saw() { # NAME STATUS...
	local name=$1 seen
	shift
	seen=$(sort -u "$T"/read.* | tr '\n' ' ')
	if ! cat "$T"/read.* | grep -qvxF "$(printf '%s\n' "$@")" && grep -qx 0 "$T"/read.*; then
		ok "$name ($(cat "$T"/read.* | wc -l) times)"
	else
		not_ok "$name" "statuses $seen" "$(sort "$T/why.all" | uniq -c | head -5)"
	fi
}

# Retries a put that fails because the registry is overloaded (4), as a job would.
patient_put() { # NAME PUT-ARGUMENTS...
	local name=$1 tries
	shift
	for tries in 1 2 3 4; do
		as "$name" manifesto put -q "$@" 2>"$T/put.$name" </dev/null && return
		[ $? = 4 ] || break
	done
	sed "s/^/$name after $tries tries: /" "$T/put.$name" >>"$T/failures"
	return 1
}
: >failures

# --- from nothing to a repository of many writers, with readers all the time
readers start
export MANIFESTO_TRUST_SERVER=tuf+file://$dir
run manifesto put -q --init --no-passphrase "$image" first "$approval"
check_status 'the first record' 0
failed=0
for ((i = 1; i <= writers; i++)); do
	new_writer "w$i"
	introduce "w$i"
	run manifesto role add "$image" "team-$i" --key "w$i.pem" --types "type-$i"
	[ "$status" = 0 ] || failed=$((failed + 1))
	run manifesto role add "$image" all --key "w$i.pem" --types common-a,common-b,common-c
	[ "$status" = 0 ] || failed=$((failed + 1))
done
check "$writers writers get roles" test $failed = 0
work() { # NUMBER
	local i
	for i in 1 2 3; do
		echo "$1 $i" >"$T/file.$1.$i"
		patient_put "w$1" "$image" "type-$1" "$T/file.$1.$i" || return 1
	done
	echo "common $1" >"$T/common.$1"
	[ "$1" -gt 3 ] || patient_put "w$1" "$image" "common-$(tr 123 abc <<<"$1")" "$T/common.$1"
}
jobs=()
for ((i = 1; i <= writers; i++)); do
	work "$i" &
	jobs+=($!)
done
bad=0
for i in "${jobs[@]}"; do
	wait "$i" || bad=$((bad + 1))
done
# Keys are removed while others read: the files that they signed are re-signed.
run manifesto role remove "$image" all --key w8.pem
removed=$status
run manifesto role remove "$image" team-8 --force
removed=$removed$status
readers stop
check 'all writers succeed' test $bad = 0 -a ! -s failures
check 'a key and a role are removed' test "$removed" = 00
readers_saw 'readers find nothing, and then always what is there' 0 3
bad=0
for ((i = 1; i < writers; i++)); do
	manifesto get "$image" "type-$i" 2>&1 | cmp -s - "file.$i.3" || bad=$((bad + 1))
done
for i in 1 2 3; do
	manifesto get "$image" "common-$(tr 123 abc <<<$i)" 2>&1 | cmp -s - "common.$i" || bad=$((bad + 1))
done
check 'no record is lost, the last of each type counts' test $bad = 0
run manifesto list --json "$image"
check_json 'each by its own writer' "[.records[] | select(.type | startswith(\"type-\")) | .signers[0].fingerprint] | unique | length == $((writers - 1))"
versions=$(find "$dir" -name '*.snapshot.json' | wc -l)
check "a snapshot for each publish, and none twice ($versions)" test "$versions" -ge $((2 + 2 * writers + 3 * writers + 3 + 2))

# --- writers are killed at any moment; the other writers and readers continue
make_image store >/dev/null
run manifesto put -q --init --no-passphrase oci:store:1.0 first "$approval"
check_status 'a layout' 0
for i in 1 2 3 4 5 6; do
	introduce "w$i"
	run manifesto role add oci:store "team-$i" --key "w$i.pem" --types "type-$i"
	[ "$status" = 0 ] || t_bail 'role add'
done
: >failures
rm -f stop
killed_work() { # NUMBER
	local i pid
	for ((i = 1; i <= 12; i++)); do
		echo "$1 $i" >"$T/kill.$1.$i"
		MANIFESTO_HOME=$T/homes/w$1 MANIFESTO_KEY=w$1 manifesto put -q oci:store:1.0 "type-$1" "$T/kill.$1.$i" 2>"$T/put.w$1" </dev/null &
		pid=$!
		if [ $((i % 3)) != 0 ]; then
			sleep "0.0$((RANDOM % 90 + 10))"
			kill -9 $pid 2>/dev/null
		fi
		wait $pid 2>/dev/null
		case $? in
		0) echo "$i" >>"$T/kept.$1" ;;
		137) echo "$i" >>"$T/killed" ;;
		*) cat "$T/put.w$1" >>"$T/failures" ;;
		esac
	done
}
watch_store() {
	while [ ! -e "$T/stop" ]; do
		manifesto list oci:store:1.0 >/dev/null 2>>"$T/why.store" || echo 1 >>"$T/unsound"
	done
}
: >killed
: >unsound
watch_store &
watcher=$!
jobs=()
for i in 1 2 3 4 5 6; do
	killed_work $i 2>/dev/null &
	jobs+=($!)
done
wait "${jobs[@]}"
: >stop
wait $watcher
check "readers did not notice that $(wc -l <killed) puts were killed" test ! -s unsound -a "$(wc -l <killed)" -ge 5
check 'the others went on' test ! -s failures
bad=0
for i in 1 2 3 4 5 6; do
	# The last one was not killed.
	manifesto get oci:store:1.0 "type-$i" 2>&1 | cmp -s - "kill.$i.12" || bad=$((bad + 1))
done
check 'every writer has its last record' test $bad = 0
left=$(find store/trust -name '.tmp-*' | wc -l)
find store/trust -name '.tmp-*' -exec touch -h -d '2 days ago' {} +
touch store/trust/.tmp-0123456789abcdef01234567 store/trust/targets/type-1/.tmp-0123456789abcdef01234568
mkdir store/trust/targets/.tmp-0123456789abcdef0123456a
touch -d '2 days ago' store/trust/.tmp-0123456789abcdef01234567 store/trust/targets/{type-1/.tmp-0123456789abcdef01234568,.tmp-0123456789abcdef0123456a}
touch store/trust/.tmp-0123456789abcdef01234569
for i in 1 2 3 4 5 6; do
	as w$i manifesto put -q oci:store:1.0 "type-$i" "$approval"
done
find store/trust -name '.tmp-*' -printf '%f\n' >remaining
check "what they left ($left files) is cleared away when it is old" test "$(cat remaining)" = .tmp-0123456789abcdef01234569

# --- two users of one group; without root, one user with a private umask
cp "$T_MANIFESTO" manifesto-copy
shared=$T/shared
mkdir -m 755 shared
make_image shared/store >/dev/null
one=() two=() group=$(id -g)
if [ "$(id -u)" = 0 ]; then
	group=64999
	one=(setpriv --reuid=64997 --regid=64997 --groups="$group")
	two=(setpriv --reuid=64998 --regid=64998 --groups="$group")
	chown -R 64997 shared/store
	chmod 755 homes "$T_TOP" 2>/dev/null
fi
chgrp -R "$group" shared/store
find shared/store -type d -exec chmod g+ws {} +
for i in 1 2; do
	mkdir -m 700 shared/home-$i
	[ "$(id -u)" != 0 ] || chown 6499$((i + 6)) shared/home-$i
done
cp "$approval" shared/file
by() { # 1|2 COMMAND...
	local user=("${one[@]}") who=$1
	[ "$who" = 1 ] || user=("${two[@]}")
	shift
	(
		umask 077
		cd "$shared" || exit 1
		export MANIFESTO_HOME=$shared/home-$who/m XDG_CACHE_HOME=$shared/home-$who/c HOME=$shared/home-$who MANIFESTO_KEY=u$who
		exec "${user[@]}" "$@"
	)
}
run by 1 "$T/manifesto-copy" put -q --init --no-passphrase oci:store:1.0 first file
check_status 'one user makes the trust repository of a layout' 0
by 2 "$T/manifesto-copy" key generate -q --no-passphrase u2 >/dev/null
by 2 "$T/manifesto-copy" key show u2 | sed -n '/BEGIN/,/END/p' >shared/u2.pem
run by 1 "$T/manifesto-copy" role add oci:store qa --key "$shared/u2.pem" --types qa-approval,x,y,z
check_status 'and lets another one sign' 0
run by 2 "$T/manifesto-copy" trust pin oci:store store/trust/1.root.json
run by 2 "$T/manifesto-copy" put -q oci:store:1.0 qa-approval file
check_status 'who writes the same content as the first' 0
run by 2 "$T/manifesto-copy" get oci:store:1.0 first
check_stdout_file 'and reads what the first wrote' "$approval"
run by 1 "$T/manifesto-copy" get oci:store:1.0 qa-approval
check_stdout_file 'as does the first with the record of the second' "$approval"
both() { # 1|2 TYPE...
	local who=$1 type
	shift
	for type; do
		by "$who" "$T/manifesto-copy" put -q oci:store:1.0 "$type" file 2>>"$T/failures" || echo "$who $type" >>"$T/failures"
	done
}
: >failures
both 1 a b c a b c &
job=$!
both 2 x y z x y z
wait "$job"
check 'they write at once' test ! -s failures
run by 1 "$T/manifesto-copy" list --json oci:store:1.0
check_json 'and nothing is lost' '.records | length == 8'
check 'directories are for the group' test -z "$(find shared/store/trust shared/store/blobs -type d ! -perm 2775)"
check 'and of the group' test -z "$(find shared/store/trust ! -group "$group" -type d)"
check_file_mode 'so is the lock' 660 shared/store/trust/.lock
check 'files are for all to read' test -z "$(find shared/store/trust -type f ! -name .lock ! -perm 644)"
if [ "$(id -u)" = 0 ]; then
	owners=$(find shared/store/trust -name '*.json' -printf '%U\n' | sort -u | tr '\n' ' ')
	check 'both have written' test "$owners" = '64997 64998 '
	check 'the second has a copy of what the first owns' test "$(find shared/store/trust/targets/qa-approval -type f -printf '%U %n')" = '64998 1'
	run setpriv --reuid=64996 --regid=64996 --clear-groups flock -n shared/store/trust/.lock true
	check 'a reader cannot keep the writers waiting' test "$status" != 0
else
	check 'content is linked where that is allowed' test "$(find shared/store/trust/targets/qa-approval -type f -printf '%n')" -gt 1
fi

t_done
