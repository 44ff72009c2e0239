#!/bin/bash
# Runs the scripts in the examples for CI systems unchanged: the scan is signed and stored, the approved image is
# deployed by its digest, and a withdrawn image is not deployed.
#
# Substitutes for the scanner, the cluster's command line, downloads and the package manager record their arguments.
. "$(dirname "$0")/../support/t.sh"

lab registry notary
examples=$T_TOP/docs/examples
export MANIFESTO_TRUST_SERVER=$NOTARY REPOSITORY=$REGISTRY/acme/app
export IMAGE=$REPOSITORY:1.0 MANIFESTO_PASSPHRASE='of the test'

# The shell script of a job: its own steps, and those of the action, component or library that it uses.
script_of() { # FILE JOB
	"$(t_python)" "$T_TOP/tests/support/ci.py" "$examples" "$1" "$2"
}

job() { # FILE JOB
	script_of "$1" "$2" >"$T/script" || return
	(
		cd "$workspace" || exit
		export PATH=$T/stand-ins:$PATH GITHUB_OUTPUT=$workspace/output RUNNER_TEMP=$workspace CI_PROJECT_DIR=$workspace WORKSPACE=$workspace
		exec bash -e -o pipefail "$T/script"
	)
}

# --- preparation: a repository with three teams, and the files of a project's source tree
skopeo copy -q --dest-tls-verify=false "oci:$T_TOP/testdata/image:1.0" "docker://$IMAGE" || exit 1
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$IMAGE")
owner=$MANIFESTO_HOME
cp "$T_TOP/testdata/approval.json" .
run manifesto trust init --key alice "$REPOSITORY"
check_status 'the owner makes the trust repository' 0
for name in quinn sam scanner; do
	run manifesto key generate "$name"
	manifesto key show "$name" >"$name.pub"
done
run manifesto role add "$REPOSITORY" qa --key quinn.pub --types qa-approval
run manifesto role add "$REPOSITORY" security --key sam.pub --types security-review
run manifesto role add "$REPOSITORY" scanner --key scanner.pub --types scan-report
check_status 'and three teams' 0
run manifesto put --key quinn "$IMAGE" qa-approval approval.json
run manifesto put --key sam "$IMAGE" security-review approval.json
check_status 'two of which have signed' 0

mkdir "$T/stand-ins"
printf '#!/bin/sh\necho "$@" >>"%s"\n' "$T/deployed" >"$T/stand-ins/kubectl"
printf '#!/bin/sh\necho "$@" >>"%s"\n' "$T/installed" >"$T/stand-ins/apt-get"
printf '#!/bin/sh\nexec "$@"\n' >"$T/stand-ins/sudo"
cat >"$T/stand-ins/curl" <<-END
	#!/bin/sh
	[ "\$1 \$2 \$4" = '-fsSL -o https://files.example.com/manifesto.deb' ] && cp "$T/manifesto.deb" "\$3"
END
chmod +x "$T/stand-ins"/*
echo 'a package' >"$T/manifesto.deb"

for file in github-actions.yml gitlab-ci.yml Jenkinsfile; do
	workspace=$T/workspace-$file
	mkdir "$workspace"
	cp "$owner/trust.json" "$workspace/"
	cat >"$workspace/release.json" <<-END
		{"version": 1, "maxAge": "30d", "veto": ["security"], "require": [
		  {"type": "qa-approval", "roles": ["qa"]}, {"type": "security-review", "roles": ["security"]},
		  {"type": "scan-report", "roles": ["scanner"]}]}
	END
	cat >"$workspace/scan.sh" <<-END
		#!/bin/sh
		echo "{\"image\":\"\$1\",\"by\":\"$file\"}"
	END
	chmod +x "$workspace/scan.sh"
	printf %s "$MANIFESTO_PASSPHRASE" >"$workspace/passphrase"
	: >"$T/deployed"
	: >"$T/installed"
	export MANIFESTO_PACKAGE='' MANIFESTO_PACKAGE_SHA256=''
	export MANIFESTO_HOME=$workspace/.manifesto SCANNER_PASSPHRASE=$workspace/passphrase
	case $file in
	github*) SCANNER_KEY=$(cat "$owner/keys/scanner.key") SCANNER_PASSPHRASE=$MANIFESTO_PASSPHRASE ;;
	*) SCANNER_KEY=$owner/keys/scanner.key ;;
	esac
	export SCANNER_KEY

	run job "$file" scan
	check_status "$file: the report is signed and stored" 0
	run manifesto get "$IMAGE" scan-report
	check_stdout_is "$file: as the scanner wrote it" "$(printf '{"image":"%s","by":"%s"}' "$IMAGE" "$file")"
	run job "$file" deploy
	check_status "$file: the approved image is deployed" 0
	check "$file: by its digest" grep -qxF "set image deployment/app app=$REPOSITORY@$digest" "$T/deployed"

	check "$file: nothing was installed, since the program is there" test ! -s "$T/installed"

	: >"$T/deployed"
	export MANIFESTO_PACKAGE_SHA256
	MANIFESTO_PACKAGE_SHA256=$(sha256sum <"$T/manifesto.deb" | cut -d' ' -f1)
	for MANIFESTO_PACKAGE in "$T/manifesto.deb" https://files.example.com/manifesto.deb; do
		: >"$T/installed"
		run job "$file" deploy
		check_status "$file: the package is installed from ${MANIFESTO_PACKAGE%%:*}" 0
		check "$file: that package" grep -qxF "install -y $workspace/manifesto.deb" "$T/installed"
	done
	: >"$T/deployed"
	: >"$T/installed"
	for MANIFESTO_PACKAGE_SHA256 in "$(echo | sha256sum | cut -d' ' -f1)" ''; do
		run job "$file" deploy
		check "$file: a package of other content ends the job: ${MANIFESTO_PACKAGE_SHA256:-no SHA-256}" test "$status" != 0
	done
	check "$file: it is not installed" test ! -s "$T/installed"
	check "$file: and nothing is deployed" test ! -s "$T/deployed"
	MANIFESTO_PACKAGE='' MANIFESTO_PACKAGE_SHA256=''

	MANIFESTO_HOME=$owner run manifesto withdraw --key sam --reason 'a finding' "$IMAGE" security-review
	check_status "$file: security withdraws" 0
	run job "$file" deploy
	check_status "$file: the job fails with 9" 9
	check "$file: and says why" grep -q 'a finding' "$T/stdout" "$T/stderr"
	case $file in
	github*) check_stdout_has "$file: as an annotation" '::error' ;;
	*) check "$file: and in a JUnit report" grep -q '<failure' "$workspace/manifesto.xml" ;;
	esac
	check "$file: nothing is deployed" test ! -s "$T/deployed"
	MANIFESTO_HOME=$owner run manifesto put --reinstate --key sam "$IMAGE" security-review approval.json
	check_status "$file: lifted" 0
done

t_done
