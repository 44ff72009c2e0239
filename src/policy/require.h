/* What a gate requires: requirements, veto roles, waivers. Pure: text in, structs out.
 *
 * One requirement on the command line is TYPE, TYPE=ROLE or "TYPE=M of ROLE,ROLE"; several with more detail
 * are a policy file (policy/document.h). docs/policy.md is the reference. */
#ifndef MF_POLICY_REQUIRE_H
#define MF_POLICY_REQUIRE_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/limits.h"

#define MF_TYPE_WAIVER "waiver"

/* One record that an image must have. The strings are in the arena of the rules. */
struct mf_requirement {
	const char *type;
	const char **roles; /* records of any of these count; none: of all authorities for the type */
	size_t nroles;
	int64_t signers;        /* distinct keys over the same content, at least 1 */
	int64_t max_age_s;      /* 0: any */
	const char *media_type; /* NULL: any */
	/* The record must have been promoted, and original_signers of these keys must have signed its
	 * originals. No keys: not required. */
	struct mf_digest *original_keys; /* fingerprints */
	size_t noriginal_keys;
	int64_t original_signers;
	/* Only originals of these repositories count; a name that ends with an asterisk is a prefix. None:
	 * originals of all repositories count. */
	const char **original_repositories;
	size_t noriginal_repositories;
	const char **where; /* jq programs; each must give `true` for the content */
	size_t nwhere;
};

/* A policy: all of it must hold. */
struct mf_rules {
	struct mf_arena arena;
	const char *name; /* NULL: none was given */
	struct mf_requirement *v;
	size_t n, cap;
	const char **veto; /* tombstones and vetoes of these roles block, whatever types the roles may sign */
	size_t nveto;
	const char **distinct; /* types; no key counts for two requirements of these */
	size_t ndistinct;
	bool forbid_tags; /* image references must have a digest */
	bool has_waiver;
	struct mf_requirement waiver; /* of type `waiver`: who may waive */
	bool has_file;
	struct mf_digest file; /* SHA-256 of the policy file */
};
void mf_rules_clear(struct mf_rules *r);
#define MF_RULES_CLEANUP MF_CLEANUP(mf_rules_clear)

/* Adds TYPE, TYPE=ROLE or "TYPE=M of ROLE[,ROLE...]". A list without "M of" is refused, because it does not
 * say whether one role or all must sign. MF_E_USAGE. */
int mf_rules_require(struct mf_rules *r, struct mf_str text, struct mf_err *err) MF_NODISCARD;
/* Adds a condition, TYPE=PROGRAM, to the requirements of the type. MF_E_USAGE, also if there are none. */
int mf_rules_where(struct mf_rules *r, struct mf_str text, struct mf_err *err) MF_NODISCARD;
/* Adds a condition to one requirement. MF_E_USAGE: it is empty or too long, or there are too many. */
int mf_requirement_where(struct mf_arena *a, struct mf_requirement *q, struct mf_str program,
			 struct mf_err *err) MF_NODISCARD;
/* Sets the types, TYPE,TYPE..., whose signers must differ. MF_E_USAGE, also if they were set before. */
int mf_rules_distinct(struct mf_rules *r, struct mf_str types, struct mf_err *err) MF_NODISCARD;
bool mf_rules_is_distinct(const struct mf_rules *r, const char *type);
/* Checks, when all parts are set, that they fit together. MF_E_USAGE: a type whose signers must differ is not
 * required, or there is only one such requirement. */
int mf_rules_check(const struct mf_rules *r, struct mf_err *err) MF_NODISCARD;
/* Appends a copy. MF_E_USAGE: there are too many. */
int mf_rules_add(struct mf_rules *r, const struct mf_requirement *q, struct mf_err *err) MF_NODISCARD;
/* Limits the age of records in all requirements; lower limits of their own stay. */
void mf_rules_limit_age(struct mf_rules *r, int64_t max_age_s);

/* 1 to 255 octets of printable ASCII without space and comma. MF_E_USAGE. */
int mf_role_name_check(struct mf_str name, struct mf_err *err) MF_NODISCARD;
/* MF_E_USAGE: there are too many roles, or one is named twice ("qa" and "targets/qa" are the same). */
int mf_role_list_check(const char *const *roles, size_t n, struct mf_err *err) MF_NODISCARD;

/* MF_E_USAGE: a type is named twice. */
int mf_distinct_check(const char *const *types, size_t n, struct mf_err *err) MF_NODISCARD;

/* Appends the requirement in words: "'scan-report' signed by 2 keys of the roles qa, appsec". */
int mf_requirement_words(const struct mf_requirement *q, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
