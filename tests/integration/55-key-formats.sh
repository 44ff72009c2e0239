#!/bin/bash
# Keys as other programs write them: each is imported, its public key is taken by `role add` in that program's own format, and
# then it signs: as root, as targets, and in a delegated role, in both dialects. What is exported is read by those programs.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"
. "$T_TOP/tests/support/attack.sh"
unset MANIFESTO_PASSPHRASE
mkdir made && cd made || exit 1
printf 'pw\n' >pw
printf 'wrong\n' >wrong

# --- keys: NAME private, its public key in NAME.public, the same in PEM in NAME.pem
named() { # NAME PEM: for a key whose public key is PEM
	cp "$2" "$1.pem"
	[ -e "$1.public" ] || cp "$2" "$1.public"
	keys+=("$1")
}
keys=()
openssl_key() { # NAME OPTIONS OF PKCS8...
	local name=$1
	shift
	openssl pkcs8 -topk8 -in "$source" -out "$name" "$@"
	openssl pkey -in "$source" -pubout -out public.pem
	named "$name" public.pem
}
openssl genpkey -algorithm ed25519 -out ed25519.source
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.source 2>/dev/null
openssl ecparam -name prime256v1 -genkey -out parameters-p256 2>/dev/null # with EC PARAMETERS in front
openssl ec -in parameters-p256 -out sec1-p256 2>/dev/null
openssl ec -in parameters-p256 -pubout -out p256.pem 2>/dev/null
source=ed25519.source
openssl_key pkcs8-ed25519 -nocrypt
openssl_key pkcs8-sha1 -v2prf hmacWithSHA1 -passout pass:pw
openssl_key pkcs8-sha256 -v2prf hmacWithSHA256 -passout pass:pw
openssl_key pkcs8-sha512 -v2prf hmacWithSHA512 -iter 100000 -passout pass:pw
openssl_key pkcs8-scrypt -scrypt -passout pass:pw
source=rsa.source
openssl_key pkcs8-rsa -passout pass:pw
openssl rsa -in rsa.source -traditional -aes256 -passout pass:pw -out pkcs1-rsa 2>/dev/null
named pkcs1-rsa pkcs8-rsa.pem
named parameters-p256 p256.pem
named sec1-p256 p256.pem
ssh_key() { # NAME OPTIONS...
	local name=$1
	shift
	ssh-keygen -q -C "$name" -f "$name" "$@"
	mv "$name.pub" "$name.public"
	ssh-keygen -e -m PKCS8 -f "$name.public" >public.pem 2>/dev/null || openssl_ed25519 "$name.public" >public.pem
	named "$name" public.pem
}
# ssh-keygen writes no PEM of an ed25519 key: 12 octets of algorithm, then the key.
pem_of_ed25519() {
	{ printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00' && tail -c 32; } | openssl pkey -pubin -inform DER
}
openssl_ed25519() { # FILE
	cut -d' ' -f2 "$1" | base64 -d | pem_of_ed25519
}
ssh_key ssh-plain -t ed25519 -N ''
for cipher in aes256-ctr aes256-cbc aes256-gcm@openssh.com chacha20-poly1305@openssh.com; do
	ssh_key "ssh-${cipher%@*}" -t ed25519 -N pw -Z "$cipher" -a 4
done
ssh_key ssh-ecdsa -t ecdsa -b 256 -N pw
ssh_key ssh-rsa -t rsa -b 2048 -N pw
signed_key() { # NAME: of minisign or signify
	tail -n 1 "$1.public" | base64 -d | pem_of_ed25519 >public.pem
	named "$1" public.pem
}
minisign -G -W -p minisign-plain.public -s minisign-plain >/dev/null 2>&1
signed_key minisign-plain
printf 'pw\npw\n' | minisign -G -p minisign.public -s minisign >/dev/null 2>&1
signed_key minisign
signify_key() { # NAME: signify wants these endings
	mv "$1.pub" "$1.public"
	mv "$1.sec" "$1"
}
signify-openbsd -G -n -p signify-plain.pub -s signify-plain.sec
signify_key signify-plain
signed_key signify-plain
printf 'pw\npw\n' | signify-openbsd -G -p signify.pub -s signify.sec 2>/dev/null
signify_key signify
signed_key signify
[ ${#keys[@]} = 20 ] || t_bail 'the tools make 20 keys'

fingerprint() { # FILE.pem
	openssl pkey -pubin -in "$1" -outform DER | sha256sum | cut -d' ' -f1
}
encrypted() { # NAME
	case $1 in *-plain | pkcs8-ed25519 | *-p256) return 1 ;; esac
}
for name in "${keys[@]}"; do
	run manifesto key import --json --passphrase-file pw --no-passphrase "$name" "$name"
	check_status "$name is imported" 0
	check "$name is that key" test "$(jq -r '.keys[0].fingerprint' "$T/stdout")" = "$(fingerprint "$name.pem")"
	encrypted "$name" || continue
	refuses "$name: a wrong passphrase" 11 'wrong passphrase' manifesto key import --passphrase-file wrong --no-passphrase x "$name"
	since=$(date +%s%N)
	refuses "$name: none, and no terminal" 11 'no passphrase' setsid -w manifesto key import --no-passphrase x "$name"
	took=$((($(date +%s%N) - since) / 1000000))
	[ $took -lt 1000 ] || not_ok "$name: none, at once" "$took ms"
	head -c 120 "$name" >short
	refuses "$name: cut short" 6 '' manifesto key import --passphrase-file pw --no-passphrase x short
done

# --- a key of each format and type signs for every role, in both dialects
cd "$T" || exit 1
make_image image >/dev/null
echo content >content
signs() { # DIALECT IMAGE KEY ROOT
	local what="$1: $3" image=$2 key=$3
	export MANIFESTO_KEY=$key
	run manifesto put --init "$image" of-targets content
	check_status "$what is root and targets" 0
	get_is "$what: a record of targets" content "$image" of-targets
	run manifesto role add "$image" team --types of-team --key "$T/made/$key.public"
	check_status "$what: role add takes the public key" 0
	run manifesto put --role team "$image" of-team content
	check_status "$what signs for the role" 0
	check_stdout_has "$what: as itself" "Signed by $key ("
	get_is "$what: a record of the role" content "$image" of-team
	check "$what: the root has the key" test "$(manifesto trust show --json "$image" | jq -r '.pinned[0]')" = "$4"
}
lab registry notary
for key in pkcs8-ed25519 parameters-p256 pkcs1-rsa ssh-aes256-ctr ssh-ecdsa ssh-rsa minisign signify; do
	fp=$(manifesto key show "$key" --json | jq -r '.keys[0].fingerprint')
	manifesto key import -q --no-passphrase "$key-root" "$MANIFESTO_HOME/keys/$key.key"
	cp -r image "layout-$key"
	signs 'TUF 1.0' "oci:layout-$key:1.0" "$key" "$fp"
	export MANIFESTO_TRUST_SERVER=$NOTARY
	gun=$REGISTRY/acme/${key,,}
	push_image oci:image:1.0 "$gun:1.0" >/dev/null 2>&1
	type=$(manifesto key show "$key" --json | jq -r '.keys[0].keyType')
	case $type in
	ed25519) manifesto key generate -q --no-passphrase --type ecdsa "$key-notary-root" ;;
	*) manifesto key import -q --no-passphrase "$key-notary-root" "$MANIFESTO_HOME/keys/$key.key" ;;
	esac
	signs Notary "$gun:1.0" "$key" "$(manifesto key show "$key-notary-root" --json | jq -r '.keys[0].fingerprint')"
	unset MANIFESTO_TRUST_SERVER
done
unset MANIFESTO_KEY

# --- what does not fit
export MANIFESTO_TRUST_SERVER=$NOTARY
push_image oci:image:1.0 "$REGISTRY/acme/unfit:1.0" >/dev/null 2>&1
manifesto key import -q --no-passphrase unfit made/pkcs8-ed25519
manifesto key import -q --no-passphrase unfit-notary-root made/pkcs8-ed25519
refuses 'an ed25519 key as the root of a Notary repository' 11 'ed25519' manifesto put --init --key unfit "$REGISTRY/acme/unfit:1.0" qa content
unset MANIFESTO_TRUST_SERVER
openssl ecparam -name secp521r1 -genkey -noout -out p521
manifesto key import -q --no-passphrase p521 p521
cp -r image unfit
manifesto key generate -q --no-passphrase p521-root
refuses 'a P-521 key in a TUF 1.0 repository' 11 'P-256' manifesto put --init --key p521 oci:unfit:1.0 qa content
refuses 'a key that the role does not list' 11 'p521' manifesto put --key p521 oci:layout-signify:1.0 qa content
run manifesto role add oci:layout-signify:1.0 narrow --types narrow --key pkcs8-ed25519 --key signify
refuses 'a type that the role may not sign' 2 "may not sign 'wide'" manifesto put --key signify --role narrow oci:layout-signify:1.0 wide content
refuses 'a key that is not there' 11 'nobody' manifesto put --key nobody oci:layout-signify:1.0 qa content
chmod 640 "$MANIFESTO_HOME/keys/signify.key"
run manifesto put --key signify oci:layout-signify:1.0 qa content
check_status 'a key file that others can read' 11
check_stderr_has 'with the command that mends it' 'chmod 600'
chmod 600 "$MANIFESTO_HOME/keys/signify.key"

# --- what is exported
for key in pkcs8-ed25519 ssh-ecdsa pkcs1-rsa; do
	manifesto key export "$key" --format openssh >"$key.ssh"
	check "ssh-keygen reads $key" test "$(ssh-keygen -l -f "$key.ssh" | cut -d' ' -f2)" = "SHA256:$(cut -d' ' -f2 "$key.ssh" | base64 -d | openssl sha256 -binary | base64 | tr -d =)"
	check "$key: role add takes the line" manifesto role add -q oci:layout-signify:1.0 "again-$key" --types again --key "$(cat "$key.ssh")"
	manifesto key export "$key" >exported.pem
	check "openssl reads $key" cmp -s exported.pem "made/$key.pem"
	printf 'pw\n' >new
	manifesto key passwd -q "$key" --new-passphrase-file new
	run manifesto key export "$key" --format pkcs8 -o "$key.p8" --passphrase-file new
	check_status "$key is exported as PKCS #8" 0
	check "openssl decrypts $key" openssl pkey -in "$key.p8" -passin pass:pw -pubout -out again.pem
	check "$key is the same" cmp -s again.pem "made/$key.pem"
	check "$key is encrypted with PBKDF2-HMAC-SHA256" grep -q 'hmacWithSHA256' <(openssl asn1parse -in "$key.p8")
done
# minisign has no other way to show that it took a key than to verify with it.
manifesto key export pkcs8-ed25519 --format minisign >ours.public
openssl pkeyutl -sign -inkey made/pkcs8-ed25519 -rawin -in content -out signature
printf comment >comment
cat signature comment >both
openssl pkeyutl -sign -inkey made/pkcs8-ed25519 -rawin -in both -out signature.both
{
	echo 'untrusted comment: x'
	{ printf Ed && tail -n 1 ours.public | base64 -d | head -c 10 | tail -c 8 && cat signature; } | base64 -w0
	printf '\ntrusted comment: comment\n'
	base64 -w0 signature.both
	echo
} >content.minisig
check 'minisign verifies with an exported key' minisign -V -p ours.public -m content

t_done
