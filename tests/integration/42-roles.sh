#!/bin/bash
# Teams: several people, each with their own home, on a layout, in a directory of repositories, in a bucket, and on a Notary server.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary s3
printf 'second\0version\377' >second
printf 'third' >third
make_image layout >/dev/null
mkdir trust

# Another person: home, cache, and the name of their key.
person() { # NAME
	machine "$1"
	export MANIFESTO_KEY=$1
}
# Makes a person's key, and its public part in PUBLIC.pub, the only thing that is passed on.
hires() { # NAME
	person "$1"
	run manifesto key generate "$1"
	check_status "$1 makes a key" 0
	manifesto key show "$1" >"$1.pub"
	check "$1 hands over a public key" grep -q 'BEGIN PUBLIC KEY' "$1.pub"
}
fingerprint() { # NAME
	sed -n 's/^[^ ]* *ed25519 *\([0-9a-f]\{64\}\) .*/\1/p' "$1.pub"
}
joins() { # NAME IMAGE
	person "$1"
	run manifesto trust pin "$2" "$root"
	check_status "$1 pins the root" 0
}
roles_are() { # NAME FILTER
	run manifesto role list --json "$image"
	check_json "$1" "$2"
}
for name in bob carol dave; do hires "$name"; done

teams() { # IMAGE NAME-OF-QA
	image=$1 qa=$2
	person alice
	run manifesto put --init "$image" qa-approval "$approval"
	check_status "$image: alice makes the repository" 0
	root=$(sed -n 's/.*root key pinned on this machine: //p' "$T/stderr")

	# --- a role is made
	run manifesto role add --dry-run "$image" qa --key bob.pub --types qa-approval,scan-report
	check_status 'a dry run' 0
	check_stdout_has 'says what it would do' 'Would change'
	roles_are 'and does nothing' '.roles | length == 1'
	run manifesto role add --json "$image" qa --key bob.pub --types qa-approval --types scan-report
	check_status 'a role is made' 0
	check_json 'the change is reported' "[.changes[] | select(.role == \"$qa\") | .what] | contains([\"role added\", \"key added\", \"type added\"])"
	check_json 'with the fingerprint' "[.changes[] | select(.what == \"key added\") | .detail] == [\"$(fingerprint bob)\"]"
	check_json 'the record that nobody reads any more is reported' '.warnings | length == 1 and (.[0] | startswith("1 record in"))'
	run manifesto role add --json "$image" qa --key bob.pub --types qa-approval
	check_json 'the same again changes nothing' '.changes == []'
	run manifesto role list "$image"
	check 'the list shows it' grep -qE "^$qa +qa-approval,scan-report +1 of 1 +$(fingerprint bob | cut -c1-16) +- +- +empty\$" "$T/stdout"
	run manifesto role keys "$image" qa
	check 'and its key' grep -qE "^$(fingerprint bob) +ed25519 +no +- +[0-9a-f]{64}\$" "$T/stdout"
	refused 'the keys of no role' 3 role keys "$image" none
	refused 'targets does not speak for the type any more' 3 get "$image" qa-approval
	run manifesto role mine --json "$image"
	check_json 'alice can sign targets' '.roles[0] | .name == "targets" and .canSign and .mine == "alice"'
	check_json 'and not the role' '.roles[1] | (.canSign | not) and .whyNot == "none of its keys is on this machine"'
	refused 'alice cannot sign its type' 11 put "$image" qa-approval second

	# --- its member signs its types, and nothing else
	joins bob "$image"
	run manifesto role mine --json "$image"
	check_json 'bob can sign the role alone' '[.roles[] | .canSign] == [false, true]'
	run manifesto put "$image" qa-approval second
	check_status 'bob signs' 0
	check_stdout_has 'in the role' "in $qa, version 1"
	refused 'another type is not his' 11 put "$image" contact second
	refused 'nor is his own' 11 put --role targets "$image" scan-report second
	refused 'a member cannot change teams' 11 role add "$image" qa --key carol.pub
	person alice
	get_is 'alice reads it' second "$image" qa-approval
	run manifesto put "$image" contact third
	check_status 'alice goes on with the rest' 0
	person reader
	run manifesto trust pin "$image" "$root"
	get_is 'so does a reader' second "$image" qa-approval
	get_is 'and that' third "$image" contact

	# --- keys come and go
	person alice
	run manifesto role add "$image" qa --key carol.pub
	check_status 'carol comes' 0
	refused 'bob cannot go: what he signed needs another signature' 11 role remove "$image" qa --key "$(fingerprint bob)"
	check_stderr_has 'the command for a colleague is printed' "manifesto role sign $image $qa"
	roles_are 'nothing was changed' '.roles[1].keys | length == 2'
	joins carol "$image"
	refused 'a key that is not here does not sign' 11 role sign --key bob "$image" "$qa"
	refused 'nor one that the role does not list' 11 role sign --key nobody "$image" qa
	run manifesto role sign --key carol "$image" "$qa"
	check_status 'carol runs it' 0
	person alice
	get_is 'the record is as it was' second "$image" qa-approval
	run manifesto role remove --json "$image" qa --key "$(fingerprint bob)"
	check_status 'then bob can go' 0
	check_json 'his record signature no longer counts, which is reported' '.warnings[0] | startswith("1 record without a signature")'
	roles_are 'carol is left' "[.roles[1].keys[].fingerprint] == [\"$(fingerprint carol)\"]"
	person reader
	get_is 'a reader follows' second "$image" qa-approval
	run manifesto list --json "$image"
	check_json 'and sees a record that nobody vouches for' '[.records[] | select(.type == "qa-approval") | .state] == ["foreign"]'
	person bob
	refused 'bob cannot sign any more' 11 put "$image" qa-approval third
	person carol
	run manifesto put "$image" qa-approval third
	check_status 'carol can' 0
	person reader
	get_is 'which readers see' third "$image" qa-approval

	# --- refusals
	person alice
	refused 'the last key cannot go' 2 role remove "$image" qa --key carol.pub
	check_stderr_has 'as nobody could sign' 'nobody could sign'
	refused 'one key given twice is one key' 2 role add "$image" twice --key dave.pub --key dave.pub --types t --threshold 2
	refused 'a key that is not there' 3 role remove "$image" qa --key dave.pub
	refused 'a role that is not there' 3 role remove "$image" none
	refused 'one that would take records along' 2 role remove "$image" qa
	check_stderr_has 'it counts them' "1 record of role '$qa' would be lost"
	check_stderr_has 'and names each' 'would be lost: qa-approval/sha256-'
	check_stderr_has 'and the way' --force
	for name in targets root releases _h0 Upper a/b '' targets/; do
		refused "no role called '$name'" 2 role add "$image" "$name" --key dave.pub --types t
	done
	refused 'a new role without types' 2 role add "$image" new --key dave.pub
	refused 'a new role without keys' 2 role add "$image" new --types t
	refused 'no such type' 2 role add "$image" new --key dave.pub --types 'no/type'
	refused 'nothing to add' 2 role add "$image" qa
	refused 'no such key' 11 role add "$image" qa --key 0123456789abcdef
	refused 'a file that holds no key' 2 role add "$image" qa --key third
	refused 'a private key is not taken' 2 role add "$image" qa --key "$MANIFESTO_HOME/keys/alice.key"
	refused 'more signatures than keys' 2 role add "$image" qa --threshold 2

	# --- a threshold of two
	run manifesto role add "$image" pair --key dave.pub --key carol.pub --types pair --threshold 2
	check_status 'a role that needs two' 0
	joins dave "$image"
	run manifesto role mine --json "$image"
	check_json 'says what is missing' ".roles[] | select(.types == [\"pair\"]) | (.canSign | not) and (.whyNot | startswith(\"it needs 2 signatures\"))"
	refused 'one key is not enough' 11 put "$image" pair third
	person carol
	run manifesto key generate --no-passphrase spare
	person alice
	run manifesto role remove "$image" pair
	check_status 'an empty role goes' 0

	# --- a role is removed and made again
	run manifesto role remove --force --json "$image" qa
	check_status 'by force it goes' 0
	check_json 'with its records; what targets held is read again' '[.warnings[] | split(" ")[0:2] | join(" ")] == ["1 record", "1 record"]'
	roles_are 'it is gone' '.roles | length == 1'
	person reader
	get_is 'readers see the record of targets again' "$approval" "$image" qa-approval
	person alice
	refused 'its name is not free for a key that is elsewhere' 11 role add "$image" qa --key dave.pub --types qa-approval
	check_stderr_has 'why' 'still lists its file'
	run manifesto key generate qa-lead
	run manifesto role add "$image" qa --key qa-lead --types qa-approval
	check_status 'it is for one that is here' 0
	check_stdout_has 'its file starts again, empty' "signed anew: $qa empty"
	refused 'nothing of the old one is left' 3 get "$image" qa-approval
	run manifesto put "$image" qa-approval second
	check_status 'alice signs as its lead' 0
	person reader
	get_is 'readers follow' second "$image" qa-approval
}

image_of() { # OCI image for a layout named $1
	make_image "$1" >/dev/null
	printf 'oci:%s/%s:1.0' "$T" "$1"
}
teams "$(image_of one)" qa
name=$REGISTRY/acme/app
push_image oci:layout:1.0 "$name:1.0" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=tuf+file://$T/trust
teams "$name:1.0" qa
name=$REGISTRY/acme/bucket
push_image oci:layout:1.0 "$name:1.0" >/dev/null 2>&1
export MANIFESTO_TRUST_SERVER=tuf+s3://$S3_BUCKET
teams "$name:1.0" qa
export MANIFESTO_TRUST_SERVER=$NOTARY
name=$REGISTRY/acme/other
push_image oci:layout:1.0 "$name:1.0" >/dev/null 2>&1
teams "$name:1.0" targets/qa
unset MANIFESTO_TRUST_SERVER

# --- who may publish in a directory: the root lists each writer
signers() { # DIRECTORY ROLE: how many keys the newest root lists for it
	jq ".signed.roles.$2.keyids | length" "$(find "$1" -name '*.root.json' | sort -V | tail -n 1)"
}
image=$(image_of writers)
person alice
manifesto put --init "$image" contact third >/dev/null 2>stderr
root=$(sed -n 's/.*root key pinned on this machine: //p' stderr)
manifesto role add -q "$image" qa --key bob.pub --types a
manifesto role add -q "$image" more --key bob.pub --types b
check 'two writers' test "$(signers writers/trust snapshot) $(signers writers/trust timestamp) $(signers writers/trust targets)" = '2 2 1'
check 'a key of two roles makes one new root' test "$(find writers/trust -name '*.root.json' | wc -l)" = 2
manifesto role remove -q "$image" more
check 'a key that still signs for a role stays a writer' test "$(signers writers/trust snapshot)" = 2
run manifesto role remove "$image" qa
check_stdout_has 'the last role takes it along' 'writer removed: qa'
check 'and out of the root' test "$(signers writers/trust snapshot) $(signers writers/trust timestamp)" = '1 1'
check 'the key is out of the root altogether' test "$(jq '.signed.keys | length' writers/trust/3.root.json)" = 2
mv "$MANIFESTO_HOME/keys/alice-root.key" root.key
refused 'a new writer takes the root key' 11 role add "$image" qa --key bob.pub --types a
check_stderr_has 'which is reported' "role 'root'"
roles_are 'nothing was half published' '.roles | length == 1'
check 'no root either' test "$(find writers/trust -name '*.root.json' | wc -l)" = 3
mv root.key "$MANIFESTO_HOME/keys/alice-root.key"

# --- a removal that was interrupted before its root: bob cannot sign records, but could still publish
manifesto role add -q "$image" qa --key bob.pub --types a
cp -R writers/trust before
run manifesto role remove "$image" qa
rm writers/trust/5.root.json
rm -rf "$MANIFESTO_HOME/floors"
person reader2
run manifesto trust pin "$image" "$root"
run manifesto list "$image"
check_status 'readers read between timestamp and root' 0
person alice
run manifesto role remove "$image" qa
check_status 'the role is gone' 3
run manifesto role remove "$image" qa --key bob.pub
check_status 'the removal is finished' 0
check 'in a root' test "$(signers writers/trust snapshot)" = 1
refused 'then there is nothing left of it' 3 role remove "$image" qa --key bob.pub

# --- adding a writer does not allow an old state; removing the writer who signed last does, as TUF requires
image=$(image_of rollback)
person alice
manifesto put --init "$image" contact third >/dev/null 2>stderr
root=$(sed -n 's/.*root key pinned on this machine: //p' stderr)
cp -R rollback/trust old
manifesto put -q "$image" contact second >/dev/null
person reader3
manifesto trust pin -q "$image" "$root"
get_is 'a reader sees the new state' second "$image" contact
person alice
manifesto role add -q "$image" qa --key bob.pub --types a
cp rollback/trust/2.root.json old/
mv rollback/trust new
cp -R old rollback/trust
person reader3
refused 'the old state under the root with a new writer' 8 get "$image" contact
rm -r rollback/trust
mv new rollback/trust
get_is 'the real one' second "$image" contact

# --- many at once
image=$(image_of many)
person alice
manifesto put --init -q "$image" contact third >/dev/null 2>&1
for i in 1 2 3 4 5 6; do
	manifesto role add -q "$image" "team$i" --key bob.pub --types "type$i" >"out$i" 2>&1 &
done
wait
roles_are 'roles made at once are all there' '.roles | length == 7'
roles_are 'and each has its key' '[.roles[1:][].keys | length] == [1, 1, 1, 1, 1, 1]'

# --- keys in other forms
ssh=$(jq -r '.roles.qa.keys[0]' "$T_TOP/docs/examples/teams.json")
printf '%s\n' "$ssh" >ssh.pub
run manifesto role add "$image" openssh --key ssh.pub --types x
check_status 'an OpenSSH key' 0
openssl genpkey -algorithm ed25519 -out private.pem 2>/dev/null
openssl pkey -in private.pem -pubout -out public.pem
run manifesto role add "$image" pem --key public.pem --types x
check_status 'a PEM file of openssl' 0
refused 'its private half is not taken' 2 role add "$image" pem --key private.pem
run manifesto role add "$image" again --key "$(openssl pkey -pubin -in public.pem -outform DER | sha256sum | cut -c1-20)" --types y
check_status 'a key that the repository lists, by its fingerprint' 0
openssl ecparam -name secp521r1 -genkey -noout | openssl ec -pubout -out ec.pem 2>/dev/null
refused 'TUF 1.0 has no scheme for P-521' 11 role add "$image" ec --key ec.pem --types x

manifesto key generate -q spare
manifesto role add -q "$image" spare --key spare --types s
run manifesto role add "$image" spare2 --key spare --types s
check_status 'a key of this machine, by its name' 0
check 'who is given a role does not sign for alice' test "$(jq -r '.signatures[].keyid' many/trust/timestamp.json)" = \
	"$(jq -r '.signed.roles.targets.keyids[0]' many/trust/1.root.json)"

printf 'no key' >"$(fingerprint bob)"
run manifesto role add "$image" whole --key "$(fingerprint bob)" --types s
check_status 'a whole fingerprint is no name of a file' 0

# --- declared state
image=$(image_of declared)
second=$(image_of declared2)
manifesto put --init -q "$image" contact third >/dev/null 2>&1
manifesto put --init -q "$second" contact third >/dev/null 2>&1
mkdir teams
cp bob.pub carol.pub teams
cat >teams/teams.json <<-END
	{"schema": "manifesto/teams/v1",
	 "roles": {"qa": {"types": ["qa-approval"], "keys": ["bob.pub"]},
	           "security": {"types": ["security-review", "waiver"], "keys": ["carol.pub", "bob.pub"], "threshold": 1}}}
END
run manifesto role apply --dry-run -f teams/teams.json "$image"
check_stdout_has 'a dry run tells' 'Would change'
run manifesto role apply --json -f teams/teams.json "$image" "$second" "oci:$T/missing:1.0"
check_status 'one of three does not exist' 3
check_json 'the others are changed' ".exit == 3 and (.repositories | map(.exit) == [0, 0, 3] and .[0].repository == \"$image\" and .[2].error.exit == 3)"
check_json 'in one publish each' '[.repositories[0:2][] | .targetsVersion] == [3, 3]'
run manifesto role apply -f teams/teams.json "$image" "$second"
check_status 'again' 0
check 'nothing to do' test "$(grep -c '^Nothing to change' "$T/stdout")" = 2
manifesto role add -q "$image" qa --key dave.pub --types more
manifesto role add -q "$image" extra --key dave.pub --types extra
run manifesto role apply -f teams/teams.json "$image"
check 'what was added by hand goes' test "$(grep -cE '^  (key|type|writer) removed: qa' "$T/stdout")" = 2
roles_are 'roles not named stay' '[.roles[].name] == ["targets", "qa", "security", "extra"]'
sed 's/"roles"/"others": "remove", "roles"/' teams/teams.json >teams/exact.json
run manifesto role apply -f teams/exact.json "$image"
check_status 'unless the file says so' 0
roles_are 'then they go' '[.roles[].name] == ["targets", "qa", "security"]'
for bad in '{}' '{"schema": "manifesto/teams/v2", "roles": {}}' '{"schema": "manifesto/teams/v1", "roles": {"qa": {"types": ["a"], "keys": []}}}' \
	'{"schema": "manifesto/teams/v1", "roles": {"qa": {"types": ["a"], "keys": ["bob.pub"], "treshold": 2}}}' \
	'{"schema": "manifesto/teams/v1", "roles": {"qa": {"types": ["a"], "keys": ["bob.pub"]}, "targets/qa": {"types": ["a"], "keys": ["bob.pub"]}}}' '[' ; do
	printf '%s' "$bad" >teams/bad.json
	run manifesto role apply -f teams/bad.json "$image"
	check_status "refused: $bad" 2
done
roles_are 'nothing came of these' '[.roles[].name] == ["targets", "qa", "security"]'
refused 'apply needs a file' 2 role apply "$image"
refused 'targets is no role to remove' 2 role remove "$image" targets
check_stderr_has 'nor one that is not there' "'targets' is a top-level role"
run manifesto role apply -f "$T_TOP/docs/examples/teams.json" "$image"
check_status 'the example is good' 0

# --- errors about repositories
person nobody
refused 'no repository' 3 role add "$(image_of empty)" qa --key "$T/bob.pub" --types a
refused 'no pin' 10 role list "$image"
refused 'no key of targets' 10 role add "$image" qa --key "$T/bob.pub" --types a
run manifesto --tofu role add "$image" qa --key "$T/bob.pub" --types a
check_status 'nobody changes roles without the key of targets' 11

t_done
