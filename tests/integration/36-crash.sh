#!/bin/bash
# put is killed or interrupted anywhere, the disk is full or read-only, stdout is closed: the old or the new state can be read, no
# record is listed whose content is missing, and the next put works.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy R "http://$REGISTRY" --read-rate 20000000
export MANIFESTO_TRUST_SERVER=$NOTARY
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
push_image oci:image:1.0 "$R/acme/slow:1.0" >/dev/null

# Is everything that is listed there, and is the record old or new?
sound() { # IMAGE OLD NEW
	local type
	manifesto get "$1" main >"$T/tmp/main" 2>"$T/tmp/why" || return 1
	cmp -s "$T/tmp/main" "$2" || cmp -s "$T/tmp/main" "$3" || return 1
	manifesto list --json "$1" >"$T/tmp/list" 2>"$T/tmp/why" || return 1
	for type in $(jq -r '.records[-2:][].type' "$T/tmp/list"); do
		manifesto get "$1" "$type" >/dev/null 2>"$T/tmp/why" || return 1
	done
}

# Microseconds that a command takes.
took_us() { # COMMAND...
	local from
	from=$(date +%s%N)
	"$@" >/dev/null 2>&1 </dev/null
	echo $((($(date +%s%N) - from) / 1000))
}
# Sleeps so many twelfths of a time: the later ones of fifteen find nothing to kill.
sleep_part() { # I MICROSECONDS
	sleep "$(printf '0.%06d' $(($1 * $2 / 12)))"
}

# Puts that are killed after a growing time.
kills() { # NAME IMAGE
	local i pid us killed=0 unsound=0 after=0
	echo 0 >"$T/now.txt"
	us=$(took_us manifesto put -q "$2" main "$T/now.txt")
	for ((i = 1; i <= 15; i++)); do
		echo "$i" >"$T/next.txt"
		manifesto put -q "$2" main "$T/next.txt" >/dev/null 2>&1 </dev/null &
		pid=$!
		sleep_part $i "$us"
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		[ $? != 137 ] || killed=$((killed + 1))
		sound "$2" "$T/now.txt" "$T/next.txt" || {
			unsound=$((unsound + 1))
			cat "$T/tmp/why"
		}
		cp "$T/tmp/main" "$T/now.txt"
		# A new type each time: what is left of the killed one is in nobody's way.
		manifesto put -q "$2" "after-$i" "$T/next.txt" >/dev/null 2>"$T/tmp/why" </dev/null || {
			after=$((after + 1))
			cat "$T/tmp/why"
		}
	done
	check "$1: some of 15 puts were killed ($killed)" test $killed -ge 3
	check "$1: the old or the new state can be read after each" test $unsound = 0
	check "$1: the next put works" test $after = 0
	run manifesto list --json "$2"
	check_json "$1: nothing was lost" '[.records[] | select(.type | startswith("after-"))] | length == 15'
}
manifesto put -q --no-passphrase --init --key alice oci:image:1.0 other /etc/hostname >/dev/null || t_bail 'first put'
kills layout oci:image:1.0
put "$REGISTRY/acme/app:1.0" other /etc/hostname --init --no-passphrase --key alice
kills 'registry and Notary' "$REGISTRY/acme/app:1.0"

# The first put of all.
dead=0 stuck=0
make_image fresh >/dev/null
us=$(took_us manifesto put -q --init --no-passphrase --key alice oci:fresh:1.0 main now.txt)
rm -rf home/manifesto/trust.json home/manifesto/floors
for ((i = 1; i <= 15; i++)); do
	rm -rf fresh
	make_image fresh >/dev/null
	manifesto put -q --init --no-passphrase --key alice oci:fresh:1.0 main now.txt >/dev/null 2>&1 </dev/null &
	sleep_part $i "$us"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ $? != 137 ] || dead=$((dead + 1))
	run manifesto put -q --init --no-passphrase --key alice oci:fresh:1.0 main now.txt
	if [ "$status" != 0 ] || ! manifesto get oci:fresh:1.0 main 2>/dev/null | cmp -s - now.txt; then
		stuck=$((stuck + 1))
		t_dump
	fi
	rm -rf home/manifesto/trust.json home/manifesto/floors
done
check "first puts were killed ($dead of 15)" test $dead -ge 3
check 'a first put that was killed can be repeated' test $stuck = 0
rm -rf home/manifesto/trust.json home/manifesto/floors

# --- Ctrl-C
push_image oci:image:1.0 "$REGISTRY/acme/ctrl:1.0" >/dev/null
slow=$R/acme/slow:1.0
put "$slow" main now.txt --init --no-passphrase --key alice
truncate -s 100M large
rm -f "$T"/tmp/*
# What kill -9 left.
find home -name ".tmp-*" -delete
faults R
env --default-signal=INT manifesto put "$slow" large large >"$T/stdout" 2>"$T/stderr" </dev/null &
pid=$!
for ((i = 0; i < 100; i++)); do
	ss -Htn state established "dst $R" 2>/dev/null | grep -q . && grep -q '"POST"' "$T/R.log" && break
	sleep 0.05
done
sleep 1
check 'the upload is under way' kill -0 $pid
since=$SECONDS
kill -INT $pid
wait $pid
status=$?
t_command='put of 100 MB, interrupted'
check_status 'Ctrl-C during an upload' 130
check 'ends soon' test $((SECONDS - since)) -le 3
check 'with one line' test "$(grep -vc '^manifesto: hint: ' "$T/stderr")" -le 1
find "$T/tmp" "$T/home" -name '.tmp-*' -o -path "$T/tmp/*" >"$T/left"
check_line_count "and no temporary file ($(cat "$T/left"))" 0 "$T/left"
check 'nothing of it is stored' test "$(http_status "http://$REGISTRY/v2/acme/slow/blobs/sha256:$(sha256sum <large | cut -c1-64)")" = 404
gets 'what was there is there' now.txt "$slow" main
run manifesto list --json "$slow"
check_json 'and nothing else' '[.records[].type] == ["main"]'
rm -rf home/manifesto/trust.json home/manifesto/floors

# --- no room, no rights
make_image store >/dev/null
manifesto put -q --init --key alice oci:store:1.0 main now.txt >/dev/null || t_bail 'put to the store'
env --default-signal=INT manifesto put oci:store:1.0 interrupted large >"$T/stdout" 2>"$T/stderr" </dev/null &
sleep 0.1
kill -INT $! 2>/dev/null
wait $!
status=$?
check 'Ctrl-C during a put to a layout: done, or interrupted' test $status = 130 -o $status = 0
rm -f "store/blobs/sha256/$(sha256sum <large | cut -c1-64)"
find store -name '.tmp-*' >"$T/left"
check_line_count 'without temporary files' 0 "$T/left"
rm -rf store
make_image store >/dev/null
rm -rf home/manifesto/trust.json home/manifesto/floors
manifesto put -q --init --key alice oci:store:1.0 main now.txt >/dev/null || t_bail 'put to the store'
head -c 100000 /dev/urandom >big
WATCH=(home store)
# A limit on the size of files is what a full disk is to everybody.
limited() {
	(ulimit -f 8 && exec env "$@")
}
refuses 'no room for the blob' 1 'File too large' limited manifesto put -q oci:store:1.0 big big
gets 'the store is as before' now.txt oci:store:1.0 main
mkdir disk
if mount -t tmpfs -o size=300k,mode=755 none disk 2>/dev/null; then
	trap 'umount "$T/disk"; stop_faults; t_exit' EXIT
	cp -a store disk/store
	run manifesto put -q --init --key alice oci:disk/store:1.0 main now.txt
	check_status 'the holder of the root key needs no pin for the copy' 0
	gets 'a copy of the store on a small disk' now.txt oci:disk/store:1.0 main
	WATCH=(home disk)
	head -c 400000 /dev/urandom >bigger
	refuses 'a blob that does not fit on the disk' 1 'No space left' manifesto put -q oci:disk/store:1.0 big bigger
	dd if=/dev/zero of=disk/fill bs=1k 2>/dev/null
	refuses 'a full disk' 1 'No space left' manifesto put -q oci:disk/store:1.0 big big
	gets 'what is there can be read' now.txt oci:disk/store:1.0 main
	mkdir disk/out 2>/dev/null
	refuses 'a full disk for -o' 1 'No space left' manifesto get -o disk/out/file oci:disk/store:1.0 main
	rm -rf disk/fill disk/out
	put oci:disk/store:1.0 big big
	gets 'and with room put works' big oci:disk/store:1.0 big
	WATCH=(home store)
fi
chmod -R a-w store
chmod 755 "$T"
cp "$T_MANIFESTO" "$T/manifesto-copy"
mkdir ro-home
cp -a home/manifesto ro-home/manifesto
as=()
if [ "$(id -u)" = 0 ]; then
	chown -R nobody ro-home
	as=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups env)
fi
WATCH=(ro-home store)
refuses 'a read-only store' 1 'Permission denied' "${as[@]}" MANIFESTO_HOME="$T/ro-home/manifesto" ./manifesto-copy put -q oci:store:1.0 new now.txt
run "${as[@]}" MANIFESTO_HOME="$T/ro-home/manifesto" ./manifesto-copy get oci:store:1.0 main
check_stdout_file 'which can be read' now.txt
chmod -R u+w store

# --- stdout
head -c 3000000 /dev/urandom >long
put oci:store:1.0 long long
WATCH=(home store)
manifesto get oci:store:1.0 long 2>"$T/stderr" | head -c 1 >/dev/null
status=${PIPESTATUS[0]}
t_command='get | head -c1'
check 'get | head -c1: no crash, no success' test "$status" = 1 -o "$status" = 141
check 'and no more than a line' test "$(wc -l <"$T/stderr")" -le 1
for command in 'get oci:store:1.0 main' 'get oci:store:1.0 long' 'list oci:store:1.0' 'list --json oci:store:1.0'; do
	# shellcheck disable=SC2086 # words
	manifesto $command 2>"$T/stderr" >/dev/full
	status=$? t_command="$command >/dev/full"
	check_status "$command to a full disk" 1
	check "$command to a full disk: one line" test "$(grep -vc '^manifesto: hint: ' "$T/stderr")" = 1
	# shellcheck disable=SC2086
	manifesto $command 2>"$T/stderr" >&-
	status=$? t_command="$command >&-"
	check_status "$command to a closed stdout" 1
	check "$command to a closed stdout: one line" test "$(grep -vc '^manifesto: hint: ' "$T/stderr")" = 1
done
snapshot >"$T/before"
manifesto put oci:store:1.0 closed now.txt 2>"$T/stderr" >/dev/full
status=$?
manifesto get oci:store:1.0 closed >"$T/stdout" 2>/dev/null
got=$?
check 'put to a full stdout says what it did: status 1 with the record, or without' test "$status" = 1 -a '(' $got = 0 -o $got = 3 ')'

t_done
