/* The only writer of JSON: writes a document, member by member and without white space, to a buffer or FILE.
 *
 *	struct mf_json_out j;
 *	mf_json_to_file(&j, stdout);
 *	mf_json_add_object(&j, NULL);
 *	mf_json_add_text(&j, "type", type);
 *	mf_json_close(&j);
 *
 * In an object, `name` is the member's name, a string literal; it is NULL in an array, at the top, and after
 * mf_json_key. A name that the object already has is a bug (assert). After a failure nothing more is written;
 * the first failure is reported. */
#ifndef MF_JSON_WRITER_H
#define MF_JSON_WRITER_H

#include <stdio.h>

#include "base/str.h"

enum mf_json_style {
	/* For display and for programs: text that is unsafe to display (base/text.h) is escaped, and bytes
	 * that are not UTF-8 become U+FFFD. Members keep the order in which they are added. */
	MF_JSON_SHOWN,
	/* For documents that are signed or hashed: only '"' and '\' are escaped, text that is not UTF-8 is
	 * MF_E_FORMAT, and members must be added in the order of their names (assert). The document is
	 * then in canonical form. */
	MF_JSON_CANONICAL,
};

#define MF_JSON_OUT_DEPTH 16
#define MF_JSON_OUT_NAMES 128 /* names of all open objects of a document */

struct mf_json_out {
	FILE *file;         /* NULL: the document is written to buf */
	struct mf_buf *buf; /* errors are stored in *err */
	struct mf_err *err;
	enum mf_json_style style;
	bool failed;
	bool keyed;   /* mf_json_key has written the next member's name */
	size_t start; /* length of buf before the document */
	size_t depth, nnames;
	struct {
		char end;          /* the closing bracket */
		bool any;          /* it has a member or element */
		size_t first_name; /* index in names of its first member's name */
		struct mf_str last;
	} open[MF_JSON_OUT_DEPTH];
	const char *names[MF_JSON_OUT_NAMES];
};

/* Begins a document. Write errors of f remain in the stream, and are reported when it is closed. */
void mf_json_to_file(struct mf_json_out *j, FILE *f);
void mf_json_to_buf(struct mf_json_out *j, enum mf_json_style style, struct mf_buf *buf, struct mf_err *err);
/* Ends a document in a buffer; all objects and arrays must be closed (assert). On failure the buffer is as
 * it was before. */
int mf_json_finish(struct mf_json_out *j) MF_NODISCARD;

void mf_json_add_object(struct mf_json_out *j, const char *name);
void mf_json_add_array(struct mf_json_out *j, const char *name);
void mf_json_close(struct mf_json_out *j); /* closes the innermost object or array */

/* Writes the name of the next value, which is then added without a name: for names that are data. In
 * MF_JSON_CANONICAL the name must stay in memory until the next one; in MF_JSON_SHOWN the caller makes
 * sure that names differ. */
void mf_json_key(struct mf_json_out *j, struct mf_str name);

void mf_json_add_text(struct mf_json_out *j, const char *name, const char *value);  /* NULL: null */
void mf_json_add_str(struct mf_json_out *j, const char *name, struct mf_str value); /* p NULL: null */
void mf_json_add_int(struct mf_json_out *j, const char *name, int64_t value);
void mf_json_add_bool(struct mf_json_out *j, const char *name, bool value);
void mf_json_add_time(struct mf_json_out *j, const char *name, int64_t seconds); /* RFC 3339; 0: null */
/* Adds one JSON document, which is read from the current position of a file to its end. The caller checks
 * ferror(value). */
void mf_json_add_file(struct mf_json_out *j, const char *name, FILE *value);
void mf_json_add_texts(struct mf_json_out *j, const char *name, const char *const *values, size_t n);

#endif
