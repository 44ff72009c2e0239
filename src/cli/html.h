/* Writing HTML: what comes from data goes through the functions here, and nothing of it can be markup. */
#ifndef MF_CLI_HTML_H
#define MF_CLI_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/* Text for an element or a quoted attribute: in its safe form (base/text.h), markup escaped. NULL: nothing.
 */
void mf_html_text(FILE *f, const char *text);
/* As mf_html_text, of at most max characters, then an ellipsis. */
void mf_html_text_cut(FILE *f, const char *text, size_t max);
/* The format is markup of our own; each %s goes through mf_html_text. Also understood are %d %zu %lld and %%:
 * anything else is a bug (assert). */
void mf_html_printf(FILE *f, const char *fmt, ...) MF_PRINTF(2, 3);
/* A JSON document as the content of a <script>: what could end that is escaped within its strings. */
void mf_html_json(FILE *f, struct mf_str json);

/* "2026-11-29 18:00 UTC" as <time>; 0: "unknown". */
void mf_html_time(FILE *f, int64_t seconds);
/* How long until then, or since: "in 12 days", "3 hours ago". */
#define MF_HTML_SPAN 48
void mf_html_span(char out[MF_HTML_SPAN], int64_t seconds, int64_t now);

#endif
