#include "cli/images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

void mf_cli_images_clear(struct mf_cli_images *im)
{
	mf_buf_clear(&im->piped);
	mf_buf_clear(&im->listed);
	free(im->v);
}

static int add_image(struct mf_cli_images *im, const char *reference, struct manifesto_error *err)
{
	struct mf_err failed = MF_ERR_INIT;
	if (im->n >= MF_MAX_VERIFY_IMAGES)
		return mf_cli_usage(err, "more than %zu images in one run", MF_MAX_VERIFY_IMAGES);
	if (mf_grow((void **)&im->v, &im->cap, im->n, sizeof *im->v, &failed) < 0)
		return mf_cli_take(err, &failed);
	im->v[im->n++] = reference;
	return 0;
}

/* Reads the whole list, and appends a newline. */
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

/* Splits a list with one reference a line; blank lines and those that begin with '#' are skipped. */
static int split_list(struct mf_cli_images *im, char *text, const char *name, struct manifesto_error *err)
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

static int add_list(struct mf_cli_images *im, struct mf_buf *text, const char *path,
		    struct manifesto_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	if (!f)
		return mf_cli_fail(err, MF_E_USAGE, errno, "open '%s'", path);
	const char *name = is_stdin ? "standard input" : path;
	mf_buf_init(text, MF_MAX_IMAGE_LIST);
	int rc = read_list(f, name, text, err);
	if (!is_stdin)
		(void)fclose(f);
	size_t bom = text->n - mf_str_skip_bom(mf_buf_str(text)).n;
	return rc < 0 ? -1 : split_list(im, text->p + bom, name, err);
}

int mf_cli_images_collect(const struct mf_cli *cli, struct mf_cli_images *im, struct manifesto_error *err)
{
	const char *path = cli->args.value[MF_OPT_IMAGES];
	for (size_t i = 0; i < mf_cli_image_words(cli); i++)
		if ((strcmp(cli->argument[i], "-") == 0 ? add_list(im, &im->piped, "-", err)
							: add_image(im, cli->argument[i], err)) < 0)
			return -1;
	if (path && add_list(im, &im->listed, path, err) < 0)
		return -1;
	return im->n ? 0 : mf_cli_usage(err, "no image was given");
}
