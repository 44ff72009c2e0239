#!/bin/bash
# Throw-away registries and Notary servers on free ports of 127.0.0.1, for tests.
#
#   lab.sh dir                          make an empty state directory and print its name
#   lab.sh start [--owner PID] DIR KIND...
#                                       start servers; may be called again to add some
#   lab.sh stop [--purge] DIR [NAME...] stop all servers, or the named ones; --purge removes DIR
#   lab.sh restart DIR NAME...          stop and start on the same port (servers in memory lose their data)
#   lab.sh s3-token DIR                 print variables with temporary keys of the object store
#   lab.sh gc DIR NAME                  collect a registry's garbage with its server down
#
# Kinds (each is also the name of its server) and the variables for them in DIR/lab.env:
#   registry         plain HTTP                     REGISTRY=HOST:PORT
#   registry-tls     TLS and basic authentication   REGISTRY_TLS, REGISTRY_TLS_USER, REGISTRY_TLS_PASSWORD
#   registry-mtls    TLS with client certificates   REGISTRY_MTLS, CLIENT_CERT, CLIENT_KEY
#   registry-token   TLS and bearer tokens          REGISTRY_TOKEN, ISSUER, TOKEN_*
#   notary           plain HTTP, memory             NOTARY=http://HOST:PORT
#   notary-tls       TLS, memory                    NOTARY_TLS=https://HOST:PORT
#   notary-token     TLS, bearer tokens, memory     NOTARY_TOKEN, ISSUER, TOKEN_*
#   notary-db        TLS, notary-signer, PostgreSQL NOTARY_DB, LAB_SQL (psql URL)
#   s3               Ceph's object store, HTTP      S3=http://HOST:PORT, S3_KEY_ID, S3_SECRET, S3_BUCKET,
#                                                   S3_PUBLIC=http://HOST:PORT/BUCKET (readable by all)
#   static           files below STATIC_DIR, HTTP   STATIC=http://HOST:PORT, STATIC_LOG (see static.py)
#   static-tls       the same, TLS                  STATIC_TLS=https://HOST:PORT
# S3_BUCKET is empty at the start; `lab.sh s3-token DIR` prints temporary keys with a session token, to be evaluated.
# Always: LAB=DIR, CA (PEM file that signed all servers), OTHER_CA (one that signed none).
# Token users: TOKEN_READER, TOKEN_WRITER, TOKEN_ADMIN ("user:password"), TOKEN_IDENTITY (the
# writer's refresh token). Without credentials only repositories below `public/` can be pulled.
#
# With --owner, a watcher stops everything and removes DIR when process PID ends for any reason.
set -u
umask 077
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB=

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null 2>&1 || die "$1 is not installed (Debian package $2)"
}

# --- processes -----------------------------------------------------------------------------

# The start time of a process in clock ticks. Together with the PID it identifies the process uniquely.
# Empty if the process is gone or a zombie.
born() {
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	line=${line##*) }
	# shellcheck disable=SC2086 # the fields of stat, from the third on
	set -- $line
	[ "$1" = Z ] || printf '%s\n' "${20}"
}

# Whether server NAME runs; sets pid.
running() {
	local start
	pid=
	[ -s "$LAB/run/$1.pid" ] || return 1
	read -r pid start <"$LAB/run/$1.pid"
	[ -n "$start" ] && [ "$(born "$pid")" = "$start" ]
}

spawn() {
	local name=$1
	shift
	env -i PATH="$PATH" HOME="$LAB" LC_ALL=C "$@" </dev/null >>"$LAB/log/$name.log" 2>&1 &
	printf '%s %s\n' $! "$(born $!)" >"$LAB/run/$name.pid"
}

stop_one() {
	local name=$1 signal=TERM i
	# PostgreSQL calls this a fast shutdown.
	[ "$name" = postgres ] && signal=INT
	if running "$name" && [ "$pid" != $$ ]; then
		kill -$signal "$pid" 2>/dev/null
		for ((i = 0; i < 200; i++)); do
			running "$name" || break
			[ $i = 100 ] && kill -KILL "$pid" 2>/dev/null
			sleep 0.05
		done
		running "$name" && die "cannot stop $name, process $pid"
	fi
	rm -f "$LAB/run/$name.pid"
}

# A server before the servers that it uses.
stop_all() {
	local name
	for name in watcher static static-tls registry registry-tls registry-mtls registry-token notary notary-tls \
		notary-token issuer notary-db signer postgres s3 s3-osd s3-mon; do
		stop_one $name
	done
}

# --- ports ---------------------------------------------------------------------------------

# A port that is free now, below the range that the kernel uses for outgoing connections.
# Another process may take it first; launch() then tries again.
free_port() {
	local port
	while :; do
		port=$((10240 + (RANDOM << 1 ^ RANDOM) % 22000))
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	printf '%s\n' $port
}

# Whether process $1 itself listens on port $2; otherwise another server may have the port.
listens() {
	local socket
	socket=$(awk -v a="0100007F:$(printf %04X "$2")" '$2 == a && $4 == "0A" { print $10 }' /proc/net/tcp)
	[ -n "$socket" ] || return 1
	if [ ! -r "/proc/$1/fd" ]; then
		# Only root can read the descriptors of notary-signer, because it protects its memory. If another
		# process had the port, notary-signer would end now.
		sleep 0.3
		[ -n "$(born "$1")" ]
		return
	fi
	find "/proc/$1/fd" -lname "socket:\[$socket\]" 2>/dev/null | grep -q .
}

# Root may not be able to read the descriptors of user postgres, so read PostgreSQL's own state file.
up() {
	if [ "$1" = postgres ]; then
		[ "$(sed -n '1p' "$LAB/data/postgres/postmaster.pid" 2>/dev/null)" = "$pid" ] &&
			sed -n '8p' "$LAB/data/postgres/postmaster.pid" | grep -q ready
	elif [ "$1" = s3-osd ]; then
		: # it takes a port of its own range; what needs it waits for it
	else
		listens "$pid" "$2"
	fi
}

# 0: it is up; 1: it ended.
wait_up() {
	local i
	for ((i = 0; i < 600; i++)); do
		running "$1" || return 1
		up "$1" "$2" && return 0
		sleep 0.05
	done
	die "$1 does not listen on port $2 after 30 seconds"
}

launch() {
	local name=$1 port try
	running "$name" && return 0
	started="$name $started"
	for ((try = 0; try < 20; try++)); do
		if [ -s "$LAB/ports/$name" ]; then
			port=$(cat "$LAB/ports/$name")
		else
			port=$(free_port)
		fi
		: >"$LAB/log/$name.log"
		configure "$name" "$port"
		spawn "$name" "${argv[@]}"
		if wait_up "$name" "$port"; then
			printf '%s\n' "$port" >"$LAB/ports/$name"
			return 0
		fi
		grep -qi 'address already in use' "$LAB/log/$name.log" || break
		sleep 0.2
	done
	tail -n 8 "$LAB/log/$name.log" >&2
	die "$name did not start"
}

# --- certificates --------------------------------------------------------------------------

# certificate NAME SECTION SUBJECT [options]: LAB/tls/NAME.key and NAME.crt
certificate() {
	local name=$1 section=$2 subject=$3
	shift 3
	openssl req -x509 -config "$LAB/tls/openssl.cnf" -extensions "$section" -newkey ec \
		-pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days 30 -subj "/CN=$subject" \
		-keyout "$LAB/tls/$name.key" -out "$LAB/tls/$name.crt" "$@" 2>"$LAB/log/openssl.log" && return 0
	cat "$LAB/log/openssl.log" >&2
	die "openssl cannot make the certificate $name"
}

make_certificates() {
	[ -s "$LAB/tls/client.crt" ] && return 0
	cat >"$LAB/tls/openssl.cnf" <<-'END'
		[req]
		distinguished_name = name
		[name]
		[authority]
		basicConstraints = critical, CA:TRUE
		keyUsage = critical, keyCertSign, cRLSign
		subjectKeyIdentifier = hash
		[host]
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
		subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
		[person]
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = clientAuth
	END
	certificate ca authority 'lab CA (TEST ONLY)'
	certificate other-ca authority 'another lab CA (TEST ONLY)'
	certificate issuer authority 'lab token issuer (TEST ONLY)'
	certificate server host localhost -CA "$LAB/tls/ca.crt" -CAkey "$LAB/tls/ca.key"
	certificate client person 'lab client (TEST ONLY)' -CA "$LAB/tls/ca.crt" -CAkey "$LAB/tls/ca.key"
}

# --- configuration of each server ----------------------------------------------------------

# Passwords with characters that a careless client mishandles.
basic_user=robot
basic_password='lab:pa%73s+1'

registry_config() { # NAME PORT, more YAML on stdin
	cat >"$LAB/etc/$1.yml" <<-END
		version: 0.1
		log:
		  level: info
		storage:
		  delete:
		    enabled: true
		  filesystem:
		    rootdirectory: $LAB/data/$1
		http:
		  addr: 127.0.0.1:$2
		  secret: only-for-tests
	END
	cat >>"$LAB/etc/$1.yml"
}

tls_yaml="  tls:
    certificate: @LAB@/tls/server.crt
    key: @LAB@/tls/server.key"

tls_registry_config() { # NAME PORT, more YAML on stdin
	{
		printf '%s\n' "${tls_yaml//@LAB@/$LAB}"
		cat
	} | registry_config "$1" "$2"
}

htpasswd_line() {
	# shellcheck disable=SC2016 # bcrypt: $2y$, cost 2^4, a salt of 22 characters
	U=$basic_user P=$basic_password perl -e \
		'print "$ENV{U}:", crypt($ENV{P}, q($2y$04$abcdefghijklmnopqrstuu)), "\n"'
}

# What both servers that check tokens need to know about the issuer, as JSON (which is also YAML).
token_options() { # SERVICE
	printf '{"realm": "http://127.0.0.1:%s/token", "service": "%s", "issuer": "lab-issuer", "rootcertbundle": "%s"}' \
		"$(cat "$LAB/ports/issuer")" "$1" "$LAB/tls/issuer.crt"
}

issuer_config() { # PORT
	cat >"$LAB/etc/issuer.json" <<-END
		{"port": $1, "issuer": "lab-issuer", "key": "$LAB/tls/issuer.key", "certificate": "$LAB/tls/issuer.crt",
		 "services": ["lab-registry", "lab-notary"], "lifetime": 300,
		 "users": {
		  "reader": {"password": "reader:pw", "actions": ["pull"]},
		  "writer": {"password": "writer:pw", "actions": ["pull", "push"], "refresh_token": "refresh-of-writer"},
		  "admin": {"password": "admin:pw", "actions": ["pull", "push", "delete", "*"]}}}
	END
	argv=("$(python_with cryptography)" "$here/issuer.py" "$LAB/etc/issuer.json")
}

python_with() { # MODULE
	local p
	p=$(sh "$here/python.sh")
	"$p" -c "import $1" 2>/dev/null || die "$p has no module $1 (Debian package python3-$1)"
	printf '%s\n' "$p"
}

tls_json() {
	printf '"tls_cert_file": "%s/tls/server.crt", "tls_key_file": "%s/tls/server.key"' "$LAB" "$LAB"
}

notary_config() { # NAME PORT MORE_OF_SERVER MORE_MEMBERS
	printf '{"server": {"http_addr": "127.0.0.1:%s"%s}, "logging": {"level": "info"}, %s}\n' \
		"$2" "${3:+, $3}" "$4" >"$LAB/etc/$1.json"
	argv=(notary-server -config "$LAB/etc/$1.json")
}

memory='"storage": {"backend": "memory"}, "trust_service": {"type": "local"}'

pg_url() { # DATABASE
	printf 'postgres://lab@127.0.0.1:%s/%s?sslmode=disable' "$(cat "$LAB/ports/postgres")" "$1"
}

signer_config() { # PORT
	printf '{"server": {"grpc_addr": "127.0.0.1:%s", %s, "client_ca_file": "%s"}, "logging": {"level": "info"},
		"storage": {"backend": "postgres", "db_url": "%s", "default_alias": "first"}}\n' \
		"$1" "$(tls_json)" "$LAB/tls/ca.crt" "$(pg_url signer)" >"$LAB/etc/signer.json"
	argv=(env NOTARY_SIGNER_FIRST=passphrase-of-the-lab notary-signer -config "$LAB/etc/signer.json")
}

notary_db_config() { # PORT
	notary_config notary-db "$1" "$(tls_json)" "$(printf '"storage": {"backend": "postgres", "db_url": "%s"},
		"trust_service": {"type": "remote", "hostname": "127.0.0.1", "port": "%s", "key_algorithm": "ecdsa",
		"tls_ca_file": "%s", "tls_client_cert": "%s", "tls_client_key": "%s"}' "$(pg_url server)" \
		"$(cat "$LAB/ports/signer")" "$LAB/tls/ca.crt" "$LAB/tls/client.crt" "$LAB/tls/client.key")"
}

# Sets pg_bin, and as_pg, because PostgreSQL refuses to run as root.
find_postgres() {
	local dir
	pg_bin=
	for dir in /usr/lib/postgresql/*/bin; do
		[ -x "$dir/postgres" ] && pg_bin=$dir
	done
	[ -n "$pg_bin" ] || die "PostgreSQL is not installed (Debian package postgresql)"
	as_pg=()
	[ "$(id -u)" != 0 ] || as_pg=(setpriv --reuid=postgres --regid=postgres --clear-groups)
}

postgres_config() { # PORT
	local data=$LAB/data/postgres
	find_postgres
	if [ ! -s "$data/PG_VERSION" ]; then
		mkdir -p "$data"
		[ ${#as_pg[@]} = 0 ] || chown postgres:postgres "$data"
		(cd / && "${as_pg[@]}" "$pg_bin/initdb" -D "$data" -U lab -A trust -E UTF8 --no-locale -N) \
			>"$LAB/log/initdb.log" 2>&1 || {
			tail -n 5 "$LAB/log/initdb.log" >&2
			die "initdb failed (can user postgres enter $data?)"
		}
	fi
	argv=("${as_pg[@]}" "$pg_bin/postgres" -D "$data" -p "$1" -c listen_addresses=127.0.0.1
		-c unix_socket_directories= -c fsync=off -c full_page_writes=off -c shared_buffers=16MB)
}

static_config() { # PORT [options]
	mkdir -p "$LAB/data/static"
	argv=("$(python_with ssl)" "$here/static.py" --port "$@" --log "$LAB/log/static.requests" "$LAB/data/static")
}

# --- object store: one Ceph monitor, one store of objects in memory, one gateway; no keyrings, no systemd

s3_key_id=AKIAMANIFESTOTEST001 s3_secret=c2VjcmV0/for+tests/only0123456789abcdefgh s3_bucket=records

# The settings of all three. The daemons check no keys among each other (CRC, since "secure" wants some).
ceph_config() { # MON-PORT
	local d=$LAB/data/ceph
	mkdir -p "$d/mon" "$d/osd" "$d/run"
	cat >"$LAB/etc/ceph.conf" <<-END
		[global]
		fsid = $(cat "$d/fsid")
		mon host = v2:127.0.0.1:$1/0
		public addr = 127.0.0.1
		cluster addr = 127.0.0.1
		ms bind ipv6 = false
		ms bind port min = $(($1 + 1))
		ms bind port max = $(($1 + 60))
		auth cluster required = none
		auth service required = none
		auth client required = none
		ms mon client mode = crc
		ms async op threads = 1
		run dir = $d/run
		admin socket = $d/run/\$name.\$pid.asok
		log file = $LAB/log/ceph-\$name.log
		mon cluster log file = $LAB/log/ceph-cluster.log
		crash dir = $d/crash
		osd pool default size = 1
		osd pool default min size = 1
		osd pool default pg num = 1
		osd pool default pgp num = 1
		osd pool default pg autoscale mode = off
		mon allow pool size one = true
		osd crush chooseleaf type = 0
		[mon]
		mon data = $d/mon
		mon data avail warn = 1
		mon data avail crit = 1
		mon max pg per osd = 1000
		paxos propose interval = 0.05
		paxos min wait = 0.01
		[osd]
		osd data = $d/osd
		osd objectstore = memstore
		osd class dir = $(echo /usr/lib/*/rados-classes)
		memstore device bytes = 1073741824
		osd crush update on start = false
		[client]
		rgw rados pool pg num min = 1
		rgw thread pool size = 64
		rgw dns name = localhost
		rgw enable gc threads = false
		rgw enable lc threads = false
		rgw enable quota threads = false
		rgw run sync thread = false
		rgw sts key = abcdefghijklmnop
		rgw s3 auth use sts = true
	END
}

ceph_run() { # COMMAND...
	timeout 60 env -i PATH="$PATH" HOME="$LAB" LC_ALL=C CEPH_CONF="$LAB/etc/ceph.conf" "$@" >>"$LAB/log/ceph.log" 2>&1 || {
		tail -n 5 "$LAB/log/ceph.log" >&2
		die "$1 failed"
	}
}

make_uuid() {
	cat /proc/sys/kernel/random/uuid
}

s3_mon_config() { # PORT
	local d=$LAB/data/ceph
	rm -rf "$d"
	mkdir -p "$d"
	make_uuid >"$d/fsid"
	ceph_config "$1"
	ceph_run osdmaptool --createsimple 1 --clobber "$d/osdmap"
	ceph_run monmaptool --create --fsid "$(cat "$d/fsid")" --addv a "[v2:127.0.0.1:$1]" "$d/monmap"
	ceph_run ceph-mon --mkfs -i a --monmap "$d/monmap" --osdmap "$d/osdmap"
	ceph_run ceph-osd --mkfs --no-mon-config -i 0 --monmap "$d/monmap" --osd-uuid "$(make_uuid)"
	argv=(env CEPH_CONF="$LAB/etc/ceph.conf" ceph-mon -f -i a --public-addrv "[v2:127.0.0.1:$1]")
}

# Signed by curl. The body's hash is a header that curl leaves to us.
s3_request() { # SERVICE [curl options] PATH
	local service=$1 path=${*: -1}
	shift
	curl -sS --fail --noproxy '*' --aws-sigv4 "aws:amz:us-east-1:$service" --user "$s3_key_id:$s3_secret" "${@:1:$# - 1}" \
		"http://127.0.0.1:$(cat "$LAB/ports/s3")$path"
}

s3_ask() { # SERVICE FORM
	s3_request "$1" --data-raw "$2" -H "x-amz-content-sha256: $(printf %s "$2" | sha256sum | cut -d' ' -f1)" /
}

# The bucket, which everybody may read and list, and the right to ask for tokens.
make_bucket() {
	local policy i
	[ ! -e "$LAB/data/ceph/bucket-made" ] || return 0
	for ((i = 0; i < 300; i++)); do
		s3_request s3 -X PUT -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "/$s3_bucket" \
			>"$LAB/log/s3-bucket.log" 2>&1 && break
		running s3 || break
		sleep 0.1
	done
	policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"],
		"Resource": ["arn:aws:s3:::'$s3_bucket'", "arn:aws:s3:::'$s3_bucket'/*"]}]}'
	s3_request s3 -X PUT --data-raw "$policy" -H "x-amz-content-sha256: $(printf %s "$policy" | sha256sum | cut -d' ' -f1)" \
		"/$s3_bucket?policy=" && : >"$LAB/data/ceph/bucket-made" && return 0
	cat "$LAB/log/s3-bucket.log" >&2
	die "the bucket cannot be made"
}

cmd_s3_token() { # DIR
	enter "${1-}"
	local policy='%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%5B'
	policy+='%22sts%3AGetSessionToken%22%2C%22s3%3A%2A%22%5D%2C%22Resource%22%3A%5B%22%2A%22%5D%7D%5D%7D'
	s3_ask iam "Action=PutUserPolicy&PolicyDocument=$policy&PolicyName=sts&UserName=tester&Version=2010-05-08" >/dev/null ||
		die "the right to ask for tokens cannot be given"
	s3_ask sts 'Action=GetSessionToken&DurationSeconds=3600&Version=2011-06-15' | tr '<' '\n' | sed -n \
		-e 's|^AccessKeyId>|export AWS_ACCESS_KEY_ID=|p' -e 's|^SecretAccessKey>|export AWS_SECRET_ACCESS_KEY=|p' \
		-e 's|^SessionToken>|export AWS_SESSION_TOKEN=|p'
}

configure() { # NAME PORT; sets argv
	argv=(docker-registry serve "$LAB/etc/$1.yml")
	case $1 in
	registry) registry_config "$1" "$2" </dev/null ;;
	registry-tls)
		htpasswd_line >"$LAB/etc/htpasswd"
		printf 'auth: {"htpasswd": {"realm": "lab", "path": "%s"}}\n' "$LAB/etc/htpasswd" |
			tls_registry_config "$1" "$2"
		;;
	registry-mtls) printf '    clientcas: ["%s"]\n' "$LAB/tls/ca.crt" | tls_registry_config "$1" "$2" ;;
	registry-token)
		printf 'auth: {"token": %s}\n' "$(token_options lab-registry)" | tls_registry_config "$1" "$2"
		;;
	issuer) issuer_config "$2" ;;
	notary) notary_config "$1" "$2" '' "$memory" ;;
	notary-tls) notary_config "$1" "$2" "$(tls_json)" "$memory" ;;
	notary-token)
		notary_config "$1" "$2" "$(tls_json)" \
			"$memory, \"auth\": {\"type\": \"token\", \"options\": $(token_options lab-notary)}"
		;;
	postgres) postgres_config "$2" ;;
	signer) signer_config "$2" ;;
	notary-db) notary_db_config "$2" ;;
	s3-mon) s3_mon_config "$2" ;;
	s3-osd) argv=(env CEPH_CONF="$LAB/etc/ceph.conf" ceph-osd -f -i 0) ;;
	s3)
		argv=(env CEPH_CONF="$LAB/etc/ceph.conf" radosgw -f -n client.rgw
			"--rgw-frontends=beast endpoint=127.0.0.1:$2 tcp_nodelay=1")
		;;
	static) static_config "$2" ;;
	static-tls) static_config "$2" --tls-cert "$LAB/tls/server.crt" --tls-key "$LAB/tls/server.key" ;;
	*) die "there is no server named $1" ;;
	esac
}

# The tables that notary 0.7 expects.
make_tables() {
	[ -e "$LAB/data/tables-made" ] && return 0
	"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 "$(pg_url postgres)" >"$LAB/log/tables.log" 2>&1 <<-'SQL' ||
		CREATE DATABASE server;
		CREATE DATABASE signer;
		\connect server
		CREATE TABLE tuf_files (
			id serial PRIMARY KEY, gun varchar(255) NOT NULL, role varchar(255) NOT NULL,
			version integer NOT NULL, sha256 char(64), data bytea NOT NULL,
			created_at timestamptz, updated_at timestamptz, deleted_at timestamptz,
			UNIQUE (gun, role, version));
		CREATE TABLE changefeed (
			id serial PRIMARY KEY, gun varchar(255) NOT NULL, version integer NOT NULL,
			sha256 char(64), category varchar(20) NOT NULL, created_at timestamptz DEFAULT now());
		\connect signer
		CREATE TABLE private_keys (
			id serial PRIMARY KEY, key_id varchar(255) NOT NULL UNIQUE, gun varchar(255) NOT NULL,
			role varchar(255) NOT NULL, algorithm varchar(50) NOT NULL, public bytea NOT NULL,
			private bytea NOT NULL, encryption_alg varchar(255) NOT NULL, keywrap_alg varchar(255) NOT NULL,
			passphrase_alias varchar(50) NOT NULL, last_used timestamptz,
			created_at timestamptz, updated_at timestamptz, deleted_at timestamptz);
	SQL
		{
			cat "$LAB/log/tables.log" >&2
			die "cannot make notary's tables"
		}
	: >"$LAB/data/tables-made"
}

# --- commands ------------------------------------------------------------------------------

start_kind() {
	case $1 in
	registry*) need docker-registry docker-registry ;;
	notary*) need notary-server notary ;;
	esac
	case $1 in
	registry | registry-tls | registry-mtls | notary | notary-tls) launch "$1" ;;
	registry-token | notary-token)
		launch issuer
		launch "$1"
		;;
	notary-db)
		need notary-signer notary
		launch postgres
		find_postgres
		make_tables
		launch signer
		launch notary-db
		;;
	s3)
		need ceph-mon ceph-mon
		need ceph-osd ceph-osd
		need radosgw radosgw
		need osdmaptool ceph-osd
		launch s3-mon
		launch s3-osd
		[ -e "$LAB/data/ceph/user-made" ] ||
			ceph_run radosgw-admin user create --uid=tester --display-name=tester --access-key="$s3_key_id" \
				--secret-key="$s3_secret" '--caps=user-policy=*'
		: >"$LAB/data/ceph/user-made"
		launch s3
		make_bucket
		;;
	issuer | postgres | signer | static | static-tls) launch "$1" ;;
	*) die "there is no kind of server named $1" ;;
	esac
}

var() { # NAME SERVER PREFIX
	[ -s "$LAB/ports/$2" ] && printf "%s='%s127.0.0.1:%s'\n" "$1" "$3" "$(cat "$LAB/ports/$2")"
}

write_env() {
	{
		printf "LAB='%s'\nCA='%s'\nOTHER_CA='%s'\n" "$LAB" "$LAB/tls/ca.crt" "$LAB/tls/other-ca.crt"
		var REGISTRY registry ''
		var REGISTRY_TLS registry-tls '' &&
			printf "REGISTRY_TLS_USER='%s'\nREGISTRY_TLS_PASSWORD='%s'\n" "$basic_user" "$basic_password"
		var REGISTRY_MTLS registry-mtls '' &&
			printf "CLIENT_CERT='%s'\nCLIENT_KEY='%s'\n" "$LAB/tls/client.crt" "$LAB/tls/client.key"
		var REGISTRY_TOKEN registry-token ''
		var NOTARY notary http://
		var NOTARY_TLS notary-tls https://
		var NOTARY_TOKEN notary-token https://
		var NOTARY_DB notary-db https:// && printf "LAB_SQL='%s'\n" "$(pg_url server)"
		var ISSUER issuer http:// | sed "s|'\$|/token'|"
		var S3 s3 http:// && printf "S3_KEY_ID='%s'\nS3_SECRET='%s'\nS3_BUCKET='%s'\n" "$s3_key_id" "$s3_secret" "$s3_bucket"
		var S3_PUBLIC s3 http:// | sed "s|'\$|/$s3_bucket'|"
		var STATIC static http://
		var STATIC_TLS static-tls https://
		printf "STATIC_DIR='%s'\nSTATIC_LOG='%s'\n" "$LAB/data/static" "$LAB/log/static.requests"
		[ -s "$LAB/ports/issuer" ] && printf '%s\n' TOKEN_READER=reader:reader:pw \
			TOKEN_WRITER=writer:writer:pw TOKEN_ADMIN=admin:admin:pw TOKEN_IDENTITY=refresh-of-writer
	} >"$LAB/lab.env.new"
	mv "$LAB/lab.env.new" "$LAB/lab.env"
}

# A directory that user postgres can enter, for whom root starts the database.
cmd_dir() {
	local base=${TMPDIR:-/tmp}
	if [ "$(id -u)" = 0 ] && id postgres >/dev/null 2>&1 &&
		! setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$base"; then
		base=/tmp
	fi
	LAB=$(mktemp -d "$base/manifesto-lab.XXXXXX") || exit 1
	chmod 711 "$LAB"
	: >"$LAB/.manifesto-lab"
	printf '%s\n' "$LAB"
}

enter() {
	[ -e "$1/.manifesto-lab" ] || die "'$1' was not made by 'lab.sh dir'"
	LAB=$(cd "$1" && pwd) || exit 1
}

cmd_start() {
	local owner='' kind
	if [ "${1-}" = --owner ]; then
		owner=$2
		shift 2
	fi
	enter "${1-}"
	shift
	need openssl openssl
	need perl perl-base
	mkdir -p "$LAB"/{run,log,etc,tls,data,ports}
	chmod 711 "$LAB/data"
	started=
	# If this call fails or is interrupted, stop the servers that it started.
	trap 'for name in $started; do stop_one "$name"; done' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ -n "$owner" ] && ! running watcher; then
		setsid "$BASH" "$here/lab.sh" watch "$LAB" "$owner" "$(born "$owner")" \
			</dev/null >"$LAB/log/watcher.log" 2>&1 &
		printf '%s %s\n' $! "$(born $!)" >"$LAB/run/watcher.pid"
	fi
	make_certificates
	for kind; do
		start_kind "$kind"
	done
	write_env
	trap - EXIT INT TERM HUP
}

cmd_watch() {
	local owner=$2 start=$3
	enter "$1"
	# The builtin read with a time limit sleeps without starting a process.
	exec 3<> <(:)
	while [ -n "$start" ] && [ "$(born "$owner")" = "$start" ]; do
		read -r -t 1 -u 3
	done
	stop_all
	rm -rf -- "$LAB"
}

cmd_stop() {
	local purge=0 name
	if [ "${1-}" = --purge ]; then
		purge=1
		shift
	fi
	enter "${1-}"
	shift
	if [ $# = 0 ]; then
		stop_all
		[ $purge = 0 ] || rm -rf -- "$LAB"
		return
	fi
	for name; do
		stop_one "$name"
	done
}

cmd_restart() {
	local dir=$1
	shift
	cmd_stop "$dir" "$@"
	cmd_start "$dir" "$@"
}

cmd_gc() {
	cmd_stop "$1" "$2"
	env -i PATH="$PATH" HOME="$LAB" docker-registry garbage-collect --delete-untagged "$LAB/etc/$2.yml" \
		>"$LAB/log/$2-gc.log" 2>&1 || {
		tail -n 5 "$LAB/log/$2-gc.log" >&2
		die "garbage collection of $2 failed"
	}
	cmd_start "$1" "$2"
}

command=${1-}
[ $# = 0 ] || shift
case $command in
dir | start | stop | restart | gc | watch) "cmd_$command" "$@" ;;
s3-token) cmd_s3_token "$@" ;;
*)
	sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p;}' "$0" >&2
	exit 2
	;;
esac
