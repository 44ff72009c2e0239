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
memory_base=20480 memory_slack=2816 # KiB: in all with few records; beyond that with many, which load OpenSSL's digests

while read -r store name numbers; do
	[ -z "$store" ] || limits[$store $name]=$numbers
done <<'TABLE'
layout put        0  0 0  1 1 1  0
layout get        0  0 0  1 1 0  0
layout get-again  0  0 0  1 1 0  0
layout get-cold   0  0 0  1 1 0  0
layout list       0  0 0  1 1 0  0
layout list-all   0  0 0  3 1 0  1
layout verify     0  0 0  1 1 0  0
layout sign       0  0 0  0 0 0  0
layout withdraw   0  0 0  1 1 1  0
layout rm         0  0 0  1 1 1  0
layout history    0  0 0  1 1 0  1
layout status     0  0 0  3 1 0  4
layout copy       0  0 0  1 1 0  0
layout role-add   0  0 0  6 2 0  2

directory put        13  0 0  1 1 1  0
directory get         1  0 0  1 1 0  0
directory get-again   1  0 0  1 1 0  0
directory get-cold    2  0 0  1 1 0  0
directory list        1  0 0  1 1 0  0
directory verify      1  0 0  1 1 0  0
directory sign        2  0 0  0 0 0  0
directory withdraw   14  0 0  1 1 1  0
directory rm         13  0 0  1 1 1  0
directory history     1  0 0  1 1 0  1
directory copy       15  0 0  1 1 0  0
directory status     280  0 0  4 1 0  5
directory role-add    0  0 0  6 2 0  2

notary put          20  0 1  1 1 1  0
notary get           2  0 0  1 1 0  0
notary get-again     2  0 0  0 0 0  0
notary get-cold      7  1 0  1 0 1  0
notary list          3  0 0  0 0 0  0
notary verify        2  0 0  0 0 0  0
notary sign          8  0 0  0 0 0  0
notary withdraw     20  0 1  1 1 1  0
notary rm           19  0 1  1 1 1  0
notary history      21  2 0  1 1 0  1
notary copy         22  0 0  1 1 0  0
notary role-add     19  1 0  8 1 1  2
TABLE

within() { # WHAT GOT MOST
	[ "$2" -le "$3" ] || excess="$excess, $1: $2, more than $3"
}

# One command, and whether its cost is within its bounds.
costs() { # NAME COMMAND...
	local name=$1 row=${limits[$store $1]-999 99 99 99 99 99 99} requests received sent hashed read written memory excess='' all peak
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
	# It asks for each image that has records.
	[ "$name" != status ] && [ "$name" != list-all ] || [ "$store" = layout ] || most[0]=$((requests + n))
	within requests "${got[0]}" "${most[0]}"
	within received "${got[1]}" "${most[1]}"
	within sent "${got[2]}" "${most[2]}"
	within hashed "${got[3]}" "${most[3]}"
	within read "${got[4]}" "${most[4]}"
	within written "${got[5]}" "${most[5]}"
	# Memory of a sanitizer is its own.
	if [ "$sanitized" = 0 ] && [ "$n" = "${sizes%% *}" ]; then
		peak_of_few[$store $name]=$peak
		[ "$n" -gt 10 ] || within KiB "$peak" $memory_base
	elif [ "$sanitized" = 0 ]; then
		within KiB "$peak" $((${peak_of_few[$store $name]} + memory * all / 1024 + memory_slack))
	fi
	if [ -z "$excess" ]; then ok "$store, $n records, $name: cost"; else not_ok "$store, $n records, $name: cost" "${excess#, }"; fi
}

sanitized=0
! grep -q libasan <(ldd "$T_MANIFESTO") || sanitized=1

# So many that they do not fit into memory at once come by the first digits of their subjects.
fill() { # N
	local digits
	fill_with() {
		"$programs/fill" "$image" "$1" "$MANIFESTO_HOME" "$XDG_CACHE_HOME/manifesto" "$server" content "${@:2}"
	}
	[ "$1" -gt 100000 ] || { fill_with "$1" && return; }
	rm -f subjects-*
	"$(t_python)" - "$1" <<-'PY'
		import hashlib, sys
		files = {d: open("subjects-" + d, "w") for d in "0123456789abcdef"}
		for i in range(int(sys.argv[1])):
		    name = hashlib.sha256(i.to_bytes(8, "little")).hexdigest()
		    files[name[0]].write(f"sha256:{name}\n")
	PY
	for digits in subjects-*; do
		fill_with "$(wc -l <"$digits")" "$digits" || return 1
	done
}

# A repository with N records more than the few that are worked on; sets image and copied.
repository() { # STORE N
	server=''
	store=$1 n=$2
	make_image "from-$n" >/dev/null
	cp -r "from-$n" "to-$n"
	image=oci:from-$n:1.0 copied=oci:to-$n:1.0
	case $store in
	directory) server=tuf+file://$T/directory ;;
	notary) server=$NOTARY ;;
	bucket) server=tuf+s3://$S3_BUCKET/tuf ;;
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
	fill "$n" || t_bail "$store: $n records"
	# The first one also writes into the catalogue what `fill` has published.
	manifesto put -q "$image" one content
	manifesto put -q "$image" gone content
	manifesto put -q "$image" more content --key alice
}

check_growth() { # STORE
	local n
	for n in $sizes; do
		repository "$1" "$n"
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
		[ -z "${limits[$1 list-all]-}" ] || costs list-all list --all --json "${image%:1.0}"
		[ -z "${limits[$1 status]-}" ] || costs status status "${image%:1.0}"
		rm -rf "from-$n" "to-$n"
	done
}

sizes=${GROWTH_SIZES:-10 10000} stores=${GROWTH_STORES:-layout directory notary}
lab registry notary
[[ $stores != *bucket* ]] || lab s3
echo content >content
manifesto key generate -q --no-passphrase alice
manifesto key generate -q --no-passphrase second
for store in $stores; do check_growth "$store"; done
t_done
