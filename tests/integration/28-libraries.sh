#!/bin/bash
# libcurl and what it needs are loaded by what speaks to a server, and by nothing else.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry notary
MANIFESTO_KEY=alice
export MANIFESTO_KEY
make_image layout >/dev/null
image=$REGISTRY/acme/app:1.0
other=$REGISTRY/acme/other:1.0
for to in "$image" "$other"; do
	skopeo --insecure-policy copy --quiet --dest-tls-verify=false oci:layout:1.0 "docker://$to"
done
digest=$(jq -r '.manifests[0].digest' layout/index.json)

# The loader's own record of what it opens, also of children and of libraries that are loaded later.
traced() { # COMMAND...
	rm -f "$T"/loader.*
	run env LD_DEBUG=files LD_DEBUG_OUTPUT="$T/loader" "$@"
	cat "$T"/loader.* >"$T/opened"
}
opens() { # LIBRARY
	grep -qE "file=$1\.so\.[0-9.]+ .*(needed by|dynamically loaded by)" "$T/opened"
}
opens_no() { # LIBRARY
	! opens "$1"
}
without_curl() { # NAME COMMAND...
	local name=$1
	shift
	traced "$@"
	check_status "$name" 0
	check "$name: the loader's record is there" opens libcrypto
	for library in libcurl libssl libgnutls libldap-2.5; do
		check "$name: no $library" opens_no "$library"
	done
}
with_curl() { # NAME COMMAND...
	local name=$1
	shift
	traced "$@"
	check_status "$name" 0
	check "$name: libcurl" opens libcurl
}

without_curl 'put into a layout' manifesto put --init oci:layout:1.0 qa-approval "$approval"
without_curl 'get from it' manifesto get oci:layout:1.0 qa-approval
without_curl 'list' manifesto list oci:layout:1.0
without_curl 'verify' manifesto verify --require qa-approval oci:layout:1.0
without_curl 'status' manifesto status oci:layout
without_curl 'history' manifesto history oci:layout:1.0
without_curl 'bundle create' manifesto bundle create -o bundle.tar oci:layout:1.0
without_curl 'verify of the bundle' manifesto verify --bundle bundle.tar --require qa-approval oci:layout:1.0
without_curl 'key list' manifesto key list

# A directory beside a registry: the registry is loaded for when it is asked.
directory=(--trust-server "tuf+file://$T/directory")
with_curl 'put on an image of a registry' manifesto put --init "${directory[@]}" "$image" qa-approval "$approval"
with_curl 'whose tag is resolved' manifesto verify "${directory[@]}" --require qa-approval "$image"
cold
without_curl 'by digest, nothing is asked' manifesto verify "${directory[@]}" --require qa-approval "${image%:*}@$digest"
cold
without_curl 'nor for content that lies in the directory' manifesto get "${directory[@]}" "${image%:*}@$digest" qa-approval
check_same_file 'which is right' "$approval" "$T/stdout"
with_curl 'put on a trust server' manifesto put --init --trust-server "$NOTARY" "$other" qa-approval "$approval"
with_curl 'get from it' manifesto get --trust-server "$NOTARY" "$other" qa-approval

# --- not installed
make_no_libraries
if ! grep -q libasan <(ldd "$(command -v manifesto)"); then
	for server in "$NOTARY" "tuf+http://$REGISTRY" "tuf+oci://$REGISTRY/acme/trust" "tuf+file://$T/directory"; do
		run env LD_PRELOAD="$T/none.so" manifesto list --trust-server "$server" "$image"
		check_status "without it, $server: status 1" 1
		check_stderr_has "$server: the library" libcurl.so.4
		check_stderr_has "$server: the package" libcurl4
		check_stdout_empty "$server: nothing is printed"
	done
	run env LD_PRELOAD="$T/none.so" manifesto verify --require qa-approval oci:layout:1.0
	check_status 'a layout does without it' 0
fi

t_done
