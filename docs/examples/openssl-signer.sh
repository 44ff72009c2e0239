#!/bin/sh
# A program that signs for manifesto: `manifesto key add NAME command:PATH/openssl-signer.sh KEY.pem`. This one uses
# openssl with a private key in a PEM file; a program for a cloud's key service calls that service instead. This one
# needs jq. manifesto(1), KEYS ELSEWHERE, describes the protocol.
set -eu
key=$1
question=$(mktemp -d)
trap 'rm -rf "$question"' EXIT
cat >"$question/json"
field() { jq -er ".$1" <"$question/json"; }
refuse() {
	jq -n --arg why "$1" '{error: $why}'
	exit 1
}

case $(field operation) in
public-key)
	openssl pkey -in "$key" -pubout | jq -Rs '{publicKey: .}'
	exit
	;;
sign) ;;
*) refuse 'unknown operation' ;;
esac

field message | base64 -d >"$question/message"
set -- -sign "$key" -out "$question/signature" "$question/message"
case $(field scheme) in
ed25519) openssl pkeyutl -sign -rawin -inkey "$key" -in "$question/message" -out "$question/signature" ;;
ecdsa-sha256 | rsa-pkcs1-sha256) openssl dgst -sha256 "$@" ;;
ecdsa-sha384) openssl dgst -sha384 "$@" ;;
rsa-pss-sha256) openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 "$@" ;;
*) refuse 'unknown scheme' ;;
esac
base64 -w 0 <"$question/signature" | jq -R '{signature: .}'
