/* cache show, cache clear */
#include "cli/command.h"
#include "cli/show.h"

static void show_json(const struct manifesto_cache_result *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "cache");
	mf_json_add_text(&j, "path", r->path);
	mf_json_add_int(&j, "limit", (int64_t)r->limit);
	mf_json_add_int(&j, "files", (int64_t)r->files);
	mf_json_add_int(&j, "bytes", (int64_t)r->bytes);
	mf_json_add_object(&j, "content");
	mf_json_add_int(&j, "files", (int64_t)r->content_files);
	mf_json_add_int(&j, "bytes", (int64_t)r->content_bytes);
	mf_json_close(&j);
	mf_json_add_array(&j, "repositories");
	for (size_t i = 0; i < r->nrepositories; i++) {
		const struct manifesto_cache_repository *x = r->repositories[i];
		mf_json_add_object(&j, NULL);
		mf_json_add_text(&j, "name", x->name);
		mf_json_add_text(&j, "hash", x->hash);
		mf_json_add_int(&j, "files", (int64_t)x->files);
		mf_json_add_int(&j, "bytes", (int64_t)x->bytes);
		mf_json_close(&j);
	}
	mf_json_close(&j);
	mf_cli_json_end(&j);
}

/* "12.3 MiB": in a unit that MANIFESTO_CACHE_SIZE has, too */
static const char *size_text(char out[32], uint64_t bytes)
{
	(void)snprintf(out, 32, "%.1f MiB", (double)bytes / (1024 * 1024));
	return out;
}

static int show_text(const struct manifesto_cache_result *r, struct manifesto_error *err)
{
	static const char *const heads[] = {"METADATA OF", "FILES", "SIZE"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	char all[32], limit[32], content[32];
	mf_cli_printf("%s: %s of %s, %llu files, of which %llu with content (%s)\n", r->path,
		      size_text(all, r->bytes), size_text(limit, r->limit), (unsigned long long)r->files,
		      (unsigned long long)r->content_files, size_text(content, r->content_bytes));
	if (!r->nrepositories)
		return 0;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof *heads);
	for (size_t i = 0; i < r->nrepositories; i++) {
		const struct manifesto_cache_repository *x = r->repositories[i];
		char unknown[32];
		(void)snprintf(unknown, sizeof unknown, "(not pinned: %.8s)", x->hash);
		mf_cli_table_add(&t, x->name ? x->name : unknown);
		mf_cli_table_addf(&t, "%llu", (unsigned long long)x->files);
		mf_cli_table_add(&t, size_text(all, x->bytes));
	}
	return mf_cli_table_print(&t, stdout, err);
}

int mf_cli_run_cache_show(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_cache_result, r);
	if (manifesto_cache_show(cli->m, &r, err) < 0)
		return -1;
	if (!cli->json)
		return show_text(r, err);
	show_json(r);
	return 0;
}

int mf_cli_run_cache_clear(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_cache_clear_result, r);
	if (manifesto_cache_clear(cli->m, cli->nargument ? cli->argument[0] : NULL, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "cache-clear");
		mf_json_add_int(&j, "files", (int64_t)r->files);
		mf_json_add_int(&j, "bytes", (int64_t)r->bytes);
		mf_cli_json_end(&j);
	} else if (!cli->quiet) {
		char size[32];
		mf_cli_printf("removed %llu files, %s\n", (unsigned long long)r->files,
			      size_text(size, r->bytes));
	}
	return 0;
}
