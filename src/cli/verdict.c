#include "cli/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

/* ---------------------------------------------------------------- sentences */

/* "wanted ...; found: ... (ENDPOINT); HINT". Caller frees; NULL: out of memory. */
static char *sentence(const struct manifesto_finding *f)
{
	bool where = f->endpoint && !strstr(f->found, f->endpoint);
	char *out;
	return asprintf(&out, "%s%s%s%s%s%s%s%s%s", f->wanted ? "wanted " : "", f->wanted ? f->wanted : "",
			f->wanted ? "; found: " : "", f->found, where ? " (" : "", where ? f->endpoint : "",
			where ? ")" : "", f->hint ? "; " : "", f->hint ? f->hint : "") < 0
		   ? NULL
		   : out;
}

/* "waived by 'NAME' for '...' until ..., signed by ...". Caller frees; NULL: out of memory. */
static char *waiver_sentence(const struct manifesto_waiver *w)
{
	char until[MF_TIME_LEN], *out;
	char *signers MF_FREE = mf_cli_show_signers(w->signers, w->nsigners);
	mf_cli_show_time(until, w->until);
	return !signers || asprintf(&out, "waived by '%s' for '%s' until %s, signed by %s", w->name,
				    w->granted_to, until, signers) < 0
		   ? NULL
		   : out;
}

static size_t count_unchecked(const struct mf_cli_verdicts *v)
{
	return v->images - v->accepted - v->refused;
}

/* A run that was stopped, or whose summary could not be written, must not look like one that passed. */
static bool failed_itself(const struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	return count_unchecked(v) || (err->status && !v->refused);
}

/* ---------------------------------------------------------------- text */

static void begin_nothing(struct mf_cli_verdicts *v)
{
	(void)v;
}

static void end_nothing(struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	(void)v;
	(void)err;
}

int mf_cli_show_finding(const struct manifesto_finding *f)
{
	char *text MF_FREE = sentence(f);
	if (!text)
		return -1;
	mf_cli_refusal("'%s'%s%s%s: %s", f->image, f->platform ? " (" : "", f->platform ? f->platform : "",
		       f->platform ? ")" : "", text);
	return 0;
}

/* Shows waivers and findings to people, on standard error. */
static int show_reasons(const struct manifesto_verify_item *item)
{
	for (size_t i = 0; i < item->nrequirements; i++) {
		const struct manifesto_requirement *r = item->requirements[i];
		if (!r->waiver)
			continue;
		char *waived MF_FREE = waiver_sentence(r->waiver);
		if (!waived)
			return -1;
		mf_cli_warning("'%s': '%s' is %s", r->subject, r->type, waived);
	}
	for (size_t i = 0; i < item->nfindings; i++)
		if (mf_cli_show_finding(item->findings[i]) < 0)
			return -1;
	return 0;
}

static int item_text(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item)
{
	(void)v;
	if (show_reasons(item) < 0)
		return -1;
	if (item->accepted)
		mf_cli_printf("%s\n", item->image);
	return 0;
}

/* ---------------------------------------------------------------- JSON */

static void requirement_json(struct mf_json_out *j, const struct manifesto_requirement *r)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "type", r->type);
	mf_json_add_text(j, "wanted", r->wanted);
	mf_json_add_text(j, "image", r->subject);
	mf_json_add_text(j, "platform", r->platform);
	mf_json_add_bool(j, "met", r->met);
	if (r->waiver) {
		mf_json_add_object(j, "waiver");
		mf_json_add_text(j, "name", r->waiver->name);
		mf_json_add_text(j, "for", r->waiver->granted_to);
		mf_json_add_text(j, "reason", r->waiver->reason);
		mf_json_add_time(j, "until", r->waiver->until);
		mf_cli_show_signers_json(j, "signers", r->waiver->signers, r->waiver->nsigners);
		mf_json_close(j);
	} else {
		mf_json_add_text(j, "waiver", NULL);
	}
	mf_cli_show_signers_json(j, "signers", r->signers, r->nsigners);
	mf_cli_show_records_json(j, r->records, r->nrecords);
	mf_json_add_texts(j, "conditions", r->conditions, r->nconditions);
	mf_json_close(j);
}

static void finding_json(struct mf_json_out *j, const struct manifesto_finding *f)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "code", f->code);
	mf_json_add_int(j, "exit", f->status);
	mf_json_add_text(j, "image", f->image);
	mf_json_add_text(j, "platform", f->platform);
	mf_json_add_text(j, "type", f->type);
	mf_json_add_text(j, "wanted", f->wanted);
	mf_json_add_text(j, "found", f->found);
	mf_json_add_text(j, "hint", f->hint);
	mf_json_add_text(j, "endpoint", f->endpoint);
	mf_json_add_text(j, "condition", f->condition);
	mf_json_add_texts(j, "values", f->values, f->nvalues);
	mf_json_close(j);
}

void mf_cli_show_findings_json(struct mf_json_out *j, const struct manifesto_finding *const *findings,
			       size_t n)
{
	mf_json_add_array(j, "findings");
	for (size_t i = 0; i < n; i++)
		finding_json(j, findings[i]);
	mf_json_close(j);
}

static void begin_json(struct mf_cli_verdicts *v)
{
	mf_cli_json_begin(&v->j, stdout, "verify");
	mf_cli_show_at_json(v->cli, &v->j);
	mf_json_add_array(&v->j, "images");
}

static int item_json(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item)
{
	struct mf_json_out *j = &v->j;
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "reference", item->reference);
	mf_json_add_text(j, "image", item->image);
	mf_json_add_text(j, "platform", item->platform);
	mf_json_add_bool(j, "accepted", item->accepted);
	mf_json_add_int(j, "exit", item->status);
	mf_json_add_array(j, "requirements");
	for (size_t i = 0; i < item->nrequirements; i++)
		requirement_json(j, item->requirements[i]);
	mf_json_close(j);
	mf_cli_show_findings_json(j, item->findings, item->nfindings);
	mf_json_close(j);
	return 0;
}

static void end_json(struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	mf_json_close(&v->j);
	mf_json_add_int(&v->j, "accepted", (int64_t)v->accepted);
	mf_json_add_int(&v->j, "refused", (int64_t)v->refused);
	mf_json_add_int(&v->j, "unchecked", (int64_t)count_unchecked(v));
	mf_json_add_int(&v->j, "exit", err->status);
	mf_cli_json_end(&v->j);
}

/* ---------------------------------------------------------------- formats with escapes of their own */

/* Prints with each %s escaped for the format. */
static void put(mf_text_form *form, const char *fmt, ...) MF_PRINTF(2, 3);

static void put(mf_text_form *form, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	mf_text_vprintf(stdout, form, fmt, ap);
	va_end(ap);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_about(const struct manifesto_finding *f, const struct manifesto_requirement *r)
{
	return f->wanted && same(f->wanted, r->wanted) && same(f->image, r->subject) &&
	       same(f->platform, r->platform);
}

/* The first reason why the requirement is not met, or NULL. */
static const struct manifesto_finding *finding_of(const struct manifesto_verify_item *item,
						  const struct manifesto_requirement *r)
{
	for (size_t i = 0; i < item->nfindings; i++)
		if (is_about(item->findings[i], r))
			return item->findings[i];
	return NULL;
}

/* Is the finding not that of an evaluated requirement? It is about the image, or about a requirement that was
 * not evaluated or has an earlier finding. */
static bool is_general(const struct manifesto_verify_item *item, const struct manifesto_finding *f)
{
	for (size_t i = 0; i < item->nrequirements; i++)
		if (finding_of(item, item->requirements[i]) == f)
			return false;
	return true;
}

/* ---------------------------------------------------------------- JUnit: testsuites, testsuite, testcase */

static void begin_junit(struct mf_cli_verdicts *v)
{
	(void)v;
	put(mf_text_xml,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"manifesto verify\">\n");
}

/* A policy that is not met is a failure; everything that kept the gate from deciding is an error. */
static const char *junit_kind(int status)
{
	return status == MANIFESTO_POLICY ? "failure" : "error";
}

static int put_outcome(const struct manifesto_finding *f)
{
	char *text MF_FREE = sentence(f);
	if (!text)
		return -1;
	put(mf_text_xml, "      <%s message=\"%s\" type=\"%s\">%s: %s (status %d)</%s>\n",
	    junit_kind(f->status), f->found, f->code, f->image, text, f->status, junit_kind(f->status));
	return 0;
}

static void begin_case(const struct manifesto_verify_item *item, const char *name, const char *platform)
{
	put(mf_text_xml, "    <testcase classname=\"%s\" name=\"%s%s%s%s\">\n", item->reference, name,
	    platform ? " (" : "", platform ? platform : "", platform ? ")" : "");
}

static int put_requirement(const struct manifesto_verify_item *item, const struct manifesto_requirement *r)
{
	const struct manifesto_finding *f = finding_of(item, r);
	begin_case(item, r->wanted, r->platform);
	if (f && put_outcome(f) < 0)
		return -1;
	if (!f && r->waiver) {
		char *waived MF_FREE = waiver_sentence(r->waiver);
		if (!waived)
			return -1;
		put(mf_text_xml, "      <skipped message=\"%s\"/>\n", waived);
	}
	put(mf_text_xml, "    </testcase>\n");
	return 0;
}

struct counts {
	size_t tests, failures, errors, skipped;
};

static void count_finding(struct counts *c, const struct manifesto_finding *f)
{
	*(f->status == MANIFESTO_POLICY ? &c->failures : &c->errors) += 1;
}

static struct counts count(const struct manifesto_verify_item *item)
{
	struct counts c = {.tests = item->nrequirements};
	for (size_t i = 0; i < item->nrequirements; i++) {
		const struct manifesto_finding *f = finding_of(item, item->requirements[i]);
		if (f)
			count_finding(&c, f);
		else if (item->requirements[i]->waiver)
			c.skipped++;
	}
	for (size_t i = 0; i < item->nfindings; i++)
		if (is_general(item, item->findings[i])) {
			c.tests++;
			count_finding(&c, item->findings[i]);
		}
	return c;
}

static int item_junit(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item)
{
	(void)v;
	struct counts c = count(item);
	put(mf_text_xml,
	    "  <testsuite name=\"%s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
	    item->reference, c.tests, c.failures, c.errors, c.skipped);
	for (size_t i = 0; i < item->nrequirements; i++)
		if (put_requirement(item, item->requirements[i]) < 0)
			return -1;
	for (size_t i = 0; i < item->nfindings; i++) {
		const struct manifesto_finding *f = item->findings[i];
		if (!is_general(item, f))
			continue;
		begin_case(item, f->wanted ? f->wanted : "the image", f->platform);
		if (put_outcome(f) < 0)
			return -1;
		put(mf_text_xml, "    </testcase>\n");
	}
	put(mf_text_xml, "  </testsuite>\n");
	return show_reasons(item);
}

static void end_junit(struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	size_t unchecked = count_unchecked(v);
	if (failed_itself(v, err))
		put(mf_text_xml,
		    "  <testsuite name=\"%s\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">\n"
		    "    <testcase classname=\"manifesto verify\" name=\"%zu images\">\n"
		    "      <error message=\"%s\" type=\"%s\"/>\n    </testcase>\n  </testsuite>\n",
		    unchecked ? "images that were not checked" : "the run", unchecked ? unchecked : v->images,
		    err->message, err->code);
	put(mf_text_xml, "</testsuites>\n");
}

/* ---------------------------------------------------------------- Markdown, for the summary of a job */

static void put_row(const char *verdict, const char *wanted, const char *platform, const char *found)
{
	put(mf_text_markdown, "| ");
	(void)fputs(verdict, stdout);
	put(mf_text_markdown, " | %s%s%s%s | %s |\n", wanted, platform ? " (" : "", platform ? platform : "",
	    platform ? ")" : "", found);
}

static int put_requirement_row(const struct manifesto_verify_item *item,
			       const struct manifesto_requirement *r)
{
	if (finding_of(item, r)) /* the finding has a row of its own */
		return 0;
	char *text MF_FREE =
	    r->waiver ? waiver_sentence(r->waiver) : mf_cli_show_signers(r->signers, r->nsigners);
	if (!text)
		return -1;
	put_row(r->waiver ? "waived" : "met", r->wanted, r->platform, text);
	return 0;
}

static int item_markdown(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item)
{
	(void)v;
	put(mf_text_markdown, "### %s: %s\n\n", item->accepted ? "Accepted" : "Refused", item->reference);
	if (item->image && strcmp(item->image, item->reference) != 0)
		put(mf_text_markdown, "%s\n\n", item->image);
	put(mf_text_markdown, "| Verdict | Required | Found |\n|---|---|---|\n");
	for (size_t i = 0; i < item->nfindings; i++) {
		const struct manifesto_finding *f = item->findings[i];
		struct manifesto_finding found = *f;
		found.wanted = NULL;
		char *text MF_FREE = sentence(&found);
		if (!text)
			return -1;
		put_row("**refused**", f->wanted ? f->wanted : "the image", f->platform, text);
	}
	for (size_t i = 0; i < item->nrequirements; i++)
		if (put_requirement_row(item, item->requirements[i]) < 0)
			return -1;
	put(mf_text_markdown, "\n");
	return show_reasons(item);
}

static void end_markdown(struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	put(mf_text_markdown, "**%zu accepted, %zu refused, %zu not checked; exit status %d.**\n",
	    v->accepted, v->refused, count_unchecked(v), err->status);
	if (failed_itself(v, err))
		put(mf_text_markdown, "\n%s\n", err->message);
}

/* ---------------------------------------------------------------- GitHub: workflow commands */

/* The runner ends a property at ':' and ',', and decodes %25, %3A and %2C there. In the message, only '%'
 * must be encoded. */
static void github_property(FILE *f, const char *piece)
{
	if (*piece == '%' || *piece == ':' || *piece == ',')
		(void)fprintf(f, "%%%02X", (unsigned)*piece);
	else
		(void)fputs(piece, f);
}

static void github_message(FILE *f, const char *piece)
{
	(void)fputs(*piece == '%' ? "%25" : piece, f);
}

static void annotate(const char *command, const char *title, const char *image, const char *text)
{
	(void)printf("::%s title=", command);
	put(github_property, "%s %s", title, image);
	(void)fputs("::", stdout);
	put(github_message, "%s\n", text);
}

static int item_github(struct mf_cli_verdicts *v, const struct manifesto_verify_item *item)
{
	(void)v;
	for (size_t i = 0; i < item->nrequirements; i++) {
		const struct manifesto_requirement *r = item->requirements[i];
		char *waived MF_FREE = r->waiver ? waiver_sentence(r->waiver) : NULL;
		if (r->waiver && !waived)
			return -1;
		if (r->waiver)
			annotate("warning", r->type, r->subject, waived);
	}
	for (size_t i = 0; i < item->nfindings; i++) {
		char *text MF_FREE = sentence(item->findings[i]);
		if (!text)
			return -1;
		annotate("error", "refused", item->findings[i]->image, text);
	}
	if (item->accepted)
		mf_cli_printf("%s\n", item->image);
	return 0;
}

static void end_github(struct mf_cli_verdicts *v, const struct manifesto_error *err)
{
	if (failed_itself(v, err))
		annotate("error", "failed", "manifesto verify", err->message);
}

/* ---------------------------------------------------------------- the table */

static const struct mf_cli_verdict_format formats[] = {
    {"text", begin_nothing, item_text, end_nothing},
    {"json", begin_json, item_json, end_json},
    {"junit", begin_junit, item_junit, end_junit},
    {"markdown", begin_nothing, item_markdown, end_markdown},
    {"github", begin_nothing, item_github, end_github},
};

const struct mf_cli_verdict_format *mf_cli_verdict_format(const struct mf_cli *cli,
							  struct manifesto_error *err)
{
	const char *name = cli->args.value[MF_OPT_FORMAT];
	if (name && cli->json && strcmp(name, "json") != 0) {
		(void)!mf_cli_usage(err, "'--json' and '--format %s' exclude each other", name);
		return NULL;
	}
	if (!name)
		name = cli->json ? "json" : "text";
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	(void)!mf_cli_usage(err, "expected the format text, json, junit, markdown or github, got '%s'", name);
	return NULL;
}
