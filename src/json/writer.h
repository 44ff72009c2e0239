/* The one writer of JSON: a document goes, member by member and without white space, into a buffer or a FILE.
 *
 *	struct mf_json_out j;
 *	mf_json_to_file(&j, stdout);
 *	mf_json_add_object(&j, NULL);
 *	mf_json_add_text(&j, "type", type);
 *	mf_json_close(&j);
 *
 * `name` is the member's name in an object, a literal; NULL in an array, at the top, and behind mf_json_key.
 * A name that its object has already is a bug (assert). The first failure stays, and nothing is written after
 * it. */
#ifndef MF_JSON_WRITER_H
#define MF_JSON_WRITER_H

#include <stdio.h>

#include "base/str.h"

enum mf_json_style {
	/* For people and programs: what is unsafe to show (base/text.h) is escaped, and what is not UTF-8
	 * becomes U+FFFD. Members stand in the order in which they are added. */
	MF_JSON_SHOWN,
	/* For what is signed or hashed: only '"' and '\' are escaped, text that is not UTF-8 is MF_E_FORMAT,
	 * and members are added in the order of their names (assert); so the document is in canonical form.
	 */
	MF_JSON_CANONICAL,
};

#define MF_JSON_OUT_DEPTH 16
#define MF_JSON_OUT_NAMES 128 /* names of all open objects of a document */

struct mf_json_out {
	FILE *file;         /* NULL: the document goes into buf */
	struct mf_buf *buf; /* failures to *err */
	struct mf_err *err;
	enum mf_json_style style;
	bool failed;
	bool keyed;   /* mf_json_key has written the next member's name */
	size_t start; /* length of buf before the document */
	size_t depth, nnames;
	struct {
		char end;          /* bracket that closes it */
		bool any;          /* it has a member or element */
		size_t first_name; /* index in names of its first one */
		struct mf_str last;
	} open[MF_JSON_OUT_DEPTH];
	const char *names[MF_JSON_OUT_NAMES];
};

/* Begins a document. Write errors of f stay in the stream and are found when it is closed. */
void mf_json_to_file(struct mf_json_out *j, FILE *f);
void mf_json_to_buf(struct mf_json_out *j, enum mf_json_style style, struct mf_buf *buf, struct mf_err *err);
/* Ends a document in a buffer, where everything is closed (assert). On failure the buffer is as it was
 * before. */
int mf_json_finish(struct mf_json_out *j) MF_NODISCARD;

void mf_json_add_object(struct mf_json_out *j, const char *name);
void mf_json_add_array(struct mf_json_out *j, const char *name);
void mf_json_close(struct mf_json_out *j); /* the innermost object or array */

/* The name of the value that is added next, without one: for names that are data. In MF_JSON_CANONICAL the
 * name must stay in memory until the next one; in MF_JSON_SHOWN the caller sees to it that the names differ.
 */
void mf_json_key(struct mf_json_out *j, struct mf_str name);

void mf_json_add_text(struct mf_json_out *j, const char *name, const char *value);  /* NULL: null */
void mf_json_add_str(struct mf_json_out *j, const char *name, struct mf_str value); /* p NULL: null */
void mf_json_add_int(struct mf_json_out *j, const char *name, int64_t value);
void mf_json_add_bool(struct mf_json_out *j, const char *name, bool value);
void mf_json_add_time(struct mf_json_out *j, const char *name, int64_t seconds); /* RFC 3339; 0: null */
/* A value that is written already, of a document of its own: the rest of a file. */
void mf_json_add_file(struct mf_json_out *j, const char *name, FILE *value);
void mf_json_add_texts(struct mf_json_out *j, const char *name, const char *const *values, size_t n);

#endif
