#!/bin/bash
# Embedded trust under attack: whatever changes in the files of DIR/trust and in the blobs, get returns the right bytes or none.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

WATCH=(home image)
image=oci:image:1.0

# Flips one bit of the byte at an offset, by default in the middle.
flip() { # FILE [OFFSET]
	perl -e 'open F, "+<", $ARGV[0] or die; $o = $ARGV[1] // int((-s F) / 2); seek F, $o, 0; read F, $b, 1; seek F, $o, 0; print F $b ^ "\1"' "$@"
}
restore() {
	rm -rf image
	cp -a good image
}
# Replaces hard links of the layout with files of their own.
unlink_copy() {
	cp "$1" "$1.copy" && mv "$1.copy" "$1"
}

# --- a repository of three records, and copies from before the last two
make_image image >/dev/null
echo '{"approved":true}' >approval.json
echo '{"approved":false}' >other.json
manifesto put -q --no-passphrase --init --key alice $image qa-approval approval.json >/dev/null || t_bail 'first put'
cp -a image old
put $image contact other.json
put $image scan other.json --expires 2d
cp -a image good
cp -a home/manifesto home.good
blob=image/blobs/sha256/$(sha256sum <approval.json | cut -c1-64)
target=$(echo image/trust/targets/qa-approval/*)
trust=image/trust
newest='timestamp.json 4.snapshot.json 4.targets.json 1.root.json'
for file in $newest; do
	check "$file is what the tests below damage" test -s "$trust/$file"
done
gets 'the record as it should be' approval.json $image qa-approval

# --- one bit
check 'blob and target file are one inode' test "$blob" -ef "$target"
flip "$blob"
get_refused 'a flipped bit of the blob, both places at once' 6 'digest' $image qa-approval
restore
unlink_copy "$target"
flip "$target"
gets 'a flipped bit of the target file only: the blob is taken' approval.json $image qa-approval
flip "$blob"
get_refused 'a flipped bit of both' 6 'digest' $image qa-approval
restore
unlink_copy "$blob"
flip "$blob"
gets 'a flipped bit of the blob only: the target file is taken' approval.json $image qa-approval
restore

for file in $newest; do
	size=$(stat -c %s "good/trust/$file")
	wrong=()
	for ((at = 1; at < size; at += size / 23)); do
		cp --remove-destination "good/trust/$file" "$trust/$file"
		flip "$trust/$file" $at
		run manifesto get $image qa-approval
		case $status in
		6) ;;
		10) [ "$file" = 1.root.json ] || wrong+=("byte $at: status 10") ;;
		*) wrong+=("byte $at: status $status") ;;
		esac
		[ ! -s "$T/stdout" ] || wrong+=("byte $at: output")
	done
	restore
	if [ ${#wrong[@]} = 0 ]; then ok "no flipped bit of $file passes"; else not_ok "no flipped bit of $file passes" "${wrong[@]}"; fi
done
flip $trust/4.targets.json
get_refused 'a flipped bit of the targets file' 6 '' $image qa-approval
refuses 'list after a flipped bit' 6 '' manifesto list $image
refuses 'put after a flipped bit' 6 '' manifesto put $image new-type approval.json
restore
flip $trust/timestamp.json
refuses 'put after a flipped bit of the timestamp' 6 '' manifesto put $image new-type approval.json
restore

# --- older files
cp old/trust/timestamp.json $trust/timestamp.json
get_refused 'an older timestamp' 8 'timestamp' $image qa-approval
refuses 'put on an older timestamp' 8 'timestamp' manifesto put $image new-type approval.json
restore
cp old/trust/2.snapshot.json $trust/4.snapshot.json
get_refused 'an older snapshot under the new name' 6 'snapshot' $image qa-approval
restore
cp old/trust/2.targets.json $trust/4.targets.json
get_refused 'an older targets file under the new name' 6 'targets' $image qa-approval
restore
rm -rf image && cp -a old image
get_refused 'the whole directory as it was before' 8 'timestamp' $image qa-approval
refuses 'list of it' 8 'timestamp' manifesto list $image
restore

# --- missing files
for file in $newest; do
	rm "$trust/$file"
	get_refused "no $file" 8 '' $image qa-approval
	[ "$file" = timestamp.json ] && refuses 'put --init without a timestamp' 8 '' manifesto put --init $image new-type approval.json
	restore
done
rm -rf $trust
get_refused 'no trust directory' 8 'gone' $image qa-approval
refuses 'put --init where a known directory is gone' 8 'gone' manifesto put --init $image qa-approval approval.json
mkdir $trust
get_refused 'an empty trust directory' 8 'gone' $image qa-approval
restore
rm -f "$target"
gets 'no target file: the blob is taken' approval.json $image qa-approval
rm -f "$blob"
get_refused 'neither target file nor blob' 13 "${blob##*/}" $image qa-approval
run manifesto list $image
check_status 'the record is still listed then' 0
restore
rm image/index.json
get_refused 'no index.json' 3 'index.json' $image qa-approval
restore
get_refused 'a tag that is not there' 3 'nope' oci:image:nope qa-approval
get_refused 'a record that is not there' 3 'nope' $image nope

# --- time
if [ "$(faketime -f '+1d' date +%s)" -lt $(($(date +%s) + 80000)) ]; then
	t_bail 'faketime works'
fi
get_refused_at() { # NAME STATUS TEXT TIME TYPE
	local name=$1 want=$2 text=$3 when=$4 type=$5
	refuses "$name" "$want" "$text" faketime -f "$when" manifesto get $image "$type"
}
get_refused_at 'expired metadata' 7 'expired' +100d qa-approval
refuses 'list of expired metadata' 7 'expired' faketime -f +100d manifesto list $image
get_refused_at 'a clock set back' 8 'clock' -2d qa-approval
refuses 'put with a clock set back' 8 'clock' faketime -f -2d manifesto put $image qa-approval other.json
get_refused_at 'an expired record' 9 'expired' +3d scan
run faketime -f +3d manifesto list --json $image
check_json 'which list shows as expired' '[.records[] | select(.type == "scan")][0].state == "expired"'
run faketime -f +30d manifesto put -q $image contact approval.json
check_status 'put long after' 0
get_refused_at 'time does not go back after that' 8 'clock' +20d qa-approval
get_refused_at 'what nobody published for 90 days' 7 'expired' +130d qa-approval
run faketime -f +130d manifesto put -q $image contact approval.json
check_status 'the same put again makes an expired repository fresh' 0
run faketime -f +130d manifesto get $image contact
check_stdout_file 'which can be read then' approval.json
rm -rf home/manifesto && cp -a home.good home/manifesto
restore

# --- odd files in the place of metadata
for file in $newest; do
	truncate -s -1 "$trust/$file"
	get_refused "$file without its last byte" 6 '' $image qa-approval
	truncate -s 0 "$trust/$file"
	refuses "an empty $file" 6 '' manifesto get $image qa-approval
	truncate -s 3G "$trust/$file"
	refuses "a $file of 3 GB" 6 '' timeout 10 manifesto get $image qa-approval
	rm "$trust/$file"
	mkdir "$trust/$file"
	refuses "a directory called $file" 6 '' manifesto get $image qa-approval
	rmdir "$trust/$file"
	mkfifo "$trust/$file"
	refuses "a FIFO called $file" 6 '' timeout 10 manifesto get $image qa-approval
	rm "$trust/$file"
	ln -s /dev/zero "$trust/$file"
	refuses "a link to /dev/zero called $file" 6 '' timeout 10 manifesto get $image qa-approval
	rm "$trust/$file"
	ln -s "$file" "$trust/$file"
	refuses "a link to itself called $file" 6 '' manifesto get $image qa-approval
	restore
done
truncate -s 300M "$blob"
get_refused 'a blob of 300 MB' 6 'has 314572800 bytes' $image qa-approval
restore
truncate -s -1 "$blob"
get_refused 'a blob without its last byte' 6 'has 17 bytes' $image qa-approval
restore
rm "$blob" "$target"
mkfifo "$blob" "$target"
refuses 'FIFOs instead of the blob' 6 '' timeout 10 manifesto get $image qa-approval
restore
rm "$blob" "$target"
ln -s /dev/zero "$target"
ln -s /dev/zero "$blob"
refuses 'links to /dev/zero instead of the blob' 6 '' timeout 10 manifesto get $image qa-approval
restore
rm image/index.json
mkfifo image/index.json
refuses 'a FIFO called index.json' 3 'index.json' timeout 10 manifesto get $image qa-approval
restore
rm image/oci-layout
mkfifo image/oci-layout
refuses 'a FIFO called oci-layout' 6 'oci-layout' timeout 10 manifesto get $image qa-approval
restore
truncate -s 1G image/index.json
refuses 'an index.json of 1 GB' 6 'index.json' manifesto get $image qa-approval
restore

# --- files that do not belong there
touch $trust/x $trust/99.targets.json $trust/4.targets.json.new
cp good/trust/1.root.json $trust/7.root.json
mkdir $trust/99.snapshot.json
gets 'files that nothing refers to are passed over' approval.json $image qa-approval
put $image new-type approval.json
gets 'and put works beside them' approval.json $image new-type
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
ln -s "$T/victim" $trust/5.targets.json
ln -s "$T/victim" $trust/5.snapshot.json
mkdir -p $trust/targets/new-type
ln -s "$T/victim" "$trust/targets/new-type/${target##*/}"
put $image new-type approval.json
check 'put does not write through links' test ! -e "$T/victim"
gets 'but past them' approval.json $image new-type
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
mkfifo "image/blobs/sha256/$(echo fifo | sha256sum | cut -c1-64)" $trust/5.targets.json $trust/5.snapshot.json
echo fifo >fifo.txt
refuses 'a FIFO where put stores' 1 'not a regular file' timeout 20 manifesto put -q $image new-type fifo.txt
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
rm -f $trust/.lock
ln -s "$T/victim" $trust/.lock
run manifesto put -q $image new-type approval.json
check 'put makes no file where a lock is a link to' test ! -e "$T/victim"
restore
rm -rf home/manifesto && cp -a home.good home/manifesto

# --- a link that takes the place of a directory while a put runs: it waits for its content, with everything opened
mkfifo slow
swapped() { # NAME: a copy is outside now, and a link leads to it
	rm -rf home/manifesto "$T/copy"
	cp -a home.good home/manifesto
	restore
	manifesto put -q $image new-type slow 2>"$T/stderr" >/dev/null &
	exec 9>slow
	cp -a "image/$1" "$T/copy"
	mv "image/$1" "image/$1.before"
	ln -s "$T/copy" "image/$1"
	find "$T/copy" | sort >before
	echo swapped >&9
	exec 9>&-
	wait $!
	status=$?
	find "$T/copy" | sort >after
	check "$1 is swapped for a link: put fails" test $status != 0
	check "$1: it says what is wrong" grep -q 'link\|taken the place' "$T/stderr"
	check "$1: nothing is written where the link leads" cmp before after
	rm -r "image/$1" "image/$1.before"
}
swapped blobs
swapped trust
rm -rf home/manifesto "$T/copy" && cp -a home.good home/manifesto
restore

# --- links that lead out of a layout, or out of a home
outside() { # NAME: what was there is outside now, and a link leads to it
	mv "image/$1" "$T/outside/${1##*/}"
	ln -s "$T/outside/${1##*/}" "image/$1"
}
WATCH=(home image outside)
mkdir outside
for name in blobs blobs/sha256 trust index.json oci-layout; do
	outside $name
	get_refused "$name leads out of the layout" 6 "image/$name' is a symbolic link that leads out of 'image'" $image qa-approval
	refuses "put where $name leads out of it" 6 'leads out of' timeout 20 manifesto put -q $image new-type other.json
	refuses "trust where $name leads out of it" 6 'leads out of' timeout 20 manifesto trust show $image
	rm -rf outside/*
	restore
done
outside trust/targets
refuses 'put where trust/targets leads out of the layout' 6 'leads out of' manifesto put -q $image new-type other.json
rm -rf outside/*
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
rm -rf image/blobs
ln -s "$T/outside/nothing" image/blobs
refuses 'put where blobs leads nowhere' 6 'leads out of' manifesto put -q $image new-type other.json
restore
mv image/blobs image/kept
ln -s kept image/blobs
mv image/index.json image/kept
ln -s kept/index.json image
mv "image/kept/sha256/${blob##*/}" image/kept
ln -s "../${blob##*/}" image/kept/sha256
rm -f "$target"
gets 'links within the layout are followed' approval.json $image qa-approval
put $image new-type other.json
gets 'by put, too' other.json $image new-type
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
ln -s image link
gets 'a layout may be a link itself' approval.json oci:link:1.0 qa-approval
put oci:link:1.0 new-type other.json
rm link
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
mv home/manifesto outside/home
ln -s "$T/outside/home" home/manifesto
gets 'the home may be a link itself' approval.json $image qa-approval
put $image new-type other.json
rm home/manifesto && rm -rf outside/*
cp -a home.good home/manifesto
restore
for name in keys floors; do
	mv home/manifesto/$name outside
	ln -s "$T/outside/$name" home/manifesto/$name
	case $name in
	keys) command=(key generate -q --no-passphrase bob) ;;
	floors) command=(put -q "$image" new-type other.json) ;;
	esac
	run timeout 20 manifesto "${command[@]}"
	check_status "a home whose $name leads out of it" 1
	check_stderr_has "$name: the message says so" "home/manifesto/$name' is a symbolic link that leads out of"
	check "$name: nothing is written through it" diff -r outside/$name home.good/$name
	rm -rf outside/* home/manifesto && cp -a home.good home/manifesto
	restore
done
WATCH=(home image)

# --- hostile roots
cp good/trust/1.root.json $trust/2.root.json
get_refused 'root 1 again as 2.root.json' 6 'version 1' $image qa-approval
echo '{}' >$trust/2.root.json
get_refused 'an empty document as 2.root.json' 6 '' $image qa-approval
"$(t_python)" - $trust <<-'END'
	import json, sys
	from cryptography.hazmat.primitives import hashes, serialization
	from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
	import hashlib

	def canonical(v):
	    return json.dumps(v, sort_keys=True, separators=(",", ":")).encode()

	key = Ed25519PrivateKey.generate()
	raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
	with open(sys.argv[1] + "/1.root.json") as f:
	    root = json.load(f)
	signed = root["signed"]
	public = dict(list(signed["keys"].values())[0])
	public["keyval"] = {"public": raw}
	key_id = hashlib.sha256(canonical(public)).hexdigest()
	signed["keys"] = {key_id: public}
	for role in signed["roles"].values():
	    role.update(keyids=[key_id], threshold=1)
	signed["version"] = 2
	ours = {"keyid": key_id, "sig": key.sign(canonical(signed)).hex()}
	with open(sys.argv[1] + "/2.root.json", "w") as f:
	    json.dump({"signatures": [ours] + root["signatures"], "signed": signed}, f)
END
get_refused 'a root 2 that only its own new key signed' 6 'root' $image qa-approval
refuses 'put after a hostile root' 6 'root' manifesto put $image new-type approval.json
restore

# --- a signed sha512 beside the sha256: both must be right
with_sha512() { # EXPECTED-CONTENT: publishes version 5, whose entry of qa-approval has the sha512 of this content, too
	"$(t_python)" - $trust home/manifesto/keys/alice.key "$1" <<-'END'
		import base64, hashlib, json, sys
		from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

		trust, key_file, content = sys.argv[1:]
		with open(key_file) as f:
		    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(json.load(f)["secret"]))

		def publish(old, new, change):
		    with open(f"{trust}/{old}") as f:
		        doc = json.load(f)
		    signed = doc["signed"]
		    signed["version"] = 5
		    change(signed)
		    text = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
		    doc["signatures"] = [{"keyid": doc["signatures"][0]["keyid"], "sig": key.sign(text).hex()}]
		    data = json.dumps(doc).encode()
		    with open(f"{trust}/{new}", "wb") as f:
		        f.write(data)
		    return {"version": 5, "length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}

		def add(signed):
		    (entry,) = (v for k, v in signed["targets"].items() if k.startswith("qa-approval/"))
		    with open(content, "rb") as f:
		        entry["hashes"]["sha512"] = hashlib.sha512(f.read()).hexdigest()

		targets = publish("4.targets.json", "5.targets.json", add)
		snapshot = publish("4.snapshot.json", "5.snapshot.json", lambda s: s["meta"].update({"targets.json": targets}))
		publish("timestamp.json", "timestamp.json", lambda s: s["meta"].update({"snapshot.json": snapshot}))
	END
}
with_sha512 other.json
get_refused 'a wrong sha512 beside the right sha256' 6 'SHA-512' $image qa-approval
rm -rf home/manifesto && cp -a home.good home/manifesto
restore
with_sha512 approval.json
run manifesto get $image qa-approval
check_stdout_file 'the right sha512 beside it' approval.json
rm -rf home/manifesto && cp -a home.good home/manifesto
restore

# --- another repository in its place
cp -a image theirs
rm -rf theirs/trust
MANIFESTO_HOME=$T/mallory manifesto put -q --no-passphrase --init oci:theirs:1.0 qa-approval other.json >/dev/null || t_bail 'put of an attacker'
cp -a theirs/blobs/. image/blobs
for n in 2 3 4 5; do
	MANIFESTO_HOME=$T/mallory manifesto put -q oci:theirs:1.0 type-$n other.json >/dev/null
done
rm -rf $trust
cp -a theirs/trust $trust
get_refused 'a replaced trust directory' 10 'pin' $image qa-approval
refuses 'list of it' 10 'pin' manifesto list $image
refuses 'put to it' 10 'pin' manifesto put $image qa-approval approval.json
refuses 'put --init to it' 10 'pin' manifesto put --init $image qa-approval approval.json
get_refused 'trust on first use does not pass over a pin' 10 'pin' --tofu $image qa-approval
rm -rf home/manifesto/floors
get_refused 'nor without floors' 10 'pin' $image qa-approval
cp $trust/1.root.json $trust/2.root.json
cp good/trust/1.root.json $trust/1.root.json
get_refused 'their files behind our root' 6 '' $image qa-approval
rm $trust/2.root.json
get_refused 'their other files behind our root' 6 '' $image qa-approval
rm -rf home/manifesto && cp -a home.good home/manifesto
restore

# --- this machine's own files
WATCH=(home/manifesto image)
rm home/manifesto/trust.json
get_refused 'no pin' 10 'no pin' $image qa-approval
echo '{"manifestoTrust":1' >home/manifesto/trust.json
get_refused 'a damaged file of pins' 10 'trust.json' $image qa-approval
cp home.good/trust.json home/manifesto
for file in home/manifesto/floors/*.json; do
	echo '{"clock":0}' >"$file"
done
get_refused 'a damaged file of floors' 8 'floors' $image qa-approval
cp home.good/floors/*.json home/manifesto/floors
echo '{}' >home/manifesto/keys/alice.key
run manifesto put $image qa-approval other.json
check_status 'put with a damaged key file' 11
check_stdout_empty 'prints nothing then'
check_stderr_has 'the damaged file is named' 'alice.key'
run manifesto get $image qa-approval
check_stdout_file 'which a reader does not need' approval.json
rm home/manifesto/keys/alice.key
refuses 'put without the key' 11 '' manifesto put $image qa-approval other.json

t_done
