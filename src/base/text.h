/* UTF-8, and text that is safe to show.
 *
 * Authors, reasons, names and server messages are other people's bytes. A terminal acts on control
 * characters, bidirectional controls reorder what a reader sees, and invisible characters make two names look
 * alike: none of them leaves the program as such, neither as text (\u{202e}) nor as JSON (\u202e). Neither
 * holds a command to a runner of a CI system, which reads what the program writes (\u{23}#[error]). */
#ifndef MF_BASE_TEXT_H
#define MF_BASE_TEXT_H

#include <stdio.h>

#include "base/str.h"

/* One code point from [p, end): well-formed UTF-8 only (The Unicode Standard 15.0, table 3-7: no overlong
 * form, no surrogate, nothing beyond U+10FFFF). Returns its bytes, 0 when there is none. */
size_t mf_utf8_next(const char *p, const char *end, uint32_t *code);

/* Must this code point be escaped before it is shown? */
bool mf_text_unsafe(uint32_t code);
/* Does "##[name", "##vso[name" or "##teamcity[name" stand at p < end? Runners of CI systems take it for a
 * command wherever in a line it stands. */
bool mf_text_begins_command(const char *p, const char *end);

/* The safe form of the first character of [p, end), p < end: itself, \u{1b}, or \xff for a byte that is not
 * UTF-8. Returns the bytes of input that it stands for. */
#define MF_TEXT_PIECE 16
size_t mf_text_piece(char out[MF_TEXT_PIECE], const char *p, const char *end);

/* How the safe form of one character is written: a language with markup of its own needs more. */
typedef void mf_text_form(FILE *f, const char *piece);
void mf_text_plain(FILE *f, const char *piece);
/* For XML and HTML, between tags and within an attribute in quotes. */
void mf_text_xml(FILE *f, const char *piece);
/* For Markdown (CommonMark 0.31, 2.4): no character of it has a meaning there. */
void mf_text_markdown(FILE *f, const char *piece);

/* Writes text in its safe form. */
void mf_text_put(FILE *f, struct mf_str text);

/* As fprintf, and each %s is written in its safe form; the format itself is written as it stands. Understood
 * are %s %.*s %-9s %-*s %c %d %u %x %zu %lld %llu %%: anything else is a bug (assert). */
void mf_text_printf(FILE *f, const char *fmt, ...) MF_PRINTF(2, 3);
/* In another form than the plain one. */
void mf_text_vprintf(FILE *f, mf_text_form *form, const char *fmt, va_list ap) MF_PRINTF(3, 0);

#endif
