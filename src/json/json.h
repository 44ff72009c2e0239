/* Untrusted JSON: one strict pull reader. A document is read once, front to back; each
 * value is either entered, converted or skipped, and all of it is validated on
 * the way: RFC 8259 grammar, UTF-8 (no surrogates, no overlong forms), paired surrogate escapes,
 * unique member names in every object and no NUL in one, depth at most MF_MAX_JSON_DEPTH, whole numbers
 * within 64 bits (unless `any_size` is set) and others below 1e308 (beyond, readers differ), nothing but
 * white space after the value. In the same pass the reader notes whether the bytes are canonical (see
 * below). Speed matters: targets files are tens of megabytes.
 *
 * Every function that fails leaves MF_E_FORMAT with the byte offset in the message (or MF_E_NOMEM); a
 * reader that has failed must not be used again. */
#ifndef MF_JSON_JSON_H
#define MF_JSON_JSON_H

#include <jansson.h>

#include "base/limits.h"
#include "base/str.h"

#define MF_JSON_MAX_OPEN (MF_MAX_JSON_DEPTH + 1)

enum mf_json_type {
	MF_JSON_OBJECT,
	MF_JSON_ARRAY,
	MF_JSON_STRING,
	MF_JSON_NUMBER,
	MF_JSON_TRUE,
	MF_JSON_FALSE,
	MF_JSON_NULL,
};

/* A string as written between its quotes; `escaped`: it contains a backslash. */
struct mf_json_string {
	struct mf_str raw;
	bool escaped;
};

/* One member name of an open object, kept to detect duplicates. */
struct mf_json_key {
	const char *p;
	size_t n;
	bool escaped;
};

struct mf_json_reader {
	const char *start, *at, *end;
	size_t depth;
	struct mf_json_key *keys; /* member names of all open objects, innermost last */
	size_t nkeys, keys_cap;
	struct {
		size_t first_key; /* index in keys of the object's first name */
		bool is_object;
		bool sorted; /* names strictly ascending so far */
		bool any;    /* it has a member or element */
	} open[MF_JSON_MAX_OPEN];
	size_t last_odd; /* offset + 1 of the last byte that is not canonical; 0: none */
	bool no_nul;     /* skipped strings must not contain NUL either, for readers in C */
	bool any_size;   /* whole numbers may have any number of digits, and are canonical as written */
};
#define MF_JSON_READER_CLEANUP MF_CLEANUP(mf_json_reader_clear)

void mf_json_reader_init(struct mf_json_reader *r, struct mf_bytes doc);
void mf_json_reader_clear(struct mf_json_reader *r);

/* Gives the type of the next value. */
int mf_json_peek(struct mf_json_reader *r, enum mf_json_type *type, struct mf_err *err) MF_NODISCARD;
/* Enter an object or array. Each _next returns MF_FOUND when a member or element follows, MF_ABSENT when
 * the end was read. */
int mf_json_object(struct mf_json_reader *r, struct mf_err *err) MF_NODISCARD;
enum mf_found mf_json_object_next(struct mf_json_reader *r, struct mf_json_string *name,
				  struct mf_err *err) MF_NODISCARD;
int mf_json_array(struct mf_json_reader *r, struct mf_err *err) MF_NODISCARD;
enum mf_found mf_json_array_next(struct mf_json_reader *r, struct mf_err *err) MF_NODISCARD;
/* Read a scalar. MF_E_FORMAT: the value has another type. */
int mf_json_string(struct mf_json_reader *r, struct mf_json_string *out, struct mf_err *err) MF_NODISCARD;
int mf_json_bool(struct mf_json_reader *r, bool *out, struct mf_err *err) MF_NODISCARD;
/* Reads a whole number without fraction, exponent or -0, with min <= value <= max. */
int mf_json_int(struct mf_json_reader *r, int64_t min, int64_t max, int64_t *out,
		struct mf_err *err) MF_NODISCARD;
int mf_json_null(struct mf_json_reader *r, struct mf_err *err) MF_NODISCARD;
/* Validates any value, and gives its bytes (slice may be NULL). */
int mf_json_skip(struct mf_json_reader *r, struct mf_str *slice, struct mf_err *err) MF_NODISCARD;
/* Skips white space, and returns the offset of the next value. For the bytes of values that the caller
 * enters. */
size_t mf_json_offset(struct mf_json_reader *r);
/* Returns whether every byte from offset `from` to the current one is canonical. */
bool mf_json_canonical_since(const struct mf_json_reader *r, size_t from);
/* Checks that nothing but white space is left. */
int mf_json_end(struct mf_json_reader *r, struct mf_err *err) MF_NODISCARD;

/* Returns whether the decoded string equals z. Allocates nothing. */
bool mf_json_string_eq(struct mf_json_string s, const char *z);
/* Appends the decoded UTF-8. */
int mf_json_string_decode(struct mf_json_string s, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Compares the decoded bytes, like memcmp. */
int mf_json_string_cmp(struct mf_json_string a, struct mf_json_string b);

/* ---- Canonical form (OLPC canonical JSON as TUF and Notary sign it): no white space, members sorted
 * by the bytes of the decoded name, only '"' and '\' escaped, whole numbers within +-(2^53-1).
 * A value like 1.0 or 1e3 is whole and becomes 1 and 1000 (decided on the decimal digits, exactly); a
 * fraction or a number outside the range is MF_E_FORMAT. Canonical text may hold raw control characters and
 * is then not JSON. */

/* Appends the canonical form of a value (any valid JSON text, validated here again). */
int mf_json_canonicalize(struct mf_str value, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* The same, but whole numbers without fraction and exponent may have any size and are copied, as Python's
 * clients sign them. */
int mf_json_canonicalize_any(struct mf_str value, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Appends Notary's wire form of canonical bytes: < > & U+2028 U+2029 as \u003c \u003e \u0026 \u2028
 * \u2029. Control characters have no wire form: MF_E_FORMAT. */
int mf_json_wire(struct mf_str canonical, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Appends a quoted canonical string of decoded text (valid UTF-8 or MF_E_FORMAT). */
int mf_json_quote(struct mf_str text, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

/* ---- Small documents as jansson trees, made only of bytes that the strict reader accepts. */
json_t *mf_json_load(struct mf_bytes doc, size_t max, struct mf_err *err) MF_NODISCARD; /* NULL on failure */
/* The same for a file that people edit: a byte order mark at the start is ignored (RFC 8259 section 8.1). */
json_t *mf_json_load_written(struct mf_bytes doc, size_t max, struct mf_err *err) MF_NODISCARD;
/* Returns an object with all members of o, or NULL. (json_copy returns a partial copy when it lacks
 * memory.) */
json_t *mf_json_copy(json_t *o, struct mf_err *err) MF_NODISCARD;
static inline void mf_json_decref_cleanup(json_t **j)
{
	json_decref(*j);
}
#define MF_JSON_CLEANUP MF_CLEANUP(mf_json_decref_cleanup)
/* Read a member of a given type; another type is always MF_E_FORMAT. If an optional member is absent, *out
 * does not change. Strings are borrowed from the tree and contain no NUL. */
enum mf_json_need { MF_JSON_OPTIONAL, MF_JSON_REQUIRED };
int mf_json_get_str(const json_t *o, const char *name, enum mf_json_need need, const char **out,
		    struct mf_err *err) MF_NODISCARD;
int mf_json_get_int(const json_t *o, const char *name, enum mf_json_need need, int64_t min, int64_t max,
		    int64_t *out, struct mf_err *err) MF_NODISCARD;
int mf_json_get_obj(const json_t *o, const char *name, enum mf_json_need need, json_t **out,
		    struct mf_err *err) MF_NODISCARD;
int mf_json_get_arr(const json_t *o, const char *name, enum mf_json_need need, json_t **out,
		    struct mf_err *err) MF_NODISCARD;
/* Reads a list of 1 to `max` strings. The caller frees *out; its strings are borrowed. If an optional list
 * is absent, *out and *n do not change. */
int mf_json_get_strs(const json_t *o, const char *name, enum mf_json_need need, size_t max, const char ***out,
		     size_t *n, struct mf_err *err) MF_NODISCARD;
/* Checks that an object has no members but these (the list ends with NULL), so that a misspelled member is
 * not taken for an absent one. */
int mf_json_check_members(const json_t *o, const char *const *names, struct mf_err *err) MF_NODISCARD;
/* Appends the text that json_dumps gives, or fails. (json_dumps itself may leave out parts when it lacks
 * memory.) */
int mf_json_dump(const json_t *j, size_t flags, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;
/* Appends the canonical form of a jansson tree (integers, strings, booleans, null; a real is MF_E_FORMAT). */
int mf_json_dump_canonical(const json_t *j, struct mf_buf *out, struct mf_err *err) MF_NODISCARD;

#endif
