/* What goes to standard output and standard error: safe text, tables, JSON, messages.
 *
 * Authors, reasons, names and server messages are written by others. A terminal acts on control characters,
 * and bidirectional overrides reorder what a reader sees; so both are escaped. */
#ifndef MF_CLI_OUTPUT_H
#define MF_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/error.h"
#include "json/writer.h"

/* Is the descriptor a terminal that moves its cursor? */
bool mf_cli_is_terminal(int fd);

/* Writes text in its safe form (base/text.h). */
void mf_cli_put_text(FILE *f, const char *text);
/* Prints to standard output, each %s in its safe form, as mf_text_printf does. */
void mf_cli_printf(const char *fmt, ...) MF_PRINTF(1, 2);

/* ---- content: mf_cli_write_out is the `write` of the library's options, and writes to standard output. The
 * library learns only that it failed; the sink keeps the reason. */
struct mf_cli_sink {
	int sys; /* errno of the failed write */
};
int mf_cli_write_out(void *arg, const void *p, size_t n);

/* ---- messages on standard error, one line each: "manifesto: ..." */
void mf_cli_message(const char *fmt, ...) MF_PRINTF(1, 2);
void mf_cli_message_to(FILE *f, const char *fmt, ...) MF_PRINTF(2, 3); /* to be shown later */
void mf_cli_warning(const char *fmt, ...) MF_PRINTF(1, 2);
/* "manifesto: refused ...": why the gate does not accept an image. */
void mf_cli_refusal(const char *fmt, ...) MF_PRINTF(1, 2);
/* The error, as text (message, endpoint, hint) or as one JSON document. */
void mf_cli_print_error(const struct manifesto_error *err, bool json);

/* ---- output that is written when all of it is known: temporary files without a name. Errors of writing stay
 * in the stream, and are found by the other two functions. */
FILE *mf_cli_spool_open(struct mf_err *err) MF_NODISCARD;
int mf_cli_spool_rewind(FILE *f, struct mf_err *err) MF_NODISCARD;
int mf_cli_spool_check(FILE *f, struct mf_err *err) MF_NODISCARD;          /* was all of it read? */
int mf_cli_spool_copy(FILE *f, FILE *to, struct mf_err *err) MF_NODISCARD; /* from its beginning */

/* ---- tables with aligned columns; cells are escaped as they are added. On a terminal that is too narrow,
 * the widest columns are cut; without a terminal, nothing is. */
#define MF_CLI_TABLE_COLUMNS 12
struct mf_cli_table {
	struct mf_buf text; /* cells, each with its NUL; */
	FILE *spool;        /* those before them, where they are many */
	size_t columns, cells;
	size_t spooled; /* cells that are in `spool` */
	size_t width[MF_CLI_TABLE_COLUMNS];
	struct mf_err failed; /* first failure, reported by mf_cli_table_print */
};
/* Begins a table with its first row. */
void mf_cli_table_init(struct mf_cli_table *t, const char *const *heads, size_t columns);
void mf_cli_table_clear(struct mf_cli_table *t);
/* Adds the next cell, row by row. NULL or "" is shown as "-". */
void mf_cli_table_add(struct mf_cli_table *t, const char *cell);
/* The same, with at most `max` characters of the cell, then "...". */
void mf_cli_table_add_cut(struct mf_cli_table *t, const char *cell, size_t max);
void mf_cli_table_addf(struct mf_cli_table *t, const char *fmt, ...) MF_PRINTF(2, 3);
/* Add a time or a version; 0 is shown as "-". */
void mf_cli_table_add_time(struct mf_cli_table *t, int64_t seconds);
void mf_cli_table_add_version(struct mf_cli_table *t, int64_t version);
int mf_cli_table_print(struct mf_cli_table *t, FILE *f, struct manifesto_error *err) MF_NODISCARD;
#define MF_CLI_TABLE_CLEANUP MF_CLEANUP(mf_cli_table_clear)

/* ---- JSON: json/writer.h */
/* Begins a document on f: {"schema":"manifesto/<schema>/v1" */
void mf_cli_json_begin(struct mf_json_out *j, FILE *f, const char *schema);
void mf_cli_json_end(struct mf_json_out *j);
/* Adds the member "error" to an open object. */
void mf_cli_json_error(struct mf_json_out *j, const struct manifesto_error *err);

#endif
