#include "condition/jq.h"

#include "base/library.h"

#define LIBRARY "libjq.so.1"

static const struct mf_library_function functions[] = {
    {"jq_init", offsetof(struct mf_jq, init)},
    {"jq_set_error_cb", offsetof(struct mf_jq, set_error_cb)},
    {"jq_set_input_cb", offsetof(struct mf_jq, set_input_cb)},
    {"jq_set_debug_cb", offsetof(struct mf_jq, set_debug_cb)},
    {"jq_compile", offsetof(struct mf_jq, compile)},
    {"jq_start", offsetof(struct mf_jq, start)},
    {"jq_next", offsetof(struct mf_jq, next)},
    {"jq_halted", offsetof(struct mf_jq, halted)},
    {"jq_set_nomem_handler", offsetof(struct mf_jq, set_nomem_handler)},
    {"jv_parse_sized", offsetof(struct mf_jq, parse_sized)},
    {"jv_dump_string", offsetof(struct mf_jq, dump_string)},
    {"jv_get_kind", offsetof(struct mf_jq, get_kind)},
    {"jv_string_value", offsetof(struct mf_jq, string_value)},
    {"jv_invalid", offsetof(struct mf_jq, invalid)},
    {"jv_invalid_has_msg", offsetof(struct mf_jq, invalid_has_msg)},
    {"jv_invalid_get_msg", offsetof(struct mf_jq, invalid_get_msg)},
    {"jv_copy", offsetof(struct mf_jq, copy)},
    {"jv_free", offsetof(struct mf_jq, free)},
};

int mf_jq_load(struct mf_jq *out, struct mf_err *err)
{
	if (mf_library_load(LIBRARY, functions, sizeof functions / sizeof *functions, out))
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0,
		      "conditions on content need the library " LIBRARY ", which is not installed");
	mf_err_set_hint(err, "install the library of jq, in Debian the package libjq1");
	return -1;
}
