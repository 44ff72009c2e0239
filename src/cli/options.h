/* The command line's options: one table, one parser.
 *
 * Every option has one row here and means the same for each command that takes it, so the parser knows which
 * options take a value before it knows the command; that is what lets options stand anywhere. */
#ifndef MF_CLI_OPTIONS_H
#define MF_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/error.h"

enum mf_cli_opt {
	/* taken by every command */
	MF_OPT_VERBOSE,
	MF_OPT_QUIET,
	MF_OPT_JSON,
	MF_OPT_USERNAME,
	MF_OPT_PASSWORD_STDIN,
	MF_OPT_TRUST_USER,
	MF_OPT_TRUST_PASSWORD_STDIN,
	MF_OPT_TRUST_SERVER,
	MF_OPT_STORE,
	MF_OPT_CACERT,
	MF_OPT_CLIENT_CERT,
	MF_OPT_CLIENT_KEY,
	MF_OPT_PLAIN_HTTP,
	MF_OPT_TOFU,
	MF_OPT_TIMEOUT,
	MF_OPT_PASSPHRASE_FD,
	MF_OPT_PASSPHRASE_FILE,
	MF_OPT_PASSPHRASE_CMD,
	MF_OPT_NO_PASSPHRASE,
	MF_OPT_VERSION,
	MF_OPT_HELP,
	MF_OPT_GLOBAL_END,
	/* taken by some commands */
	MF_OPT_INIT = MF_OPT_GLOBAL_END,
	MF_OPT_MEDIA_TYPE,
	MF_OPT_AUTHOR,
	MF_OPT_REASON,
	MF_OPT_ANNOTATION,
	MF_OPT_EXPIRES,
	MF_OPT_ROLE,
	MF_OPT_PLATFORM,
	MF_OPT_ALL_PLATFORMS,
	MF_OPT_FORCE,
	MF_OPT_YES,
	MF_OPT_REINSTATE,
	MF_OPT_LINK,
	MF_OPT_KEY,
	MF_OPT_OUTPUT,
	MF_OPT_THRESHOLD,
	MF_OPT_TYPE,
	MF_OPT_GUN,
	MF_OPT_AT_VERSION, /* --version with a number */
	MF_OPT_LIMIT,
	MF_OPT_REQUIRE,
	MF_OPT_POLICY,
	MF_OPT_MAX_AGE,
	MF_OPT_IMAGES,
	MF_OPT_CONTENT,
	MF_OPT_TYPES,
	MF_OPT_FILE,
	MF_OPT_ALL,
	MF_OPT_STATE,
	MF_OPT_WARN_WITHIN,
	MF_OPT_WITHIN,
	MF_OPT_DRY_RUN,
	MF_OPT_REMOVE,
	MF_OPT_LIFT,
	MF_OPT_PROPOSE,
	MF_OPT_PUBLISH,
	MF_OPT_KEEP_OLD,
	MF_OPT_ROOT_KEYS,
	MF_OPT_ROOT_THRESHOLD,
	MF_OPT_RECOVERY,
	MF_OPT_BUNDLE,
	MF_OPT_AT,
	MF_OPT_FORMAT,
	MF_OPT_ATTACH,
	MF_OPT_PREDICATE_TYPE,
	MF_OPT_FROM_DSSE,
	MF_OPT_SIGNER,
	MF_OPT_VSA,
	MF_OPT_VERIFIER_ID,
	MF_OPT_NEW_PASSPHRASE_FILE,
	MF_OPT_OLDER_THAN,
	MF_OPT_KEEP_VERSIONS,
	MF_OPT_WHERE,
	MF_OPT_DISTINCT,
	MF_OPT_FROM_FILE,
	MF_OPT_FROM_TRUST_SERVER,
	MF_OPT_FROM_CACERT,
	MF_OPT_COUNT
};
/* The bit of an option in a set. Global options are in no set: 0. */
_Static_assert(MF_OPT_COUNT - MF_OPT_GLOBAL_END <= 64, "a command's options are a 64-bit set");
#define MF_OPT_BIT(o)                                                                                        \
	((unsigned)(o) < MF_OPT_GLOBAL_END ? 0 : UINT64_C(1) << ((unsigned)(o)-MF_OPT_GLOBAL_END))

enum mf_cli_opt_kind {
	MF_OPT_FLAG,  /* repeating it changes nothing */
	MF_OPT_TIMES, /* how often it is given counts */
	MF_OPT_VALUE /* has a value; a second one is an error, because it would not be clear which one counts,
			unless the command's row says that the option repeats */
};

enum mf_cli_complete {
	MF_CLI_COMPLETE_NOTHING,
	MF_CLI_COMPLETE_FILE,
	MF_CLI_COMPLETE_TYPE,
	MF_CLI_COMPLETE_ROLE,
	MF_CLI_COMPLETE_KEY,
	MF_CLI_COMPLETE_IMAGE,
	MF_CLI_COMPLETE_COMMAND,
	MF_CLI_COMPLETE_SHELL,
};

struct mf_cli_option {
	const char *name;  /* without the dashes */
	const char *value; /* what the help calls its value, NULL for flags */
	const char *help;
	enum mf_cli_opt_kind kind;
	char letter;                   /* short form, 0 for none */
	enum mf_cli_complete complete; /* what completion offers for the value */
};
extern const struct mf_cli_option mf_cli_options[MF_OPT_COUNT];

/* The parsed command line. Its texts point into argv; the arrays are owned. */
struct mf_cli_args {
	char *value[MF_OPT_COUNT]; /* the first one given, or NULL */
	unsigned times[MF_OPT_COUNT];
	const char **list[MF_OPT_COUNT]; /* all values in order, times[] of them, then NULL; or NULL: none */
	const char **words;              /* command and arguments, in order */
	size_t nwords, room;     /* room: length of the arrays, the words of the command line and one more */
	bool ended;              /* "--" was given: all further words are arguments */
	enum mf_cli_opt pending; /* the option at the end that lacks its value, or MF_OPT_COUNT */
};

/* Parses argv[1..]. On failure (MF_E_USAGE) *out keeps what was parsed so far, for the usage hint. Call
 * mf_cli_args_clear in both cases. */
int mf_cli_args_parse(struct mf_cli_args *out, int argc, char **argv,
		      struct manifesto_error *err) MF_NODISCARD;
void mf_cli_args_clear(struct mf_cli_args *a);
static inline bool mf_cli_args_has(const struct mf_cli_args *a, enum mf_cli_opt o)
{
	return a->times[o] > 0;
}
/* Initialisers of the members that the options of verify and copy share: what an image must have, and for
 * which platforms. */
#define MF_CLI_REQUIREMENTS(a)                                                                               \
	.require = (a)->list[MF_OPT_REQUIRE], .where = (a)->list[MF_OPT_WHERE],                              \
	.distinct = (a)->value[MF_OPT_DISTINCT], .policy_path = (a)->value[MF_OPT_POLICY],                   \
	.platform = (a)->value[MF_OPT_PLATFORM], .all_platforms = mf_cli_args_has((a), MF_OPT_ALL_PLATFORMS)
/* The option with this name, n octets of it; MF_OPT_COUNT: there is none. */
enum mf_cli_opt mf_cli_option_find(const char *name, size_t n);
/* Checks for options that exclude or need each other in all commands, and for empty values. MF_E_USAGE. */
int mf_cli_args_check(const struct mf_cli_args *a, struct manifesto_error *err) MF_NODISCARD;

/* The candidate nearest to a mistyped word, or NULL if none is near. names returns the n-th candidate, and
 * NULL behind the last. */
const char *mf_cli_nearest(const char *typed, const char *(*names)(size_t n));

/* ---- values */
/* "90", "90s", "15m", "2h", "90d", "4w", "1y": whole seconds above zero. -1 without an error object. */
int mf_cli_parse_duration(const char *text, int64_t *seconds) MF_NODISCARD;
/* The value of option o as a duration; *seconds stays when it was not given. MF_E_USAGE. */
int mf_cli_args_duration(const struct mf_cli_args *a, enum mf_cli_opt o, int64_t *seconds,
			 struct manifesto_error *err) MF_NODISCARD;
/* The values of option o, each a list with commas: an array that ends with NULL and the text that it points
 * into, both to be freed; NULL when it was not given. An empty item is MF_E_USAGE. */
int mf_cli_args_items(const struct mf_cli_args *a, enum mf_cli_opt o, char **text, const char ***items,
		      struct manifesto_error *err) MF_NODISCARD;
/* The value of option o as a whole number in [min, max], digits only; *out stays when it was not given.
 * MF_E_USAGE. */
int mf_cli_args_number(const struct mf_cli_args *a, enum mf_cli_opt o, int64_t min, int64_t max, int64_t *out,
		       struct manifesto_error *err) MF_NODISCARD;

#endif
