#include "cli/report_html.h"

#include <stdarg.h>

#include "base/encode.h"
#include "base/text.h"

void mf_html_text_cut(FILE *f, const char *text, size_t max)
{
	char piece[MF_TEXT_PIECE];
	const char *end = text ? text + strlen(text) : NULL;
	for (size_t n = 0; text && text < end; n++) {
		if (n == max) {
			(void)fputs("\xe2\x80\xa6", f);
			return;
		}
		text += mf_text_piece(piece, text, end);
		mf_text_xml(f, piece);
	}
}

void mf_html_printf(FILE *f, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mf_text_vprintf(f, mf_text_xml, fmt, ap);
	va_end(ap);
}

void mf_html_json(FILE *f, struct mf_str json)
{
	for (size_t i = 0; i < json.n; i++) {
		char c = json.p[i];
		if (c == '<' || c == '>' || c == '&')
			(void)fprintf(f, "\\u%04x", (unsigned)c);
		else
			(void)fputc(c, f);
	}
}

void mf_html_time(FILE *f, int64_t seconds)
{
	char text[MF_TIME_LEN];
	if (!seconds) {
		(void)fputs("unknown", f);
		return;
	}
	mf_time_format(text, seconds);
	(void)fprintf(f, "<time datetime=\"%s\">%.10s %.5s</time>", text, text, text + 11);
}

void mf_html_span(char out[MF_HTML_SPAN], int64_t seconds, int64_t now)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
	int64_t left = seconds > now ? seconds - now : now - seconds;
	size_t u = 0;
	while (u + 1 < sizeof units / sizeof units[0] && left < 2 * units[u].seconds)
		u++;
	long long n = (long long)(left / units[u].seconds);
	(void)snprintf(out, MF_HTML_SPAN, "%s%lld %s%s%s", seconds > now ? "in " : "", n, units[u].name,
		       n == 1 ? "" : "s", seconds > now ? "" : " ago");
}
