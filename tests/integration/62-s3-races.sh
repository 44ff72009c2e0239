#!/bin/bash
# Many writers of one repository on as many machines, killed at any moment, their answers lost, in a bucket, in a directory and on a
# Notary server: what was acknowledged is there, and readers never see an error. In a bucket, a name has one owner, and a key that is
# taken away is gone. S3_WRITERS and S3_RECORDS make it larger.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"

lab registry s3 notary static
proxy P "$S3"
proxy N "$NOTARY"
writers=${S3_WRITERS:-8} records=${S3_RECORDS:-2}
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
make_image layout >/dev/null

# --- 8 owners at once: one gets the name
image=$REGISTRY/acme/first:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
pids=()
for i in 1 2 3 4 5 6 7 8; do
	(
		machine "owner$i"
		MANIFESTO_KEY=owner$i manifesto put --init --timeout 60 "$image" "type-$i" "$approval" >"$T/first.$i" 2>&1
	) &
	pids+=($!)
done
ended=()
for pid in "${pids[@]}"; do
	wait "$pid"
	ended+=($?)
done
won='' odd=''
for i in 1 2 3 4 5 6 7 8; do
	case ${ended[i - 1]} in
	0) won+=$i ;;
	10 | 12) ;;
	*) odd+=" $i: ${ended[i - 1]} $(head -1 "$T/first.$i")" ;;
	esac
done
check 'of 8 first publishes one wins' test "${#won}" = 1
check 'the others hear whose it is' test -z "$odd"
machine "owner${won:0:1}"
get_is 'the winner has what it published' "$approval" "$image" "type-${won:0:1}"
run manifesto list "$image"
check_line_count 'and nothing else is there' 2
machine first

# --- writers that are killed, behind a proxy that loses answers
faults N '{"method":"POST","path":"/_trust/tuf/$","action":"drop","forward":true,"skip":2,"count":2}' \
	'{"method":"POST","path":"/_trust/tuf/$","action":"drop","skip":5,"count":2}'
faults P '{"method":"PUT","path":"/timestamp.json","action":"drop","forward":true,"skip":2,"count":2}' \
	'{"method":"PUT","path":"/timestamp.json","action":"drop","skip":5,"count":2}' \
	'{"method":"PUT","path":"snapshot.json","action":"drop","forward":true,"skip":4,"count":3}' \
	'{"method":"PUT","path":"targets.json","action":"reset","forward":true,"skip":3,"count":3}'
# Until it is acknowledged, twice killed at a moment that nobody chose.
write() { # WRITER
	local i n pid code
	machine "writer$1"
	mkdir -p "$MANIFESTO_HOME"
	cp -a "$T/home/manifesto/keys" "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
	AWS_ENDPOINT_URL_S3=http://$P
	[ "$store" != notary ] || MANIFESTO_TRUST_SERVER=http://$N
	for ((i = 1; i <= records; i++)); do
		echo "$1.$i" >"$T/content.$1.$i"
		for ((n = 1; n <= 40; n++)); do
			manifesto put -q --timeout 60 "$image" "w$1-$i" "$T/content.$1.$i" >"$T/put.$1.$i" 2>&1 &
			pid=$!
			if [ $n -le 2 ]; then
				sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
				kill -KILL $pid 2>/dev/null && echo killed >>"$T/killed"
			fi
			wait $pid 2>/dev/null
			code=$?
			[ $code != 0 ] || break
			[ $code = 137 ] || echo "$code $(head -1 "$T/put.$1.$i")" >>"$T/failed"
		done
		[ $code = 0 ] && echo "w$1-$i content.$1.$i" >>"$T/acknowledged"
	done
}
# One machine that follows, one that comes new each time.
read_on() { # NAME
	local code
	machine "reader-$1"
	mkdir -p "$MANIFESTO_HOME"
	cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
	while [ ! -e "$T/over" ]; do
		[ "$1" = seen ] || rm -rf "$MANIFESTO_HOME/floors" "$XDG_CACHE_HOME"
		manifesto get --timeout 60 "$image" begin >"$T/read.$1" 2>"$T/read.$1.err"
		code=$?
		echo "$code" >>"$T/reads"
		[ $code = 0 ] && cmp -s "$T/read.$1" "$approval" || echo "$code $(head -1 "$T/read.$1.err")" >>"$T/bad-reads"
	done
}
for store in bucket directory notary; do
	case $store in
	directory) export MANIFESTO_TRUST_SERVER=tuf+file://$STATIC_DIR/tuf ;;
	notary) export MANIFESTO_TRUST_SERVER=$NOTARY ;;
	esac
	image=$REGISTRY/acme/many-$store:1.0
	push_image oci:layout:1.0 "$image" >/dev/null 2>&1
	machine first
	run manifesto put --init "$image" begin "$approval"
	check_status "the repository: $store" 0
	spare_root "$image"
	: >killed
	: >failed
	: >acknowledged
	: >bad-reads
	rm -f over reads
	read_on seen &
	readers=$!
	read_on new &
	readers+=" $!"
	pids=()
	for ((i = 1; i <= writers; i++)); do
		write $i &
		pids+=($!)
	done
	wait "${pids[@]}"
	: >over
	# shellcheck disable=SC2086 # words
	wait $readers
	echo "# $(wc -l <killed) killed, $(wc -l <reads) reads, failed: $(sort failed | uniq -c | head -3)"
	check "every writer got its acknowledgements in the end: $store" test "$(wc -l <acknowledged)" = $((writers * records))
	check "nobody but the killed saw a failure that lasts: $store" test "$(grep -cv '^\(4\|12\) ' failed)" = 0
	check "writers were killed: $store" test -s killed
	check "no reader saw an error: $store" test ! -s bad-reads
	[ ! -s bad-reads ] || head -3 bad-reads | sed 's/^/# /'
	lost=0
	while read -r type file; do
		manifesto get "$image" "$type" 2>/dev/null | cmp -s - "$file" || lost=$((lost + 1))
	done <acknowledged
	check "every acknowledged record is there: $store" test $lost = 0
	run manifesto status "${image%:*}"
	check "the repository is sound: $store" test "$status" = 0 -o "$status" = 14
	run manifesto repair "${image%:*}"
	check_status "repair mends what killed writers left of the lists: $store" 0
	run manifesto status "${image%:*}"
	check_status "and all is well: $store" 0
done
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
machine first
curl -sf "$S3_PUBLIC?list-type=2&prefix=tuf/" | tr '<' '\n' | sed -n 's/^Key>//p' >keys
check 'nothing but versions, targets and the timestamp is left' test -s keys -a \
	-z "$(grep -vE '/([0-9]+\.(root|snapshot|targets)|timestamp)\.json$|/targets/[^/]+/[0-9a-f]{64}\.sha256-[0-9a-f]{64}$' keys)"

# --- a rotation takes away the key that somebody publishes with, between its timestamp and its root
image=$REGISTRY/acme/rotated:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
run manifesto put --init "$image" begin "$approval"
manifesto key generate -q next
machine late
mkdir -p "$MANIFESTO_HOME"
cp -a "$T/home/manifesto/keys" "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
machine first
faults P '{"method":"PUT","path":"/2.root.json","action":"delay","ms":4000}'
AWS_ENDPOINT_URL_S3=http://$P manifesto trust rotate "$image" targets --key next >rotate.out 2>&1 &
rotate=$!
for ((i = 0; i < 200; i++)); do
	grep '"PUT"' P.log | grep -q '/2.root.json' && break
	sleep 0.05
done
machine late
run manifesto put "$image" late "$approval" --key alice
check_status 'somebody publishes with the key that goes, in that moment' 0
wait $rotate
check 'the rotation ends well' test $? = 0
[ ! -s rotate.out ] || sed 's/^/# /' rotate.out
machine new-reader
mkdir -p "$MANIFESTO_HOME"
cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
run manifesto list --all --json "${image%:*}"
check_status 'a reader under the new root' 0
check_json 'sees what was published meanwhile' '[.records[].type] | contains(["late"])'
machine first
run manifesto put "$image" after "$approval" --key next
check_status 'and the new key goes on' 0
machine late
refused 'the old key does not' 11 put "$image" never "$approval" --key alice

# --- the same, and who takes the key away is killed before they sign that once more: the root is on its way
image=$REGISTRY/acme/gap:1.0 gap=$S3_PUBLIC/tuf/${REGISTRY/:/%253A}/acme/gap
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
machine first
run manifesto put --init "$image" begin "$approval" --key alice
for name in late seen; do
	machine $name
	mkdir -p "$MANIFESTO_HOME"
	cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
done
machine first
faults P '{"method":"PUT","path":"/2.root.json","action":"delay","ms":4000}'
AWS_ENDPOINT_URL_S3=http://$P manifesto trust rotate "$image" targets --key next >rotate.out 2>&1 &
rotate=$!
for ((i = 0; i < 200; i++)); do
	grep '"PUT"' P.log | grep -q '/2.root.json' && break
	sleep 0.05
done
kill -KILL $rotate
machine late
run manifesto put "$image" late "$approval" --key alice
check_status 'somebody publishes with the key that goes' 0
run manifesto put "$image" later "$approval" --key alice
check_status 'twice' 0
machine seen
run manifesto get "$image" late
check_status 'and somebody reads it' 0
for ((i = 0; i < 200; i++)); do
	[ "$(http_status "$gap/2.root.json")" != 200 ] || break
	sleep 0.05
done
check 'then the root takes the key away' test "$(http_status "$gap/2.root.json")" = 200
curl -s "$gap/timestamp.json" >stamp.before
refused 'nobody can read that' 6 get "$image" begin
machine first
refused 'nor publish' 6 put "$image" after "$approval" --key next
refused 'a dry run of repair' 6 repair --dry-run "${image%:*}"
machine seen
refused 'repair without a key of the new root' 11 repair "${image%:*}"
check 'nothing was written' cmp -s stamp.before <(curl -s "$gap/timestamp.json")
machine first
run manifesto repair "${image%:*}"
check_status 'repair with such a key' 0
check_stdout_has 'puts the last state of the remaining keys in force' 'repaired: the timestamp'
check_stderr_has 'and says what does not count' 'must be published again'
for name in gap-reader seen; do
	machine $name
	mkdir -p "$MANIFESTO_HOME"
	[ -e "$MANIFESTO_HOME/trust.json" ] || cp "$T/home/manifesto/trust.json" "$MANIFESTO_HOME"
	get_is "$name: what was there before" "$approval" "$image" begin
	refused "$name: not what the lost key signed last" 3 get "$image" later
	refused "$name: nor before" 3 get "$image" late
done
machine first
run manifesto put "$image" late "$approval" --key next
check_status 'it is published again' 0
machine seen
get_is 'and read' "$approval" "$image" late
machine first
run manifesto repair "${image%:*}"
check_status 'nothing is left to repair' 0
check_stdout_lacks 'least of all the timestamp' timestamp

t_done
