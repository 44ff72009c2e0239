/* What goes to standard output and standard error: safe text, tables, JSON, messages.
 *
 * Authors, reasons, names and server messages are other people's bytes. A terminal acts on control
 * characters, and bidirectional overrides reorder what a reader sees; so neither leaves the program as such.
 */
#ifndef MF_CLI_OUTPUT_H
#define MF_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"
#include "cli/error.h"

/* One code point from [p, end), strictly UTF-8 (RFC 3629: no overlong form, no surrogate). Returns its bytes,
 * 0 when there is none. */
size_t mf_cli_utf8_next(const char *p, const char *end, uint32_t *code);

/* Text with everything escaped that a terminal could act on: \u{1b}, \xff for what is not UTF-8. */
void mf_cli_put_text(FILE *f, const char *text);

/* ---- messages on standard error, one line each: "manifesto: ..." */
void mf_cli_message(const char *fmt, ...) MF_PRINTF(1, 2);
void mf_cli_warning(const char *fmt, ...) MF_PRINTF(1, 2);
/* The error, as text (message, endpoint, hint) or as one JSON document. */
void mf_cli_print_error(const struct manifesto_error *err, bool json);

/* ---- aligned columns; cells are escaped as they are added */
#define MF_CLI_TABLE_COLUMNS 12
struct mf_cli_table {
	struct mf_buf text; /* cells, each with its NUL */
	size_t columns, cells;
	size_t width[MF_CLI_TABLE_COLUMNS];
	struct mf_err failed; /* first failure, reported by mf_cli_table_print */
};
void mf_cli_table_init(struct mf_cli_table *t, size_t columns);
void mf_cli_table_clear(struct mf_cli_table *t);
/* The next cell, row by row. NULL or "": shown as "-". */
void mf_cli_table_add(struct mf_cli_table *t, const char *cell);
/* At most `max` characters of it, then "...". */
void mf_cli_table_add_cut(struct mf_cli_table *t, const char *cell, size_t max);
int mf_cli_table_print(struct mf_cli_table *t, FILE *f, struct manifesto_error *err) MF_NODISCARD;
#define MF_CLI_TABLE_CLEANUP MF_CLEANUP(mf_cli_table_clear)

/* ---- JSON; write errors stay in the stream and are found when it is closed. name: NULL in arrays. */
struct mf_cli_json_out {
	FILE *f;
	bool comma; /* the container has a member already */
};
void mf_cli_json_open(struct mf_cli_json_out *j, const char *name, char bracket);      /* '{' or '[' */
void mf_cli_json_close(struct mf_cli_json_out *j, char bracket);                       /* '}' or ']' */
void mf_cli_json_text(struct mf_cli_json_out *j, const char *name, const char *value); /* NULL: null */
void mf_cli_json_span(struct mf_cli_json_out *j, struct mf_str name, struct mf_str value);
void mf_cli_json_int(struct mf_cli_json_out *j, const char *name, int64_t value);
void mf_cli_json_bool(struct mf_cli_json_out *j, const char *name, bool value);
void mf_cli_json_time(struct mf_cli_json_out *j, const char *name, int64_t seconds); /* 0: null */
void mf_cli_json_texts(struct mf_cli_json_out *j, const char *name, const char *const *values, size_t n);
/* Begins a document on f: {"schema":"manifesto/<schema>/v1" */
void mf_cli_json_begin(struct mf_cli_json_out *j, FILE *f, const char *schema);
void mf_cli_json_end(struct mf_cli_json_out *j);
/* The member "error", for one of several repositories, or for the program. */
void mf_cli_json_error(struct mf_cli_json_out *j, const struct manifesto_error *err);

#endif
