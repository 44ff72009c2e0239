# shellcheck shell=bash
# Checks for tests of put, list and get; source after t.sh.

export MANIFESTO_PASSPHRASE='correct horse' MANIFESTO_KEY=alice
# shellcheck disable=SC2034 # for the tests
approval=$T_TOP/testdata/approval.json

sum() { # FILE
	sha256sum "$1" | cut -d' ' -f1
}

# Empties the cache.
cold() {
	rm -rf "$XDG_CACHE_HOME"
}

# Switches to another machine: no pins, no keys, no cache. `machine first` is the machine on which the test began.
machine() { # NAME
	if [ "$1" = first ]; then
		export MANIFESTO_HOME=$T/home/manifesto XDG_CACHE_HOME=$T/home/cache
	else
		export MANIFESTO_HOME=$T/home/manifesto-$1 XDG_CACHE_HOME=$T/home/cache-$1
	fi
}

# Whether `get` returns exactly FILE.
get_is() { # NAME FILE [options] IMAGE TYPE
	local name=$1 file=$2
	shift 2
	run manifesto get "$@"
	check_status "$name: status" 0
	check_stdout_file "$name: the same bytes" "$file"
}

# Whether a command ends with a status and prints no result.
refused() { # NAME STATUS ARGUMENTS...
	local name=$1 want=$2
	shift 2
	run manifesto "$@"
	check_status "$name: status $want" "$want"
	check_stdout_empty "$name: nothing on stdout"
}

# Fetches a manifest or blob from a registry; sets $T/body and $T/headers.
registry_get() { # HOST:PORT/v2/... [curl options]
	local url=$1
	shift
	http_status -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H 'Accept: application/vnd.oci.image.index.v1+json' \
		-H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$@" "$url"
}

# Stores a file as a blob in a registry, without manifesto.
push_blob() { # http://HOST:PORT REPOSITORY FILE [curl options]
	local base=$1 repository=$2 file=$3 to
	shift 3
	to=$(curl -sf -m 20 -D - -o /dev/null "$@" -X POST "$base/v2/$repository/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
	curl -sf -m 20 -o /dev/null "$@" -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$file" \
		"$to&digest=sha256:$(sum "$file")"
}
