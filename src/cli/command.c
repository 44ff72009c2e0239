#include "cli/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define B MF_OPT_BIT

const struct mf_cli_command mf_cli_commands[] = {
    {.name = "put",
     .synopsis = "IMAGE TYPE FILE",
     .summary = "store a file as signed metadata of an image",
     .description =
	 "Stores FILE ('-': standard input) as the record TYPE of the image, signs it, and publishes it.\n"
	 "The record belongs to the digest that the image has now, not to its tag. At the first put to a\n"
	 "repository the keys and the trust repository are made: on a terminal after a question, else\n"
	 "with --init.",
     .options = B(MF_OPT_INIT) | B(MF_OPT_MEDIA_TYPE) | B(MF_OPT_AUTHOR) | B(MF_OPT_REASON) |
		B(MF_OPT_ANNOTATION) | B(MF_OPT_EXPIRES) | B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) |
		B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_FORCE) | B(MF_OPT_REINSTATE) | B(MF_OPT_LINK) |
		B(MF_OPT_KEY),
     .repeats = B(MF_OPT_ANNOTATION),
     .min = 3,
     .max = 3,
     .credentials = true,
     .run = mf_cli_run_put},
    {.name = "sign",
     .synopsis = "IMAGE TYPE",
     .summary = "add one's own signature to a record",
     .description =
	 "Shows the current record, with its digest and the signers that it has, asks, and adds the\n"
	 "signature of our key. Nothing else of the record changes.",
     .options = B(MF_OPT_YES) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_sign},
    {.name = "rm",
     .synopsis = "IMAGE TYPE",
     .summary = "remove a record",
     .description =
	 "Removes the current record of the role whose key we hold, as if it had never been there. To say\n"
	 "that it does not hold any more, withdraw it. --reinstate removes a withdrawal.",
     .options = B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS) |
		B(MF_OPT_FORCE) | B(MF_OPT_REINSTATE),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_rm},
    {.name = "withdraw",
     .synopsis = "IMAGE TYPE",
     .summary = "say that a record does not hold any more",
     .description =
	 "Puts a signed withdrawal with the reason (--reason is required) in the place of the record, or\n"
	 "beside that of another role. Readers refuse the record with status 9 until our role lifts that\n"
	 "with 'put --reinstate' or 'rm --reinstate'.",
     .options = B(MF_OPT_REASON) | B(MF_OPT_AUTHOR) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) |
		B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_FORCE),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_withdraw},
    {.name = "get",
     .synopsis = "IMAGE TYPE",
     .summary = "verify a record and write its content",
     .description =
	 "Verifies the trust metadata, the record's signatures and the content's digest, then writes the\n"
	 "content, byte for byte what was put. Nothing is written when anything does not hold.\n"
	 "With --json, which needs --output, the description of the record is written to standard output.\n"
	 "--version N gives the record as an older version of its role's file has it, and says on standard\n"
	 "error that it is not what holds now: for looking back, not for deciding.",
     .options = B(MF_OPT_OUTPUT) | B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) | B(MF_OPT_AT_VERSION),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_get},
    {.name = "list",
     .synopsis = "IMAGE",
     .summary = "verify and list the records of an image",
     .description =
	 "Lists the current records of the image with their signers, after the trust metadata was verified.\n"
	 "With --all the argument is a repository, without tag and digest, and the records of all its "
	 "images\n"
	 "are listed with the tags that these have now; (gone) stands for an image that is not there any\n"
	 "more. --type, --role and --state choose, and may be repeated or take a list with commas.",
     .options = B(MF_OPT_ALL) | B(MF_OPT_TYPE) | B(MF_OPT_ROLE) | B(MF_OPT_STATE) | B(MF_OPT_PLATFORM) |
		B(MF_OPT_ALL_PLATFORMS),
     .repeats = B(MF_OPT_TYPE) | B(MF_OPT_ROLE) | B(MF_OPT_STATE),
     .min = 1,
     .max = 1,
     .credentials = true,
     .run = mf_cli_run_list},
    {.name = "history",
     .synopsis = "IMAGE [TYPE]",
     .summary = "show what happened to the records of an image",
     .description =
	 "Reads the versions of the roles' files that the trust repository keeps, verifies each against the\n"
	 "keys of then, and shows what was put, replaced, signed, withdrawn or removed, oldest first. With\n"
	 "--json one event a line. Versions that are not kept are named; one that is there and does not\n"
	 "verify is named too, and the exit status is 6. Times seen are the store's word.",
     .options = B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) | B(MF_OPT_LIMIT),
     .min = 1,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_history},
    {.name = "verify",
     .synopsis = "IMAGE...",
     .summary = "check that images have what a policy requires",
     .description =
	 "Each image must have every record that --require or the policy file asks for: '--require\n"
	 "qa-approval=qa' wants one that role qa has signed, '--require \"scan=2 of qa,appsec\"' one that "
	 "two\n"
	 "keys of these roles have signed, '--require contact' one of whoever may sign it. IMAGE '-' stands\n"
	 "for references on standard input, one a line. Every image is checked; those that are accepted are\n"
	 "written to standard output as REPOSITORY@DIGEST, to be deployed as such. The exit status is that\n"
	 "of the gravest finding. Nothing is ever trusted on first use.",
     .options = B(MF_OPT_REQUIRE) | B(MF_OPT_POLICY) | B(MF_OPT_MAX_AGE) | B(MF_OPT_IMAGES) |
		B(MF_OPT_CONTENT) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS),
     .repeats = B(MF_OPT_REQUIRE),
     .min = 0,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_verify},
    {.name = "policy check",
     .synopsis = "FILE",
     .summary = "check a policy file and say what it asks for",
     .description =
	 "Reads the policy FILE ('-': standard input) as 'manifesto verify' does, and says what it asks for.",
     .min = 1,
     .max = 1,
     .offline = true,
     .run = mf_cli_run_policy_check},
    {.name = "role add",
     .synopsis = "IMAGE ROLE",
     .summary = "let keys sign record types: make a role, or add to one",
     .description =
	 "Makes the role, or adds keys and types to it, in one publish that is read again and proven. KEY "
	 "is\n"
	 "a file with a public key (PEM, a certificate, or one ssh-ed25519 line), or the fingerprint of a "
	 "key\n"
	 "of this machine or of the repository. From then on these types are signed by their roles, and no\n"
	 "longer by 'targets'. In a TUF 1.0 directory each key of a role may publish too, which takes the\n"
	 "root key.",
     .options = B(MF_OPT_KEY) | B(MF_OPT_TYPES) | B(MF_OPT_THRESHOLD) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .repeats = B(MF_OPT_KEY) | B(MF_OPT_TYPES),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_role_add},
    {.name = "role remove",
     .synopsis = "IMAGE ROLE",
     .summary = "take keys from a role, or remove it",
     .description =
	 "With --key those keys can no longer sign; what they have signed is signed anew by one that stays.\n"
	 "When none of these is here, nothing is done and the command for a colleague is printed. Without\n"
	 "--key the role goes; if it holds records, only with --force.",
     .options = B(MF_OPT_KEY) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .repeats = B(MF_OPT_KEY),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_role_remove},
    {.name = "role list",
     .synopsis = "IMAGE",
     .summary = "verify and list the roles of a repository",
     .description = "Shows who may sign which types, and the state of each role.",
     .min = 1,
     .max = 1,
     .credentials = true,
     .run = mf_cli_run_role_list},
    {.name = "role keys",
     .synopsis = "IMAGE ROLE",
     .summary = "list the keys of a role",
     .description = "Shows fingerprint, type, local name and TUF key ID of each key.",
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_role_keys},
    {.name = "role mine",
     .synopsis = "IMAGE",
     .summary = "show which roles this machine can sign, and why not",
     .description = "Shows for each role whether the keys here are enough to publish under it.",
     .min = 1,
     .max = 1,
     .credentials = true,
     .run = mf_cli_run_role_mine},
    {.name = "role sign",
     .synopsis = "IMAGE ROLE",
     .summary = "sign a role's file anew with a key of this machine",
     .description =
	 "The content stays as it is. For a colleague whose key is to be removed, or before a role "
	 "expires.\n"
	 "With --force a file that does not verify is begun anew, empty.",
     .options = B(MF_OPT_KEY) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .min = 2,
     .max = 2,
     .credentials = true,
     .run = mf_cli_run_role_sign},
    {.name = "role apply",
     .synopsis = "REPOSITORY...",
     .summary = "bring repositories to the roles that a file declares",
     .description =
	 "Each role in the file has exactly its keys, types and threshold afterwards; what changed is\n"
	 "printed, and a second run changes nothing. Every repository is tried; the exit status is that of\n"
	 "the gravest failure. The format is in docs/teams.schema.json.",
     .options = B(MF_OPT_FILE) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .min = 1,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_role_apply},
    {.name = "status",
     .synopsis = "REPOSITORY...",
     .summary = "examine repositories: what expires, what is gone",
     .description =
	 "Tells when the roles, root certificates and records of each repository expire, which keys are on\n"
	 "this machine, which content is gone, and whether catalogue and referrers show what is signed; and\n"
	 "for each finding who must act, and the command. Changes nothing. All repositories are examined, "
	 "also\n"
	 "when one fails. The status is that of the gravest finding: 14 when something runs out soon or "
	 "needs\n"
	 "repair, 0 when all is well. --quiet tells problems only: for cron.",
     .options = B(MF_OPT_WARN_WITHIN),
     .min = 1,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_status},
    {.name = "repair",
     .synopsis = "REPOSITORY...",
     .summary = "make catalogue and referrers again from the signed records",
     .description =
	 "Compares the catalogue and the referrers of each repository with the signed records, and writes\n"
	 "what differs; in a directory of trust metadata also target files that are missing. Signed "
	 "metadata\n"
	 "are never touched.",
     .options = B(MF_OPT_DRY_RUN),
     .min = 1,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_repair},
    {.name = "trust init",
     .synopsis = "IMAGE",
     .summary = "make the trust repository of an image's repository",
     .description =
	 "Makes keys as needed and the first signed metadata, and pins the root keys on this machine.",
     .options = B(MF_OPT_KEY),
     .min = 1,
     .max = 1,
     .credentials = true,
     .run = mf_cli_run_trust_init},
    {.name = "trust show",
     .synopsis = "IMAGE",
     .summary = "verify and show roles, keys and pins",
     .description = "Verifies the whole chain of trust metadata and shows its roles with their versions, "
		    "expiry and keys,\n"
		    "and what this machine has pinned.",
     .min = 1,
     .max = 1,
     .credentials = true,
     .run = mf_cli_run_trust_show},
    {.name = "trust refresh",
     .synopsis = "IMAGE...",
     .summary = "sign anew what expires soon",
     .description =
	 "Signs each role that expires soon once more, unchanged, with a later expiry: root, targets and\n"
	 "delegated roles, snapshot and timestamp, as far as their keys are on this machine. Roles whose "
	 "keys\n"
	 "are elsewhere are told with their keys; the status is then 14, or 7 if one has expired. An "
	 "expired\n"
	 "repository is mended on a machine that has seen it before. A Notary server signs its own roles.",
     .options = B(MF_OPT_WITHIN) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .min = 1,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_trust_refresh},
    {.name = "trust pin",
     .synopsis = "IMAGE ROOT...",
     .summary = "pin the root keys that a repository must have",
     .description = "Each ROOT is a root.json file or the fingerprint (64 hexadecimal digits) of a root key. "
		    "IMAGE may be a prefix\n"
		    "of repositories that ends in '*'.",
     .options = B(MF_OPT_THRESHOLD),
     .min = 2,
     .max = MF_CLI_ANY,
     .credentials = true,
     .run = mf_cli_run_trust_pin},
    {.name = "trust export",
     .synopsis = "[PATTERN...]",
     .summary = "write the pins of this machine, for others",
     .description =
	 "Writes the pins of these repositories and prefixes, as they are written in trust.json, or "
	 "all, as a\nfile for 'trust import'. There is nothing secret in it: keep it in version control.",
     .min = 0,
     .max = MF_CLI_ANY,
     .run = mf_cli_run_trust_export},
    {.name = "trust import",
     .synopsis = "FILE",
     .summary = "pin what another machine has pinned",
     .description =
	 "Takes over the pins in FILE, all of them or none: one that differs from what is pinned here "
	 "is refused,\nunless --force is given. Get FILE over a channel that you trust: it decides whom "
	 "you believe.",
     .options = B(MF_OPT_FORCE),
     .min = 1,
     .max = 1,
     .run = mf_cli_run_trust_import},
    {.name = "key generate",
     .synopsis = "NAME",
     .summary = "make a signing key",
     .description = "Makes a key pair and stores it under NAME, protected by a passphrase unless "
		    "--no-passphrase is given.",
     .options = B(MF_OPT_TYPE),
     .min = 1,
     .max = 1,
     .run = mf_cli_run_key_generate},
    {.name = "key list",
     .synopsis = "",
     .summary = "list the keys on this machine",
     .description = "Lists names, types, fingerprints and files of the keys. No passphrase is needed.",
     .min = 0,
     .max = 0,
     .run = mf_cli_run_key_list},
    {.name = "key show",
     .synopsis = "NAME",
     .summary = "show one key and its public part",
     .description = "NAME is a key's name or at least 8 digits of its fingerprint.",
     .min = 1,
     .max = 1,
     .run = mf_cli_run_key_show},
    {.name = "key import",
     .synopsis = "NAME FILE",
     .summary = "take over a private key of notary or Docker Content Trust",
     .description = "FILE is a private key file of the notary program or of Docker Content Trust; it is "
		    "stored under NAME.",
     .min = 2,
     .max = 2,
     .run = mf_cli_run_key_import},
    {.name = "key export",
     .synopsis = "NAME DIRECTORY",
     .summary = "write a key as the notary program reads it",
     .description = "Writes DIRECTORY/ID.key under the key's own passphrase. --role (targets, root or "
		    "delegation) must be given,\n"
		    "as that file names the role; --gun for a targets key.",
     .options = B(MF_OPT_ROLE) | B(MF_OPT_GUN),
     .min = 2,
     .max = 2,
     .run = mf_cli_run_key_export},
    {.name = "version",
     .synopsis = "",
     .summary = "print the version",
     .description = "Prints the version of the program.",
     .min = 0,
     .max = 0,
     .offline = true,
     .run = mf_cli_run_version},
    {.name = "completion",
     .synopsis = "SHELL",
     .summary = "print a completion script for bash, zsh or fish",
     .description = "For bash:  source <(manifesto completion bash)\n"
		    "For zsh:   source <(manifesto completion zsh)\n"
		    "For fish:  manifesto completion fish | source",
     .min = 1,
     .max = 1,
     .offline = true,
     .run = mf_cli_run_completion},
    {.name = "help",
     .synopsis = "[COMMAND]",
     .summary = "print help for the program or a command",
     .description = "The same as --help behind the command.",
     .min = 0,
     .max = 2,
     .offline = true,
     .run = mf_cli_run_help},
};
const size_t mf_cli_ncommands = sizeof mf_cli_commands / sizeof mf_cli_commands[0];

/* ---------------------------------------------------------------- names */

/* Is name "FIRST SECOND" or "FIRST"? Returns the length of FIRST. */
static size_t first_word(const char *name)
{
	return strcspn(name, " ");
}

bool mf_cli_command_is_group(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		if (first_word(mf_cli_commands[i].name) == n && mf_cli_commands[i].name[n] &&
		    memcmp(mf_cli_commands[i].name, word, n) == 0)
			return true;
	return false;
}

const struct mf_cli_command *mf_cli_command_lookup(const char *const *words, size_t nwords, size_t *used)
{
	for (size_t i = 0; nwords && i < mf_cli_ncommands; i++) {
		const char *name = mf_cli_commands[i].name;
		size_t n = first_word(name);
		bool two = name[n] != 0;
		if (strlen(words[0]) != n || memcmp(words[0], name, n) != 0)
			continue;
		if (two && (nwords < 2 || strcmp(words[1], name + n + 1) != 0))
			continue;
		*used = two ? 2 : 1;
		return &mf_cli_commands[i];
	}
	return NULL;
}

/* What a single mistyped word may have meant: groups first, so that "kye" gives "key". */
static const char *plain_name(size_t n)
{
	static const char *const groups[] = {"trust", "key", "role", "policy"};
	size_t ngroups = sizeof groups / sizeof groups[0];
	if (n < ngroups)
		return groups[n];
	return n - ngroups < mf_cli_ncommands ? mf_cli_commands[n - ngroups].name : NULL;
}

static const char *full_name(size_t n)
{
	return n < mf_cli_ncommands ? mf_cli_commands[n].name : NULL;
}

/* "init, show, pin" */
static void list_group(const char *group, char *out, size_t size)
{
	size_t n = strlen(group), at = 0;
	for (size_t i = 0; i < mf_cli_ncommands && at < size; i++) {
		const char *name = mf_cli_commands[i].name;
		if (first_word(name) == n && name[n] && memcmp(name, group, n) == 0)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", name + n + 1);
	}
}

static int unknown_second(const char *const *words, size_t nwords, struct manifesto_error *err)
{
	char all[256] = "", typed[64];
	struct mf_esc a;
	list_group(words[0], all, sizeof all);
	if (nwords < 2) {
		(void)mf_cli_usage(err, "'%s' needs a subcommand: %s", words[0], all);
	} else {
		(void)snprintf(typed, sizeof typed, "%s %s", words[0], words[1]);
		const char *near = mf_cli_nearest(typed, full_name);
		(void)mf_cli_usage(err, "unknown command '%s %s'%s%s%s", words[0],
				   mf_esc(&a, mf_str_c(words[1])), near ? "; did you mean '" : "",
				   near ? near : "", near ? "'?" : "");
	}
	mf_cli_hint(err, "see 'manifesto help %s'", words[0]);
	return -1;
}

static int unknown_first(const char *word, struct manifesto_error *err)
{
	struct mf_esc a;
	const char *near = mf_cli_nearest(word, plain_name);
	(void)mf_cli_usage(err, "unknown command '%s'%s%s%s", mf_esc(&a, mf_str_c(word)),
			   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	mf_cli_hint(err, "see 'manifesto help'");
	return -1;
}

int mf_cli_command_find(struct mf_cli *cli, struct manifesto_error *err)
{
	size_t used = 0;
	const char *const *words = cli->args.words;
	if (!cli->args.nwords) {
		(void)mf_cli_usage(err, "no command was given");
		mf_cli_hint(err,
			    "usage: manifesto [OPTION...] COMMAND [ARGUMENT...]; see 'manifesto --help'");
		return -1;
	}
	cli->command = mf_cli_command_lookup(words, cli->args.nwords, &used);
	if (!cli->command)
		return mf_cli_command_is_group(words[0]) ? unknown_second(words, cli->args.nwords, err)
							 : unknown_first(words[0], err);
	cli->argument = cli->args.words + used;
	cli->nargument = cli->args.nwords - used;
	return 0;
}

/* ---------------------------------------------------------------- what fits the command */

bool mf_cli_command_takes(const struct mf_cli_command *c, enum mf_cli_opt o)
{
	return o < MF_OPT_GLOBAL_END || (c->options & B(o));
}

static int check_options(const struct mf_cli *cli, struct manifesto_error *err)
{
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (mf_cli_args_has(&cli->args, (enum mf_cli_opt)o) &&
		    !mf_cli_command_takes(cli->command, (enum mf_cli_opt)o))
			return mf_cli_usage(err, "'%s' takes no option '--%s'", cli->command->name,
					    mf_cli_options[o].name);
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (mf_cli_options[o].kind == MF_OPT_VALUE && cli->args.times[o] > 1 &&
		    !(cli->command->repeats & B(o)))
			return mf_cli_usage(err, "option '--%s' is given twice", mf_cli_options[o].name);
	return mf_cli_args_check(&cli->args, err);
}

static int check_count(const struct mf_cli *cli, struct manifesto_error *err)
{
	const struct mf_cli_command *c = cli->command;
	if (cli->nargument >= c->min && cli->nargument <= c->max)
		return 0;
	if (c->max == 0)
		return mf_cli_usage(err, "'%s' takes no arguments, %zu given", c->name, cli->nargument);
	size_t bound = cli->nargument < c->min ? c->min : c->max;
	return mf_cli_usage(err, "'%s' takes %s%zu argument%s (%s), %zu given", c->name,
			    c->min == c->max          ? ""
			    : cli->nargument < c->min ? "at least "
						      : "at most ",
			    bound, bound == 1 ? "" : "s", c->synopsis, cli->nargument);
}

/* --passphrase-fd: an open descriptor that is not one of our outputs. Children do not get it. */
static int check_fd(const struct mf_cli *cli, bool *is_stdin, struct manifesto_error *err)
{
	int64_t fd = -1;
	*is_stdin = false;
	if (mf_cli_args_number(&cli->args, MF_OPT_PASSPHRASE_FD, 0, 65535, &fd, err) < 0)
		return -1;
	if (fd == 1 || fd == 2)
		return mf_cli_usage(err, "--passphrase-fd cannot be %lld, an output", (long long)fd);
	if (fd > 2 && fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return mf_cli_usage(err, "--passphrase-fd %lld is not open", (long long)fd);
	*is_stdin = fd == 0;
	return 0;
}

/* What reads standard input as a file: how many times, and what to call it. */
static unsigned reads_stdin(const struct mf_cli *cli, const char **what)
{
	static const enum mf_cli_opt files[] = {MF_OPT_POLICY, MF_OPT_IMAGES};
	unsigned n = 0;
	if (cli->command->run == mf_cli_run_put && strcmp(cli->argument[2], "-") == 0) {
		*what = "FILE '-'";
		n++;
	}
	for (size_t i = 0; cli->command->run == mf_cli_run_verify && i < cli->nargument; i++)
		if (strcmp(cli->argument[i], "-") == 0) {
			*what = "IMAGE '-'";
			n++;
		}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (cli->args.value[files[i]] && strcmp(cli->args.value[files[i]], "-") == 0) {
			*what = files[i] == MF_OPT_POLICY ? "--policy -" : "--images -";
			n++;
		}
	return n;
}

/* Standard input can be read for one purpose only. */
static int check_stdin(const struct mf_cli *cli, struct manifesto_error *err)
{
	bool fd = false;
	if (check_fd(cli, &fd, err) < 0)
		return -1;
	bool password = mf_cli_args_has(&cli->args, MF_OPT_PASSWORD_STDIN);
	const char *file = "--password-stdin";
	unsigned files = reads_stdin(cli, &file);
	if (fd + password + files <= 1)
		return 0;
	if (!fd && !password)
		return mf_cli_usage(err, "standard input is asked for more than once, the last time by %s",
				    file);
	return mf_cli_usage(err, "standard input is asked for twice: %s and %s",
			    fd ? "--passphrase-fd 0" : "--password-stdin", file);
}

int mf_cli_command_check(const struct mf_cli *cli, struct manifesto_error *err)
{
	if (check_options(cli, err) < 0 || check_count(cli, err) < 0)
		return -1;
	return check_stdin(cli, err);
}
