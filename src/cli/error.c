#include "cli/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct manifesto_error *err, enum mf_code code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void fill(struct manifesto_error *err, enum mf_code code, const char *fmt, va_list ap)
{
	assert(err->status == MANIFESTO_OK && code != MF_OK);
	err->status = mf_code_exit(code);
	(void)snprintf(err->code, sizeof err->code, "%s", mf_code_name(code));
	(void)vsnprintf(err->message, sizeof err->message, fmt, ap);
}

int mf_cli_fail(struct manifesto_error *err, enum mf_code code, int sys, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	if (sys) {
		char text[128];
		size_t at = strlen(err->message);
		(void)snprintf(err->message + at, sizeof err->message - at, ": %s",
			       strerror_r(sys, text, sizeof text));
	}
	return -1;
}

int mf_cli_usage(struct manifesto_error *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fill(err, MF_E_USAGE, fmt, ap);
	va_end(ap);
	return -1;
}

int mf_cli_nomem(struct manifesto_error *err)
{
	return mf_cli_fail(err, MF_E_NOMEM, 0, "out of memory");
}

void mf_cli_hint(struct manifesto_error *err, const char *fmt, ...)
{
	if (err->hint[0])
		return;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(err->hint, sizeof err->hint, fmt, ap);
	va_end(ap);
}

int mf_cli_take(struct manifesto_error *err, const struct mf_err *from)
{
	(void)mf_cli_fail(err, from->code, 0, "%s", from->msg);
	(void)snprintf(err->endpoint, sizeof err->endpoint, "%s", from->endpoint);
	mf_cli_hint(err, "%s", from->hint);
	return -1;
}

int mf_cli_refail(struct manifesto_error *err, enum mf_code code, int sys, const char *what)
{
	memset(err, 0, sizeof *err);
	return mf_cli_fail(err, code, sys, "%s", what);
}
