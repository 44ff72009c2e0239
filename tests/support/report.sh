# shellcheck shell=bash
# shellcheck disable=SC2154 # status is set by run
# A repository with a bit of everything, and its page; source after t.sh and job.sh.

hostile=$'</script><script>alert(1)</script><!-- "q" \'a\' & \xe2\x80\xae\xe2\x80\xa8 \xe2\x80\x8b end'

# Images 1.0 (all is well), 1.1 (withdrawn), 1.2 (expiring, unsigned), 2.0 (no record), 2.1 (vetoed); signed by ann, bob, eve.
make_report_repository() { # LAYOUT
	local dir=$1 i=0 tag
	for tag in 1.0 1.1 1.2 2.0 2.1; do
		make_image "$dir" --tag "$tag" --seed "$tag" >/dev/null
	done
	for i in 1 2 3; do printf '{"n":%s}' $i >"n$i"; done
	put "oci:$dir:1.0" contact n1 --init --author "$hostile"
	for i in ann bob eve; do manifesto key generate -q --no-passphrase $i; done
	manifesto role add -q "oci:$dir" qa --key ann --key bob --types qa-approval,scan-report
	manifesto role add -q "oci:$dir" security --key eve --types security-review
	put "oci:$dir:1.0" qa-approval n1 --key ann --annotation "<b>=$hostile"
	put "oci:$dir:1.0" scan-report n2 --key ann
	put "oci:$dir:1.0" security-review n3 --key eve
	run manifesto sign -q --yes "oci:$dir:1.0" qa-approval --key bob
	check_status 'bob signs, too' 0
	put "oci:$dir:1.1" qa-approval n1 --key ann
	run manifesto withdraw -q "oci:$dir:1.1" qa-approval --key ann --reason "found a hole $hostile"
	check_status 'ann withdraws' 0
	put "oci:$dir:1.2" qa-approval n1 --key ann --expires 10d
	put "oci:$dir:1.2" scan-report n1 --key bob
	run manifesto role remove -q "oci:$dir" qa --key bob
	check_status 'bob leaves' 0
	put "oci:$dir:2.1" scan-report n1 --key ann
	run manifesto veto -q "oci:$dir:2.1" --role security --key eve --reason 'not this one'
	check_status 'a veto' 0
	echo '{"version":1,"name":"release","require":[{"type":"qa-approval","roles":["qa"]},{"type":"scan-report","roles":["qa"]},{"type":"security-review","roles":["security"]}],"veto":["security"]}' >policy.json
}

# Makes the page FILE, which must be safe and well formed; what page.py reads is in FILE.json.
make_page() { # NAME STATUS FILE ARGUMENTS...
	local name=$1 want=$2 file=$3
	shift 3
	run manifesto report -o "$file" --json "$@"
	check_status "$name: status" "$want"
	cp "$T/stdout" "$file.stdout"
	check "$name: the page is well formed, and can load and run nothing" read_page "$file" "$file.json"
	jq -S . "$file.stdout" >want
	jq -S .data "$file.json" >got
	check "$name: the data inside are those of --json" diff want got
}
read_page() { # FILE TO
	"$(t_python)" "$T_TOP/tests/support/page.py" "$1" >"$2"
}
