/* Runs a program for one answer: a credential helper, a passphrase command, a command that signs.
 *
 * The program inherits three streams and nothing else: neither sockets nor locks, and none of our secrets
 * (passphrases, passwords, variables in which a private key lies). Its input is a file that already holds the
 * question, so neither side waits for the other, and a program that does not read it raises no signal. */
#ifndef MF_BASE_CHILD_H
#define MF_BASE_CHILD_H

#include "base/env.h"

struct mf_child {
	const char *const *argv; /* ends with NULL; [0] is sought in PATH unless it has a slash */
	struct mf_bytes input;
	int64_t timeout_ms;
	const struct mf_env *env;
	const char *const
	    *hidden;       /* names of more variables that it does not get; ends with NULL. NULL: none */
	bool shows_errors; /* its standard error is ours; else the first line of it is in `errors` */
	/* What came of it: 128 and the signal when one ended it. */
	int status;
	char errors[200];
	size_t errors_n;
};

/* Runs it, and appends what it writes to standard output, at most out->max octets, to `out`: that memory is
 * reserved first and never moves, so the caller can wipe it. MF_ABSENT: there is no such program. MF_FAILED:
 * MF_E_CANCELLED, MF_E_NOMEM, or MF_E_IO when it was not started, gave too much, or did not end in time. */
enum mf_found mf_child_run(struct mf_child *c, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
