#include "cli/output.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/unnamed.h"
#include "cli/signals.h"

/* ---------------------------------------------------------------- terminals */

bool mf_cli_is_terminal(int fd)
{
	const char *terminal = getenv("TERM");
	return isatty(fd) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

/* SGR of ECMA-48, 8.3.117. */
#define RED "31"
#define GREEN "32"
#define YELLOW "33"
#define BOLD "1"

/* Writes the text; in colour on a terminal, unless NO_COLOR is set. */
static void put_painted(FILE *f, const char *colour, const char *text)
{
	const char *none = getenv("NO_COLOR");
	if (colour && !(none && *none) && mf_cli_is_terminal(fileno(f)))
		(void)fprintf(f, "\033[%sm%s\033[0m", colour, text);
	else
		(void)fputs(text, f);
}

/* In columns; SIZE_MAX: unknown, or no terminal. */
static size_t terminal_width(FILE *f)
{
	struct winsize w;
	return mf_cli_is_terminal(fileno(f)) && ioctl(fileno(f), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col
												  : SIZE_MAX;
}

void mf_cli_put_text(FILE *f, const char *text)
{
	mf_text_put(f, mf_str_c(text));
}

void mf_cli_printf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mf_text_vprintf(stdout, mf_text_plain, fmt, ap);
	va_end(ap);
}

/* ---------------------------------------------------------------- messages */

struct kind {
	const char *word, *colour;
};

static void message(FILE *f, struct kind kind, const char *fmt, va_list ap) MF_PRINTF(3, 0);

static void message(FILE *f, struct kind kind, const char *fmt, va_list ap)
{
	(void)fputs("manifesto: ", f);
	put_painted(f, kind.colour, kind.word);
	mf_text_vprintf(f, mf_text_plain, fmt, ap);
	(void)fputc('\n', f);
}

void mf_cli_message_to(FILE *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message(f, (struct kind){"", NULL}, fmt, ap);
	va_end(ap);
}

void mf_cli_message(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message(stderr, (struct kind){"", NULL}, fmt, ap);
	va_end(ap);
}

void mf_cli_warning(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message(stderr, (struct kind){"warning: ", YELLOW}, fmt, ap);
	va_end(ap);
}

void mf_cli_refusal(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	message(stderr, (struct kind){"refused ", RED}, fmt, ap);
	va_end(ap);
}

void mf_cli_json_error(struct mf_json_out *j, const struct manifesto_error *err)
{
	mf_json_add_object(j, "error");
	mf_json_add_text(j, "code", err->code);
	mf_json_add_int(j, "exit", err->status);
	mf_json_add_text(j, "message", err->message);
	mf_json_add_text(j, "endpoint", err->endpoint[0] ? err->endpoint : NULL);
	mf_json_add_text(j, "hint", err->hint[0] ? err->hint : NULL);
	mf_json_close(j);
}

void mf_cli_print_error(const struct manifesto_error *err, bool json)
{
	if (json) {
		struct mf_json_out j;
		mf_json_to_file(&j, stderr);
		mf_json_add_object(&j, NULL);
		mf_cli_json_error(&j, err);
		mf_cli_json_end(&j);
		return;
	}
	if (err->endpoint[0] && !strstr(err->message, err->endpoint))
		mf_cli_message("%s (%s)", err->message, err->endpoint);
	else
		mf_cli_message("%s", err->message);
	if (err->hint[0])
		mf_cli_message("hint: %s", err->hint);
}

/* ---------------------------------------------------------------- tables */

/* Beyond this the cells go into a temporary file; one cell is far smaller. */
#define TABLE_HELD ((size_t)1 << 20)
#define CELL_MAX ((size_t)64 << 20)

void mf_cli_table_clear(struct mf_cli_table *t)
{
	mf_buf_clear(&t->text);
	if (t->spool)
		(void)fclose(t->spool);
}

static void hint_tmpdir(struct mf_err *err)
{
	mf_err_set_hint(err, "TMPDIR chooses another directory for temporary files");
}

FILE *mf_cli_spool_open(struct mf_err *err)
{
	int fd = mf_unnamed_open(mf_unnamed_dir(), err);
	FILE *f = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (fd < 0)
		hint_tmpdir(err);
	if (fd >= 0 && !f) {
		(void)close(fd);
		(void)mf_fail_nomem(err);
	}
	return f;
}

int mf_cli_spool_rewind(FILE *f, struct mf_err *err)
{
	if (fflush(f) == 0 && !ferror(f) && fseek(f, 0, SEEK_SET) == 0)
		return 0;
	(void)mf_fail(err, MF_E_IO, errno, "write a temporary file in '%s'", mf_unnamed_dir());
	hint_tmpdir(err);
	return -1;
}

int mf_cli_spool_copy(FILE *f, FILE *to, struct mf_err *err)
{
	char piece[16384];
	size_t n;
	if (mf_cli_spool_rewind(f, err) < 0)
		return -1;
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		(void)fwrite(piece, 1, n, to);
	return mf_cli_spool_check(f, err);
}

int mf_cli_spool_check(FILE *f, struct mf_err *err)
{
	return ferror(f) ? mf_fail(err, MF_E_IO, errno, "read a temporary file in '%s'", mf_unnamed_dir())
			 : 0;
}

void mf_cli_table_add(struct mf_cli_table *t, const char *cell)
{
	mf_cli_table_add_cut(t, cell, SIZE_MAX);
}

/* Width is counted in code points: exact for characters that take one column, and off by a few columns for
 * others. */
static size_t count_points(const char *p)
{
	size_t n = 0;
	for (; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static int add_cell(struct mf_cli_table *t, const char *cell, size_t max, struct mf_err *err)
{
	const char *end = cell + strlen(cell), *p = cell;
	char piece[MF_TEXT_PIECE];
	for (size_t n = 0; p < end && n < max; n++) {
		p += mf_text_piece(piece, p, end);
		if (mf_buf_addz(&t->text, piece, err) < 0)
			return -1;
	}
	if (p < end && mf_buf_addz(&t->text, "...", err) < 0)
		return -1;
	return mf_buf_addc(&t->text, 0, err);
}

static int spill(struct mf_cli_table *t, struct mf_err *err)
{
	if (!t->spool)
		t->spool = mf_cli_spool_open(err);
	if (!t->spool)
		return -1;
	(void)fwrite(t->text.p, 1, t->text.n, t->spool); /* an error stays in the stream */
	t->spooled = t->cells;
	return 0;
}

void mf_cli_table_add_cut(struct mf_cli_table *t, const char *cell, size_t max)
{
	size_t start = t->text.n;
	if (t->failed.code != MF_OK || add_cell(t, cell && *cell ? cell : "-", max, &t->failed) < 0)
		return;
	size_t width = count_points(t->text.p + start), *widest = &t->width[t->cells++ % t->columns];
	if (width > *widest)
		*widest = width;
	if (t->text.n > TABLE_HELD && spill(t, &t->failed) == 0)
		mf_buf_reset(&t->text);
}

void mf_cli_table_init(struct mf_cli_table *t, const char *const *heads, size_t columns)
{
	assert(columns > 0 && columns <= MF_CLI_TABLE_COLUMNS);
	*t = (struct mf_cli_table){.text = MF_BUF_INIT(CELL_MAX), .columns = columns, .failed = MF_ERR_INIT};
	for (size_t i = 0; i < columns; i++)
		mf_cli_table_add(t, heads[i]);
}

void mf_cli_table_addf(struct mf_cli_table *t, const char *fmt, ...)
{
	char cell[128];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(cell, sizeof cell, fmt, ap);
	va_end(ap);
	mf_cli_table_add(t, cell);
}

void mf_cli_table_add_time(struct mf_cli_table *t, int64_t seconds)
{
	char time[MF_TIME_LEN];
	mf_time_format(time, seconds);
	mf_cli_table_add(t, seconds ? time : NULL);
}

void mf_cli_table_add_version(struct mf_cli_table *t, int64_t version)
{
	if (version)
		mf_cli_table_addf(t, "%lld", (long long)version);
	else
		mf_cli_table_add(t, NULL);
}

#define NARROWEST 6
#define GAP 2

/* The largest width of a column with which the table fits into `room`: wider columns are cut to it. */
static size_t widest_column(const struct mf_cli_table *t, size_t room)
{
	size_t cap = 0, total;
	for (size_t i = 0; i < t->columns; i++)
		cap = t->width[i] > cap ? t->width[i] : cap;
	for (;; cap--) {
		total = (t->columns - 1) * GAP;
		for (size_t i = 0; i < t->columns; i++)
			total += t->width[i] < cap ? t->width[i] : cap;
		if (total <= room || cap <= NARROWEST)
			return cap;
	}
}

/* The colour of a cell with the state of a record: states decide what a person does next. NULL: none. */
static const char *colour_of(const char *cell)
{
	static const struct kind states[] = {
	    {"current", GREEN}, {"withdrawn", RED}, {"veto", RED}, {"expired", YELLOW}, {"foreign", YELLOW}};
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (strcmp(cell, states[i].word) == 0)
			return states[i].colour;
	return NULL;
}

/* Writes a cell; one that is wider than `width` is cut and marked. Returns the columns that it takes. */
static size_t put_cell(FILE *f, const char *cell, const char *colour, size_t width)
{
	size_t points = count_points(cell);
	if (points <= width) {
		put_painted(f, colour, cell);
		return points;
	}
	const char *end = cell;
	for (size_t n = 1; n < width; n++)
		do
			end++;
		while (((unsigned char)*end & 0xc0) == 0x80);
	(void)fprintf(f, "%.*s\u2026", (int)(end - cell), cell);
	return width;
}

static void put_column(const struct mf_cli_table *t, FILE *f, size_t i, size_t cap, const char *cell)
{
	size_t column = i % t->columns, width = t->width[column] < cap ? t->width[column] : cap;
	bool last = column + 1 == t->columns;
	size_t used = put_cell(f, cell, i < t->columns ? BOLD : colour_of(cell), width);
	for (size_t pad = last ? 0 : width + GAP - used; pad; pad--)
		(void)fputc(' ', f);
	if (last)
		(void)fputc('\n', f);
}

/* The cells that went into the file. Returns how many; an error stays in *err. */
static size_t put_spooled(const struct mf_cli_table *t, FILE *f, size_t cap, struct mf_err *err)
{
	char *cell MF_FREE = NULL;
	size_t size = 0, n = 0;
	if (!t->spool || mf_cli_spool_rewind(t->spool, err) < 0)
		return 0;
	while (getdelim(&cell, &size, 0, t->spool) > 0)
		put_column(t, f, n++, cap, cell);
	if (mf_cli_spool_check(t->spool, err) == 0 && n != t->spooled)
		(void)mf_fail_nomem(err);
	return n;
}

int mf_cli_table_print(struct mf_cli_table *t, FILE *f, struct manifesto_error *err)
{
	size_t cap = widest_column(t, terminal_width(f));
	size_t done = t->failed.code == MF_OK ? put_spooled(t, f, cap, &t->failed) : 0;
	if (t->failed.code != MF_OK)
		return mf_cli_take(err, &t->failed);
	for (const char *p = t->text.p; done < t->cells; p += strlen(p) + 1)
		put_column(t, f, done++, cap, p);
	return 0;
}

/* ---------------------------------------------------------------- JSON */

void mf_cli_json_begin(struct mf_json_out *j, FILE *f, const char *schema)
{
	char text[64];
	(void)snprintf(text, sizeof text, "manifesto/%s/v1", schema);
	mf_json_to_file(j, f);
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "schema", text);
}

void mf_cli_json_end(struct mf_json_out *j)
{
	FILE *f = j->file;
	mf_json_close(j);
	(void)fputc('\n', f);
}

/* ---- content */

int mf_cli_write_out(void *arg, const void *p, size_t n)
{
	struct mf_cli_sink *s = arg;
	const char *at = p;
	while (n) {
		ssize_t w = write(STDOUT_FILENO, at, n);
		if (w < 0 && errno == EINTR && !mf_cli_signals_pending(NULL))
			continue;
		if (w < 0) {
			s->sys = errno;
			return -1;
		}
		at += w;
		n -= (size_t)w;
	}
	return 0;
}
