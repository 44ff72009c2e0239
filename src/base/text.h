/* UTF-8, and text that is safe to display.
 *
 * Authors, reasons, names and server messages are untrusted text. A terminal acts on control characters,
 * bidirectional controls reorder what a reader sees, and invisible characters make two names look alike.
 * So the program escapes all of them, in text (\u{202e}) and in JSON (\u202e). It also escapes commands to
 * the runner of a CI system, which reads the program's output (\u{23}#[error]). */
#ifndef MF_BASE_TEXT_H
#define MF_BASE_TEXT_H

#include <stdio.h>

#include "base/str.h"

/* Reads one code point from [p, end), well-formed UTF-8 only (The Unicode Standard 15.0, table 3-7: no
 * overlong form, no surrogate, nothing beyond U+10FFFF). Returns its length in bytes, 0 when there is
 * none. */
size_t mf_utf8_next(const char *p, const char *end, uint32_t *code);

/* Returns whether this code point must be escaped before it is displayed. */
bool mf_text_unsafe(uint32_t code);
/* Returns whether "##[name", "##vso[name" or "##teamcity[name" is at p < end. Runners of CI systems read
 * these as commands anywhere in a line. */
bool mf_text_begins_command(const char *p, const char *end);

/* Writes the safe form of the first character of [p, end), p < end: itself, \u{1b}, or \xff for a byte
 * that is not UTF-8. Returns the number of input bytes that were read. */
#define MF_TEXT_PIECE 16
size_t mf_text_piece(char out[MF_TEXT_PIECE], const char *p, const char *end);

/* Writes the safe form of one character in a markup language, which may need more escapes. */
typedef void mf_text_form(FILE *f, const char *piece);
void mf_text_plain(FILE *f, const char *piece);
/* For XML and HTML, between tags and in quoted attributes. */
void mf_text_xml(FILE *f, const char *piece);
/* For Markdown (CommonMark 0.31, 2.4): escapes every character that has a meaning there. */
void mf_text_markdown(FILE *f, const char *piece);

/* Writes text in its safe form. */
void mf_text_put(FILE *f, struct mf_str text);

/* Like fprintf, but each %s is written in its safe form; the format itself is not escaped. Supported are
 * %s %.*s %-9s %-*s %c %d %u %x %zu %lld %llu %%; any other conversion is a bug (assert). */
void mf_text_printf(FILE *f, const char *fmt, ...) MF_PRINTF(2, 3);
/* The same in the given form. */
void mf_text_vprintf(FILE *f, mf_text_form *form, const char *fmt, va_list ap) MF_PRINTF(3, 0);

#endif
