/* Errors of the program fill the public error struct, so that they print like the library's. */
#ifndef MF_CLI_ERROR_H
#define MF_CLI_ERROR_H

#include "base/err.h"
#include "manifesto/manifesto.h"

/* As mf_fail: records a failure in an empty *err and returns -1. */
int mf_cli_fail(struct manifesto_error *err, enum mf_code code, int sys, const char *fmt, ...)
    MF_PRINTF(4, 5);
/* Fails with MF_E_USAGE; main.c adds the usage hint. */
int mf_cli_usage(struct manifesto_error *err, const char *fmt, ...) MF_PRINTF(2, 3);
int mf_cli_nomem(struct manifesto_error *err);
/* Records a failure of a lower module in an empty *err. Returns -1. */
int mf_cli_take(struct manifesto_error *err, const struct mf_err *from);
/* Replaces a failure by the cause that the library could not know (a callback of ours failed). Returns -1. */
int mf_cli_refail(struct manifesto_error *err, enum mf_code code, int sys, const char *what);

#endif
