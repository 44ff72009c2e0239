/* The report as one HTML page, which loads nothing and runs nothing. */
#include <string.h>

#include "cli/report_html.h"
#include "cli/report.h"

#define DIGEST_SHOWN 19 /* "sha256:" and 12 digits */
#define ONLINE_WARN INT64_C(86400)

/* How a state looks, and what it is called. */
struct look {
	const char *css, *mark, *word;
};

static void put_state(FILE *f, struct look l)
{
	mf_html_printf(f, "<span class=\"s %s\"><span aria-hidden=\"true\">%s</span> %s</span>", l.css,
		       l.mark, l.word);
}

static const struct look accepted = {"ok", "\xe2\x9c\x93", "accepted"},
			 refused = {"bad", "\xe2\x9c\x95", "refused"},
			 missing = {"bad", "\xe2\x88\x85", "missing"},
			 waived = {"warn", "\xe2\x89\x88", "waived"};

/* ---------------------------------------------------------------- records */

static bool expires_soon(const struct mf_report *r, int64_t expires)
{
	return expires <= r->now + r->warn_within;
}

static struct look look_of(const struct mf_report *r, const struct manifesto_record *rec)
{
	if (strcmp(rec->state, "withdrawn") == 0)
		return (struct look){"bad", "\xe2\x9c\x95", "withdrawn"};
	if (strcmp(rec->state, "veto") == 0)
		return (struct look){"bad", "\xe2\x96\xa0", "vetoed"};
	if (strcmp(rec->state, "expired") == 0)
		return (struct look){"bad", "\xe2\x97\xb7", "expired"};
	if (strcmp(rec->state, "foreign") == 0)
		return (struct look){"warn", "?", "unsigned"};
	if (rec->has_expires && expires_soon(r, rec->expires))
		return (struct look){"warn", "\xe2\x97\xb7", "expiring"};
	return (struct look){"ok", "\xe2\x9c\x93", "signed"};
}

void mf_report_signers(const struct manifesto_signer *const *s, size_t n, FILE *f)
{
	char label[MF_CLI_LABEL];
	for (size_t i = 0; i < n; i++)
		mf_html_printf(f, "%s%s", i ? ", " : "", mf_cli_show_label(s[i], label));
}

static void put_expiry(FILE *f, const struct mf_report *r, int64_t expires)
{
	char span[MF_HTML_SPAN];
	mf_html_span(span, expires, r->now);
	mf_html_printf(f, "%s %s, ", expires > r->now ? "expires" : "expired", span);
	mf_html_time(f, expires);
}

static void put_record(FILE *f, const struct mf_report *r, const struct manifesto_record *rec)
{
	(void)fputs("<div>", f);
	put_state(f, look_of(r, rec));
	(void)fputs("<span class=\"d\">", f);
	if (rec->nsigners) {
		(void)fputs("by ", f);
		mf_report_signers(rec->signers, rec->nsigners, f);
		(void)fputs(" in ", f);
	} else {
		(void)fputs("in ", f);
	}
	mf_html_printf(f, "%s</span>", rec->role);
	if (rec->has_created) {
		(void)fputs("<span class=\"d dim\">", f);
		mf_html_time(f, rec->created);
		(void)fputs("</span>", f);
	}
	if (rec->has_expires) {
		(void)fputs("<span class=\"d\">", f);
		put_expiry(f, r, rec->expires);
		(void)fputs("</span>", f);
	}
	if (rec->author)
		mf_html_printf(f, "<span class=\"d dim\">author: %s</span>", rec->author);
	if (rec->reason)
		mf_html_printf(f, "<span class=\"d why\">%s</span>", rec->reason);
	(void)fputs("</div>", f);
}

/* ---------------------------------------------------------------- the matrix */

static const struct mf_report_finding *finding_of(const struct mf_report_image *im, const char *type)
{
	for (size_t i = 0; im->verdict && i < im->verdict->nfindings; i++)
		if (im->verdict->findings[i].type && strcmp(im->verdict->findings[i].type, type) == 0)
			return &im->verdict->findings[i];
	return NULL;
}

static bool has_record(const struct mf_report_image *im, const char *type)
{
	for (size_t i = 0; i < im->nrecords; i++)
		if (strcmp(im->records[i]->type, type) == 0)
			return true;
	return false;
}

static bool is_missing(const struct mf_report_image *im, const char *type)
{
	const struct mf_report_finding *finding = has_record(im, type) ? NULL : finding_of(im, type);
	return finding && finding->status;
}

static void put_cell(FILE *f, const struct mf_report *r, const struct mf_report_image *im, const char *type)
{
	mf_html_printf(f, "<td data-l=\"%s\">", type);
	for (size_t i = 0; i < im->nrecords; i++)
		if (strcmp(im->records[i]->type, type) == 0)
			put_record(f, r, im->records[i]);
	if (!has_record(im, type) && finding_of(im, type)) {
		(void)fputs("<div>", f);
		put_state(f, is_missing(im, type) ? missing : waived);
		(void)fputs("</div>", f);
	} else if (!has_record(im, type)) {
		(void)fputs("<div class=\"none\">none</div>", f);
	}
	(void)fputs("</td>", f);
}

static void put_verdict(FILE *f, const struct mf_report_image *im)
{
	(void)fputs("<td data-l=\"Policy\">", f);
	if (!im->verdict) {
		mf_html_printf(f, "<div class=\"none\">%s</div></td>", im->gone ? "not evaluated" : "none");
		return;
	}
	(void)fputs("<div>", f);
	put_state(f, im->verdict->accepted ? accepted : refused);
	if (im->verdict->nfindings)
		(void)fputs("<ul class=\"f\">", f);
	for (size_t i = 0; i < im->verdict->nfindings; i++) {
		const struct mf_report_finding *x = &im->verdict->findings[i];
		mf_html_printf(f, "<li>%s%s%s</li>", x->type ? x->type : "", x->type ? ": " : "", x->found);
	}
	(void)fputs(im->verdict->nfindings ? "</ul></div></td>" : "</div></td>", f);
}

static void put_image(FILE *f, const struct mf_report *r, const struct mf_report_image *im)
{
	(void)fputs("<th scope=\"row\"><div>", f);
	for (size_t i = 0; i < im->ntags; i++)
		mf_html_printf(f, "<span class=\"tag\">%s</span>", im->tags[i]);
	if (im->gone)
		put_state(f, (struct look){"warn", "\xe2\x97\x8b", "gone"});
	else if (!im->ntags)
		(void)fputs("<span class=\"dim\">no tag</span>", f);
	mf_html_printf(f, "<span class=\"d dim\"><code title=\"%s\">", im->subject);
	mf_html_text_cut(f, im->subject, DIGEST_SHOWN);
	(void)fputs("</code></span></div>", f);
	for (size_t i = 0; i < im->nrecords; i++)
		if (strcmp(im->records[i]->type, "*") == 0)
			put_record(f, r, im->records[i]);
	(void)fputs("</th>", f);
}

static void put_matrix(FILE *f, const struct mf_report *r, const struct mf_report_repository *one)
{
	bool gated = r->policy || r->require;
	(void)fputs("<h3>Images</h3>", f);
	if (!one->nimages) {
		(void)fputs("<p class=\"dim\">No image has a record.</p>", f);
		return;
	}
	(void)fputs(
	    "<div class=\"scroll\"><table class=\"matrix cards\"><thead><tr><th scope=\"col\">Image</th>", f);
	if (gated)
		(void)fputs("<th scope=\"col\">Policy</th>", f);
	for (size_t i = 0; i < one->ntypes; i++)
		mf_html_printf(f, "<th scope=\"col\">%s</th>", one->types[i]);
	(void)fputs("</tr></thead><tbody>\n", f);
	for (size_t i = 0; i < one->nimages; i++) {
		const struct mf_report_image *im = one->rows[i];
		(void)fputs("<tr>", f);
		put_image(f, r, im);
		if (gated)
			put_verdict(f, im);
		for (size_t k = 0; k < one->ntypes; k++)
			put_cell(f, r, im, one->types[k]);
		(void)fputs("</tr>\n", f);
	}
	(void)fputs("</tbody></table></div>\n", f);
}

/* ---------------------------------------------------------------- roles */

static const struct manifesto_role *role_of(const struct mf_report_repository *one, const char *name)
{
	for (size_t i = 0; i < one->roles->nroles; i++)
		if (strcmp(one->roles->roles[i]->name, name) == 0)
			return one->roles->roles[i];
	return NULL;
}

static bool is_online(const char *role)
{
	return strcmp(role, "timestamp") == 0 || strcmp(role, "snapshot") == 0;
}

static struct look role_look(const struct mf_report *r, const struct manifesto_trust_role *t,
			     const struct manifesto_role *role)
{
	const char *state = role ? role->state : "current";
	int64_t within = is_online(t->name) && r->warn_within > ONLINE_WARN ? ONLINE_WARN : r->warn_within;
	if (strcmp(state, "invalid") == 0)
		return (struct look){"bad", "\xe2\x9c\x95", "invalid"};
	if (strcmp(state, "expired") == 0 || (t->expires && t->expires <= r->now))
		return (struct look){"bad", "\xe2\x97\xb7", "expired"};
	if (!t->version)
		return (struct look){"info", "\xe2\x97\x8b", "nothing published"};
	if (t->expires <= r->now + within)
		return (struct look){"warn", "\xe2\x97\xb7", "expiring"};
	return (struct look){"ok", "\xe2\x9c\x93", "current"};
}

static void put_keys(FILE *f, const struct manifesto_trust_role *t)
{
	for (size_t i = 0; i < t->nkeys; i++) {
		const struct manifesto_signer *k = t->keys[i];
		const char *name = k->name ? k->name : k->colleague;
		mf_html_printf(f, "<div>%s%s<code class=\"dim\" title=\"%s\">", name ? name : "",
			       name ? " " : "", k->fingerprint);
		mf_html_text_cut(f, k->fingerprint, MF_CLI_FINGERPRINT_SHORT);
		mf_html_printf(f, "</code> <span class=\"dim small\">%s</span></div>", k->key_type);
	}
	if (!t->nkeys)
		(void)fputs("<div class=\"none\">none</div>", f);
}

static void put_types(FILE *f, const struct manifesto_trust_role *t, const struct manifesto_role *role)
{
	if (!role) {
		(void)fputs("<div class=\"none\">trust metadata</div>", f);
		return;
	}
	if (!role->parent) {
		(void)fputs("<div class=\"dim\">all types of no other role; roles</div>", f);
		return;
	}
	for (size_t i = 0; i < role->ntypes; i++)
		mf_html_printf(f, "<div>%s</div>", role->types[i]);
	for (size_t i = 0; role->ntypes < t->npaths && i < t->npaths; i++)
		mf_html_printf(f, "<div><code>&quot;%s&quot;</code></div>", t->paths[i]);
	if (!t->npaths)
		(void)fputs("<div class=\"none\">none</div>", f);
}

static void put_role(FILE *f, const struct mf_report *r, const struct mf_report_repository *one,
		     const struct manifesto_trust_role *t)
{
	const struct manifesto_role *role = role_of(one, t->name);
	mf_html_printf(f, "<tr><th scope=\"row\"><b>%s</b></th><td data-l=\"State\"><div>", t->name);
	put_state(f, role_look(r, t, role));
	if (role && role->problem)
		mf_html_printf(f, "<span class=\"d why\">%s</span>", role->problem);
	mf_html_printf(f, "</div></td><td data-l=\"Needs\"><div class=\"nw\">%d of %zu key%s</div></td>",
		       t->threshold, t->nkeys, t->nkeys == 1 ? "" : "s");
	(void)fputs("<td data-l=\"Keys\">", f);
	put_keys(f, t);
	(void)fputs("</td><td data-l=\"Signs\">", f);
	put_types(f, t, role);
	mf_html_printf(f, "</td><td data-l=\"Version\"><div>%lld</div></td><td data-l=\"Expires\"><div>",
		       (long long)t->version);
	if (t->expires)
		put_expiry(f, r, t->expires);
	else
		(void)fputs("<span class=\"none\">none</span>", f);
	(void)fputs("</div></td></tr>\n", f);
}

static void put_roles(FILE *f, const struct mf_report *r, const struct mf_report_repository *one)
{
	(void)fputs("<h3>Roles and keys</h3><div class=\"scroll\"><table class=\"cards\"><thead><tr><th "
		    "scope=\"col\">Role</th>"
		    "<th scope=\"col\">State</th><th scope=\"col\">Needs</th><th scope=\"col\">Keys</th>"
		    "<th scope=\"col\">Signs</th><th scope=\"col\">Version</th><th "
		    "scope=\"col\">Expires</th></tr></thead>"
		    "<tbody>\n",
		    f);
	for (size_t i = 0; i < one->trust->nroles; i++)
		put_role(f, r, one, one->trust->roles[i]);
	(void)fputs("</tbody></table></div>\n", f);
}

/* ---------------------------------------------------------------- what needs attention */

static void put_error(FILE *f, const char *what, const struct manifesto_error *e)
{
	mf_html_printf(f, "<div class=\"note bad\" role=\"note\"><p>%s</p><p>%s</p>", what, e->message);
	if (e->endpoint[0] && !strstr(e->message, e->endpoint))
		mf_html_printf(f, "<p class=\"dim\">%s</p>", e->endpoint);
	if (e->hint[0])
		mf_html_printf(f, "<p class=\"dim\">%s</p>", e->hint);
	mf_html_printf(f, "<p class=\"dim\">exit status %d (%s)</p></div>\n", e->status, e->code);
}

/* Shows which top-level role expires first: from then on nothing is accepted. */
static void put_end_of_trust(FILE *f, const struct mf_report *r, const struct mf_report_repository *one)
{
	const struct manifesto_trust_role *first = NULL;
	for (size_t i = 0; i < one->trust->nroles; i++) {
		const struct manifesto_trust_role *t = one->trust->roles[i];
		bool top =
		    is_online(t->name) || strcmp(t->name, "root") == 0 || strcmp(t->name, "targets") == 0;
		if (top && t->expires && (!first || t->expires < first->expires))
			first = t;
	}
	if (!first)
		return;
	char span[MF_HTML_SPAN];
	mf_html_span(span, first->expires, r->now);
	mf_html_printf(f, "<p class=\"dim\">Trust ends %s, ", span);
	mf_html_time(f, first->expires);
	mf_html_printf(f, ", unless %s is re-signed before.</p>", first->name);
}

static void put_notes(FILE *f, const struct mf_report_repository *one)
{
	for (size_t i = 0; i < one->nlists; i++)
		for (size_t k = 0; k < one->lists[i]->nwarnings; k++)
			mf_html_printf(f, "<div class=\"note\" role=\"note\"><p>%s</p></div>\n",
				       one->lists[i]->warnings[k]);
	if (one->history && one->history->ninvalid)
		mf_html_printf(
		    f,
		    "<div class=\"note bad\" role=\"note\"><p>%zu former version%s of signed files do%s not "
		    "verify</p><p>The current records do. The history names them.</p></div>\n",
		    one->history->ninvalid, one->history->ninvalid == 1 ? "" : "s",
		    one->history->ninvalid == 1 ? "es" : "");
	if (one->history_error.status)
		put_error(f, "The history could not be read", &one->history_error);
}

static int put_repository(FILE *f, const struct mf_report *r, size_t number, struct manifesto_error *err)
{
	const struct mf_report_repository *one = r->v[number];
	mf_html_printf(f, "<section id=\"r%zu\"><h2>%s</h2>", number + 1, one->name);
	if (one->error.status) {
		put_error(f, "Not verified: nothing is known of it", &one->error);
		(void)fputs("</section>\n", f);
		return 0;
	}
	mf_html_printf(f, "<p class=\"dim\">%s at <code>%s</code></p>",
		       strcmp(one->trust->dialect, "notary") == 0 ? "Notary v1" : "TUF 1.0",
		       one->trust->where);
	put_end_of_trust(f, r, one);
	put_notes(f, one);
	put_matrix(f, r, one);
	put_roles(f, r, one);
	if (one->history) {
		if (mf_report_timeline(one, number + 1, f, err) < 0)
			return -1;
		mf_report_events(one, f);
	}
	(void)fputs("</section>\n", f);
	return 0;
}

/* ---------------------------------------------------------------- the page */

static void put_count(FILE *f, const char *what, size_t n)
{
	mf_html_printf(f, "<li><b>%zu</b>%s</li>", n, what);
}

/* Counts the required types of which the image has no record. */
static size_t count_missing(const struct mf_report_image *im)
{
	size_t n = 0;
	for (size_t i = 0; im->verdict && i < im->verdict->nfindings; i++)
		n += im->verdict->findings[i].type && is_missing(im, im->verdict->findings[i].type) &&
		     finding_of(im, im->verdict->findings[i].type) == &im->verdict->findings[i];
	return n;
}

static void put_summary(FILE *f, const struct mf_report *r)
{
	static const char *const words[] = {"expiring", "expired", "withdrawn", "vetoed", "unsigned"};
	size_t n[sizeof words / sizeof words[0]] = {0}, gone = 0, unread = 0, absent = 0;
	for (size_t i = 0; i < r->n; i++) {
		unread += r->v[i]->error.status != 0;
		for (size_t k = 0; k < r->v[i]->nimages; k++) {
			const struct mf_report_image *im = &r->v[i]->images[k];
			gone += im->gone;
			absent += count_missing(im);
			for (size_t x = 0; x < im->nrecords; x++)
				for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
					n[w] += strcmp(look_of(r, im->records[x]).word, words[w]) == 0;
		}
	}
	(void)fputs("<ul class=\"sum\">", f);
	put_count(f, r->nimages == 1 ? "image" : "images", r->nimages);
	if (r->policy || r->require) {
		put_count(f, "accepted", r->accepted);
		put_count(f, "refused", r->refused);
	}
	for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
		if (n[w])
			mf_html_printf(f, "<li><b>%zu</b>record%s %s</li>", n[w], n[w] == 1 ? "" : "s",
				       words[w]);
	if (absent)
		mf_html_printf(f, "<li><b>%zu</b>record%s missing</li>", absent, absent == 1 ? "" : "s");
	if (gone)
		put_count(f, "gone", gone);
	if (unread)
		put_count(f, "not verified", unread);
	(void)fputs("</ul>\n", f);
}

static void put_head(FILE *f, const struct mf_report *r)
{
	(void)fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		    "'unsafe-inline'; "
		    "base-uri 'none'; form-action 'none'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<meta name=\"referrer\" content=\"no-referrer\">\n",
		    f);
	if (r->n == 1)
		mf_html_printf(f, "<title>Image records of %s</title>\n<style>", r->v[0]->name);
	else
		mf_html_printf(f, "<title>Image records of %zu repositories</title>\n<style>", r->n);
	for (size_t i = 0; mf_report_style[i]; i++)
		(void)fputs(mf_report_style[i], f);
	(void)fputs("</style></head>\n<body>\n", f);
}

static void put_header(FILE *f, const struct mf_report *r)
{
	(void)fputs("<header><h1>Image records</h1><p class=\"dim\">", f);
	(void)fputs(r->as_of ? "Verified as of " : "Verified ", f);
	mf_html_time(f, r->now);
	mf_html_printf(f, " UTC by manifesto %s", manifesto_version());
	if (r->bundle)
		mf_html_printf(f, ", from the bundle %s", r->bundle);
	(void)fputs("</p>", f);
	if (r->policy)
		mf_html_printf(f, "<p>Policy <code>%s</code>%s%s: an image must have</p><ul class=\"f\">",
			       r->policy, r->policy_name ? ", " : "", r->policy_name ? r->policy_name : "");
	for (size_t i = 0; i < r->npolicy_lines; i++)
		mf_html_printf(f, "<li>%s</li>", r->policy_lines[i]);
	if (r->policy)
		(void)fputs("</ul>", f);
	for (size_t i = 0; r->require && r->require[i]; i++)
		mf_html_printf(f, "<p>Required: <code>%s</code></p>", r->require[i]);
	put_summary(f, r);
	if (r->n > 1) {
		(void)fputs("<nav><ul class=\"key\">", f);
		for (size_t i = 0; i < r->n; i++)
			mf_html_printf(f, "<li><a href=\"#r%zu\">%s</a></li>", i + 1, r->v[i]->name);
		(void)fputs("</ul></nav>\n", f);
	}
	(void)fputs("</header>\n<main>\n", f);
}

int mf_report_page(const struct mf_report *r, FILE *f, struct manifesto_error *err)
{
	char span[MF_HTML_SPAN];
	put_head(f, r);
	put_header(f, r);
	for (size_t i = 0; i < r->n; i++)
		if (put_repository(f, r, i, err) < 0)
			return -1;
	mf_html_span(span, r->now + r->warn_within, r->now);
	mf_html_printf(
	    f,
	    "</main>\n<footer><p>All times are UTC. \"Expiring\" is what expires %s or sooner. Signers are "
	    "named as on the "
	    "machine that made this page; the dates of records are their signers' claims, and those of the "
	    "history are "
	    "the store's. Everything shown was verified at the time above: this page is no proof of it, "
	    "manifesto is. It also holds the data as JSON (<code>script#data</code>).</p></footer>\n"
	    "<script type=\"application/json\" id=\"data\">",
	    span);
	mf_html_json(f, (struct mf_str){r->json, r->json_length});
	(void)fputs("</script>\n</body></html>\n", f);
	return 0;
}
