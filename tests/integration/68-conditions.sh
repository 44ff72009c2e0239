#!/bin/bash
# Conditions on content, and signers that must differ: what passes `verify`, what is refused and why, and what an evaluation cannot
# reach.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/attack.sh"
unset MANIFESTO_PASSPHRASE

make_image layout >/dev/null
make_image layout --tag 2.0 --seed other >/dev/null
make_image layout --tag 3.0 --seed third >/dev/null
make_image layout --tag 4.0 --seed fourth >/dev/null
make_image layout --tag 5.0 --seed fifth >/dev/null
make_image layout --tag 6.0 --seed sixth >/dev/null
image=oci:layout:1.0
for key in alice qa1 qa2 sec1 both board1; do
	run manifesto key generate --no-passphrase $key
	[ "$status" = 0 ] || t_bail "key $key"
done
fp() { # KEY
	manifesto key show --json "$1" | jq -r '.keys[0].fingerprint'
}
verify() { # ARGUMENTS...
	run manifesto verify "$@"
}
accepted() { # NAME ARGUMENTS...
	local name=$1
	shift
	verify "$@"
	check_status "$name: accepted" 0
	check_stderr_empty "$name: and nothing is reported"
}
# One finding.
denied() { # NAME CODE TEXT ARGUMENTS...
	local name=$1 code=$2 text=$3
	shift 3
	verify "$@"
	check_status "$name: status 9" 9
	check_stdout_empty "$name: nothing on stdout"
	check_stderr_has "$name: why" "$text"
	check "$name: without control characters" test -z "$(LC_ALL=C grep -a '[^[:print:]]' "$T/stderr")"
	verify --json "$@"
	check_json "$name: in JSON" ".exit == 9 and (.images[0].findings | length) == 1 and .images[0].findings[0].code == \"$code\""
}
usage() { # NAME TEXT ARGUMENTS...
	local name=$1 text=$2
	shift 2
	verify "$@"
	check_status "$name: status 2" 2
	check_stderr_has "$name: why" "$text"
}

run manifesto put -q --init --no-passphrase --key alice $image contact "$T_TOP/testdata/approval.json"
check_status 'the first record' 0
run manifesto role add -q $image qa --types qa-approval,scan-report --key "$(fp qa1)" --key "$(fp qa2)" --key "$(fp both)"
check_status 'role qa' 0
run manifesto role add -q $image security --types security-review,scan-report --key "$(fp sec1)" --key "$(fp both)"
check_status 'role security' 0
run manifesto role add -q $image board --types waiver --key "$(fp board1)" --key "$(fp both)"
check_status 'role board' 0

# --- the recipes of the guide
guide=$T_TOP/docs/guides/conditions.md
program() { # NAME
	awk -v name="$1" '$0 == "```jq " name { on = 1; next } /^```/ { on = 0 } on' "$guide"
}
recipes=0
for recipe in "$T_TOP"/testdata/condition/*/; do
	name=$(basename "$recipe") recipes=$((recipes + 1))
	for kind in accepted refused; do
		if [ -e "$recipe$kind.xml" ]; then
			python3 "$T_TOP/docs/examples/junit-to-json.py" "$recipe$kind.xml" >"$name-$kind.json"
		else
			cp "$recipe$kind.json" "$name-$kind.json"
		fi
		put $image "$name-$kind" "$name-$kind.json" --key alice
	done
	accepted "$name: a good document" $image --require "$name-accepted" --where "$name-accepted=$(program "$name")"
	denied "$name: a bad one" condition 'the condition gives ' $image --require "$name-refused" --where "$name-refused=$(program "$name")"
	check_json "$name: what is wrong is shown" '.images[0].findings[0].values | length == 1 and .[0] != "false"'
	denied "$name: another document" condition 'the condition ' $image --require contact --where "contact=$(program "$name")"
done
check 'the guide has a recipe for each' test "$recipes" = "$(grep -c '^```jq ' "$guide" | awk '{ print $1 - 1 }')"
put $image form "$T_TOP/testdata/condition/qa-form/accepted.json" --key alice
denied 'a document that is too old' condition 'gives false' $image --require form --where "form=$(program age)"

# --- true, and nothing else
value() { # NAME TEXT PROGRAM
	denied "$1" condition "$2" $image --require contact --where "contact=$3"
}
accepted 'true' $image --require contact --where 'contact=true'
accepted 'two conditions that hold' $image --require contact --where 'contact=true' --where 'contact = type == "object"'
value 'false' 'the condition gives false' false
check_json 'the program and its value' '.images[0].findings[0] | .condition == "false" and .values == ["false"]'
value 'null' 'gives null' .nothing
value 'a text' 'gives "true"' '"true"'
value 'a number' 'gives 1' 1
value 'nothing' 'gives nothing' empty
check_json 'which is no value' '.images[0].findings[0].values == []'
value 'true twice' 'several values, first true' 'true, true'
value 'true, and false' 'several values, first true' 'true, false'
value 'no end of values' 'several values, first 1' 'repeat(1)'
check_json 'four of which are shown' '.images[0].findings[0].values == ["1", "1", "1", "1"]'
value 'true, and an error' 'fails: no' 'true, error("no")'
value 'an error of the content' 'Cannot iterate over' '.[][][][]'
value 'the end of the program' 'halts' 'true, halt'
value 'a long value' '...' '"x" * 5000'
value 'a value with markup and controls' 'gives "\u001b[31m\u{202e}"' '"\u001b[31m\u202e"'
denied 'the second of two conditions' condition "the condition 'false' gives false" $image --require contact --where contact=true --where contact=false
check_json 'is named' '.images[0].findings[0].condition == "false" and .images[0].requirements[0].conditions == ["true", "false"]'

# --- content that is no JSON, or not what our reader takes for it
printf '<approved/>' >approval.xml
printf '{"decision":"rejected","decision":"approved"}' >twice.json
printf '\357\273\277{"decision":"approved"}' >bom.json
printf '{"decision":"approved"} {}' >two.json
: >empty.json
for name in approval.xml twice.json two.json empty.json; do
	put $image "bad-${name%.*}" $name --key alice --media-type application/json
	denied "$name" condition 'the content is not JSON' $image --require "bad-${name%.*}" --where "bad-${name%.*}=true"
done
put $image bom bom.json --key alice
accepted 'a byte order mark' $image --require bom --where 'bom=.decision == "approved"'
{
	printf '"'
	head -c $((32 << 20)) /dev/zero | tr '\0' x
	printf '"'
} >large.json
put $image large large.json --key alice
denied 'content that is too large' condition 'more than 32 MiB' $image --require large --where large=true
truncate -s $((32 << 20)) large.json
printf '"' | dd of=large.json bs=1 seek=$(((32 << 20) - 1)) conv=notrunc status=none
put $image large large.json --key alice
accepted 'content that is just small enough' $image --require large --where 'large=length > 1000'

# --- content is fetched and verified, or is a failure like any other
echo '{"lost":true}' >lost.json
put $image lost lost.json --key alice
of_lost() { # COMMAND...
	find layout "$XDG_CACHE_HOME" -type f -exec cmp -s lost.json {} \; -exec "$@" {} \;
}
check 'the content is there' test -n "$(of_lost echo)"
of_lost cp --remove-destination large.json
verify $image --require lost --where lost=true
check_status 'changed content' 6
find layout "$XDG_CACHE_HOME" -type f -exec cmp -s large.json {} \; -delete
verify $image --require lost --where lost=true
check_status 'missing content' 13
accepted 'which nobody asks for without a condition' $image --require lost

# --- mistakes are found before anything is requested
nobody=127.0.0.1:1/app:1.0
export MANIFESTO_TRUST_SERVER=http://127.0.0.1:1
usage 'no program' 'is not a valid jq program: syntax error' $nobody --require contact --where 'contact=.decision =='
check_stderr_lacks 'without talk about shells' 'Unix shell'
usage 'a function that does not exist' 'is not a valid jq program' $nobody --require contact --where 'contact=approved'
usage 'an empty condition' 'is empty' $nobody --require contact --where 'contact= '
usage 'a condition without a type' 'does not name a type' $nobody --require contact --where true
usage 'a condition for what nothing requires' "'qa', which nothing requires" $nobody --require contact --where qa=true
usage 'a condition that is too long' 'longer than' $nobody --require contact --where "contact=$(printf '%05000d' 1)"
mapfile -t many < <(yes -- "--where contact=true" | head -n 17 | tr ' ' '\n')
usage 'too many conditions' 'more than 16 conditions' $nobody --require contact "${many[@]}"
usage 'one type that differs' 'there are no others' $nobody --require contact --distinct contact
usage 'a type that nothing requires' 'nothing requires it' $nobody --require contact --distinct contact,qa
usage 'a type twice' 'named twice' $nobody --require contact --require qa --distinct contact,qa,qa
verify $nobody --require contact --where contact=true
check_status 'without a mistake there is nobody there' 4
unset MANIFESTO_TRUST_SERVER

# --- what a condition cannot reach
mkdir -p "$HOME" modules
echo 'def home: true;' >"$HOME/.jq"
echo 'def module: true;' >modules/m.jq
usage 'a module' 'is not a valid jq program' $image --require contact --where 'contact=import "./modules/m" as m; m::module'
usage 'an included file' 'is not a valid jq program' $image --require contact --where 'contact=include "./modules/m"; module'
usage '.jq in the home' 'is not a valid jq program' $image --require contact --where 'contact=home'
value 'a module that is asked for' 'fails: ' '"./modules/m" | modulemeta'
# shellcheck disable=SC2016 # jq's variables
accepted 'the environment' $image --require contact --where 'contact=$ENV == {} and env == {}'
accepted 'local time is UTC' $image --require contact --where 'contact=(0 | strflocaltime("%H")) == "00"'
run env TZ=JST-9 manifesto verify $image --require contact --where 'contact=(0 | strflocaltime("%H")) == "00"'
check_status 'wherever the machine is' 0
value 'other input' 'fails: ' input
accepted 'no more input' $image --require contact --where 'contact=[inputs] == []'
accepted 'no name of a file' $image --require contact --where 'contact=input_filename == null'
run env manifesto verify $image --require contact --where 'contact=debug | stderr | true'
check_status 'messages are not for the terminal' 0
check_stderr_empty 'and do not get there'
# shellcheck disable=SC2016
value 'a crash' 'jq has crashed' 'reduce range(1e6) as $i (null; [.]) | true'
value 'no end' 'more than 5 seconds of processor time' 'def f: f; f'
if ! grep -q libasan <(ldd "$(command -v manifesto)"); then
	# shellcheck disable=SC2016
	value 'no end of memory' 'more than 1024 MiB of memory' 'reduce range(40) as $i ([1]; . + .) | length > 0'
fi

# --- the processes
children() { # PID
	cat "/proc/$1/task/$1/children" 2>/dev/null
}
manifesto verify $image --require contact --where 'contact=def f: f; f' >/dev/null 2>&1 &
gate=$!
first='' second=''
while [ -z "$second" ] && kill -0 $gate 2>/dev/null; do
	first=$(children $gate) first=${first% }
	second=$(children "${first:-0}") second=${second% }
done
check 'a process evaluates' test -n "$second"
until ! [ -e "/proc/$second" ] || grep -qE '^Seccomp:	[12]' "/proc/$second/status"; do :; done
check 'it has a filter of system calls' grep -q '^Seccomp:	2$' "/proc/$second/status"
check 'it cannot open files' grep -qE '^Max open files +0 +0 ' "/proc/$second/limits"
check 'nor can the one that compiles, when it is asked' grep -qE '^Max open files +16 +16 ' "/proc/$first/limits"
check 'it cannot write files' grep -qE '^Max file size +0 +0 ' "/proc/$second/limits"
check 'it leaves no core' grep -qE '^Max core file size +0 +0 ' "/proc/$second/limits"
check 'its time is limited' grep -qE '^Max cpu time +5 +6 ' "/proc/$second/limits"
grep -q libasan <(ldd "$(command -v manifesto)") ||
	check 'its memory is limited' grep -qE '^Max address space +[0-9]+ +[0-9]+ ' "/proc/$second/limits"
check 'it can gain no privileges' grep -q '^NoNewPrivs:	1$' "/proc/$second/status"
if [ "$(id -u)" = 0 ]; then
	check 'it has no descriptors but a pipe' test "$(find "/proc/$second/fd" -type l -printf '%l\n' | sed 's/:.*//' | sort | tr '\n' ' ')" = '/dev/null /dev/null /dev/null pipe '
fi
kill -KILL $gate
wait $gate 2>/dev/null
while [ -e "/proc/$second/fd" ] && ! grep -qE '^State:	[ZX]' "/proc/$second/status" 2>/dev/null; do :; done
ok 'it ends with the gate'

# --- without the library
make_no_libraries
if ! grep -q libasan <(ldd "$(command -v manifesto)"); then
	usage_without() { # NAME COMMAND...
		local name=$1
		shift
		run env LD_PRELOAD="$T/none.so" "$@"
		check_status "$name: status 2" 2
		check_stderr_has "$name: the package" libjq1
	}
	echo '{"version":1,"require":[{"type":"contact","where":"true"}]}' >where.json
	usage_without 'no libjq' manifesto verify $image --require contact --where contact=true
	usage_without 'no libjq for a check' manifesto policy check where.json
	run env LD_PRELOAD="$T/none.so" manifesto verify $image --require contact
	check_status 'which no other policy needs' 0
fi

# --- which content: one that is good does not hide one that is not
scan() { # IMAGE FILE ROLE KEY
	put "$1" scan-report "$2" --role "$3" --key "$4"
}
echo '{"critical":0}' >good.json
echo '{"critical":3}' >bad.json
clean='scan-report=.critical == 0'
scan oci:layout:2.0 bad.json qa qa1
denied 'the only content is bad' condition "qa': the condition gives false" oci:layout:2.0 --require scan-report --where "$clean"
scan oci:layout:2.0 good.json security sec1
run manifesto sign -q --yes --key both --role security oci:layout:2.0 scan-report
check_status 'the good one has two signers' 0
denied 'the good one with more signers does not hide it' condition "qa': the condition gives false" oci:layout:2.0 --require scan-report --where "$clean"
denied 'neither where one of the roles would do' condition "qa': the condition gives false" oci:layout:2.0 --require 'scan-report=1 of qa,security' --where "$clean"
accepted 'the roles that count decide' oci:layout:2.0 --require scan-report=security --where "$clean"
accepted 'what has too few signers by itself does not' oci:layout:2.0 --require 'scan-report=2 of qa,security' --where "$clean"
scan oci:layout:2.0 good.json qa qa1
accepted 'until the other role agrees' oci:layout:2.0 --require scan-report --where "$clean"

# --- many images with the same content
for tag in 2.0 3.0 4.0; do
	put oci:layout:$tag qa-approval qa-form-accepted.json --key qa1
done
accepted 'three images' oci:layout:2.0 oci:layout:3.0 oci:layout:4.0 --require qa-approval=qa --where "qa-approval=$(program qa-form)"
put oci:layout:3.0 qa-approval qa-form-refused.json --key qa1
verify --json oci:layout:2.0 oci:layout:3.0 oci:layout:4.0 --require qa-approval=qa --where "qa-approval=$(program qa-form)"
check_status 'one of three' 9
check_json 'each has its own result' '[.images[].accepted] == [true, false, true]'

# --- waivers
cat >policy.json <<'END'
{"version": 1, "require": [{"type": "qa-approval", "roles": ["qa"], "where": ".decision == \"approved\""},
	{"type": "security-review", "roles": ["security"]}], "waivers": {"roles": ["board"]}}
END
jq '.distinct = ["qa-approval", "security-review"]' policy.json >distinct.json
put oci:layout:3.0 security-review good.json --key sec1
denied 'a decision that is no approval' condition 'gives false' oci:layout:3.0 --policy policy.json
printf '{"version":1,"name":"W-1","waives":["qa-approval"],"for":"hotfix","until":"2035-01-01T00:00:00Z"}' >waiver.json
put oci:layout:3.0 waiver waiver.json --key board1
verify oci:layout:3.0 --policy policy.json
check_status 'is waived like any other requirement' 0
check_stderr_has 'which is reported' "'qa-approval' is waived by 'W-1'"

# --- signers that differ
four_eyes=(--require qa-approval=qa --require security-review=security --distinct 'qa-approval,security-review')
put oci:layout:5.0 qa-approval qa-form-accepted.json --key both
put oci:layout:5.0 security-review good.json --key both
accepted 'one person for both' oci:layout:5.0 "${four_eyes[@]:0:4}"
denied 'is not enough where signers must differ' distinct "both (who signed for 'qa-approval', too)" oci:layout:5.0 "${four_eyes[@]}"
check_json 'for one of the two' '.images[0].findings[0].type == "security-review"'
denied 'and in a policy' distinct 'too few keys of its own' oci:layout:5.0 --policy distinct.json
run manifesto sign -q --yes --key qa2 oci:layout:5.0 qa-approval
check_status 'another person signs one of them' 0
accepted 'four eyes' oci:layout:5.0 "${four_eyes[@]}"
verify --json oci:layout:5.0 "${four_eyes[@]}"
check_json 'each key counts once' '[.images[0].requirements[].signers[].name] == ["qa2", "both"]'
denied 'two of qa need three people' distinct 'too few keys of its own' oci:layout:5.0 --require 'qa-approval=2 of qa' "${four_eyes[@]:2}"
printf '{"version":1,"name":"W-2","waives":["security-review"],"for":"hotfix","until":"2035-01-01T00:00:00Z"}' >waiver.json
put oci:layout:6.0 qa-approval qa-form-accepted.json --key both
put oci:layout:6.0 waiver waiver.json --key both
denied 'nobody waives their own four eyes' waiver "the waiver has too few keys of its own: signed by both (who signed for 'qa-approval', too)" oci:layout:6.0 --policy distinct.json
run manifesto sign -q --yes --key board1 oci:layout:6.0 waiver
check_status 'another one signs the waiver' 0
verify oci:layout:6.0 --policy distinct.json
check_status 'and it holds' 0

# --- whoever waives may be any of those who signed, as long as there are enough of them
run manifesto role add -q $image three --types t1,t2,t3,waiver --key "$(fp qa1)" --key "$(fp qa2)" --key "$(fp sec1)"
for type in t1 t2; do
	put oci:layout:4.0 $type good.json --role three --key qa1
	for key in qa2 sec1; do
		run manifesto sign -q --yes --role three --key $key oci:layout:4.0 $type
	done
done
printf '{"version":1,"name":"W-3","waives":["t3"],"for":"hotfix","until":"2035-01-01T00:00:00Z"}' >waiver.json
printf '{"version":1,"distinct":["t1","t2","t3"],"waivers":{"roles":["three"]},"require":[{"type":"t1"},{"type":"t2"},{"type":"t3"}]}' >three.json
for key in qa1 qa2 sec1; do
	put oci:layout:4.0 waiver waiver.json --role three --force --key $key
	verify --json oci:layout:4.0 --policy three.json
	check_status "three signers for three, the waiver by $key" 0
	check_json "each counts once, $key for the waiver" "[.images[0].requirements[] | (.waiver // .).signers[].name] |
		sort == [\"qa1\", \"qa2\", \"sec1\"]"
	check_json "the waiver is that of $key" ".images[0].requirements[2].waiver.signers[0].name == \"$key\""
done
denied 'one type four times needs four' distinct 'too few keys of its own' oci:layout:4.0 --require t1 --require t1 --require t1 --require t1 --distinct t1
accepted 'three times three' oci:layout:4.0 --require t1 --require t1 --require t1 --distinct t1

# --- a number that nobody can reach
denied 'five of a role with two keys' signers 'the role lists 2 keys, which can never be 5 signers' oci:layout:3.0 --require 'security-review=5 of security'
denied 'of two roles that share one' signers 'the roles list 4 keys' oci:layout:2.0 --require 'scan-report=5 of qa,security'
denied 'and nothing is there' absent 'no record; the role lists 3 keys' oci:layout:1.0 --require 'qa-approval=4 of qa'
verify oci:layout:1.0 --require 'qa-approval=3 of qa'
check_stderr_lacks 'as many as there are: nothing is reported' 'never'

t_done
