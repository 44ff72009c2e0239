#!/bin/bash
# The test runner, our own lint and deps.sh detect what they are written to detect.
. "$(dirname "$0")/../support/t.sh"

python=$(t_python)

# --- tests/run: output and exit status of a file decide

file() { # NAME, the file's text on stdin
	cat >"$T/$1.sh"
}
runs() { # NAME STATUS LAST_LINE FILE...
	local name=$1 want=$2 last=$3
	shift 3
	run "$python" "$T_TOP/tests/run" --timeout 2 "${@/#/$T/}"
	check_status "$name: status" "$want"
	check "$name: last line" test "$(tail -n 1 "$T/stdout")" = "$last"
}

file good <<<'echo "ok - one"; echo "ok 2 - two"; echo 1..2'
file bad <<<'echo "ok - one"; echo "not ok - two"; echo 1..2; exit 1'
file early <<<'echo "ok - one"; exit 0'
file short <<<'echo 1..3; echo "ok 1 - one"; echo "ok 2 - two"'
file silent <<<'echo 1..0'
file leak <<<'echo "ok - one"; echo 1..1; exit 99'
file skipped <<<'echo "ok 1 - one"; echo "ok 2 - two # SKIP no server"; echo 1..2'
file slow <<<'echo "ok - one"; echo 1..1; sleep 1000'
# shellcheck disable=SC2016 # for the file, not for here
file nested <<<'(sleep 1000 & echo $! >"$0.pid"); echo "ok - one"; echo 1..1'
file harness <<EOF2
. "$T_TOP/tests/support/t.sh"
ok one
exit 0
EOF2
file scrubbed <<EOF2
. "$T_TOP/tests/support/t.sh"
check proxy test -z "\${https_proxy-}"
check docker test -z "\${DOCKER_CONFIG-}"
check manifesto test -z "\${MANIFESTO_TRUST_SERVER-}"
check ci test -z "\${CI-}"
check home test "\$HOME" != "$HOME"
t_done
EOF2
file json <<EOF2
. "$T_TOP/tests/support/t.sh"
run echo '{"a": 1}'
check_json document '.a == 1'
run true
check_json empty '.a == null'
run echo
check_json blank '.a == null'
run echo '{"a": []}'
check_json nothing '.a[] == 1'
check_json false '.a == 1'
check_json 'no file' '.a == null' "\$T/none"
t_done
EOF2
runs 'good checks are counted' 0 '2 passed, 0 failed' good.sh
runs 'a failed check fails' 1 '1 passed, 1 failed' bad.sh
check_stdout_has 'its output is shown' 'not ok - two'
runs 'a missing plan fails' 1 '1 passed, 1 failed' early.sh
runs 'fewer checks than planned fail' 1 '2 passed, 1 failed' short.sh
runs 'no check fails' 1 '0 passed, 1 failed' silent.sh
runs 'a status without a failed check fails' 1 '1 passed, 1 failed' leak.sh
runs 'a skipped check fails' 1 '1 passed, 1 failed' skipped.sh
runs 'a file that does not end is ended' 1 '1 passed, 1 failed' slow.sh
runs 'a missing file fails' 1 '0 passed, 1 failed' none.sh
runs 'a test of the harness without t_done fails' 1 '1 passed, 1 failed' harness.sh
runs 'what is no document is not true' 1 '1 passed, 5 failed' json.sh
runs 'files are summed' 1 '3 passed, 1 failed' good.sh bad.sh
runs 'a process left behind does not last' 0 '1 passed, 0 failed' nested.sh
check 'it is gone' gone "$(cat "$T/nested.sh.pid")"
export https_proxy=http://127.0.0.1:1 DOCKER_CONFIG=/x MANIFESTO_TRUST_SERVER=https://x CI=true
runs "the user's environment is out of reach" 0 '5 passed, 0 failed' scrubbed.sh
unset https_proxy DOCKER_CONFIG MANIFESTO_TRUST_SERVER CI

# --- lint.py: one file for each rule

mkdir -p "$T/tree/src"/{base,json,crypto,net,tuf,oci,ops,cli} "$T/tree/docs"
lint() { # NAME FILE WANTED_TEXT ('' for none), the file's text on stdin
	local path=$T/tree/$2
	cat >"$path"
	run "$python" "$T_TOP/tests/support/lint.py" "$T/tree"
	rm "$path"
	if [ -z "$3" ]; then
		check_stdout_is "lint accepts $1" ''
	else
		check "lint finds $1" grep -qE "^$2:[0-9]+: .*$3" "$T/stdout"
	fi
}
include() { printf '#include %s\n' "$1"; }
# Printed in parts, so that lint does not find them in this file.
mark() { printf '/* %s%s: later */\n' TO DO; }
blanks() { printf 'int a;%s\n' ' '; }

lint 'a good file' src/json/a.c '' <<<'/* never calls system() */ static const char t[] = "gets(x)"; int f(void);'
for call in strcpy strcat sprintf gets strtok system popen setenv; do
	lint "$call()" src/cli/a.c "$call\(\) is banned" <<<"void f(void) { $call(0); }"
done
lint 'decisions in order' docs/decisions.md '' < <(printf '%s\n' '# Decisions' '' '1. **A.** B.' '3. **C.** D.')
lint 'a decision that is there twice' docs/decisions.md 'decision 3 after 3' < <(printf '%s\n' '3. **A.** B.' '3. **C.** D.')
lint 'printing in the library' src/net/a.c 'printf' <<<'void f(void) { printf("x"); }'
lint 'a higher module' src/json/a.h 'must not see tuf' < <(include '"tuf/tuf.h"')
lint 'an equal module' src/json/a.c 'must not see crypto' < <(include '"crypto/hash.h"')
lint 'a lower module' src/tuf/a.c '' < <(include '"json/json.h"')
lint 'cli seeing ops' src/cli/a.c 'manifesto/, base/ and json/writer.h only' < <(include '"ops/put.h"')
lint 'cli seeing the public header' src/cli/a.c '' < <(include '"manifesto/manifesto.h"')
lint 'curl outside net' src/oci/a.c 'net only' < <(include '<curl/curl.h>')
lint 'OpenSSL outside crypto' src/tuf/a.c 'crypto, keys only' < <(include '<openssl/evp.h>')
lint 'libsodium outside crypto' src/ops/a.c 'crypto, keys only' < <(include '<sodium.h>')
lint 'jansson outside json' src/tuf/a.c 'json only' < <(include '<jansson.h>')
lint 'a clock in a pure module' src/tuf/a.c 'is pure' < <(include '<time.h>')
lint 'a function of 61 lines' src/base/a.c 'function of 61 lines' \
	< <(echo 'int f(void)'; echo '{'; for ((i = 0; i < 61; i++)); do echo '	g();'; done; echo '}')
lint 'a function of 60 lines' src/base/a.c '' \
	< <(echo 'int f(void)'; echo '{'; for ((i = 0; i < 60; i++)); do echo '	g();'; done; echo '}')
lint 'a file of 801 lines' src/base/a.c '801 lines' < <(for ((i = 0; i < 801; i++)); do echo 'int a;'; done)
decl='int g(int a, struct mf_err *err);'
for use in 'if (g(1, err))' 'if (a || g(1, err))' 'while (!g(1, err))' 'return g(1, err) ? 1 : 2' 'if (rename(a, b))' \
	'if (g(1, err) && b)'; do
	lint "a failure as truth: $use" src/base/a.c '[a-z]+\(\) fails with -1' <<<"$decl void f(void) { $use; }"
done
lint 'a failing member as truth' src/base/a.c 'get\(\) fails' \
	<<<'struct s { int (*get)(void *a, struct mf_err *err); }; void f(void) { if (s->t[0].get(a, err)) return; }'
for use in 'if (g(1, err) < 0)' 'return g(1, err)' 'int r = g(g(1, err), err)' '(void)!g(1, err)' 'if (is(a) || b(c))'; do
	lint "$use" src/base/a.c '' <<<"$decl void f(void) { $use; }"
done
lint 'sizeof (expression)' src/base/a.c 'without parentheses' <<<'int n = sizeof(x);'
lint 'sizeof (type)' src/base/a.c '' <<<'int n = sizeof(struct a) + sizeof(size_t) + sizeof x + sizeof(DIR *) + sizeof((struct a *)0)->b;'
lint 'a flag without a name' src/base/a.c 'a flag of g\(\)' <<<'void f(void) { g(h(a, b), true); }'
lint 'a flag alone' src/base/a.c 'a flag of g\(\)' <<<'void f(void) { g(false); }'
lint 'flags that have names' src/base/a.c '' <<<'struct s s = {a, true}; bool f(void) { return a == false; }'
lint 'a failure through err->code' src/base/a.c 'what a function returns' <<<'void f(void) { if (err->code) return; }'
lint 'a raw cleanup' src/base/a.c 'MF_CLEANUP' <<<'char *p __attribute__((cleanup(f)));'
lint 'the macro itself' src/base/err.h '' <<<'#define MF_CLEANUP(fn) __attribute__((cleanup(fn)))'
lint '%ju' src/base/a.c 'with a cast' <<<'const char *f = "%ju";'
lint 'outcomes without names' src/base/a.c 'have names' <<<'/* 1, 0, -1. */'
lint 'a sentence over members' src/base/a.h 'over two members' < <(printf '%s\n' 'struct s {' '	int a; /* the one, */' \
	'	int b; /* and the other */' '};')
lint 'comments of members' src/base/a.h '' < <(printf '%s\n' 'struct s {' '	int a; /* the one */' '	int b; /* the other */' '};')
lint 'unfinished work' docs/a.md 'unfinished work' < <(mark)
lint 'a trailing blank' docs/a.md 'blank at the end' < <(blanks)
lint 'a missing newline at the end' docs/a.md 'no newline' < <(printf 'text')

# --- deps.sh, with few programs in PATH

mkdir "$T/few"
for program in sh sort tr uname ls; do
	ln -s "$(command -v $program)" "$T/few/$program"
done
program() { # NAME, its text on stdin
	{ echo '#!/bin/sh'; cat; } >"$T/few/$1"
	chmod +x "$T/few/$1"
}
deps() {
	PATH=$T/few "$T/few/sh" "$T_TOP/tests/support/deps.sh" "$@"
}
run sh "$T_TOP/tests/support/deps.sh" build check
check_status 'nothing is done when all packages are there' 0
check_stdout_is 'and nothing is reported' ''
program id <<<'echo 1000'
run deps lint
check_status 'without rights nothing is installed' 1
# Debian's python3 is found although it is not in this PATH.
check 'the command to run is printed' \
	grep -qE '^  sudo apt-get install .* clang clang-tidy cppcheck (git )?shellcheck$' "$T/stderr"
program apt-get <<<"echo \"\$*\" >>$T/apt"
program env <<<'shift; exec "$@"'
program id <<<'echo 0'
run deps lint
check_status 'root installs' 0
check 'what is missing' grep -qE '^install .* clang clang-tidy cppcheck (git )?shellcheck$' "$T/apt"
program id <<<'echo 1000'
program sudo <<<'echo "sudo $*" >>'"$T/apt; exit 1"
run deps lint
check_status 'a sudo that asks is not waited for' 1
check 'it was asked once, not to ask' grep -qx 'sudo -n true' "$T/apt"
# A python3 that comes first in PATH and has every module, beside a Debian one that has not.
if [ "$python" = /usr/bin/python3 ]; then
	program python3 <<<'exit 0'
	mkdir "$T/lacking"
	echo 'raise ImportError("hidden")' >"$T/lacking/jsonschema.py"
	PYTHONPATH=$T/lacking run deps check
	check 'a module is searched for in the Python that runs the tests' grep -q python3-jsonschema "$T/stderr"
	PATH=$T/few:$PATH make -s -n -C "$T_TOP" check-built >"$T/plan" 2>&1
	check 'and that Python runs them' grep -q ' /usr/bin/python3 tests/run' "$T/plan"
fi
run deps everything
check_status 'an unknown purpose is an error' 2

t_done
