#!/bin/bash
# The cache is held at a size: what was not used for the longest time goes, and nothing that is no file of the cache does.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

lab registry notary
proxy N "$NOTARY"
proxy P "http://$REGISTRY"
export MANIFESTO_TRUST_SERVER=http://$N MANIFESTO_CACHE_SIZE=1M
repository=$P/acme/app
image=$repository:1.0
cache=home/cache/manifesto
make_image image >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/app:1.0" >/dev/null
push_image oci:image:1.0 "$REGISTRY/acme/other:1.0" >/dev/null
for i in 1 2 3 4 5 6; do
	head -c 300000 /dev/urandom >"content.$i"
	run manifesto put -q --no-passphrase --init --key alice "$image" "type-$i" "content.$i"
	[ "$status" = 0 ] || t_bail "put $i"
done
put "$P/acme/other:1.0" type-1 content.1 --init --key alice
blob() { # N
	printf '%s/blobs/%s' "$cache" "$(sha256sum <"content.$1" | cut -c1-64)"
}
used() { # N, SECONDS AGO
	touch -d "@$(($(date +%s) - $2))" "$(blob "$1")"
}
requests() { # COMMAND...: so many of the registry's answers were blobs
	faults P
	run "$@"
	grep -c '/blobs/' "$T/P.log"
}

# --- least recently used
rm -rf home/cache
for i in 1 2 3; do
	gets "content $i" "content.$i" "$image" "type-$i"
done
run manifesto cache show --json
check_json 'a cache below its size keeps all' '.content.files == 3 and .limit == 1048576 and .bytes <= .limit'
used 1 5000
used 2 9000
used 3 3000
check 'content 1 is used again, and not fetched' test "$(requests manifesto get "$image" type-1)" = 0
gets 'content 4' content.4 "$image" type-4
check 'what was not used for the longest time is gone' test ! -e "$(blob 2)"
check 'what was used again is there' test -e "$(blob 1)"
check 'and what was just written' test -e "$(blob 4)"
run manifesto cache show --json
check_json 'the cache has its size' '.bytes <= .limit and .bytes > 0'
check_json 'it is shown by repository' '.repositories | length == 1 and .[0].name == "'"$repository"'" and .[0].files >= 4'
check 'what is gone is fetched again' test "$(requests manifesto get "$image" type-2)" = 1
gets 'and is right' content.2 "$image" type-2
t_command='a run that uses more than fits'
run manifesto verify --content --require type-1 --require type-2 --require type-3 --require type-4 --require type-5 --require type-6 "$image"
check_status 'verify of more content than the cache holds' 0
run manifesto cache show --json
check_json 'and it holds its size' '.bytes <= .limit'
check 'no content is fetched twice in one run' test "$(requests manifesto verify --content --require type-1 "$image" "$image" "$image" "$P/acme/other:1.0")" -le 1

# --- any file of the metadata may be gone
for file in "$cache"/tuf/*/*; do
	[ -e "$file" ] || continue
	cp -a home/cache cache.all
	find "${file%/*}" -type f ! -name "${file##*/}" -delete
	gets "only ${file##*/} is left" content.1 "$image" type-1
	rm -rf home/cache
	mv cache.all home/cache
done

# --- show and clear
run manifesto cache show
check_status 'cache show' 0
check_stdout_has 'names the repository' "$repository"
check_stdout_has 'and the path' "$T/$cache"
run manifesto list "$P/acme/other:1.0"
check_status 'metadata of another repository' 0
run manifesto cache clear --json "$image"
check_status 'cache clear of one repository' 0
check_json 'some files are gone' '.files >= 4 and .bytes > 0'
run manifesto cache show --json
check_json 'the other repository is left, and content' '(.repositories | map(.name)) == ["'"$P/acme/other"'"] and .content.files > 0'
floors=$(find home/manifesto -type f -exec sha256sum {} + | LC_ALL=C sort)
echo mine >"$cache/blobs/notes"
echo mine >"$cache/notes"
mkdir -p "$cache/floors" "$cache/keys"
echo mine >"$cache/floors/$(printf x | sha256sum | cut -c1-64).json"
run manifesto cache clear
check_status 'cache clear' 0
run manifesto cache show --json
check_json 'nothing is left' '.files == 0 and .repositories == []'
check 'but what is no file of the cache' test "$(find "$cache" -type f ! -name usage | wc -l)" = 3
check 'the home is as it was' test "$(find home/manifesto -type f -exec sha256sum {} + | LC_ALL=C sort)" = "$floors"
run manifesto cache clear "oci:image:1.0"
check_status 'of a layout nothing is cached' 0
run manifesto cache clear 'not an image'
check_status 'what is no image: usage' 2
gets 'a get after it' content.1 "$image" type-1

# --- a hostile cache
mkdir -p "outside/$(printf x | sha256sum | cut -c1-64)"
head -c 3000000 /dev/zero >"outside/$(printf y | sha256sum | cut -c1-64)"
echo mine >"outside/$(printf x | sha256sum | cut -c1-64)/root.json"
find outside -type f -exec sha256sum {} + >outside.sums
rm -rf home/cache
mkdir -p "$cache"
ln -s "$T/outside" "$cache/blobs"
ln -s "$T/outside" "$cache/tuf"
ln -s "$T/outside.sums" "$cache/usage"
gets 'links in place of the folders' content.2 "$image" type-2
run manifesto cache show --json
check_json 'hold nothing' '.files == 0'
run manifesto cache clear
check_status 'and are not followed' 0
check 'what they lead to stays' sha256sum --quiet -c outside.sums
rm "$cache/blobs"
mkdir "$cache/blobs"
ln -s "$T/outside/$(printf y | sha256sum | cut -c1-64)" "$cache/blobs/$(printf y | sha256sum | cut -c1-64)"
gets 'a link in place of a file' content.3 "$image" type-3
run manifesto cache clear
check 'what it leads to stays' sha256sum --quiet -c outside.sums

# --- a cache that cannot be written
rm -rf home/cache
gets 'a get' content.1 "$image" type-1
cp -a "$cache" ro-cache
mkdir ro && mv ro-cache ro/manifesto
before=$(find ro -printf '%p %s %T@\n' | LC_ALL=C sort)
user=()
if [ "$(id -u)" = 0 ]; then
	user=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups)
	chmod -R a+rX ro
	cp "$T_MANIFESTO" "$T/manifesto-copy" && chmod 755 "$T/manifesto-copy" "$T"
	cp -a home/manifesto ro-home && rm -rf ro-home/keys && chown -R nobody ro-home
else
	cp -a home/manifesto ro-home
	cp "$T_MANIFESTO" "$T/manifesto-copy"
fi
chmod -R a-w ro
run "${user[@]}" env TMPDIR=/tmp XDG_CACHE_HOME="$T/ro" MANIFESTO_HOME="$T/ro-home" ./manifesto-copy get "$image" type-2
check_status 'a cache that cannot be written' 0
check_stdout_file 'gives the record' content.2
check_stderr_empty 'without a word'
run "${user[@]}" env TMPDIR=/tmp XDG_CACHE_HOME="$T/ro" MANIFESTO_HOME="$T/ro-home" ./manifesto-copy cache clear
check_status 'it cannot be cleared' 1
check 'it is as it was' test "$(find ro -printf '%p %s %T@\n' | LC_ALL=C sort)" = "$before"
chmod -R u+w ro

# --- many at once
rm -rf home/cache
pids=()
for ((i = 0; i < 24; i++)); do
	if [ $((i % 8)) = 7 ]; then
		manifesto cache clear -q >"$T/tmp/out.$i" 2>"$T/tmp/err.$i" </dev/null &
	else
		manifesto get "$image" "type-$((i % 6 + 1))" >"$T/tmp/out.$i" 2>"$T/tmp/err.$i" </dev/null &
	fi
	pids+=($!)
done
bad=0
for ((i = 0; i < 24; i++)); do
	wait "${pids[i]}" || bad=$((bad + 1))
	[ ! -s "$T/tmp/err.$i" ] || bad=$((bad + 1))
	[ $((i % 8)) = 7 ] || cmp -s "content.$((i % 6 + 1))" "$T/tmp/out.$i" || bad=$((bad + 1))
done
check '24 processes that fetch, evict and clear' test $bad = 0
rm -f "$cache/usage" "$(blob 1)"
gets 'one more' content.1 "$image" type-1
run manifesto cache show --json
check_json 'the cache has its size in the end' '.bytes <= .limit'

# --- the setting
for bad in 0 1 1023K M 1T 12x -1 99999999999999999999; do
	MANIFESTO_CACHE_SIZE=$bad run manifesto cache show
	check_status "a size of '$bad' is refused" 2
done
MANIFESTO_CACHE_SIZE=2G run manifesto cache show --json
check_json 'gibibytes' '.limit == 2147483648'
MANIFESTO_CACHE_SIZE='' run manifesto cache show --json
check_json 'without a size, 256 MiB' '.limit == 268435456'

t_done
