#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Appends as much of the text as fits. */
static void append(struct mf_err *err, const char *text)
{
	size_t at = strlen(err->msg), n = strlen(text), room = sizeof err->msg - 1 - at;
	if (n > room)
		n = room;
	memcpy(err->msg + at, text, n);
	err->msg[at + n] = 0;
}

int mf_fail(struct mf_err *err, enum mf_code code, int sys, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)mf_vfail(err, code, sys, fmt, ap);
	va_end(ap);
	return -1;
}

int mf_vfail(struct mf_err *err, enum mf_code code, int sys, const char *fmt, va_list ap)
{
	assert(err && err->code == MF_OK && code != MF_OK);
	err->code = code;
	err->sys = sys;
	(void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	if (sys) {
		char text[128];
		append(err, ": ");
		append(err, strerror_r(sys, text, sizeof text));
	}
	return -1;
}

int mf_wrap(struct mf_err *err, const char *fmt, ...)
{
	assert(err && err->code != MF_OK);
	char old[sizeof err->msg];
	memcpy(old, err->msg, sizeof old);
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	append(err, ": ");
	append(err, old);
	return -1;
}

int mf_recode(struct mf_err *err, enum mf_code code)
{
	assert(err && err->code != MF_OK && code != MF_OK);
	err->code = code;
	return -1;
}

int mf_fail_nomem(struct mf_err *err)
{
	return mf_fail(err, MF_E_NOMEM, 0, "out of memory");
}

void mf_err_set_endpoint(struct mf_err *err, const char *endpoint)
{
	if (!err->endpoint[0])
		(void)snprintf(err->endpoint, sizeof err->endpoint, "%s", endpoint);
}

void mf_hint_set(char (*hint)[MF_HINT_SIZE], const char *fmt, ...)
{
	if ((*hint)[0])
		return;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(*hint, sizeof *hint, fmt, ap);
	va_end(ap);
}

int mf_err_pass_ours(struct mf_err *err, const struct mf_err *why)
{
	return mf_err_is_ours(why) ? mf_fail(err, why->code, 0, "%s", why->msg) : 0;
}

void mf_err_clear(struct mf_err *err)
{
	*err = (struct mf_err)MF_ERR_INIT;
}

static const struct {
	enum mf_code code;
	int exit;
	const char *name;
} codes[] = {
    {MF_OK, 0, "ok"},
    {MF_E_INTERNAL, 1, "internal"},
    {MF_E_NOMEM, 1, "out_of_memory"},
    {MF_E_IO, 1, "io"},
    {MF_E_CANCELLED, 1, "cancelled"},
    {MF_E_USAGE, 2, "usage"},
    {MF_E_AMBIGUOUS, 2, "ambiguous"},
    {MF_E_NOT_FOUND, 3, "not_found"},
    {MF_E_UNAVAILABLE, 4, "unavailable"},
    {MF_E_REFUSED, 4, "unavailable"},
    {MF_E_AUTH, 5, "not_authorised"},
    {MF_E_FORMAT, 6, "format"},
    {MF_E_SIGNATURE, 6, "signature"},
    {MF_E_DIGEST, 6, "digest"},
    {MF_E_EXPIRED, 7, "expired"},
    {MF_E_ROLLBACK, 8, "rollback"},
    {MF_E_GONE, 8, "gone"},
    {MF_E_POLICY, 9, "policy"},
    {MF_E_WITHDRAWN, 9, "withdrawn"},
    {MF_E_RECORD_EXPIRED, 9, "record_expired"},
    {MF_E_PIN, 10, "pin"},
    {MF_E_KEY, 11, "key"},
    {MF_E_THRESHOLD, 11, "key"},
    {MF_E_CONFLICT, 12, "conflict"},
    {MF_E_CONTENT_GONE, 13, "content_gone"},
    {MF_E_EXPIRING, 14, "expiring"},
};

int mf_code_exit(enum mf_code code)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].code == code)
			return codes[i].exit;
	return 1;
}

const char *mf_code_name(enum mf_code code)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (codes[i].code == code)
			return codes[i].name;
	return "internal";
}

int mf_exit_graver(int a, int b)
{
	static const int order[] = {10, 6, 8, 7, 9, 13, 3, 5, 4, 11, 12, 2, 1, 14, 0};
	size_t n = sizeof order / sizeof order[0], ia = n, ib = n;
	for (size_t i = 0; i < n; i++) {
		if (order[i] == a)
			ia = i;
		if (order[i] == b)
			ib = i;
	}
	return ia < ib;
}
