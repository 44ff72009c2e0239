# shellcheck shell=bash
# The notary program, with the same passphrase as manifesto; source after t.sh and job.sh.

export NOTARY_ROOT_PASSPHRASE=$MANIFESTO_PASSPHRASE NOTARY_TARGETS_PASSPHRASE=$MANIFESTO_PASSPHRASE
export NOTARY_SNAPSHOT_PASSPHRASE=$MANIFESTO_PASSPHRASE NOTARY_DELEGATION_PASSPHRASE=$MANIFESTO_PASSPHRASE

# Runs the program with its own directory, on the server $NOTARY.
notary_in() { # DIRECTORY ARGUMENTS...
	local dir=$1
	shift
	run notary -s "$NOTARY" -d "$T/$dir" "$@"
}
