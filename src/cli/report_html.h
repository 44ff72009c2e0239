/* Writing HTML: all data go through these functions, so that no part of them can be markup. */
#ifndef MF_CLI_REPORT_HTML_H
#define MF_CLI_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

/* At most max characters of a text, for an element or a quoted attribute, then an ellipsis. NULL: nothing. */
void mf_html_text_cut(FILE *f, const char *text, size_t max);
/* As mf_text_printf: the format is our own markup, and each %s is escaped. */
void mf_html_printf(FILE *f, const char *fmt, ...) MF_PRINTF(2, 3);
/* A JSON document as the content of a <script>: characters that could end the element are escaped. */
void mf_html_json(FILE *f, struct mf_str json);

/* "2026-11-29 18:00 UTC" as <time>; 0: "unknown". */
void mf_html_time(FILE *f, int64_t seconds);
/* How long until then, or since: "in 12 days", "3 hours ago". */
#define MF_HTML_SPAN 48
void mf_html_span(char out[MF_HTML_SPAN], int64_t seconds, int64_t now);

#endif
