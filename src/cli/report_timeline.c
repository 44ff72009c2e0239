/* The history of a repository as a picture, a lane for each role, and as a table. */
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/report_html.h"
#include "cli/report.h"

#define WIDTH 1000
#define LEFT 150
#define RIGHT 20
#define TOP 24
#define LANE 34
#define STEP 8   /* marks nearer than this are joined */
#define LANES 24 /* further roles are only in the table */
#define TICKS 5
#define EVENTS 250 /* rows of the table, for the newest events */

/* Kinds of marks; each has its own shape. */
enum kind { PUT, SIGN, STOP, ROLE, ROOT, BAD, KINDS };
static const struct {
	const char *css, *label, *shape; /* SVG around 0,0 */
	int y;                           /* from the middle of the lane */
} kinds[KINDS] = {
    [PUT] = {"m-put", "record put, replaced or reinstated", "<circle r=\"5\"/>", 0},
    [SIGN] = {"m-sign", "signature added or lost", "<path d=\"M0-6L6 5H-6Z\"/>", -7},
    [STOP] = {"m-stop", "withdrawn, vetoed or removed", "<path d=\"M-5-5L5 5M5-5L-5 5\"/>", 7},
    [ROLE] = {"m-role", "role, key or type changed", "<path d=\"M0-6L6 0 0 6-6 0Z\"/>", 7},
    [ROOT] = {"m-root", "root published", "<rect x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>", 0},
    [BAD] = {"m-bad", "does not verify", "<path d=\"M-6-6H6L0 6Z\"/>", 0},
};

static enum kind kind_of(const struct manifesto_history_event *e)
{
	static const struct {
		const char *event;
		enum kind kind;
	} rows[] = {{"put", PUT},           {"replaced", PUT},      {"present", PUT},
		    {"reinstated", PUT},    {"foreign", PUT},       {"authorised", PUT},
		    {"signed", SIGN},       {"unsigned", SIGN},     {"withdrawn", STOP},
		    {"removed", STOP},      {"veto", STOP},         {"veto-lifted", PUT},
		    {"unauthorised", STOP}, {"root-created", ROOT}, {"root-published", ROOT},
		    {"root-present", ROOT}, {"invalid", BAD}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].event, e->event) == 0)
			return rows[i].kind;
	return e->changed_role ? ROLE : KINDS;
}

/* A mark: events of one kind in one lane, near each other. */
struct mark {
	size_t lane, n;
	enum kind kind;
	int x;
	const struct manifesto_history_event *first, *last;
};

struct picture {
	const struct mf_report_repository *r;
	const char *lanes[LANES];
	size_t nlanes;
	int64_t from, to;
	struct mark *marks; /* sorted by lane, kind, x */
	size_t nmarks;
};

static size_t lane_of(const struct picture *p, const char *role)
{
	for (size_t i = 0; i < p->nlanes; i++)
		if (strcmp(p->lanes[i], role) == 0)
			return i;
	return LANES;
}

static bool is_drawn(const struct picture *p, const struct manifesto_history_event *e)
{
	return mf_report_event_time(e) && kind_of(e) != KINDS && mf_report_shows(p->r, e);
}

static void measure(struct picture *p)
{
	const struct manifesto_history_result *h = p->r->history;
	for (size_t i = 0; i < h->nevents; i++) {
		const struct manifesto_history_event *e = h->events[i];
		int64_t t = mf_report_event_time(e);
		if (!is_drawn(p, e))
			continue;
		if (lane_of(p, e->role) == LANES && p->nlanes < LANES)
			p->lanes[p->nlanes++] = e->role;
		p->from = !p->from || t < p->from ? t : p->from;
		p->to = t > p->to ? t : p->to;
	}
	if (p->to - p->from < 3600) { /* an hour at least, so that the scale can be read */
		p->from -= 1800;
		p->to += 1800;
	}
}

static int x_of(const struct picture *p, int64_t t)
{
	return LEFT + (int)((double)(t - p->from) / (double)(p->to - p->from) * (WIDTH - LEFT - RIGHT));
}

static int by_place(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->x - y->x;
}

/* Joins marks that would overlap. */
static void join_marks(struct picture *p)
{
	size_t kept = 0;
	if (p->nmarks)
		qsort(p->marks, p->nmarks, sizeof *p->marks, by_place);
	for (size_t i = 0; i < p->nmarks; i++) {
		struct mark *last = kept ? &p->marks[kept - 1] : NULL;
		const struct mark *m = &p->marks[i];
		if (last && last->lane == m->lane && last->kind == m->kind && m->x - last->x < STEP) {
			last->n += m->n;
			if (mf_report_event_time(m->first) < mf_report_event_time(last->first))
				last->first = m->first;
			if (mf_report_event_time(m->last) > mf_report_event_time(last->last))
				last->last = m->last;
		} else {
			p->marks[kept++] = *m;
		}
	}
	p->nmarks = kept;
}

static void collect_marks(struct picture *p)
{
	const struct manifesto_history_result *h = p->r->history;
	for (size_t i = 0; i < h->nevents; i++) {
		const struct manifesto_history_event *e = h->events[i];
		size_t lane = is_drawn(p, e) ? lane_of(p, e->role) : LANES;
		if (lane < LANES)
			p->marks[p->nmarks++] =
			    (struct mark){lane, 1, kind_of(e), x_of(p, mf_report_event_time(e)), e, e};
	}
	join_marks(p);
}

/* ---------------------------------------------------------------- what an event is, in words */

static void put_subject(FILE *f, const struct mf_report_repository *r, const char *subject)
{
	const struct mf_report_image *im = mf_report_find(r, subject);
	if (im && im->ntags)
		mf_html_printf(f, "%s", im->tags[0]);
	else
		mf_html_text_cut(f, subject, 19);
}

static void put_what(FILE *f, const struct mf_report_repository *r, const struct manifesto_history_event *e)
{
	char label[MF_CLI_LABEL];
	const char *what = e->key ? mf_cli_show_label(e->key, label) : e->detail;
	if (e->record) {
		bool all = strcmp(e->record->type, "*") == 0;
		mf_html_printf(f, "%s of ", all ? "all types" : e->record->type);
		put_subject(f, r, e->record->subject);
	} else if (e->changed_role) {
		mf_html_printf(f, "%s%s%s", e->changed_role, what ? ": " : "", what ? what : "");
	}
}

static void put_title(FILE *f, const struct picture *p, const struct mark *m)
{
	char first[MF_TIME_LEN], last[MF_TIME_LEN];
	mf_time_format(first, mf_report_event_time(m->first));
	mf_time_format(last, mf_report_event_time(m->last));
	(void)fputs("<title>", f);
	if (m->n == 1) {
		mf_html_printf(f, "%s: ", m->first->event);
		put_what(f, p->r, m->first);
		mf_html_printf(f, ", %s", first);
	} else if (strcmp(first, last) == 0) {
		mf_html_printf(f, "%zu events (%s), %s", m->n, kinds[m->kind].label, first);
	} else {
		mf_html_printf(f, "%zu events (%s), %s to %s", m->n, kinds[m->kind].label, first, last);
	}
	(void)fputs("</title>", f);
}

/* ---------------------------------------------------------------- the picture */

static void put_ticks(FILE *f, const struct picture *p, int height)
{
	bool days = p->to - p->from >= 4 * 86400;
	for (int i = 0; i < TICKS; i++) {
		int64_t t = p->from + (p->to - p->from) * i / (TICKS - 1);
		char text[MF_TIME_LEN];
		mf_time_format(text, t);
		(void)fprintf(f,
			      "<path class=\"tick\" d=\"M%d %dV%d\"/><text x=\"%d\" y=\"14\" "
			      "text-anchor=\"%s\">%.10s%s%.5s</text>",
			      x_of(p, t), TOP - 4, height, x_of(p, t),
			      i + 1 == TICKS ? "end"
			      : i            ? "middle"
					     : "start",
			      text, days ? "" : " ", days ? "" : text + 11);
	}
}

static void put_picture(FILE *f, const struct picture *p, size_t number)
{
	int height = TOP + (int)p->nlanes * LANE;
	(void)fprintf(
	    f,
	    "<div class=\"scroll\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%zu\">"
	    "<title id=\"t%zu\">Timeline of %zu roles; each mark has its events in its title, and the table "
	    "below lists "
	    "them</title>",
	    WIDTH, height + 6, number, number, p->nlanes);
	put_ticks(f, p, height);
	for (size_t i = 0; i < p->nlanes; i++) {
		int y = TOP + (int)i * LANE + LANE / 2;
		(void)fprintf(f, "<path class=\"lane\" d=\"M%d %dH%d\"/><text x=\"10\" y=\"%d\">", LEFT, y,
			      WIDTH - RIGHT, y + 4);
		mf_html_text_cut(f, p->lanes[i], 22);
		(void)fputs("</text>\n", f);
	}
	for (size_t i = 0; i < p->nmarks; i++) {
		const struct mark *m = &p->marks[i];
		(void)fprintf(f, "<g class=\"%s\" transform=\"translate(%d %d)\">", kinds[m->kind].css, m->x,
			      TOP + (int)m->lane * LANE + LANE / 2 + kinds[m->kind].y);
		put_title(f, p, m);
		(void)fprintf(f, "%s</g>\n", kinds[m->kind].shape);
	}
	(void)fputs("</svg></div>\n<ul class=\"key\">", f);
	for (size_t k = 0; k < KINDS; k++) {
		bool used = false;
		for (size_t i = 0; i < p->nmarks; i++)
			used |= p->marks[i].kind == k;
		if (used)
			(void)fprintf(f,
				      "<li><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\"><g "
				      "class=\"%s\">%s</g></svg>%s</li>",
				      kinds[k].css, kinds[k].shape, kinds[k].label);
	}
	(void)fputs("</ul>\n", f);
}

int mf_report_timeline(const struct mf_report_repository *r, size_t number, FILE *f,
		       struct manifesto_error *err)
{
	struct picture p = {.r = r};
	(void)fputs("<h3>History</h3>\n", f);
	measure(&p);
	if (!p.nlanes) {
		(void)fputs("<p class=\"dim\">There is no event with a time.</p>", f);
		return 0;
	}
	struct mark *marks MF_FREE = mf_calloc(r->history->nevents, sizeof *marks);
	if (!marks)
		return mf_cli_nomem(err);
	p.marks = marks;
	collect_marks(&p);
	put_picture(f, &p, number);
	return 0;
}

/* ---------------------------------------------------------------- the table */

static void put_by(FILE *f, const struct manifesto_history_event *e)
{
	if (e->nadded)
		mf_report_signers(e->added, e->nadded, f);
	else if (e->record && e->record->nsigners && strcmp(e->event, "unsigned") != 0)
		mf_report_signers(e->record->signers, e->record->nsigners, f);
	else
		mf_report_signers(e->file_signers, e->nfile_signers, f);
}

static void put_event(FILE *f, const struct mf_report_repository *r, const struct manifesto_history_event *e)
{
	enum kind k = kind_of(e);
	const char *why = k == BAD || k == KINDS ? e->message : e->record ? e->record->reason : NULL;
	(void)fputs("<tr><th scope=\"row\" class=\"nw\">", f);
	mf_html_time(f, mf_report_event_time(e));
	mf_html_printf(
	    f, "</th><td data-l=\"Event\"><div class=\"nw\"><b>%s</b></div></td><td data-l=\"Of\"><div>",
	    e->event);
	put_what(f, r, e);
	mf_html_printf(f, "</div></td><td data-l=\"File\"><div class=\"nw\">%s %lld", e->role,
		       (long long)e->first_version);
	if (e->version > e->first_version)
		mf_html_printf(f, " to %lld", (long long)e->version);
	(void)fputs("</div></td><td data-l=\"By\"><div>", f);
	put_by(f, e);
	(void)fputs("</div></td><td data-l=\"Reason\"><div>", f);
	mf_html_printf(f, "%s", why ? why : "");
	(void)fputs("</div></td></tr>\n", f);
}

void mf_report_events(const struct mf_report_repository *r, FILE *f)
{
	const struct manifesto_history_result *h = r->history;
	size_t shown = 0, total = 0;
	for (size_t i = 0; i < h->nevents; i++)
		total += mf_report_shows(r, h->events[i]);
	if (!total)
		return;
	(void)fputs(
	    "<div class=\"scroll\"><table class=\"cards events\"><thead><tr><th scope=\"col\">Time</th><th "
	    "scope=\"col\">Event</th>"
	    "<th scope=\"col\">Of</th><th scope=\"col\">File and version</th><th scope=\"col\">By</th>"
	    "<th scope=\"col\">Reason</th></tr></thead><tbody>\n",
	    f);
	for (size_t i = h->nevents; i-- > 0 && shown < EVENTS;)
		if (mf_report_shows(r, h->events[i])) {
			put_event(f, r, h->events[i]);
			shown++;
		}
	(void)fputs("</tbody></table></div>\n", f);
	if (total > shown)
		mf_html_printf(f,
			       "<p class=\"dim\">The newest %zu of %zu events; 'manifesto history --all' "
			       "shows all.</p>",
			       shown, total);
}
