#!/bin/bash
# The gate: `verify` on a real registry with a Notary server, with TUF directories, and on an image layout: what is approved passes,
# what is not is refused with the right status, and an attack is never taken for an absence or an outage.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
. "$T_TOP/tests/support/job.sh"
unset MANIFESTO_PASSPHRASE

lab registry notary
proxy R "http://$REGISTRY"
proxy N "$NOTARY"
make_image layout >/dev/null
make_image layout --tag 2.0 --seed other >/dev/null
make_image layout --tag multi --index --seed multi >/dev/null
echo '{"ok":true}' >yes.json
echo '{"ok":"partly"}' >other.json
for key in qa1 qa2 sec1 board1; do
	run manifesto key generate --no-passphrase $key
	[ "$status" = 0 ] || t_bail "key $key"
done
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}

verify() { # ARGUMENTS...
	run manifesto verify "$@"
}
digest_of() { # IMAGE
	manifesto list --json "$1" | jq -r .image
}
# One image is accepted: that is all there is to say.
accepted() { # NAME IMAGE ARGUMENTS...
	local name=$1 image=$2
	shift 2
	verify "$image" "$@"
	check_status "$name: status 0" 0
	check_stdout_is "$name: the digest" "$(digest_of "$image")"
	check_stderr_empty "$name: and nothing else"
}
# One image is refused, with one finding.
denied() { # NAME STATUS TEXT ARGUMENTS...
	local name=$1 want=$2 text=$3
	shift 3
	verify "$@"
	check_status "$name: status $want" "$want"
	check_stdout_empty "$name: nothing on stdout"
	check "$name: one finding and a sum" test "$(grep -c '^manifesto: refused ' "$T/stderr") $(wc -l <"$T/stderr")" = '1 2'
	check_stderr_has "$name: why" "$text"
	verify --json "$@"
	check_status "$name: status $want with --json" "$want"
	check_json "$name: all of it in one document" \
		".schema == \"manifesto/verify/v1\" and .exit == $want and .refused == 1 and (.images | length) == 1 and
		(.images[0] | (.accepted | not) and .exit == $want and (.findings | length) == 1 and .findings[0].exit == $want)"
}
code_is() { # NAME CODE
	check_json "$1" ".images[0].findings[0].code == \"$2\""
}

story() { # NAME IMAGE IMAGE2 INDEX
	local name=$1 a=$2 b=$3 index=$4 repository=${2%:*}

	run manifesto put -q --init --no-passphrase --key alice "$a" contact yes.json
	check_status "$name: the first record" 0
	run manifesto role add -q "$a" qa --types qa-approval,scan-report --key "$(fp qa1)" --key "$(fp qa2)"
	check_status "$name: role qa" 0
	run manifesto role add -q "$a" security --types security-review,scan-report --key "$(fp sec1)"
	check_status "$name: role security" 0
	run manifesto role add -q "$a" board --types waiver --key "$(fp board1)"
	check_status "$name: role board" 0

	# --- one role, several roles, no role
	denied "$name: nobody approved" 9 "'qa-approval' signed by role qa; found: no record" "$a" --require qa-approval=qa
	code_is "$name: nobody approved: code" absent
	put "$a" qa-approval yes.json --key qa1
	accepted "$name: approved" "$a" --require qa-approval=qa
	accepted "$name: by whoever is authorised" "$a" --require qa-approval --require contact
	accepted "$name: a delegated type behind another one" "$a" --require contact --require qa-approval=qa
	accepted "$name: targets where nobody is delegated" "$a" --require contact=targets
	accepted "$name: with its content" "$a" --require qa-approval=qa --require contact --content
	denied "$name: another requirement" 9 "'security-review'" "$a" --require qa-approval=qa --require security-review=security
	denied "$name: a role that does not exist" 9 "no role 'qua'" "$a" --require 'qa-approval=1 of qa,qua'
	code_is "$name: a role that does not exist: code" unknown_role
	denied "$name: a role that may not sign it" 9 'may not sign' "$a" --require qa-approval=security
	denied "$name: targets past the delegation" 9 'no record' "$a" --require qa-approval=targets

	# --- m of n
	denied "$name: one key of two" 9 "signed by qa1" "$a" --require 'qa-approval=2 of qa'
	code_is "$name: one key of two: code" signers
	run manifesto sign -q --yes --key qa2 "$a" qa-approval
	check_status "$name: a second key signs" 0
	accepted "$name: two keys of one role" "$a" --require 'qa-approval=2 of qa'
	verify --json "$a" --require 'qa-approval=2 of qa'
	check_json "$name: signers and record are reported" \
		'.images[0].requirements[0] | .met and (.signers | map(.name) | sort) == ["qa1", "qa2"] and (.records[0].role | test("^(targets/)?qa$"))'
	put "$a" scan-report yes.json --key qa1 --role qa
	put "$a" scan-report other.json --key sec1 --role security
	denied "$name: two roles, different content" 9 '; role ' "$a" --require 'scan-report=2 of qa,security'
	accepted "$name: either of them" "$a" --require 'scan-report=1 of qa,security'
	put "$a" scan-report yes.json --key sec1 --role security
	accepted "$name: two roles, the same content" "$a" --require 'scan-report=2 of qa,security' --content
	denied "$name: three of two" 9 'signed by' "$a" --require 'scan-report=3 of qa,security'

	# --- age, end, media type
	sleep 2
	denied "$name: too old" 9 'made at' "$a" --require contact --max-age 1s
	code_is "$name: too old: code" too_old
	accepted "$name: young enough" "$a" --require contact --max-age 1h
	put "$b" contact yes.json --key alice --expires 1s
	sleep 2
	denied "$name: ended" 9 'expired at' "$b" --require contact
	echo '{"version":1,"require":[{"type":"contact","mediaType":"text/plain"}]}' >text.json
	denied "$name: another media type" 9 "'application/json'" "$a" --policy text.json
	code_is "$name: another media type: code" media_type

	# --- tags
	echo '{"version":1,"tags":"forbid","require":[{"type":"contact"}]}' >tags.json
	denied "$name: a tag where tags are forbidden" 9 'names a digest' "$a" --policy tags.json
	code_is "$name: a tag: code" tag
	verify "$(digest_of "$a")" --policy tags.json
	check_status "$name: the digest" 0

	# --- waivers
	cat >policy.json <<-'END'
		{"version": 1, "require": [{"type": "qa-approval", "roles": ["qa"]}], "waivers": {"roles": ["board"]}}
	END
	waiver() { # UNTIL
		printf '{"version":1,"name":"W-1","waives":["qa-approval"],"for":"a\\u001b[31m hotfix","until":"%s"}' "$1" >waiver.json
	}
	denied "$name: no waiver" 9 'no record' "$b" --policy policy.json
	waiver 2035-01-01T00:00:00Z
	put "$b" waiver waiver.json --key board1
	verify "$b" --policy policy.json
	check_status "$name: waived" 0
	check_stdout_is "$name: accepted" "$(digest_of "$b")"
	check_stderr_has "$name: which is reported" "'qa-approval' is waived by 'W-1' for 'a\\u{1b}[31m hotfix' until 2035-01-01T00:00:00Z, signed by board1"
	check "$name: without control characters" test -z "$(LC_ALL=C grep '[^[:print:]]' "$T/stderr")"
	verify --json "$b" --policy policy.json
	check_json "$name: and in JSON" \
		'.images[0] | .accepted and (.requirements[0] | (.met | not) and .waiver.name == "W-1" and .waiver.signers[0].name == "board1")'
	verify "$b" --policy policy.json --require security-review
	check_status "$name: what it does not name" 9
	check_stdout_empty "$name: is not waived"
	check_stderr_has "$name: which is the finding" "wanted 'security-review'"
	denied "$name: no waiver without a policy that says who may" 9 'no record' "$b" --require qa-approval=qa
	echo '{"version":1,"require":[{"type":"qa-approval","roles":["qa"]}]}' >nobody.json
	denied "$name: nor where the policy names nobody" 9 'no record' "$b" --policy nobody.json
	sed 's/"board"/"qa"/' policy.json >other-waivers.json
	denied "$name: by a role that may not waive" 9 'may not sign' "$b" --policy other-waivers.json
	waiver 2020-01-01T00:00:00Z
	put "$b" waiver waiver.json --key board1
	denied "$name: a waiver that has ended" 9 "the waiver 'W-1' ended at 2020-01-01T00:00:00Z" "$b" --policy policy.json
	code_is "$name: a waiver that has ended: code" waiver
	waiver 1970-01-01T00:00:00Z
	put "$b" waiver waiver.json --key board1
	denied "$name: a waiver until the epoch has ended, too" 9 "the waiver 'W-1' ended at 1970-01-01T00:00:00Z" "$b" --policy policy.json
	echo 'as agreed' >waiver.json
	put "$b" waiver waiver.json --key board1
	verify "$b" --policy policy.json
	check_status "$name: a waiver that is none" 9
	check_stderr_has "$name: which is reported" 'the waiver cannot be used'

	# --- withdrawal: nothing waives it
	waiver 2035-01-01T00:00:00Z
	put "$a" waiver waiver.json --key board1
	run manifesto withdraw -q --key qa1 --reason 'flaky tests' "$a" qa-approval
	check_status "$name: withdraw" 0
	denied "$name: withdrawn" 9 'flaky tests' "$a" --policy policy.json
	code_is "$name: withdrawn: code" withdrawn
	run manifesto withdraw -q --key qa1 --role qa --reason 'old scanner' "$a" scan-report
	check_status "$name: one of two roles withdraws" 0
	denied "$name: the other is not enough" 9 'old scanner' "$a" --require scan-report=security
	run manifesto put -q --reinstate --key qa1 "$a" qa-approval yes.json
	accepted "$name: reinstated" "$a" --policy policy.json

	# --- veto
	cat >veto.json <<-'END'
		{"version": 1, "require": [{"type": "contact"}], "veto": ["security"]}
	END
	accepted "$name: a veto role that says nothing" "$a" --policy veto.json
	run manifesto role add -q "$a" security --types contact
	check_status "$name: security may speak of contacts" 0
	put "$a" contact yes.json --key sec1 --role security
	run manifesto withdraw -q --key sec1 --role security --reason 'key leaked' "$a" contact
	check_status "$name: and withdraws one" 0
	printf '{"schema":"manifesto/teams/v1","roles":{"security":{"types":["security-review","scan-report"],"keys":["%s"]}}}' "$(fp sec1)" >teams.json
	run manifesto role apply -q --force -f teams.json "$repository"
	check_status "$name: then it may not any more" 0
	accepted "$name: its word counts for nobody" "$a" --require contact
	denied "$name: but where it has a veto" 9 'key leaked' "$a" --policy veto.json
	code_is "$name: a veto: code" vetoed
	sed 's/"security"/"sceurity"/' veto.json >mistyped.json
	denied "$name: a veto role that does not exist" 9 "no role 'sceurity'" "$a" --policy mistyped.json

	# --- platforms
	denied "$name: nobody has it" 9 'manifesto list' "$index" --require contact --platform linux/arm64
	check_stdout_lacks "$name: so no message mentions inheriting" inherit
	put "$index" contact yes.json --key alice
	denied "$name: platforms do not inherit" 9 'do not inherit' "$index" --require contact --platform linux/arm64
	verify "$index" --require contact --all-platforms
	check_status "$name: each platform must have it" 9
	check "$name: a finding for each" test "$(grep -c '^manifesto: refused .* (linux/' "$T/stderr")" = 2
	put "$index" contact yes.json --key alice --all-platforms
	accepted "$name: all platforms" "$index" --require contact --all-platforms
	verify "$index" --require contact --platform linux/arm64
	check_status "$name: one platform" 0
	check "$name: its own digest" test "$(cat "$T/stdout")" != "$(digest_of "$index")"

	run manifesto withdraw -q --key alice --platform linux/arm64 --reason 'boots slowly' "$index" contact
	denied "$name: a platform's own is withdrawn" 9 'boots slowly' "$index" --require contact --platform linux/arm64
	check_stdout_lacks "$name: which the index cannot help" inherit
	run manifesto put -q --reinstate --key alice --platform linux/arm64 "$index" contact yes.json

	# --- many at once
	verify "$a" "$repository:nowhere" "$b" "$a" --require contact
	check_status "$name: the gravest of all" 9
	check_stdout_is "$name: those that are accepted, in order" "$(digest_of "$a")
$(digest_of "$a")"
	check_stderr_has "$name: how many are not" '2 of 4 images refused'
	printf '# list\n\n  %s \r\n%s' "$a" "$index" >list
	run_with list manifesto verify - --require contact
	check_status "$name: from standard input" 0
	check_line_count "$name: both" 2
	verify --images list "$a" --require contact --json
	check_json "$name: from a file, behind the arguments" '.accepted == 3 and .unchecked == 0 and .exit == 0'
	denied "$name: no such image" 3 nowhere "$repository:nowhere" --require contact
}

# --- a Notary server and a registry
export MANIFESTO_TRUST_SERVER=http://$N
for tag in 1.0 2.0 multi; do
	push_image "oci:layout:$tag" "$REGISTRY/acme/app:$tag" >/dev/null || t_bail "push $tag"
done
gun=$R/acme/app
story notary "$gun:1.0" "$gun:2.0" "$gun:multi"
image=$gun:1.0

# --- one repository, many images: one timestamp, tags in flight together
for i in $(seq 100); do
	echo "$gun:t$i"
done >hundred
tag_manifest=$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/acme/app/manifests/1.0")
for i in $(seq 100); do
	[ "$i" = 1 ] || echo next
	printf 'url = "http://%s/v2/acme/app/manifests/t%s"\nrequest = PUT\nheader = "Content-Type: application/vnd.oci.image.manifest.v1+json"\ndata = "@manifest"\noutput = /dev/null\n' "$REGISTRY" "$i"
done >puts
printf %s "$tag_manifest" >manifest
curl -sf -K puts || t_bail 'a hundred tags'
faults N
faults R
verify --images hundred --require qa-approval=qa --require contact
check_status 'a hundred images' 0
check_line_count 'each with its line' 100
check 'one timestamp was asked for' test "$(grep -c timestamp.json "$T/N.log")" = 1
check 'and nothing else of the trust server' test "$(wc -l <"$T/N.log")" = 1
check 'one request for each image' test "$(wc -l <"$T/R.log")" = 100
cold
faults N
verify --images hundred --require qa-approval=qa --require contact
check_status 'the same with an empty cache' 0
check 'one timestamp' test "$(grep -c timestamp.json "$T/N.log")" = 1
check 'each file of trust once' test "$(jq -r .path "$T/N.log" | sort | uniq -d | wc -l)" = 0
faults R '{"path":"manifests/t","action":"delay","ms":100}'
began=$(date +%s%N)
verify --images hundred --require contact
took=$((($(date +%s%N) - began) / 1000000))
check_status 'a registry that takes its time' 0
check "the tags are resolved together ($took ms)" test $took -lt 5000
faults R
faults N
subject=$(digest_of "$image")
faults N
verify "$gun:1.0" "docker://$gun:t5" "$subject" --require contact
check_status 'three spellings' 0
check 'one repository' test "$(grep -c timestamp.json "$T/N.log")" = 1

# --- no home that can be written, no home at all
as_reader() { # COMMAND...
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}
mkdir -p "$T/reader" && cp "$MANIFESTO_HOME/trust.json" "$T/reader/trust.json"
chmod 755 "$T" "$T/reader"
chmod 644 "$T/reader/trust.json"
chmod -w "$T/reader"
cp "$T_MANIFESTO" "$T/bin.manifesto"
run as_reader env -u XDG_CACHE_HOME -u XDG_DATA_HOME HOME="$T/reader" MANIFESTO_HOME="$T/reader" TMPDIR=/nowhere \
	"$T/bin.manifesto" verify "$image" --require qa-approval=qa --require contact --content
check_status 'a home that cannot be written' 0
check_stderr_empty 'is no matter'
check 'nothing was written' test "$(find "$T/reader" | wc -l)" = 2
run as_reader env -u XDG_CACHE_HOME -u XDG_DATA_HOME -u HOME MANIFESTO_HOME="$T/reader" "$T/bin.manifesto" verify "$image" --require contact
check_status 'no HOME' 0
run as_reader env -u XDG_CACHE_HOME -u XDG_DATA_HOME HOME=/nowhere MANIFESTO_HOME=/nowhere "$T/bin.manifesto" verify "$image" --require contact
check_status 'no home, and no pin in it' 10
check_stdout_empty 'accepts nothing'

# --- lies and outages
warm() {
	rm -rf home/cache
	cp -a cache.good home/cache
}
tuf() { # GUN FILE
	curl -sf "$NOTARY/v2/$1/_trust/tuf/$2"
}
keep() { # DIR GUN
	local role
	mkdir "$1"
	for role in root timestamp snapshot targets; do
		tuf "$2" $role.json >"$1/$role" || t_bail "keep $role"
	done
}
rule() { # ROLE ACTION-MEMBERS
	printf '{"method":"GET","path":"acme/app/_trust/tuf/([0-9]+\\\\.)?%s(\\\\.[0-9a-f]+)?\\\\.json","action":%s}' "$1" "$2"
}
swap() { # ROLE DIR
	rule "$1" "\"replace\",\"body_file\":\"$T/$2/$1\""
}
keep "$T/old" "$gun"
put "$image" contact other.json --key alice
push_image oci:layout:1.0 "$REGISTRY/acme/other:1.0" >/dev/null
MANIFESTO_HOME=$T/mallory XDG_CACHE_HOME=$T/mallory manifesto put -q --no-passphrase --init "$R/acme/other:1.0" contact yes.json >/dev/null ||
	t_bail 'a put of somebody else'
keep "$T/foreign" "$R/acme/other"
accepted 'before the lies' "$image" --require contact
cp -a home/cache cache.good

gate() { # NAME STATUS CODE ARGUMENTS...
	local name=$1 want=$2 code=$3 cache
	shift 3
	for cache in warm cold; do
		$cache
		verify --json "$@"
		check_status "$name ($cache): status $want" "$want"
		check_json "$name ($cache): code $code" ".exit == $want and ([.images[].findings[].code] | index(\"$code\"))"
		check_json "$name ($cache): no image of the repository is accepted" "[.images[] | select(.accepted)] == []"
	done
	faults N
	faults R
}
faults N "$(swap timestamp old)" "$(swap snapshot old)" "$(swap targets old)"
gate 'a rollback' 8 rollback "$image" --require contact
faults N "$(swap root foreign)" "$(swap timestamp foreign)" "$(swap snapshot foreign)" "$(swap targets foreign)"
gate 'another collection' 10 pin "$image" --require contact
faults N "$(swap timestamp foreign)"
gate 'a timestamp of another collection' 6 signature "$image" --require contact
faults N "$(swap timestamp foreign)"
gate 'a lie about an image that is not there' 6 signature "$gun:nowhere" --require contact
faults N "$(rule timestamp '"status","status":404')"
gate 'no timestamp' 8 gone "$image" --require contact
faults N "$(rule timestamp '"status","status":503,"headers":{"Retry-After":"0"}')"
gate 'the trust server is down' 4 unavailable "$image" --require contact
faults N "$(rule timestamp '"status","status":403')"
gate 'the trust server lets nobody in' 5 not_authorised "$image" --require contact
faults R '{"path":"manifests/","action":"status","status":503,"headers":{"Retry-After":"0"}}'
gate 'the registry is down' 4 unavailable "$image" --require contact
faults R '{"path":"manifests/","action":"status","status":401}'
gate 'the registry lets nobody in' 5 not_authorised "$image" --require contact
faults R '{"path":"blobs/","action":"status","status":404}'
cold
verify --json "$image" --require contact --content
check_status 'the content is gone' 13
check_json 'the content is gone: code' '.images[0].findings[0].code == "content_gone"'
verify "$image" --require contact
check_status 'which only --content asks for' 0
faults R '{"path":"blobs/","action":"replace","body":"xxxxxxxxxxxx"}'
cold
verify --json "$image" --require contact --content
check_status 'other content' 6
verify --json "$image" --policy policy.json
check_status 'a waiver that is not needed is not asked for' 0
faults R
# The waiver of the second image is needed, and is not what was signed.
waiver 2035-01-01T00:00:00Z
put "$gun:2.0" waiver waiver.json --key board1
faults R '{"path":"blobs/","action":"replace","body":"xxxxxxxxxxxx"}'
cold
verify --json "$gun:2.0" --policy policy.json
check_status 'another waiver than was signed' 6
faults R '{"path":"blobs/","action":"status","status":503,"headers":{"Retry-After":"0"}}'
verify --json "$gun:2.0" --policy policy.json
check_status 'a waiver that cannot be fetched' 9
check_json 'both are reported' '[.images[0].findings[].code] | sort == ["absent", "unavailable"]'
faults R

# Trouble in one repository among others: each image has its own result.
faults N "$(swap timestamp foreign)"
warm
verify --json oci:layout:nowhere "$image" "$gun:2.0" "$R/acme/other:1.0" --require contact
check_status 'the gravest of several' 10
check_json 'each of which is reported' '[.images[].exit] == [3, 6, 6, 10]'
faults N
verify oci:layout:nowhere "$R/acme/other:1.0" "$image" --require contact
check_status 'no pin' 10
check_stdout_is 'and the good one is accepted' "$subject"
strangers=()
for port in 1 2 3 4 5 6; do
	strangers+=("127.0.0.1:$port/acme/app:1.0")
done
verify "${strangers[@]}" "$image" --require contact
check_status 'six registries that nobody knows' 3
check_stdout_is 'and a seventh' "$subject"
run faketime -f +30d manifesto verify "$image" --require contact
check_status 'expired trust metadata' 7
check_stdout_empty 'accept nothing'
run env MANIFESTO_TOFU=1 manifesto verify --tofu "$image" --require contact
check_status 'trust on first use' 2

# --- directories
unset MANIFESTO_TRUST_SERVER
story layout oci:layout:1.0 oci:layout:2.0 oci:layout:multi
verify "oci:layout:1.0" "oci:./layout/:1.0" "oci:$T/layout:1.0" --require contact -vv
check_status 'three spellings of a layout' 0
run faketime -f +100d manifesto verify oci:layout:1.0 --require contact
check_status 'expired trust metadata of a layout' 7
export MANIFESTO_TRUST_SERVER=tuf+file://$T/tuf
for tag in 1.0 2.0 multi; do
	push_image "oci:layout:$tag" "$REGISTRY/acme/tuf:$tag" >/dev/null || t_bail "push $tag"
done
story tuf "$REGISTRY/acme/tuf:1.0" "$REGISTRY/acme/tuf:2.0" "$REGISTRY/acme/tuf:multi"

t_done
