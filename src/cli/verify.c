#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/show.h"
#include "cli/verdict.h"

/* ---------------------------------------------------------------- which images */

struct images {
	struct mf_buf text; /* of the lists; lines end with NUL */
	const char **v;
	size_t n, cap;
};

static void images_clear(struct images *im)
{
	mf_buf_clear(&im->text);
	free(im->v);
}
#define IMAGES_CLEANUP MF_CLEANUP(images_clear)

static int add_image(struct images *im, const char *reference, struct manifesto_error *err)
{
	struct mf_err failed = MF_ERR_INIT;
	if (im->n >= MF_MAX_VERIFY_IMAGES)
		return mf_cli_usage(err, "more than %zu images in one run", MF_MAX_VERIFY_IMAGES);
	if (mf_grow((void **)&im->v, &im->cap, im->n, sizeof *im->v, &failed) < 0)
		return mf_cli_take(err, &failed);
	im->v[im->n++] = reference;
	return 0;
}

/* All of it, and a last newline. */
static int read_list(FILE *f, const char *name, struct mf_buf *out, struct manifesto_error *err)
{
	struct mf_err failed = MF_ERR_INIT;
	char chunk[65536];
	size_t got;
	while (!failed.code && (got = fread(chunk, 1, sizeof chunk, f)) > 0)
		(void)!mf_buf_add(out, chunk, got, &failed);
	if (ferror(f))
		return mf_cli_fail(err, MF_E_USAGE, errno, "read '%s'", name);
	if (!failed.code)
		(void)!mf_buf_addc(out, '\n', &failed);
	if (failed.code == MF_E_FORMAT)
		return mf_cli_usage(err, "the list '%s' is longer than %zu bytes", name, MF_MAX_IMAGE_LIST);
	if (failed.code)
		return mf_cli_take(err, &failed);
	if (out->p && memchr(out->p, 0, out->n))
		return mf_cli_usage(err, "the list '%s' holds a NUL byte", name);
	return 0;
}

/* One reference a line; blank lines and those that begin with '#' are passed over. */
static int split_list(struct images *im, char *text, const char *name, struct manifesto_error *err)
{
	size_t number = 0, before = im->n;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		line += strspn(line, " \t\r");
		size_t n = strlen(line);
		while (n && strchr(" \t\r", line[n - 1]))
			line[--n] = 0;
		number++;
		if (!n || line[0] == '#')
			continue;
		if (n > MF_MAX_REFERENCE || strpbrk(line, " \t\r"))
			return mf_cli_usage(err, "line %zu of '%s' is not one image reference", number, name);
		if (add_image(im, line, err) < 0)
			return -1;
	}
	return im->n > before ? 0 : mf_cli_usage(err, "the list '%s' names no image", name);
}

static int add_list(struct images *im, const char *path, struct manifesto_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	if (!f)
		return mf_cli_fail(err, MF_E_USAGE, errno, "open '%s'", path);
	const char *name = is_stdin ? "standard input" : path;
	int rc = read_list(f, name, &im->text, err);
	if (!is_stdin)
		(void)fclose(f);
	size_t bom = im->text.n - mf_str_skip_bom(mf_buf_str(&im->text)).n;
	return rc < 0 ? -1 : split_list(im, im->text.p + bom, name, err);
}

/* Two lists have a buffer each: lines of the first are pointed to. */
static int collect(const struct mf_cli *cli, struct images *arguments, struct images *list,
		   struct manifesto_error *err)
{
	const char *path = cli->args.value[MF_OPT_IMAGES];
	for (size_t i = 0; i < cli->nargument; i++)
		if ((strcmp(cli->argument[i], "-") == 0 ? add_list(arguments, "-", err)
							: add_image(arguments, cli->argument[i], err)) < 0)
			return -1;
	if (path && add_list(list, path, err) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (add_image(arguments, list->v[i], err) < 0)
			return -1;
	if (arguments->n)
		return 0;
	return mf_cli_usage(err, "no image was given");
}

/* ---------------------------------------------------------------- results */

static int receive(void *arg, const struct manifesto_verify_item *item)
{
	struct mf_cli_verdicts *v = arg;
	*(item->accepted ? &v->accepted : &v->refused) += 1;
	mf_cli_progress_clear(&v->cli->config->progress);
	if (!v->begun) {
		v->begun = true;
		v->format->begin(v);
	}
	return v->format->item(v, item);
}

int mf_cli_run_verify(struct mf_cli *cli, struct manifesto_error *err)
{
	struct manifesto_verify_options o = MANIFESTO_INIT(manifesto_verify_options);
	struct images images IMAGES_CLEANUP = {.text = MF_BUF_INIT(MF_MAX_IMAGE_LIST)},
			     list IMAGES_CLEANUP = {.text = MF_BUF_INIT(MF_MAX_IMAGE_LIST)};
	struct mf_cli_verdicts verdicts = {.cli = cli};
	o.require = cli->args.list[MF_OPT_REQUIRE];
	o.policy_path = cli->args.value[MF_OPT_POLICY];
	o.platform = cli->args.value[MF_OPT_PLATFORM];
	o.all_platforms = mf_cli_args_has(&cli->args, MF_OPT_ALL_PLATFORMS);
	o.content = mf_cli_args_has(&cli->args, MF_OPT_CONTENT);
	verdicts.format = mf_cli_verdict_format(cli, err);
	cli->json = verdicts.format && strcmp(verdicts.format->name, "json") == 0;
	if (!verdicts.format || mf_cli_args_duration(&cli->args, MF_OPT_MAX_AGE, &o.max_age, err) < 0 ||
	    collect(cli, &images, &list, err) < 0)
		return -1;
	o.images = images.v;
	o.nimages = images.n;
	o.result = receive;
	o.result_arg = &verdicts;
	verdicts.images = images.n;
	int rc = manifesto_verify(cli->m, &o, err);
	if (verdicts.begun)
		verdicts.format->end(&verdicts, err);
	/* What was accepted stays accepted when another image is refused: it is handed out also by a run that
	 * fails. */
	if (rc < 0)
		(void)fflush(stdout);
	return rc;
}

/* ---------------------------------------------------------------- policy check */

int mf_cli_run_policy_check(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_policy_result, r);
	if (manifesto_policy_check(cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "policy-check");
		mf_json_add_text(&j, "name", r->name);
		mf_json_add_texts(&j, "requires", r->lines, r->nlines);
		mf_cli_json_end(&j);
	} else if (!cli->quiet) {
		mf_cli_printf("An image must have%s%s%s:\n", r->name ? ", for '" : "", r->name ? r->name : "",
			      r->name ? "'" : "");
		for (size_t i = 0; i < r->nlines; i++)
			mf_cli_printf("  - %s\n", r->lines[i]);
	}
	return 0;
}
