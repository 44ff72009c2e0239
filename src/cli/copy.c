#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/verdict.h"

/* ---- which images */

struct pairs {
	struct manifesto_copy_pair *v;
	size_t n, cap;
	char **lines; /* that the pairs point into */
	size_t nlines, lines_cap;
};

static void pairs_clear(struct pairs *p)
{
	for (size_t i = 0; i < p->nlines; i++)
		free(p->lines[i]);
	free(p->lines);
	free(p->v);
}

static int add_pair(struct pairs *p, const char *from, const char *to, struct manifesto_error *err)
{
	struct mf_err failed = MF_ERR_INIT;
	if (p->n == MF_MAX_CHANGE_IMAGES)
		return mf_cli_usage(err, "more than %zu images in one run", MF_MAX_CHANGE_IMAGES);
	if (mf_grow((void **)&p->v, &p->cap, p->n, sizeof *p->v, &failed) < 0)
		return mf_cli_take(err, &failed);
	p->v[p->n++] = (struct manifesto_copy_pair){from, to};
	return 0;
}

/* Cuts the next word off a line; NULL: there is none. */
static char *next_word(char **at)
{
	static const char blanks[] = " \t\r\n";
	char *word = *at + strspn(*at, blanks), *end = word + strcspn(word, blanks);
	*at = *end ? end + 1 : end;
	*end = 0;
	return *word ? word : NULL;
}

/* Adds the pair of a line "SRC DST", which the pair points into. Empty lines and those that begin with '#'
 * are skipped. */
static int add_line(struct pairs *p, char *line, size_t number, struct manifesto_error *err)
{
	char *at = line, *from = next_word(&at);
	if (!from || *from == '#')
		return 0;
	char *to = next_word(&at);
	if (!to || next_word(&at))
		return mf_cli_usage(err, "line %zu of the list is not SRC DST", number);
	return add_pair(p, from, to, err);
}

static int read_lines(struct pairs *p, FILE *f, const char *path, struct manifesto_error *err)
{
	struct mf_err failed = MF_ERR_INIT;
	for (size_t number = 1;; number++) {
		char *line = NULL;
		size_t size = 0;
		errno = 0;
		ssize_t n = getline(&line, &size, f);
		if (n < 0 ||
		    mf_grow((void **)&p->lines, &p->lines_cap, p->nlines, sizeof *p->lines, &failed) < 0) {
			free(line);
			if (failed.code)
				return mf_cli_take(err, &failed);
			return ferror(f) ? mf_cli_fail(err, MF_E_USAGE, errno, "read '%s'", path) : 0;
		}
		p->lines[p->nlines++] = line;
		if ((size_t)n != strlen(line) || n > 2 * MF_MAX_REFERENCE ||
		    p->nlines > MF_MAX_IMAGE_LIST / 64)
			return mf_cli_usage(err, "line %zu of '%s' is too long, or holds a NUL byte", number,
					    path);
		if (add_line(p, line, number, err) < 0)
			return -1;
	}
}

static int collect(const struct mf_cli *cli, struct pairs *p, struct manifesto_error *err)
{
	const char *path = cli->args.value[MF_OPT_FROM_FILE];
	if (!path)
		return cli->nargument == 2 ? add_pair(p, cli->argument[0], cli->argument[1], err)
					   : mf_cli_usage(err, "expected SRC and DST, or --from-file LIST");
	if (cli->nargument)
		return mf_cli_usage(err, "'--from-file' and SRC DST cannot be given together");
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	if (!f)
		return mf_cli_fail(err, MF_E_USAGE, errno, "open '%s'", path);
	int rc = read_lines(p, f, path, err);
	if (!is_stdin)
		(void)fclose(f);
	return rc == 0 && !p->n ? mf_cli_usage(err, "the list '%s' names no image", path) : rc;
}

/* ---- results */

struct sink {
	const struct mf_cli *cli;
	struct mf_json_out j;
	size_t copied, failed;
	bool begun, many;
};

static void show_json(struct mf_json_out *j, const struct manifesto_copy_item *item)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "from", item->from);
	mf_json_add_text(j, "to", item->to);
	mf_json_add_text(j, "source", item->source);
	mf_json_add_text(j, "image", item->image);
	mf_json_add_bool(j, "copied", !item->error);
	mf_json_add_array(j, "records");
	for (size_t i = 0; i < item->nrecords; i++) {
		mf_json_add_object(j, NULL);
		mf_json_add_bool(j, "unchanged", item->records[i]->unchanged);
		mf_json_add_object(j, "record");
		mf_cli_show_record_json(j, item->records[i]->record);
		mf_json_close(j);
		mf_json_close(j);
	}
	mf_json_close(j);
	mf_json_add_text(j, "role", item->role);
	mf_json_add_int(j, "version", item->version);
	mf_json_add_text(j, "publishedTo", item->published_to);
	if (item->signer)
		mf_cli_show_signer_json(j, "signer", item->signer);
	mf_cli_show_findings_json(j, item->findings, item->nfindings);
	if (item->error)
		mf_cli_json_error(j, item->error);
	mf_json_add_texts(j, "warnings", item->warnings, item->nwarnings);
	mf_json_close(j);
}

static int show_failure(const struct sink *s, const struct manifesto_copy_item *item)
{
	for (size_t i = 0; i < item->nfindings; i++)
		if (mf_cli_show_finding(item->findings[i]) < 0)
			return -1;
	/* The failure of a single pair is the error of the run, which main.c prints. */
	if (s->many)
		mf_cli_message("not copied: '%s' to '%s': %s%s%s", item->from, item->to, item->error->message,
			       item->error->hint[0] ? "; " : "", item->error->hint);
	return 0;
}

static int show_text(const struct sink *s, const struct manifesto_copy_item *item)
{
	size_t unchanged = 0;
	mf_cli_show_warnings(item->warnings, item->nwarnings);
	if (item->error)
		return show_failure(s, item);
	if (s->cli->quiet)
		return 0;
	for (size_t i = 0; i < item->nrecords; i++)
		unchanged += item->records[i]->unchanged != 0;
	mf_cli_printf("%s: %zu record%s promoted from '%s'", item->image, item->nrecords - unchanged,
		      item->nrecords - unchanged == 1 ? "" : "s", item->from);
	if (unchanged)
		mf_cli_printf(", %zu there before", unchanged);
	mf_cli_printf("; signed by %s in %s, version %lld\n", item->signer->name ? item->signer->name : "-",
		      item->role, (long long)item->version);
	return 0;
}

static int receive(void *arg, const struct manifesto_copy_item *item)
{
	struct sink *s = arg;
	*(item->error ? &s->failed : &s->copied) += 1;
	mf_cli_progress_clear(&s->cli->config->progress);
	if (!s->cli->json)
		return show_text(s, item);
	if (!s->begun) {
		mf_cli_json_begin(&s->j, stdout, "copy");
		mf_json_add_array(&s->j, "images");
		s->begun = true;
	}
	show_json(&s->j, item);
	return 0;
}

static void end_json(struct sink *s, const struct manifesto_error *err)
{
	mf_json_close(&s->j);
	mf_json_add_int(&s->j, "copied", (int64_t)s->copied);
	mf_json_add_int(&s->j, "failed", (int64_t)s->failed);
	mf_json_add_int(&s->j, "exit", err->status);
	mf_cli_json_end(&s->j);
}

/* ---- two contexts, where source and destination need different options */

struct contexts {
	struct mf_cli *cli;
	struct manifesto *other, *from, *to;
};

static void contexts_clear(struct contexts *c)
{
	mf_cli_context_free(c->cli, c->other);
}

/* Options for one server, such as logins, are for the destination: a source with its own context does not get
 * them. */
static int make_contexts(struct mf_cli *cli, struct contexts *c, struct manifesto_error *err)
{
	const struct mf_cli_args *a = &cli->args;
	struct manifesto_options o = cli->config->options;
	c->from = c->to = cli->m;
	if (o.bundle) {
		o.bundle = NULL;
		o.at = o.bundle_max_age = 0;
		if (a->value[MF_OPT_FROM_TRUST_SERVER])
			return mf_cli_usage(err,
					    "'--bundle' has the trust metadata of SRC: there is no other");
		if (manifesto_new(&o, &c->other, err) < 0)
			return -1;
		c->to = c->other;
		return 0;
	}
	if (!a->value[MF_OPT_FROM_TRUST_SERVER] && !a->value[MF_OPT_FROM_CACERT])
		return 0;
	if (a->value[MF_OPT_FROM_TRUST_SERVER])
		o.trust_server = a->value[MF_OPT_FROM_TRUST_SERVER];
	if (a->value[MF_OPT_FROM_CACERT])
		o.cacert = a->value[MF_OPT_FROM_CACERT];
	o.trust_server_for_layouts = a->value[MF_OPT_FROM_TRUST_SERVER] != NULL;
	o.username = o.password = o.trust_username = o.trust_password = NULL;
	if (manifesto_new(&o, &c->other, err) < 0)
		return -1;
	c->from = c->other;
	return 0;
}

int mf_cli_run_copy(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_copy_options o = {.size = sizeof o, MF_CLI_REQUIREMENTS(&cli->args)};
	struct pairs pairs MF_CLEANUP(pairs_clear) = {0};
	struct contexts contexts MF_CLEANUP(contexts_clear) = {.cli = cli};
	struct sink sink = {.cli = cli};
	char *text MF_FREE = NULL;
	const char **types MF_FREE = NULL;
	if (collect(cli, &pairs, err) < 0 ||
	    mf_cli_args_items(&cli->args, MF_OPT_TYPES, &text, &types, err) < 0 ||
	    mf_cli_args_duration(&cli->args, MF_OPT_MAX_AGE, &o.max_age, err) < 0 ||
	    make_contexts(cli, &contexts, err) < 0)
		return -1;
	sink.many = pairs.n > 1;
	o.pairs = pairs.v;
	o.npairs = pairs.n;
	o.source = contexts.from == contexts.to ? NULL : contexts.from;
	o.types = types;
	o.role = cli->args.value[MF_OPT_ROLE];
	o.key = cli->args.value[MF_OPT_KEY];
	o.force = mf_cli_args_has(&cli->args, MF_OPT_FORCE);
	o.result = receive;
	o.result_arg = &sink;
	int rc = manifesto_copy(contexts.to, &o, err);
	if (sink.begun)
		end_json(&sink, err);
	/* What was published stays published, and is reported also if the run fails. */
	if (rc < 0)
		(void)fflush(stdout);
	return rc;
}
