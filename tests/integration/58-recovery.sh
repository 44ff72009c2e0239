#!/bin/bash
# A root with a spare key from the start, which lies in a recovery kit: the first root key is lost, and the spare takes its place.
# Clients that knew the old root follow, in both dialects.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/notary.sh"

tuf=$(dirname "$T_MANIFESTO")/manifesto-tuf
lab registry notary
make_image "lay<out>&s" --tag 1.0 >/dev/null
keys_of() { # IMAGE ROLE
	manifesto trust show --json "$1" | jq -r --arg r "$2" '.roles[] | select(.name == $r) | .keys[].fingerprint' | sort
}
# The commands of a kit's page as they are written; that of the first step is run in the kit's directory.
follow_kit() { # KIT LOST
	sed -n 's/^    //p' "$1/README.txt" | sed "s/LOST/$2/; s|install -D -m 600 |&$1/|" >steps
	t_command="the commands of $1"
	bash -e steps >"$T/stdout" 2>"$T/stderr"
	status=$?
}

# --- what cannot be
image=oci:layout:1.0
make_image layout >/dev/null
mkdir full && : >full/file
refused 'two root keys without a place for the second' 2 trust init "$image" --root-keys 2
refused 'a kit with one key' 2 trust init "$image" --root-keys 1 --recovery kit
refused 'more signatures than keys' 2 trust init "$image" --root-threshold 2
refused 'three root keys' 2 trust init "$image" --root-keys 3 --recovery kit
refused 'a directory that is not empty' 2 trust init "$image" --recovery full
check 'nothing was made' test ! -e layout/trust -a ! -e "$MANIFESTO_HOME/keys"
run env -u MANIFESTO_PASSPHRASE manifesto trust init "$image" --recovery kit --no-passphrase
check_status 'the spare key is never written without a passphrase' 11
check 'nothing is in the kit' test -z "$(ls -A kit)"
check 'nor is there a repository' test ! -e layout/trust
rm -rf "$MANIFESTO_HOME"

# --- the kit
run manifesto trust init --json "$image" --root-keys 2 --recovery kit
check_status 'a repository with two root keys' 0
check_json 'one of them is in the kit' '.recovery == "kit" and (.recoveryKey | length) == 64 and (.keysMade | length) == 2 and (.pinned | length) == 2'
spare=$(jq -r .recoveryKey "$T/stdout")
name=recovery-${spare:0:8}
check 'the root lists it' test "$(keys_of "$image" root | grep -c "$spare") $(keys_of "$image" root | wc -l)" = '1 2'
check 'the kit has the key and two pages' test "$(find kit -type f | sort | tr '\n' ' ')" = "kit/README.txt kit/$name.key kit/recovery.html "
check_file_mode 'nobody else can read it' 600 "kit/$name.key"
check_json 'it is encrypted' '.cipher == "xchacha20-poly1305" and .kdf.alg == "argon2id13"' "kit/$name.key"
check 'the home has no copy' test -z "$(grep -rl "$name" "$MANIFESTO_HOME/keys")"
check 'no page has the passphrase' test -z "$(grep -rl "$MANIFESTO_PASSPHRASE" kit)"
check 'both pages have the fingerprint' test "$(grep -l "$spare" kit/README.txt kit/recovery.html | wc -l)" = 2
check 'the page to print loads nothing and runs nothing' test -z "$(grep -iE '<script|<link|<img|src=|href=|url\(|@import| on[a-z]+=' kit/recovery.html)"
check 'it is well-formed' "$(t_python)" -c 'import sys, xml.dom.minidom, re
t = open(sys.argv[1]).read()
xml.dom.minidom.parseString(re.sub(r"<meta [^>]*>", "", t.replace("<!DOCTYPE html>", "")))' kit/recovery.html
check 'the text fits a page' test -z "$(grep -v '^    ' kit/README.txt | grep -E '^.{80}' | grep -v '^[A-Z][A-Za-z ]*: ')"
run manifesto status oci:layout
check_status 'status has nothing to say' 0
run manifesto trust init "oci:lay<out>&s:1.0" --recovery kit-of-names
check_status 'a repository with a strange name' 0
check 'whose name is text in the page' grep -qF 'lay&lt;out&gt;&amp;s' kit-of-names/recovery.html
check 'and no markup' test -z "$(grep -F '<out>' kit-of-names/recovery.html)"
refused 'a repository that is there already' 12 trust init "$image" --recovery kit-of-nothing
check 'costs no key' test -z "$(ls -A kit-of-nothing)"

# --- the first root key is lost, TUF 1.0
lost=$(keys_of "$image" root | grep -v "$spare")
repo=$(dirname "$(find layout -name 1.root.json)")
cp "$repo/1.root.json" first.root.json
machine reader
run manifesto trust pin "$image" "$lost"
machine first
run manifesto put "$image" contact "$approval"
machine reader
get_is 'a reader knows the first root' "$approval" "$image" contact
cp -r "$MANIFESTO_HOME" pinned
machine first
rm "$MANIFESTO_HOME/keys/alice-root.key"
refused 'without it nothing can change' 11 trust rotate "$image" targets --key alice-root
machine rescuer
export MANIFESTO_PASSPHRASE=wrong
follow_kit kit "$lost"
check_status 'with a wrong passphrase the kit is of no use' 11
rm -rf "$MANIFESTO_HOME"
export MANIFESTO_PASSPHRASE='correct horse'
follow_kit kit "$lost"
check_status 'the commands of the kit work as they are written' 0
check 'the lost key is gone' test "$(keys_of "$image" root | grep -c "$lost") $(keys_of "$image" root | wc -l)" = '0 2'
check 'the spare is still there' test "$(keys_of "$image" root | grep -c "$spare")" = 1
machine reader
get_is 'a reader that knew the lost key follows' "$approval" "$image" contact
rm -rf "$MANIFESTO_HOME" && cp -r pinned "$MANIFESTO_HOME" && rm -rf "$MANIFESTO_HOME/floors" && cold
get_is 'also from its pin alone' "$approval" "$image" contact
mkdir md
"$tuf" --metadata-dir md init first.root.json
serve_files "$repo"
run "$tuf" --metadata-dir md --metadata-url "$files_url" refresh
check_status 'so does a TUF client' 0
check_json 'to the new root' '.signed.version == 2' md/root.json
machine first
run manifesto put "$image" scan "$approval"
check_status 'the owner goes on publishing' 0

# --- Notary
export MANIFESTO_TRUST_SERVER=$NOTARY
gun=$REGISTRY/acme/app
image=$gun:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
machine owner
run manifesto trust init --json "$image" --recovery notary-kit
check_status 'a repository on a Notary server' 0
spare=$(jq -r .recoveryKey "$T/stdout")
lost=$(keys_of "$image" root | grep -v "$spare")
run manifesto put "$image" contact "$approval"
notary_in cli list "$gun"
check_status 'the notary program knows the first root' 0
machine server-reader
run manifesto trust pin "$image" "$lost"
get_is 'so does a reader' "$approval" "$image" contact
machine owner
rm "$MANIFESTO_HOME/keys/alice-notary-root.key"
machine server-rescuer
follow_kit notary-kit "$lost"
check_status 'the commands of the kit work as they are written' 0
check 'the lost key is gone' test "$(keys_of "$image" root | grep -c "$lost") $(keys_of "$image" root | wc -l)" = '0 2'
notary_in cli list "$gun"
check_status 'the notary program follows' 0
check_stdout_has 'and lists the record' contact
machine server-reader
get_is 'so does the reader' "$approval" "$image" contact

# --- a root that needs both
unset MANIFESTO_TRUST_SERVER
make_image both --tag 1.0 >/dev/null
machine both
run manifesto trust init --json oci:both:1.0 --recovery both-kit --root-threshold 2
check_status 'a root of two signatures' 0
spare=$(jq -r .recoveryKey "$T/stdout")
check_json 'it has both' '(.signatures | length) == 2 and .signed.roles.root.threshold == 2' both/trust/1.root.json
manifesto key generate -q new
refused 'neither can change it alone' 11 trust rotate oci:both:1.0 targets --key new
refused 'which is known before anything is signed' 11 trust rotate --dry-run oci:both:1.0 targets --key new
run manifesto key revoke --json alice oci:both:1.0 --key new
check_status 'nor take a key out' 11
check_json 'each role says why' '.repositories[0].left | length == 3 and all(.[]; .exit == 11 and (.why | contains("needs 2 signatures")))'
cp "both-kit/recovery-${spare:0:8}.key" "$MANIFESTO_HOME/keys/"
run manifesto trust rotate oci:both:1.0 targets --key new
check_status 'both can' 0
run manifesto status --json oci:both
check_json 'together on one machine they are a finding' '[.repositories[0].findings[].kind] == ["keys-together"]'
t_done
