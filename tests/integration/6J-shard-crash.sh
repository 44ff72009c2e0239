#!/bin/bash
# A writer that divides a role is killed between any two of its files, or meets another one that does the same: what was there is
# read at each moment, and the next run goes on.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
export MANIFESTO_TRUST_SERVER=
echo content >content
echo late >late

# Under LD_PRELOAD, a program is killed before it gives metadata file number $DIES_AT of a directory its name.
cat >dies.c <<'END'
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void count(const char *to)
{
	static int n;
	const char *at = getenv("DIES_AT");
	if (at && strncmp(to, "/proc/self/fd/", 14) == 0 && strstr(to, ".json") && ++n == atoi(at))
		(void)kill(getpid(), SIGKILL);
}
int link(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
	count(to);
	return real(from, to);
}
int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	count(to);
	return real(from, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned how)
{
	int (*real)(int, const char *, int, const char *, unsigned) =
	    (int (*)(int, const char *, int, const char *, unsigned))dlsym(RTLD_NEXT, "renameat2");
	count(to);
	return real(a, from, b, to, how);
}
END
gcc -D_GNU_SOURCE -shared -fPIC -o dies.so dies.c || t_bail 'compile'

for i in {1..6}; do
	make_image image --tag "$i" --seed "$i" >/dev/null
done
shards() { # DIRECTORY: how many the newest file of targets lists, with one digit, two, three
	jq -r '[.signed.delegations.roles[]? | select(.paths != []) | .name | select(contains("._h")) | sub(".*_h"; "") | length] | [group_by(.)[] | "\(.[0]):\(length)"] | join(" ")' \
		"$(find "$1" -name '*.targets.json' | sort -V | tail -1)"
}
records() { # REPOSITORY
	manifesto list --all --json "$1" 2>"$T/tmp/why" | jq '.records | length'
}
# A put that divides something, killed before one file in STEP.
dies() { # NAME STEP RECORDS SHARDS IMAGE TYPE
	local name=$1 step=$2 want=$3 shards=$4 n code dead=0 unread=0 stuck=0 lost=0
	shift 4
	cp -r image before
	cp -r home before-home
	for ((n = 1; n < 99; n += step)); do
		rm -rf image home
		cp -r before image
		cp -r before-home home
		DIES_AT=$n LD_PRELOAD=$T/dies.so manifesto put -q "$1" "$2" content >"$T/tmp/put" 2>&1 </dev/null &
		wait $! 2>/dev/null
		code=$?
		[ $code = 137 ] || break
		dead=$((dead + 1))
		[ "$(records oci:image)" -ge "$want" ] || unread=$((unread + 1))
		manifesto put -q "$1" "$2" content 2>"$T/tmp/why" || stuck=$((stuck + 1))
		[ "$(records oci:image)" = $((want + 1)) ] && [ "$(shards image)" = "$shards" ] || lost=$((lost + 1))
	done
	rm -rf before before-home
	check "$name: the last one was not killed" test "$code" = 0
	check "$name: a put was killed $dead times" test $dead -ge 5
	check "$name: all that was there was read then" test $unread = 0
	check "$name: the next put worked" test $stuck = 0
	check "$name: and nothing was lost" test $lost = 0
	check "$name: nor in the one that was not killed" test "$(records oci:image) $(shards image)" = "$((want + 1)) $shards"
}
manifesto put -q --init --no-passphrase oci:image:1 note content
for i in 2 3 4; do
	manifesto put -q "oci:image:$i" note content
done
dies 'a division' 1 4 '1:16' oci:image:5 note
for type in a b c; do
	manifesto put -q oci:image:1 "$type" content
done
# Of image 1 there are four now. Those of one image are not divided further than to three digits.
dies 'a division of a shard' 4 8 '1:15 2:15 3:16' oci:image:1 d

# ---- a Notary server, and a bucket: the writer waits with one of its files on the way, and is killed, or somebody else is faster
lab registry notary s3
proxy N "$NOTARY"
proxy P "$S3"
# Starts a put whose request waits at the proxy until $T/go is there.
held() { # METHOD PATH PUT-ARGUMENTS...
	local method=$1 path=$2 server=$MANIFESTO_TRUST_SERVER
	shift 2
	rm -f go
	faults N "{\"method\":\"$method\",\"path\":\"$path\",\"action\":\"hold\",\"until\":\"$T/go\",\"count\":1}"
	faults P "{\"method\":\"$method\",\"path\":\"$path\",\"action\":\"hold\",\"until\":\"$T/go\",\"count\":1}"
	[ "$server" != "$NOTARY" ] || server=http://$N
	MANIFESTO_TRUST_SERVER=$server AWS_ENDPOINT_URL_S3=http://$P manifesto put -q "$@" >"$T/held.out" 2>&1 </dev/null &
	held=$!
	while ! grep -q '"rule": 0' N.log P.log; do
		kill -0 $held 2>/dev/null || {
			not_ok "the put reaches $path" "$(cat held.out)"
			return
		}
		sleep 0.02
	done
}
at_server() { # NAME METHOD PATHS OF FILES
	local name=$1 method=$2 image=$REGISTRY/acme/$1 i path n=4
	shift 2
	for i in {1..6}; do
		push_image "oci:image:$i" "$image:$i" >/dev/null 2>&1
	done
	manifesto put -q --init --no-passphrase "$image:1" note content || t_bail "$name: the first record"
	for i in 2 3 4; do
		manifesto put -q "$image:$i" note content
	done
	for path; do
		held "$method" "$path" "$image:5" note content
		kill -KILL $held
		wait $held 2>/dev/null
		check "$name: all is read when a writer is killed at $path" test "$(records "$image")" = $n
		: >go
	done
	run manifesto put -q "$image:5" note content
	check_status "$name: the next put divides" 0
	check "$name: ... and loses nothing" test "$(records "$image")" = 5
	# Two that divide a shard at once, from two machines.
	for type in a b c; do
		manifesto put -q "$image:1" $type content
	done
	cp -r "$MANIFESTO_HOME" second-home
	held "$method" "$path" "$image:1" d content
	MANIFESTO_HOME=$T/second-home XDG_CACHE_HOME=$T/second-cache run manifesto put -q "$image:1" e late
	check_status "$name: somebody else divides meanwhile" 0
	: >go
	wait $held
	status=$?
	check_status "$name: the first one goes on" 0
	rm -rf second-home
	cold
	check "$name: nothing is lost" test "$(records "$image")" = 10
	get_is "$name: the one" content "$image:1" d
	get_is "$name: the other" late "$image:1" e
	run manifesto put -q "$image:6" note content
	check_status "$name: the next put" 0
	run manifesto trust refresh --force "$image"
	check_status "$name: all files can be re-signed" 0
	check "$name: nothing is lost of those" test "$(records "$image")" = 11
}
export MANIFESTO_TRUST_SERVER=$NOTARY
at_server notary POST '/_trust/tuf/$'
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET/tuf
at_server bucket PUT '_h0[.]json' '_h9[.]json' '[0-9]+[.]targets[.]json' '[.]snapshot[.]json' 'timestamp[.]json'
t_done
