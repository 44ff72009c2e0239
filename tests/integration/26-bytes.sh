#!/bin/bash
# No byte of content is copied in vain: what the kernel counts as read and written by get and put, whatever the source.
. "$(dirname "$0")/../support/t.sh"
. "$T_TOP/tests/support/job.sh"

lab registry static notary
make_image layout >/dev/null
image=$REGISTRY/acme/app:1.0
push_image oci:layout:1.0 "$image" >/dev/null 2>&1
head -c 20000000 /dev/urandom >large # not kept in the cache
head -c 8000000 /dev/urandom >small  # kept there
# Libraries, metadata, certificates and this shell.
slack=1500000

# The kernel adds the bytes of a process that has ended to those of the one that waited for it.
counters() {
	local name value
	while read -r name value; do
		case $name in
		rchar:) read_before=$read_now read_now=$value ;;
		wchar:) written_before=$written_now written_now=$value ;;
		esac
	done <"/proc/$$/io"
}
read_now=0 written_now=0

# Whether a command reads and writes at most so many times the bytes of FILE.
moves() { # NAME FILE READS WRITES COMMAND...
	local name=$1 file=$2 reads=$3 writes=$4 size read written
	size=$(stat -c %s "$file")
	shift 4
	counters
	run "$@"
	counters
	read=$((read_now - read_before)) written=$((written_now - written_before))
	check_status "$name: status" 0
	echo "# $name: $size bytes, $read read, $written written"
	check "$name: $reads times read" test $read -le $((reads * size + slack))
	check "$name: $writes times written" test $written -le $((writes * size + slack))
}
got() { # NAME FILE
	check_stdout_file "$1" "$2"
	rm -f out
}

# Written twice: into the temporary file (which becomes the cache's), and to standard output.
check_gets() { # SOURCE [OPTIONS] IMAGE
	local source=$1
	shift
	moves "$source, large, to standard output" large 2 2 manifesto get "$@" large
	check_stdout_file "$source: the large bytes" large
	moves "$source, large, to a file" large 1 1 manifesto get -o out "$@" large
	check_same_file "$source: the large file" large out
	cold
	moves "$source, small" small 2 2 manifesto get "$@" small
	check_stdout_file "$source: the small bytes" small
	moves "$source, small, again" small 2 2 manifesto get "$@" small
	check_stdout_file "$source: the small bytes again" small
}
check_puts() { # SOURCE READS WRITES [OPTIONS] IMAGE
	local source=$1 reads=$2 writes=$3
	shift 3
	moves "$source, put of a large file" large "$reads" "$writes" manifesto put -q --init "$@" large large
	moves "$source, put of a small file" small "$reads" "$writes" manifesto put -q "$@" small small
}

check_puts 'a layout' 2 2 oci:layout:1.0
check_gets 'a layout' oci:layout:1.0
# What is sent to a registry is read, what is sent is not written. The directory gets a file of its own.
check_puts 'a directory' 3 2 --trust-server "tuf+file://$STATIC_DIR" "$image"
check_gets 'a directory' --trust-server "tuf+file://$STATIC_DIR" "$image"
check_gets 'a web server' --trust-server "tuf+$STATIC" "$image"
push_image oci:layout:1.0 "$REGISTRY/acme/other:1.0" >/dev/null 2>&1
image=$REGISTRY/acme/other:1.0
check_puts 'a registry' 2 1 --trust-server "$NOTARY" "$image"
check_gets 'a registry' --trust-server "$NOTARY" "$image"
t_done
