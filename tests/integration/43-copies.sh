#!/bin/bash
# A directory is copied to a web server while writers publish in it: in the documented order every copy is a consistent repository;
# copied in another one it is, or is refused. What a stopped publish has left never gets other bytes.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/store.sh"
unset MANIFESTO_PASSPHRASE

lab static
make_image store >/dev/null
image=oci:$T/store:1.0
# Copies are read as layouts of the same image, with none of the records' content but what is copied.
for view in dst new torn; do
	cp -R store "$STATIC_DIR/$view"
done
export SRC=$T/store/trust STAGE=$T/stage DST=$STATIC_DIR/dst/trust NEW=$STATIC_DIR/new/trust

# The lines of a marked block of the guide.
block() { # MARK
	awk -v mark="<!-- $1 -->" '$0 == mark { on = 1 } on && /^```$/ { exit } on && !/^```/ && $0 != mark' "$T_TOP/docs/publishing.md" >"$T/$1.sh"
	[ -s "$T/$1.sh" ] || t_bail "the guide has the block '$1'"
}
block recipe
block locked

# The home of another machine with the pin alone, or with the keys as well.
home_of() { # NAME [keys]
	mkdir -p "$T/homes/$1"
	cp -a "$T/home/manifesto/trust.json" "$T/homes/$1"
	[ $# = 1 ] || cp -a "$T/home/manifesto/keys" "$T/homes/$1"
}
as() { # NAME COMMAND...
	local name=$1
	shift
	MANIFESTO_HOME=$T/homes/$name XDG_CACHE_HOME=$T/homes/$name/cache "$@"
}

run manifesto put -q --init --no-passphrase --key alice "$image" first "$approval"
check_status 'a repository in a directory' 0
for view in dst new torn; do
	run manifesto trust pin "oci:$STATIC_DIR/$view" "$SRC/1.root.json"
	[ "$status" = 0 ] || t_bail 'the views are pinned'
done
home_of reader
home_of naive
"$tuf" --metadata-dir "$T/seen" init "$SRC/1.root.json" || t_bail 'the other client takes the root'

# Writers put one record after another until they are stopped; what was reported as published is noted.
write_on() { # NAME
	local i=0
	while [ ! -e "$T/stop" ]; do
		i=$((i + 1))
		echo "$1 $i" >"$T/file.$1"
		if as "$1" manifesto put -q "$image" "$1-$((i % 7))" "$T/file.$1" >"$T/err.$1" 2>&1 </dev/null; then
			echo "$i" >>"$T/done.$1"
		else
			cat "$T/err.$1" >>"$T/failures"
		fi
	done
}
writers() { # start|stop
	local i
	if [ "$1" = start ]; then
		rm -f "$T/stop"
		: >"$T/failures"
		pids=()
		for i in 1 2 3 4; do
			home_of "w$i" keys
			write_on "w$i" &
			pids+=($!)
		done
		return
	fi
	: >"$T/stop"
	wait "${pids[@]}"
}
# Is a copy a consistent repository, for both clients? Neither has ever seen a newer state.
sound() { # VIEW
	local names target options=()
	as reader manifesto list --json "oci:$STATIC_DIR/$1:1.0" >"$T/list" 2>"$T/why" || return 1
	names=$(jq -r '.records[] | .type + "/" + (.subject | sub(":"; "-"))' "$T/list")
	for target in $names; do
		options+=(--target-name "$target")
	done
	[ ${#options[@]} != 0 ] || return 1
	rm -rf "$T/got"
	mkdir "$T/got"
	"$tuf" --metadata-dir "$T/seen" --metadata-url "$STATIC/$1/trust/" "${options[@]}" --target-dir "$T/got" \
		--target-base-url "$STATIC/$1/trust/targets/" download 2>"$T/why" || return 1
}

# --- the documented order
mkdir "$DST" "$STAGE"
writers start
copies=0 bad=0 changed=0 last=
while [ $copies -lt 15 ]; do
	copies=$((copies + 1))
	sh -e "$T/recipe.sh" 2>"$T/why" || bad=$((bad + 1))
	sound dst || {
		bad=$((bad + 1))
		cat "$T/why"
	}
	now=$(sum "$DST/timestamp.json")
	[ "$now" = "$last" ] || changed=$((changed + 1))
	last=$now
done
writers stop
check "15 copies while 4 writers published ($changed different ones): all are sound" test $bad = 0
check 'most of them are newer than the one before' test $changed -ge 5
check "no writer failed ($(cat done.* | wc -l) puts)" test ! -s failures
sh -e recipe.sh
check 'when all is quiet nothing but the lock is missing' test -z "$(diff -rq "$SRC" "$DST" | grep -v "^Only in $SRC.*: \.lock\$")"
for i in 1 2 3 4; do
	n=$(tail -n 1 "done.w$i")
	run as reader manifesto get "oci:$STATIC_DIR/dst:1.0" "w$i-$((n % 7))"
	check_stdout_is "the last record of writer $i" "w$i $n"
done

# --- under the lock
writers start
bad=0
for ((i = 1; i <= 5; i++)); do
	rm -rf "$NEW"
	if ! sh -e locked.sh 2>"$T/why" || ! sound new; then
		bad=$((bad + 1))
		cat "$T/why"
	fi
done
check 'copies made under the lock are sound' test $bad = 0

# --- in any order: whoever reads such a copy gets the right result or an error
right=0 refused=0 wrong=0
for ((i = 1; i <= 12; i++)); do
	rm -rf "$STATIC_DIR/torn/trust"
	cp -R "$SRC" "$STATIC_DIR/torn/trust"
	rm -rf "$T/homes/naive/floors"
	as naive manifesto get "oci:$STATIC_DIR/torn:1.0" first >"$T/first" 2>"$T/why"
	case $? in
	0) cmp -s "$T/first" "$approval" && right=$((right + 1)) || wrong=$((wrong + 1)) ;;
	6 | 8) refused=$((refused + 1)) ;;
	*) wrong=$((wrong + 1)) ;;
	esac
done
writers stop
check "a plain cp -R is right ($right) or refused ($refused), never wrong" test $wrong = 0 -a $((right + refused)) = 12
check 'the writers did not mind' test ! -s failures
rm -rf "$STATIC_DIR/torn/trust" "$T/homes/naive/floors"
cp -R "$SRC" "$STATIC_DIR/torn/trust"
run as naive manifesto get "oci:$STATIC_DIR/torn:1.0" first
check_stdout_file 'when all is quiet it is right' "$approval"
rm -rf "$STATIC_DIR/torn/trust"
cp -R "$SRC" "$STATIC_DIR/torn/trust"
echo second >second
run manifesto put -q "$image" later second
cp "$SRC/timestamp.json" "$STATIC_DIR/torn/trust"
rm -rf "$T/homes/naive/floors"
run as naive manifesto get "oci:$STATIC_DIR/torn:1.0" first
check_status 'a timestamp that is newer than the list of files: 8' 8
check_stdout_empty 'and nothing is given out'

# --- what a stopped publish has left
leave_over() { # sets $left_targets and $left_snapshot, names behind the newest ones
	local newest
	newest=$(find "$SRC" -name '[0-9]*.targets.json' -printf '%f\n' | sort -n | tail -n 1)
	left_targets=$SRC/$((${newest%%.*} + 1)).targets.json
	newest=$(find "$SRC" -name '[0-9]*.snapshot.json' -printf '%f\n' | sort -n | tail -n 1)
	left_snapshot=$SRC/$((${newest%%.*} + 1)).snapshot.json
	echo 'left over' >"$left_targets"
	echo 'left over' >"$left_snapshot"
}
leave_over
sh -e recipe.sh
check_same_file 'a copy may hold it' "$left_targets" "$DST/${left_targets##*/}"
echo third >third
run manifesto put -q "$image" later third
check_status 'the next writer goes on' 0
check 'under other names' grep -qx 'left over' "$left_targets"
check 'for all files' grep -qx 'left over' "$left_snapshot"
sh -e recipe.sh
check 'and the copy is sound' sound dst
run as reader manifesto get "oci:$STATIC_DIR/dst:1.0" later
check_stdout_file 'and has the new record' third
leave_over
run manifesto trust refresh --force "$image"
check_status 're-signing what expires soon still works' 0
check 'under other names, too' grep -qx 'left over' "$left_targets" "$left_snapshot"
sh -e recipe.sh
check 'and its copy is sound' sound dst

t_done
