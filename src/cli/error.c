#include "cli/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mf_cli_fail(struct manifesto_error *err, enum mf_code code, int sys, const char *fmt, ...)
{
	struct mf_err cause = MF_ERR_INIT;
	va_list ap;
	va_start(ap, fmt);
	(void)mf_vfail(&cause, code, sys, fmt, ap);
	va_end(ap);
	return mf_cli_take(err, &cause);
}

int mf_cli_usage(struct manifesto_error *err, const char *fmt, ...)
{
	struct mf_err cause = MF_ERR_INIT;
	va_list ap;
	va_start(ap, fmt);
	(void)mf_vfail(&cause, MF_E_USAGE, 0, fmt, ap);
	va_end(ap);
	return mf_cli_take(err, &cause);
}

int mf_cli_nomem(struct manifesto_error *err)
{
	return mf_cli_fail(err, MF_E_NOMEM, 0, "out of memory");
}

int mf_cli_take(struct manifesto_error *err, const struct mf_err *from)
{
	assert(err->status == MANIFESTO_OK && from->code != MF_OK);
	err->status = mf_code_exit(from->code);
	(void)snprintf(err->code, sizeof err->code, "%s", mf_code_name(from->code));
	(void)snprintf(err->message, sizeof err->message, "%s", from->msg);
	(void)snprintf(err->endpoint, sizeof err->endpoint, "%s", from->endpoint);
	mf_err_set_hint(err, "%s", from->hint);
	return -1;
}

int mf_cli_refail(struct manifesto_error *err, enum mf_code code, int sys, const char *what)
{
	memset(err, 0, sizeof *err);
	return mf_cli_fail(err, code, sys, "%s", what);
}
