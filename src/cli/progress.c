#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/output.h"

#define FIRST_MS 1000 /* shorter operations need no line */
#define NEXT_MS 200

void mf_cli_progress_init(struct mf_cli_progress *p, bool wanted)
{
	*p = (struct mf_cli_progress){.wanted = wanted && mf_cli_is_terminal(STDERR_FILENO)};
}

static double megabytes(double octets)
{
	return octets / 1e6;
}

static void add_time_left(char out[80], const struct manifesto_progress *now, int64_t elapsed_ms)
{
	size_t n = strlen(out);
	if (!now->done || now->total <= now->done)
		return;
	double left_s = (double)(now->total - now->done) / (double)now->done * (double)elapsed_ms / 1000;
	if (left_s >= 100 * 3600.0)
		return;
	long s = (long)(left_s + 0.5);
	if (s >= 3600)
		(void)snprintf(out + n, 80 - n, ", %ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
	else
		(void)snprintf(out + n, 80 - n, ", %ld:%02ld left", s / 60, s % 60);
}

/* The text of the line, elapsed_ms after the beginning: "upload: 12.3 of 200.0 MB, 1.0 MB/s, 3:08 left". */
static void line_text(char out[80], const struct manifesto_progress *now, int64_t elapsed_ms)
{
	const char *what = now->kind == MANIFESTO_PROGRESS_UPLOAD ? "upload" : "download";
	double rate = (double)now->done * 1000 / (double)(elapsed_ms > 0 ? elapsed_ms : 1);
	if (now->kind == MANIFESTO_PROGRESS_IMAGES)
		(void)snprintf(out, 80, "%llu of %llu images", (unsigned long long)now->done,
			       (unsigned long long)now->total);
	else if (now->total)
		(void)snprintf(out, 80, "%s: %.1f of %.1f MB, %.1f MB/s", what, megabytes((double)now->done),
			       megabytes((double)now->total), megabytes(rate));
	else
		(void)snprintf(out, 80, "%s: %.1f MB, %.1f MB/s", what, megabytes((double)now->done),
			       megabytes(rate));
	add_time_left(out, now, elapsed_ms);
}

/* CSI K: erase to the end of the line (ECMA-48, 8.3.41). */
void mf_cli_progress_clear(struct mf_cli_progress *p)
{
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}

void mf_cli_progress_report(void *arg, const struct manifesto_progress *now)
{
	struct mf_cli_progress *p = arg;
	int64_t ms = mf_monotonic_ms();
	if (!p->wanted)
		return;
	if (now->total == now->done) { /* complete, or nothing is being transferred */
		mf_cli_progress_clear(p);
		p->began_ms = 0;
		return;
	}
	if (!p->began_ms || p->kind != now->kind) {
		p->kind = now->kind;
		p->began_ms = ms;
	}
	if (ms - p->began_ms < FIRST_MS || (p->drawn && ms - p->drawn_ms < NEXT_MS))
		return;
	char text[80];
	line_text(text, now, ms - p->began_ms);
	(void)fprintf(stderr, "\r%s\033[K", text);
	(void)fflush(stderr);
	p->drawn = true;
	p->drawn_ms = ms;
}
