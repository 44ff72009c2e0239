/* Errors: a caller-owned value of fixed size.
 *
 * A fallible function returns 0 or -1 and takes a last, non-NULL `struct mf_err *`.
 * Failing is one statement: return mf_fail(err, MF_E_IO, errno, "open '%s'", path);
 * The code says what the caller can do; it maps to one exit status. */
#ifndef MF_BASE_ERR_H
#define MF_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Scope cleanup: fn gets a pointer to the variable. A type that several files use has a macro of its own,
 * made with this one. */
#define MF_CLEANUP(fn) __attribute__((cleanup(fn)))
#define MF_NODISCARD __attribute__((warn_unused_result))
#define MF_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum mf_code {
	MF_OK = 0,
	MF_E_INTERNAL,    /* 1: a bug, or something no other code describes */
	MF_E_NOMEM,       /* 1 */
	MF_E_IO,          /* 1: local file or stream */
	MF_E_CANCELLED,   /* 1: the cancel callback has requested it */
	MF_E_USAGE,       /* 2: malformed argument, reference, type, option */
	MF_E_AMBIGUOUS,   /* 2: several answers; the message lists them */
	MF_E_NOT_FOUND,   /* 3: no such record, image, tag */
	MF_E_UNAVAILABLE, /* 4: network, TLS, 429, 5xx, truncated answer */
	/* 4: a registry refuses a request: 3xx and 4xx other than those above and below. */
	MF_E_REFUSED,
	MF_E_AUTH,           /* 5: 401, 403 */
	MF_E_FORMAT,         /* 6: malformed or oversized document */
	MF_E_SIGNATURE,      /* 6: threshold not met, or a key ID that does not match its key */
	MF_E_DIGEST,         /* 6: hash or length differs */
	MF_E_EXPIRED,        /* 7: trust metadata expired */
	MF_E_ROLLBACK,       /* 8: a lower version, or a clock before the floor */
	MF_E_GONE,           /* 8: a known collection or listed role is not there */
	MF_E_POLICY,         /* 9 */
	MF_E_WITHDRAWN,      /* 9: tombstone */
	MF_E_RECORD_EXPIRED, /* 9: the record's own expiry has passed */
	MF_E_PIN,            /* 10: no pin, or the pin does not match */
	MF_E_KEY,            /* 11: key missing, locked, wrong passphrase */
	MF_E_THRESHOLD,      /* 11: more signatures are needed than the keys here can make */
	MF_E_CONFLICT,       /* 12: there was another publish, or the entry changed */
	MF_E_CONTENT_GONE,   /* 13: the record is valid, but its blob is gone */
	MF_E_EXPIRING,       /* 14: status: expires soon */
};

#define MF_HINT_SIZE 512

struct mf_err {
	enum mf_code code;
	int sys; /* errno, 0 when there was none */
	char msg[1024];
	char endpoint[256];      /* URL or path where it failed, "" when local */
	char hint[MF_HINT_SIZE]; /* next step for the user, "" when there is none */
};

#define MF_ERR_INIT                                                                                          \
	{                                                                                                    \
		MF_OK, 0, "", "", ""                                                                         \
	}

/* The result of a search that may find nothing. */
enum mf_found {
	MF_FAILED = -1, /* *err says why */
	MF_ABSENT = 0,
	MF_FOUND = 1,
};

/* Records a failure and returns -1. Asserts that *err is empty, so that the first cause is never
 * overwritten. `sys` is an errno value, whose text is appended, or 0. */
int mf_fail(struct mf_err *err, enum mf_code code, int sys, const char *fmt, ...) MF_PRINTF(4, 5);
int mf_vfail(struct mf_err *err, enum mf_code code, int sys, const char *fmt, va_list ap) MF_PRINTF(4, 0);

/* Puts "context: " before the message of an existing failure; returns -1. */
int mf_wrap(struct mf_err *err, const char *fmt, ...) MF_PRINTF(2, 3);

/* Replaces the code of an existing failure (a 404 that here means "gone"); returns -1. */
int mf_recode(struct mf_err *err, enum mf_code code);

int mf_fail_nomem(struct mf_err *err);

void mf_err_set_endpoint(struct mf_err *err, const char *endpoint);
/* Sets the next step for the user; an existing hint stays. Also for the error struct of the public
 * interface. */
#define mf_err_set_hint(err, ...) mf_hint_set(&(err)->hint, __VA_ARGS__)
void mf_hint_set(char (*hint)[MF_HINT_SIZE], const char *fmt, ...) MF_PRINTF(2, 3);
void mf_err_clear(struct mf_err *err);

/* Returns whether the cause is this program and not the input: input that could not be checked for lack of
 * memory must not count as invalid. */
static inline bool mf_err_is_ours(const struct mf_err *err)
{
	return err->code == MF_E_NOMEM || err->code == MF_E_INTERNAL;
}
/* Passes on such a failure and returns -1; returns 0 for any other failure and for none. */
int mf_err_pass_ours(struct mf_err *err, const struct mf_err *why) MF_NODISCARD;
/* Returns whether a run over many items must end, because the failure is not about the item that was
 * examined. */
static inline bool mf_err_ends_run(const struct mf_err *err)
{
	return err->code == MF_E_NOMEM || err->code == MF_E_CANCELLED;
}

/* The exit status of a code. */
int mf_code_exit(enum mf_code code);
/* Stable lower-case word for --json errors: "not_found", "signature". */
const char *mf_code_name(enum mf_code code);
/* Order of gravity of exit statuses, 10 6 8 7 9 13 3 5 4 11 12 2 1 14 0: true when a is graver. */
int mf_exit_graver(int a, int b);

#endif
