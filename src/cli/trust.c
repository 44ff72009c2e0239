#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/show.h"

/* ---------------------------------------------------------------- JSON */

static void role_json(struct mf_json_out *j, const struct manifesto_trust_role *r)
{
	mf_json_add_object(j, NULL);
	mf_json_add_text(j, "name", r->name);
	mf_json_add_int(j, "version", r->version);
	mf_json_add_time(j, "expires", r->expires);
	mf_json_add_int(j, "threshold", r->threshold);
	mf_json_add_texts(j, "paths", r->paths, r->npaths);
	mf_cli_show_signers_json(j, "keys", r->keys, r->nkeys);
	mf_json_close(j);
}

static void show_json(const char *schema, const struct manifesto_trust_result *r)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, schema);
	mf_json_add_text(&j, "gun", r->gun);
	mf_json_add_text(&j, "where", r->where);
	mf_json_add_text(&j, "dialect", r->dialect);
	if (r->copy_of) {
		mf_json_add_object(&j, "copyOf");
		mf_json_add_text(&j, "repository", r->copy_of);
		mf_json_add_text(&j, "dialect", r->copied_dialect);
		mf_json_add_text(&j, "root", r->copied_root);
		mf_json_add_int(&j, "rootVersion", r->copied_root_version);
		mf_json_add_int(&j, "timestampVersion", r->copied_version);
		mf_json_close(&j);
	}
	mf_json_add_bool(&j, "initialised", r->initialised);
	mf_json_add_bool(&j, "tofu", r->tofu);
	mf_json_add_array(&j, "roles");
	for (size_t i = 0; i < r->nroles; i++)
		role_json(&j, r->roles[i]);
	mf_json_close(&j);
	mf_json_add_texts(&j, "pinned", r->pinned, r->npinned);
	mf_json_add_int(&j, "pinThreshold", r->pin_threshold);
	mf_json_add_text(&j, "pinSource", r->pin_source);
	mf_json_add_texts(&j, "keysMade", r->keys_made, r->nkeys_made);
	if (r->recovery) {
		mf_json_add_text(&j, "recovery", r->recovery);
		mf_json_add_text(&j, "recoveryKey", r->recovery_key);
	}
	if (r->map)
		mf_json_add_text(&j, "map", r->map);
	mf_cli_json_end(&j);
}

/* ---------------------------------------------------------------- text */

static void line(const char *label, const char *value)
{
	mf_cli_printf("%-9s %s\n", label, value ? value : "-");
}

static char *join(const char *const *texts, size_t n)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	if (!f)
		return NULL;
	/* Notary's empty path, which covers everything, would not be visible. */
	for (size_t i = 0; i < n; i++)
		(void)fprintf(f, "%s%s", i ? " " : "", texts[i][0] ? texts[i] : "\"\"");
	if (fclose(f) == 0)
		return out;
	free(out);
	return NULL;
}

static int add_role(struct mf_cli_table *t, const struct manifesto_trust_role *r, struct manifesto_error *err)
{
	char *keys MF_FREE = mf_cli_show_signers(r->keys, r->nkeys),
		   *paths MF_FREE = join(r->paths, r->npaths);
	if (!keys || !paths)
		return mf_cli_nomem(err);
	mf_cli_table_add(t, r->name);
	mf_cli_table_add_version(t, r->version);
	mf_cli_table_add_time(t, r->expires);
	mf_cli_table_addf(t, "%d of %zu", r->threshold, r->nkeys);
	mf_cli_table_add(t, keys);
	mf_cli_table_add(t, paths);
	return 0;
}

static int show_roles(const struct manifesto_trust_result *r, struct manifesto_error *err)
{
	static const char *const heads[] = {"ROLE", "VERSION", "EXPIRES", "NEEDS", "KEYS", "PATHS"};
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < r->nroles; i++)
		if (add_role(&t, r->roles[i], err) < 0)
			return -1;
	return mf_cli_table_print(&t, stdout, err);
}

static void show_pins(const struct manifesto_trust_result *r)
{
	for (size_t i = 0; i < r->npinned; i++)
		line(i ? "" : "pinned", r->pinned[i]);
	if (r->npinned)
		(void)printf("%-9s %d of %zu\n", "needs", r->pin_threshold, r->npinned);
	if (r->pin_source)
		line("pin from", r->pin_source);
	if (r->tofu)
		line("trusted", r->npinned ? "on first use: this command has just pinned it"
					   : "on first use, not pinned");
}

/* ---------------------------------------------------------------- commands */

int mf_cli_run_trust_init(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_trust_result, r);
	struct manifesto_init_options o = MANIFESTO_INIT(manifesto_init_options);
	int64_t keys = 0, threshold = 0;
	if (mf_cli_args_number(&cli->args, MF_OPT_ROOT_KEYS, 1, 2, &keys, err) < 0 ||
	    mf_cli_args_number(&cli->args, MF_OPT_ROOT_THRESHOLD, 1, 2, &threshold, err) < 0)
		return -1;
	o.image = cli->argument[0];
	o.root_keys = (int)keys;
	o.root_threshold = (int)threshold;
	o.recovery = cli->args.value[MF_OPT_RECOVERY];
	if (manifesto_trust_init_with(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json("trust-init", r);
		return 0;
	}
	if (cli->quiet)
		return 0;
	mf_cli_printf("Trust repository of '%s' made at %s\n", r->gun, r->where);
	mf_cli_show_initialised(r->where, cli->config->options.home, r->keys_made, r->nkeys_made, r->pinned,
				r->npinned);
	if (r->recovery)
		mf_cli_message(
		    "recovery kit with the second root key %s: %s; print recovery.html, and keep the "
		    "directory where the first key is not",
		    r->recovery_key, r->recovery);
	return 0;
}

int mf_cli_run_trust_show(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_trust_result, r);
	if (manifesto_trust_show(cli->m, cli->argument[0], &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json("trust-show", r);
		return 0;
	}
	line("gun", r->gun);
	if (r->map)
		line("map", r->map);
	line("where", r->where);
	line("dialect", r->dialect);
	if (r->copy_of)
		mf_cli_printf("%-9s %s (%s), root %lld %s, timestamp %lld\n", "copy of", r->copy_of,
			      r->copied_dialect, (long long)r->copied_root_version, r->copied_root,
			      (long long)r->copied_version);
	show_pins(r);
	(void)fputc('\n', stdout);
	return show_roles(r, err);
}

int mf_cli_run_trust_pin(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_trust_result, r);
	struct manifesto_pin_options o = MANIFESTO_INIT(manifesto_pin_options);
	int64_t threshold = 0;
	if (mf_cli_args_number(&cli->args, MF_OPT_THRESHOLD, 1, MF_MAX_SIGNATURES, &threshold, err) < 0)
		return -1;
	o.image = cli->argument[0];
	o.anchors = cli->argument + 1; /* the list of arguments ends with NULL */
	o.threshold = (int)threshold;
	if (manifesto_trust_pin(cli->m, &o, &r, err) < 0)
		return -1;
	if (cli->json) {
		show_json("trust-pin", r);
		return 0;
	}
	if (cli->quiet)
		return 0;
	line("gun", r->gun);
	show_pins(r);
	return 0;
}

/* JSON with or without --json: it is a file for other machines. */
int mf_cli_run_trust_export(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_trust_export_result, r);
	if (manifesto_trust_export(cli->m, cli->argument, cli->nargument, &r, err) < 0)
		return -1;
	(void)fwrite(r->json, 1, r->length, stdout);
	return 0;
}

int mf_cli_run_trust_import(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_trust_import_result, r);
	if (manifesto_trust_import(cli->m, cli->argument[0], mf_cli_args_has(&cli->args, MF_OPT_FORCE), &r,
				   err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "trust-import");
		mf_json_add_texts(&j, "added", r->added, r->nadded);
		mf_json_add_texts(&j, "replaced", r->replaced, r->nreplaced);
		mf_json_add_int(&j, "unchanged", (int64_t)r->nsame);
		mf_json_add_texts(&j, "named", r->named, r->nnamed);
		mf_json_add_texts(&j, "mapped", r->mapped, r->nmapped);
		mf_cli_json_end(&j);
		return 0;
	}
	if (cli->quiet)
		return 0;
	for (size_t i = 0; i < r->nadded; i++)
		line("added", r->added[i]);
	for (size_t i = 0; i < r->nreplaced; i++)
		line("replaced", r->replaced[i]);
	for (size_t i = 0; i < r->nnamed; i++)
		line("named", r->named[i]);
	for (size_t i = 0; i < r->nmapped; i++)
		line("mapped", r->mapped[i]);
	if (!r->nadded && !r->nreplaced && !r->nnamed && !r->nmapped)
		(void)puts("nothing new");
	return 0;
}

/* ---------------------------------------------------------------- maps */

static int list_maps(const struct mf_cli *cli, struct manifesto_error *err)
{
	static const char *const heads[] = {"PATTERN", "REPOSITORY"};
	MF_CLI_RESULT(manifesto_maps, r);
	if (manifesto_trust_maps(cli->m, &r, err) < 0)
		return -1;
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "trust-map");
		mf_json_add_object(&j, "maps");
		for (size_t i = 0; i < r->nmaps; i++) {
			mf_json_key(&j, mf_str_c(r->maps[i]->pattern));
			mf_json_add_text(&j, NULL, r->maps[i]->repository);
		}
		mf_json_close(&j);
		mf_cli_json_end(&j);
		return 0;
	}
	if (!r->nmaps && !cli->quiet)
		mf_cli_message("no image name is mapped on this machine");
	struct mf_cli_table t MF_CLI_TABLE_CLEANUP;
	mf_cli_table_init(&t, heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < r->nmaps; i++) {
		mf_cli_table_add(&t, r->maps[i]->pattern);
		mf_cli_table_add(&t, r->maps[i]->repository);
	}
	return r->nmaps ? mf_cli_table_print(&t, stdout, err) : 0;
}

int mf_cli_run_trust_map(struct mf_cli *cli, struct manifesto_error *err)
{
	bool removes = mf_cli_args_has(&cli->args, MF_OPT_REMOVE);
	if (!cli->nargument && !removes)
		return list_maps(cli, err);
	if (cli->nargument != (removes ? 1u : 2u))
		return mf_cli_usage(err, removes ? "'trust map --remove' takes one argument (PATTERN)"
						 : "'trust map' takes a pattern and a repository");
	if (manifesto_trust_map(cli->m, cli->argument[0], removes ? NULL : cli->argument[1], err) < 0)
		return -1;
	if (cli->json)
		return list_maps(cli, err);
	if (cli->quiet)
		return 0;
	if (removes)
		mf_cli_printf("'%s' is not mapped any more\n", cli->argument[0]);
	else
		mf_cli_printf("'%s' is read by the trust repository of '%s'\n", cli->argument[0],
			      cli->argument[1]);
	return 0;
}

/* ---------------------------------------------------------------- what this machine remembers */

static void print_clock(struct mf_cli *cli, const struct manifesto_clock_result *r)
{
	char recorded[32], now[32];
	mf_cli_show_time(recorded, r->recorded);
	mf_cli_show_time(now, r->now);
	if (cli->json) {
		struct mf_json_out j;
		mf_cli_json_begin(&j, stdout, "trust-clock");
		mf_json_add_text(&j, "gun", r->gun);
		mf_json_add_text(&j, "file", r->file);
		mf_json_add_time(&j, "recorded", r->recorded);
		mf_json_add_time(&j, "now", r->now);
		mf_json_add_bool(&j, "changed", r->changed);
		mf_cli_json_end(&j);
	} else if (!cli->quiet && r->changed) {
		mf_cli_printf("The time recorded for '%s' was %s and is now %s.\n", r->gun, recorded, now);
	} else if (!cli->quiet && r->recorded) {
		mf_cli_printf("The time recorded for '%s' is %s, not later than the system clock.\n", r->gun,
			      recorded);
	} else if (!cli->quiet) {
		mf_cli_printf("No time is recorded for '%s'.\n", r->gun);
	}
}

int mf_cli_run_trust_clock(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_clock_result, before);
	MF_CLI_RESULT(manifesto_clock_result, r);
	char recorded[32], now[32], question[1024];
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES);
	if (!yes && !mf_cli_prompt_interactive(&cli->prompt))
		return mf_cli_usage(err, "'trust clock' asks: without a terminal give --yes");
	if (manifesto_trust_clock(cli->m, cli->argument[0], 1, &before, err) < 0)
		return -1;
	mf_cli_show_time(recorded, before->recorded);
	mf_cli_show_time(now, before->now);
	(void)snprintf(
	    question, sizeof question,
	    "The time recorded for '%s' is %s; the system clock says %s. Is the clock right? [y/N] ",
	    before->gun, recorded, now);
	if (!yes && before->changed && !mf_cli_prompt_confirm(&cli->prompt, "", question))
		return mf_cli_fail(err, MF_E_CANCELLED, 0, "the recorded time was not changed");
	if (manifesto_trust_clock(cli->m, cli->argument[0], 0, &r, err) < 0)
		return -1;
	print_clock(cli, r);
	return 0;
}

static void describe_memory(FILE *f, const struct manifesto_forget_result *r)
{
	char time[32];
	for (size_t i = 0; i < r->npinned; i++)
		mf_text_printf(f, "  pinned root key %s\n", r->pinned[i]);
	if (r->floors) {
		mf_cli_show_time(time, r->recorded);
		mf_text_printf(f, "  recorded versions (root %lld) and time (%s): %s\n",
			       (long long)r->root_version, time, r->floors);
	}
	if (r->cache)
		mf_text_printf(f, "  cached metadata: %s\n", r->cache);
	if (r->prefix_pin)
		mf_text_printf(f, "The pin of '%s' stays.\n", r->prefix_pin);
}

static void forget_json(const struct manifesto_forget_result *r, bool dry_run)
{
	struct mf_json_out j;
	mf_cli_json_begin(&j, stdout, "trust-forget");
	mf_json_add_text(&j, "gun", r->gun);
	mf_json_add_texts(&j, "pinned", r->pinned, r->npinned);
	mf_json_add_text(&j, "prefixPin", r->prefix_pin);
	mf_json_add_text(&j, "floors", r->floors);
	mf_json_add_int(&j, "rootVersion", r->root_version);
	mf_json_add_time(&j, "recorded", r->recorded);
	mf_json_add_text(&j, "cache", r->cache);
	mf_json_add_bool(&j, "dryRun", dry_run);
	mf_cli_json_end(&j);
}

/* What is forgotten, as text; the caller frees. */
static char *memory_text(const struct manifesto_forget_result *r, const char *heading)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	mf_text_printf(f, "%s '%s':\n", heading, r->gun);
	describe_memory(f, r);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static int confirm_forget(struct mf_cli *cli, const struct manifesto_forget_result *r,
			  struct manifesto_error *err)
{
	char *text MF_FREE = memory_text(r, "This machine will forget of");
	if (!text)
		return mf_cli_nomem(err);
	if (mf_cli_prompt_confirm_name(&cli->prompt, text, "Type the name to forget it: ", r->gun))
		return 0;
	return mf_cli_fail(err, MF_E_CANCELLED, 0, "nothing was forgotten");
}

int mf_cli_run_trust_forget(struct mf_cli *cli, struct manifesto_error *err)
{
	MF_CLI_RESULT(manifesto_forget_result, before);
	MF_CLI_RESULT(manifesto_forget_result, r);
	bool yes = mf_cli_args_has(&cli->args, MF_OPT_YES),
	     dry_run = mf_cli_args_has(&cli->args, MF_OPT_DRY_RUN);
	if (!yes && !dry_run && !mf_cli_prompt_interactive(&cli->prompt))
		return mf_cli_usage(err, "'trust forget' asks for the name: without a terminal give --yes");
	if (!yes && !dry_run &&
	    (manifesto_trust_forget(cli->m, cli->argument[0], 1, &before, err) < 0 ||
	     confirm_forget(cli, before, err) < 0))
		return -1;
	if (manifesto_trust_forget(cli->m, cli->argument[0], dry_run, &r, err) < 0)
		return -1;
	if (cli->json) {
		forget_json(r, dry_run);
	} else if (!cli->quiet) {
		char *text MF_FREE =
		    memory_text(r, dry_run ? "This machine would forget of" : "Forgotten of");
		if (!text)
			return mf_cli_nomem(err);
		mf_cli_printf("%s", text);
	}
	return 0;
}
