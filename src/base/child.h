/* Runs a program that gives one answer: a credential helper, a passphrase command, a command that signs.
 *
 * The program inherits three streams and nothing else: no sockets, no locks, and none of the environment
 * variables that contain secrets (passphrases, passwords, private keys). Its input is a file that is
 * complete before the program starts, so neither side waits for the other, and a program that does not
 * read it causes no signal. */
#ifndef MF_BASE_CHILD_H
#define MF_BASE_CHILD_H

#include "base/env.h"

struct mf_child {
	const char *const *argv; /* ends with NULL; [0] is searched for in PATH unless it contains a slash */
	struct mf_bytes input;
	int64_t timeout_ms;
	const struct mf_env *env;
	const char *const
	    *hidden; /* more variables that the program does not get; ends with NULL. NULL: none */
	/* The program's standard error is that of this process; else its first line goes to `errors`. */
	bool shows_errors;
	/* The exit status; 128 plus the signal if a signal ended the program. */
	int status;
	char errors[200];
	size_t errors_n;
};

/* Runs the program, and appends its standard output, at most out->max octets, to `out`. That memory is
 * allocated first and never moves, so that the caller can wipe it. MF_ABSENT: there is no such program.
 * MF_FAILED: MF_E_CANCELLED, MF_E_NOMEM, or MF_E_IO: the program could not be started, wrote too much, or
 * did not end in time. */
enum mf_found mf_child_run(struct mf_child *c, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
