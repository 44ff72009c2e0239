#!/bin/bash
# How cost grows with the records of a repository, without a clock: what `-v` counts, and peak memory, at 10 and at 10,000 records.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

programs=${T_MANIFESTO%/*}/tests/bench
unset MANIFESTO_PASSPHRASE
declare -A limits peak_of_few

# Bounds. Requests: so many, at any number of records. Bytes and memory: so many times what all records have in the metadata, and a
# constant for the rest; 0 does not grow. Whoever makes something cheaper lowers its numbers.
record_bytes=510
received_base=40000 sent_base=40000 hashed_base=200000 read_base=100000 written_base=60000
memory_base=20480 memory_slack=2048 # KiB: in all with few records; beyond that with many

while read -r store name numbers; do
	[ -z "$store" ] || limits[$store $name]=$numbers
done <<'TABLE'
layout put        0  0 0  7 2 1  3
layout get        0  0 0  2 1 0  1
layout get-again  0  0 0  2 1 0  1
layout get-cold   0  0 0  2 1 0  1
layout list       0  0 0  2 1 0  1
layout verify     0  0 0  2 1 0  1
layout sign       0  0 0  4 2 0  1
layout withdraw   0  0 0  7 2 1  3
layout rm         0  0 0  7 2 1  3
layout history    0  0 0  9 9 0  5
layout status     0  0 0  3 1 0  17
layout copy       0  0 0  2 1 0  1
layout role-add   0  0 0  9 2 1  4

directory put        13  0 0  7 2 1  3
directory get         1  0 0  2 1 0  1
directory get-again   1  0 0  2 1 0  1
directory get-cold    2  0 0  2 1 0  1
directory list        1  0 0  2 1 0  1
directory verify      1  0 0  2 1 0  1
directory sign        2  0 0  4 2 0  1
directory withdraw   14  0 0  7 2 1  3
directory rm         13  0 0  7 2 1  3
directory history     1  0 0  9 9 0  5
directory copy       15  0 0  2 1 0  1
directory role-add    0  0 0  9 2 1  4

notary put          19  0 1  8 3 1  3
notary get           2  0 0  4 1 1  1
notary get-again     2  0 0  0 0 0  0
notary get-cold      6  1 0  3 0 1  1
notary list          3  0 0  0 0 0  0
notary verify        2  0 0  0 0 0  0
notary sign          8  0 0  6 2 0  1
notary withdraw     20  0 1  8 2 1  3
notary rm           19  0 1  8 2 1  3
notary history      13  6 0  9 1 0  9
notary copy         22  0 0  3 1 0  1
notary role-add      4  0 1 10 2 1  4
TABLE

within() { # WHAT GOT MOST
	[ "$2" -le "$3" ] || excess="$excess, $1: $2, more than $3"
}

# One command, and whether its cost is within its bounds.
costs() { # NAME COMMAND...
	local name=$1 row=${limits[$store $1]} requests received sent hashed read written memory excess='' all peak
	local got=() most=() want=0
	# The images of most records are made up.
	[ "$name" != status ] || want=14
	shift
	run "$programs/run" 1 manifesto -v "$@"
	check_status "$store, $n records, $name: status" $want
	peak=$(cut -d' ' -f3 "$T/stdout")
	read -ra got < <(sed -n 's/^manifesto: cost: //p' "$T/stderr" | tr -cd '0-9 ')
	echo "# $store, $n records, $name: requests ${got[0]-}, bytes received ${got[1]-}, sent ${got[2]-}, hashed ${got[3]-}, read ${got[4]-}, written ${got[5]-}, peak $peak KiB"
	[ ${#got[@]} = 6 ] || not_ok "$store, $n records, $name: a line with its cost"
	read -r requests received sent hashed read written memory <<<"$row"
	all=$((record_bytes * n))
	most=("$requests" $((received_base + received * all)) $((sent_base + sent * all)) $((hashed_base + hashed * all))
		$((read_base + read * all)) $((written_base + written * all)))
	within requests "${got[0]}" "${most[0]}"
	within received "${got[1]}" "${most[1]}"
	within sent "${got[2]}" "${most[2]}"
	within hashed "${got[3]}" "${most[3]}"
	within read "${got[4]}" "${most[4]}"
	within written "${got[5]}" "${most[5]}"
	# Memory of a sanitizer is its own.
	if [ "$sanitized" = 0 ] && [ "$n" -le 10 ]; then
		peak_of_few[$store $name]=$peak
		within KiB "$peak" $memory_base
	elif [ "$sanitized" = 0 ]; then
		within KiB "$peak" $((${peak_of_few[$store $name]} + memory * all / 1024 + memory_slack))
	fi
	if [ -z "$excess" ]; then ok "$store, $n records, $name: cost"; else not_ok "$store, $n records, $name: cost" "${excess#, }"; fi
}

sanitized=0
! grep -q libasan <(ldd "$T_MANIFESTO") || sanitized=1

# A repository with N records more than the few that are worked on; sets image and copied.
repository() { # STORE N
	local server=''
	store=$1 n=$2
	make_image "from-$n" >/dev/null
	cp -r "from-$n" "to-$n"
	image=oci:from-$n:1.0 copied=oci:to-$n:1.0
	case $store in
	directory) server=tuf+file://$T/directory ;;
	notary) server=$NOTARY ;;
	esac
	if [ -n "$server" ]; then
		image=$REGISTRY/$store/from-$n:1.0 copied=$REGISTRY/$store/to-$n:1.0
		push_image "oci:from-$n:1.0" "$image" >/dev/null 2>&1
		push_image "oci:to-$n:1.0" "$copied" >/dev/null 2>&1
	fi
	export MANIFESTO_TRUST_SERVER=$server
	manifesto put -q --init --no-passphrase "$image" note content
	manifesto trust init -q --no-passphrase "$copied"
	manifesto role add -q "$image" more --key alice --key second --types more
	"$programs/fill" "$image" "$n" "$MANIFESTO_HOME" "$XDG_CACHE_HOME/manifesto" "$server" content || t_bail "$store: $n records"
	# The first one also writes into the catalogue what `fill` has published.
	manifesto put -q "$image" one content
	manifesto put -q "$image" gone content
	manifesto put -q "$image" more content --key alice
}

check_growth() { # STORE
	local n
	for n in 10 10000; do
		repository "$1" $n
		costs put put "$image" two content
		costs sign sign --yes "$image" more --key second
		costs withdraw withdraw "$image" one --reason old
		costs rm rm "$image" gone
		cold
		costs get-cold get "$image" note
		costs get get "$image" note # the first one with a cache: it writes the index
		costs get-again get "$image" note
		costs list list "$image"
		costs verify verify --require note "$image"
		costs history history "$image"
		costs copy copy --types note "$image" "$copied"
		costs role-add role add "$image" later --key second --types later
		[ "$1" != layout ] || costs status status "${image%:1.0}"
		rm -rf "from-$n" "to-$n"
	done
}

lab registry notary
echo content >content
manifesto key generate -q --no-passphrase alice
manifesto key generate -q --no-passphrase second
check_growth layout
check_growth directory
check_growth notary
t_done
