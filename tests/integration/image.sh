#!/bin/bash
# `make image`: an OCI image of the program that other tools read and copy, the same whenever it is made, and whose program
# runs with nothing but what is in it.
. "$(dirname "$0")/../support/t.sh"

lab registry
# Without a sanitizer, which would need /proc in the chroot, and so without the objects that were built with it.
read -r -a arguments <<<"${T_MAKEARGS-}"
[[ " ${T_MAKEARGS-} " == *' SAN= '* ]] || read -r -a arguments < <(sed -E 's/BUILD=\S*//; s/SAN=\S*/SAN=/' <<<"${T_MAKEARGS-}")
export version
version=$(manifesto version | cut -d' ' -f2)

run env TZ=Asia/Tokyo bash -c 'umask 077 && exec "$@"' bash make -s -C "$T_TOP" "${arguments[@]}" image
check_status 'make image' 0
image=$(tail -n 1 "$T/stdout")
layout=${image#oci:}
layout=$(cd "$T_TOP" && realpath "${layout%:*}")
cp -R "$layout" "$T/layout"
run make -s -C "$T_TOP" "${arguments[@]}" image
check_status 'made again' 0
check 'it has the same bytes' diff -r "$layout" "$T/layout"

# --- as skopeo reads it
run skopeo inspect "oci:layout:$version"
check_status 'skopeo reads it' 0
check_json 'its labels are those of this version' '.Labels["org.opencontainers.image.version"] == env.version' "$T/stdout"
digest=$(jq -r .Digest "$T/stdout")
run skopeo inspect --config "oci:layout:$version"
check_json 'it starts the program, for no user of the host' \
	'.config.Entrypoint == ["/usr/bin/manifesto"] and .config.User == "65532:65532" and .architecture != null' "$T/stdout"
run skopeo copy -q --dest-tls-verify=false "oci:layout:$version" "docker://$REGISTRY/tools/manifesto:$version"
check_status 'a registry takes it' 0
run skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/tools/manifesto:$version" "oci:back:$version"
check_status 'and gives it back' 0
check 'unchanged' test "$(skopeo inspect --format '{{.Digest}}' "oci:back:$version")" = "$digest"

# --- its files
manifest=layout/blobs/sha256/${digest#*:}
layer=layout/blobs/sha256/$(jq -r '.layers[0].digest | ltrimstr("sha256:")' "$manifest")
check 'one layer' test "$(jq '.layers | length' "$manifest")" = 1
tar --numeric-owner -tvzf "$layer" >"$T/files"
check 'all of one time' test "$(awk '{ print $4, $5 }' "$T/files" | sort -u | wc -l)" = 1
check 'no other owner than root but of home and work' test -z "$(awk '$2 != "0/0" && $6 !~ /^(home\/manifesto|work)\/$/' "$T/files")"
check 'nothing runs with the rights of its owner' test -z "$(awk '$1 ~ /s/' "$T/files")"
mkdir root
tar -xzf "$layer" -C root
find root/usr/bin -type f -printf '%f\n' | sort >"$T/programs"
check 'the two programs and no other' test "$(paste -s -d' ' "$T/programs")" = 'manifesto manifesto-tuf'
check 'the certificates are those of the package' test "$(grep -c 'BEGIN CERTIFICATE' root/etc/ssl/certs/ca-certificates.crt)" = \
	"$(cat /usr/share/ca-certificates/mozilla/*.crt | grep -c 'BEGIN CERTIFICATE')"
check 'a scanner finds the version of a library' cmp root/var/lib/dpkg/status.d/libjansson4 <(dpkg-query -s libjansson4)
for package in root/var/lib/dpkg/status.d/*; do
	[ -s "root/usr/share/doc/${package##*/}/copyright" ] || echo "$package"
done >"$T/without"
check_line_count 'every package has its copyright file' 0 "$T/without"

# --- the program, with these files alone
enter() { # COMMAND...
	local start=(chroot --userspec=65532:65532)
	[ "$(id -u)" = 0 ] || start=(unshare --map-root-user chroot)
	(
		export PATH HOME=/home/manifesto
		unset MANIFESTO_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR TMPDIR
		exec "${start[@]}" root "$@"
	)
}
run enter /usr/bin/manifesto version
check_stdout_is 'it runs' "manifesto $version"
run enter /usr/bin/manifesto-tuf --version
check_status 'so does the TUF client' 0
cp -R "$T_TOP/testdata/image" app
run manifesto put --init --no-passphrase oci:app:1.0 qa-approval "$T_TOP/testdata/approval.json"
cp -R app root/work
[ "$(id -u)" != 0 ] || chown -R 65532:65532 root/work
run enter /usr/bin/manifesto trust pin oci:/work/app:1.0 /work/app/trust/1.root.json
check_status 'it pins' 0
run enter /usr/bin/manifesto get oci:/work/app:1.0 qa-approval
check_stdout_file 'it gives a record back' "$T_TOP/testdata/approval.json"
run enter /usr/bin/manifesto verify --require qa-approval oci:/work/app:1.0
check_status 'it verifies' 0
run enter /usr/bin/manifesto key add token 'pkcs11:token=none'
check_status 'the library that it loads for tokens is there: no such token' 11
check_stderr_lacks 'it is found' 'not installed'

t_done
