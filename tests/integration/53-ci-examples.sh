#!/bin/bash
# Runs the scripts in the examples for CI systems unchanged: the scan is signed and stored, the approved image is
# deployed by its digest, and a withdrawn image is not deployed.
#
# Substitutes for the scanner and the cluster's command line record their arguments.
. "$(dirname "$0")/../support/t.sh"

lab registry notary
examples=$T_TOP/docs/examples
export MANIFESTO_TRUST_SERVER=$NOTARY REPOSITORY=$REGISTRY/acme/app
export IMAGE=$REPOSITORY:1.0 MANIFESTO_PASSPHRASE='of the test'

# Prints the shell script of a job.
script_of() { # FILE JOB
	"$(t_python)" - "$examples/$1" "$2" <<-'END'
		import re, sys, textwrap, yaml
		path, job = sys.argv[1:]
		text = open(path).read()
		if path.endswith('Jenkinsfile'):
		    stage = re.search(r"stage\('%s'\)(.*?)(?:stage\('|\Z)" % job.capitalize(), text, re.S).group(1)
		    print(textwrap.dedent(re.search(r"sh '''\n(.*?)'''", stage, re.S).group(1)))
		elif 'jobs:' in text:
		    print('\n'.join(step['run'] for step in yaml.safe_load(text)['jobs'][job]['steps'] if 'run' in step))
		else:
		    print('\n'.join(yaml.safe_load(text)[job]['script']))
	END
}

job() { # FILE JOB
	script_of "$1" "$2" >"$T/script" || return
	(cd "$workspace" && exec bash -e "$T/script")
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
chmod +x "$T/stand-ins/kubectl"
PATH=$T/stand-ins:$PATH

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
	export MANIFESTO_HOME=$workspace/.manifesto SCANNER_PASSPHRASE=$workspace/passphrase
	case $file in
	github*) SCANNER_KEY=$(cat "$owner/keys/scanner.key") ;;
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

	: >"$T/deployed"
	MANIFESTO_HOME=$owner run manifesto withdraw --key sam --reason 'a finding' "$IMAGE" security-review
	check_status "$file: security withdraws" 0
	run job "$file" deploy
	check_status "$file: the job fails with 9" 9
	check_stderr_has "$file: and says why" 'a finding'
	check "$file: nothing is deployed" test ! -s "$T/deployed"
	MANIFESTO_HOME=$owner run manifesto put --reinstate --key sam "$IMAGE" security-review approval.json
	check_status "$file: lifted" 0
done

t_done
