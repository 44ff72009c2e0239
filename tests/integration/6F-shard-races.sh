#!/bin/bash
# A shard is divided while somebody else writes into it: on a Notary server only versions of files conflict, so that one of both
# must lose, and go again.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

ln -sf "${T_MANIFESTO%/*}/tests/support/manifesto-few" bin/manifesto
unset MANIFESTO_PASSPHRASE
lab registry notary
proxy N "$NOTARY"
export MANIFESTO_TRUST_SERVER=$NOTARY
for i in {1..5}; do
	make_image image --tag "$i" --seed "$i" >/dev/null
done
echo content >content
echo other >other

# Another machine with the same keys.
elsewhere() { # COMMAND...
	MANIFESTO_HOME=$T/elsewhere XDG_CACHE_HOME=$T/elsewhere/cache "$@"
}

full_shard() { # NAME: sets base; the shard of image 1 has four records
	local i
	base=$REGISTRY/acme/$1
	for i in {1..5}; do
		push_image "oci:image:$i" "$base:$i" >/dev/null 2>&1
	done
	manifesto put -q --init --no-passphrase "$base:1" note content
	for i in {2..5}; do
		manifesto put -q "$base:$i" note content || not_ok "$1: put $i"
	done
	for i in a b c; do
		manifesto put -q "$base:1" "$i" content || not_ok "$1: put $i"
	done
	rm -rf elsewhere
	cp -a home/manifesto elsewhere
}

full_shard divided-late
late manifesto put "$base:1" d content
elsewhere manifesto put -q "$base:1" a other
check 'a record is replaced while the shard is divided' test $? = 0
late_ends
check_status '... which goes on' 0
run manifesto get "$base:1" a
check '... and does not bring the old record back' cmp -s stdout other
run manifesto get "$base:1" d
check_status '... and has its own' 0

full_shard divided-long-ago
late elsewhere manifesto put "$base:1" a other
manifesto put -q "$base:1" d content && manifesto put -q "$base:1" e content && manifesto put -q "$base:2" new-type content
check 'the shard is divided, and forgotten, while a record is replaced' test $? = 0
late_ends
check_status '... which goes on' 0
run manifesto get "$base:1" a
check '... and is not lost either' cmp -s stdout other

full_shard divided-meanwhile
late elsewhere manifesto put "$base:1" a other
manifesto put -q "$base:1" d content
check 'the shard is divided while a record is replaced' test $? = 0
late_ends
check_status '... which goes on' 0
run manifesto get "$base:1" a
check '... and is not lost' cmp -s stdout other
run manifesto get "$base:1" d
check_status '... nor is what divided it' 0
t_done
