/* The recovery kit of trust init. */
#ifndef MF_OPS_RECOVERY_H
#define MF_OPS_RECOVERY_H

#include "ops/ops.h"

struct mf_recovery {
	struct mf_image *im;
	const char *dir;
	int threshold;                 /* of the root */
	const struct mf_key_info *key; /* set by mf_recovery_make; owned by the keystore */
};
/* Makes the directory, which must be empty. MF_E_USAGE. */
int mf_recovery_prepare(const char *dir, struct mf_err *err) MF_NODISCARD;
/* Writes the kit, once: the encrypted key and two pages. arg: a struct mf_recovery. */
int mf_recovery_make(void *arg, const struct mf_key_info **out, struct mf_err *err) MF_NODISCARD;

#endif
