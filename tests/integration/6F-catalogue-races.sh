#!/bin/bash
# A catalogue of many parts is written for the first time while somebody else publishes: what they wrote into their part is not lost.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"

unset MANIFESTO_PASSPHRASE
lab registry notary
proxy L "http://$REGISTRY"
export MANIFESTO_TRUST_SERVER=$NOTARY
for i in 1 2; do
	make_image image --tag "$i" --seed "$i" >/dev/null
	subjects[i]=$(push_image "oci:image:$i" "$REGISTRY/acme/parts:$i" 2>/dev/null)
done
base=$L/acme/parts
echo content >content
echo late >late
echo first >first
manifesto put -q --init --no-passphrase "$base:1" note content
"${T_MANIFESTO%/*}/tests/bench/fill" "$base:1" 4200 "$MANIFESTO_HOME" "$XDG_CACHE_HOME/manifesto" "$NOTARY" content ||
	t_bail 'there are many records'
cp -a home/manifesto elsewhere

faults L "{\"method\":\"PUT\",\"path\":\"/manifests/_manifesto-00\",\"action\":\"hold\",\"until\":\"$T/go\",\"count\":1}"
manifesto put "$base:1" first first >first.out 2>&1 &
held=$!
for _ in {1..400}; do
	! grep -q '"PUT".*/manifests/_manifesto-00' L.log || break
	sleep 0.05
done
MANIFESTO_HOME=$T/elsewhere XDG_CACHE_HOME=$T/elsewhere/cache run manifesto put "$base:2" meanwhile late
check_status 'somebody publishes while the parts are written' 0
: >go
wait "$held"
check 'the first writer goes on' test $? = 0
cat first.out
part=_manifesto-$(cut -c8-9 <<<"${subjects[2]}")
check 'they are of different parts' test "$part" != "_manifesto-$(cut -c8-9 <<<"${subjects[1]}")"
config=$(curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/parts/manifests/$part" | jq -r .config.digest)
curl -fsSL "http://$REGISTRY/v2/acme/parts/blobs/$config" >catalogue
check 'the catalogue has what was published meanwhile' grep -q "$(sha256sum <late | cut -d' ' -f1)" catalogue

t_done
