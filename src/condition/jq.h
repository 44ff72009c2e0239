/* The functions of libjq that are used. Internal to the module condition. */
#ifndef MF_CONDITION_JQ_H
#define MF_CONDITION_JQ_H

#include <jq.h>

#include "base/str.h"

struct mf_jq {
	__typeof__(jq_init) *init;
	__typeof__(jq_set_error_cb) *set_error_cb;
	__typeof__(jq_set_input_cb) *set_input_cb;
	__typeof__(jq_set_debug_cb) *set_debug_cb;
	__typeof__(jq_compile) *compile;
	__typeof__(jq_start) *start;
	__typeof__(jq_next) *next;
	__typeof__(jq_halted) *halted;
	__typeof__(jq_set_nomem_handler) *set_nomem_handler;
	__typeof__(jv_parse_sized) *parse_sized;
	__typeof__(jv_dump_string) *dump_string;
	__typeof__(jv_get_kind) *get_kind;
	__typeof__(jv_string_value) *string_value;
	__typeof__(jv_invalid) *invalid;
	__typeof__(jv_invalid_has_msg) *invalid_has_msg;
	__typeof__(jv_invalid_get_msg) *invalid_get_msg;
	__typeof__(jv_copy) *copy;
	__typeof__(jv_free) *free;
};
/* Loads libjq, which stays loaded. MF_E_USAGE: it is not installed. */
int mf_jq_load(struct mf_jq *out, struct mf_err *err) MF_NODISCARD;

#endif
