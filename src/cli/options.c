#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/str.h"

/* One row a line: the table is read by its columns. */
/* clang-format off */
const struct mf_cli_option mf_cli_options[MF_OPT_COUNT] = {
	[MF_OPT_VERBOSE] = {"verbose", NULL, "show each request; twice: also each decision", MF_OPT_TIMES, 'v', 0},
	[MF_OPT_QUIET] = {"quiet", NULL, "print only warnings and errors", MF_OPT_FLAG, 'q', 0},
	[MF_OPT_JSON] = {"json", NULL, "write one JSON document to standard output", MF_OPT_FLAG, 0, 0},
	[MF_OPT_USERNAME] = {"username", "USER[:PASSWORD]", "user name for the registry", MF_OPT_VALUE, 'u', 0},
	[MF_OPT_PASSWORD_STDIN] = {"password-stdin", NULL, "read the password for -u from standard input", MF_OPT_FLAG, 0, 0},
	[MF_OPT_TRUST_USER] = {"trust-user", "USER[:PASSWORD]", "user name for the trust server", MF_OPT_VALUE, 0, 0},
	[MF_OPT_TRUST_PASSWORD_STDIN] = {"trust-password-stdin", NULL, "read that user's password from standard input", MF_OPT_FLAG, 0, 0},
	[MF_OPT_TRUST_SERVER] = {"trust-server", "URL", "where the trust metadata is kept", MF_OPT_VALUE, 0, 0},
	[MF_OPT_STORE] = {"store", "REPOSITORY", "keep content and trust metadata in this repository", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_IMAGE},
	[MF_OPT_CACERT] = {"cacert", "FILE", "trust the CAs in this PEM file for TLS", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_CLIENT_CERT] = {"client-cert", "FILE", "TLS client certificate (PEM)", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_CLIENT_KEY] = {"client-key", "FILE", "key of the client certificate (PEM)", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_PLAIN_HTTP] = {"plain-http", NULL, "allow HTTP without TLS to other machines, too", MF_OPT_FLAG, 0, 0},
	[MF_OPT_TOFU] = {"tofu", NULL, "trust on first use if no root key is pinned", MF_OPT_FLAG, 0, 0},
	[MF_OPT_TIMEOUT] = {"timeout", "DURATION", "give up after this time (90, 2m; default 120s)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_PASSPHRASE_FD] = {"passphrase-fd", "N", "read the keys' passphrase from this descriptor", MF_OPT_VALUE, 0, 0},
	[MF_OPT_PASSPHRASE_FILE] = {"passphrase-file", "FILE", "read the keys' passphrase from this file", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_PASSPHRASE_CMD] = {"passphrase-cmd", "COMMAND", "run this shell command for a key's passphrase", MF_OPT_VALUE, 0, 0},
	[MF_OPT_NO_PASSPHRASE] = {"no-passphrase", NULL, "store new keys unencrypted", MF_OPT_FLAG, 0, 0},
	[MF_OPT_VERSION] = {"version", NULL, "print the version of the program", MF_OPT_FLAG, 0, 0},
	[MF_OPT_HELP] = {"help", NULL, "print help for the program or the command", MF_OPT_FLAG, 'h', 0},
	[MF_OPT_INIT] = {"init", NULL, "create the trust repository if there is none", MF_OPT_FLAG, 0, 0},
	[MF_OPT_MEDIA_TYPE] = {"media-type", "TYPE", "media type of the content (default: detected)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_AUTHOR] = {"author", "TEXT", "author of the statement", MF_OPT_VALUE, 0, 0},
	[MF_OPT_REASON] = {"reason", "TEXT", "reason for the statement", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ANNOTATION] = {"annotation", "KEY=VALUE", "signed annotation; may be repeated", MF_OPT_VALUE, 0, 0},
	[MF_OPT_EXPIRES] = {"expires", "TIME", "when the record expires: a time, or 90d from now", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ROLE] = {"role", "ROLE", "role to sign with", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_ROLE},
	[MF_OPT_PLATFORM] = {"platform", "OS/ARCH[/VARIANT]", "the platform's image in a multi-platform image", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ALL_PLATFORMS] = {"all-platforms", NULL, "the multi-platform image and each image in it", MF_OPT_FLAG, 0, 0},
	[MF_OPT_FORCE] = {"force", NULL, "do it nevertheless", MF_OPT_FLAG, 0, 0},
	[MF_OPT_YES] = {"yes", NULL, "do not ask", MF_OPT_FLAG, 0, 0},
	[MF_OPT_REINSTATE] = {"reinstate", NULL, "lift a withdrawal by the same role", MF_OPT_FLAG, 0, 0},
	[MF_OPT_LINK] = {"link", NULL, "in a layout: list the artifact in index.json, too", MF_OPT_FLAG, 0, 0},
	[MF_OPT_KEY] = {"key", "NAME", "key to sign with", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_KEY},
	[MF_OPT_OUTPUT] = {"output", "FILE", "write to this file, completely or not at all", MF_OPT_VALUE, 'o', MF_CLI_COMPLETE_FILE},
	[MF_OPT_THRESHOLD] = {"threshold", "N", "how many of the keys must have signed (default 1)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_TYPE] = {"type", "TYPE", "only records of this type", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_TYPE},
	[MF_OPT_GUN] = {"gun", "GUN", "collection that the exported key belongs to", MF_OPT_VALUE, 0, 0},
	[MF_OPT_AT_VERSION] = {"version", "N", "the record in version N of the role's file", MF_OPT_VALUE, 0, 0},
	[MF_OPT_LIMIT] = {"limit", "N", "newest N versions of each role (default 100)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_REQUIRE] = {"require", "TYPE[=[N of ]ROLES]", "record that each image must have; may be repeated", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_TYPE},
	[MF_OPT_WHERE] = {"where", "TYPE=PROGRAM", "jq program that must give true for the content; may be repeated", MF_OPT_VALUE, 0, 0},
	[MF_OPT_DISTINCT] = {"distinct", "TYPE,TYPE...", "no key may count for two of these types", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_TYPE},
	[MF_OPT_POLICY] = {"policy", "FILE", "policy file with what each image must have", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_MAX_AGE] = {"max-age", "DURATION", "maximum age of the records (12h, 30d)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_IMAGES] = {"images", "FILE", "the images in this list, one a line, in place of IMAGE", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_CONTENT] = {"content", NULL, "also fetch and verify the records' content", MF_OPT_FLAG, 0, 0},
	[MF_OPT_TYPES] = {"types", "TYPE[,TYPE...]", "types that the role may sign; may be repeated", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_TYPE},
	[MF_OPT_FILE] = {"file", "FILE", "file that declares the roles (required)", MF_OPT_VALUE, 'f', MF_CLI_COMPLETE_FILE},
	[MF_OPT_DRY_RUN] = {"dry-run", NULL, "report what would change, and publish nothing", MF_OPT_FLAG, 0, 0},
	[MF_OPT_REMOVE] = {"remove", NULL, "take the name away", MF_OPT_FLAG, 0, 0},
	[MF_OPT_FORMAT] = {"format", "FORMAT", "pem (default), openssh, minisign, pkcs8, manifesto", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ATTACH] = {"attach", NULL, "store the bundle beside the image", MF_OPT_FLAG, 0, 0},
	[MF_OPT_PREDICATE_TYPE] = {"predicate-type", "URI", "the content is a predicate of this type", MF_OPT_VALUE, 0, 0},
	[MF_OPT_FROM_DSSE] = {"from-dsse", "FILE", "store the Statement of this attestation", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_SIGNER] = {"signer", "KEY", "public key that must have signed the attestation", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_VSA] = {"vsa", "FILE", "write signed verification summaries (SLSA) to this file", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_VERIFIER_ID] = {"verifier-id", "URI", "who verifies, in the summaries (default: the key)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_NEW_PASSPHRASE_FILE] = {"new-passphrase-file", "FILE", "read the new passphrase from this file", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_OLDER_THAN] = {"older-than", "DURATION", "keep what changed within this time (default 1d)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_KEEP_VERSIONS] = {"keep-versions", "N", "remove older versions of the metadata, too", MF_OPT_VALUE, 0, 0},
	[MF_OPT_LIFT] = {"lift", NULL, "lift a veto by the same role", MF_OPT_FLAG, 0, 0},
	[MF_OPT_PROPOSE] = {"propose", "FILE", "make a proposal for others to sign ('@': beside the image)", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_PUBLISH] = {"publish", NULL, "publish it if no signature is missing any more", MF_OPT_FLAG, 0, 0},
	[MF_OPT_KEEP_OLD] = {"keep-old", NULL, "add the key; no key of the role goes", MF_OPT_FLAG, 0, 0},
	[MF_OPT_BUNDLE] = {"bundle", "FILE", "read everything from this bundle; no network", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_AT] = {"at", "TIME", "verify a bundle as of this time, not now", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ROOT_KEYS] = {"root-keys", "N", "root keys: 1, or 2 with --recovery", MF_OPT_VALUE, 0, 0},
	[MF_OPT_ROOT_THRESHOLD] = {"root-threshold", "N", "signatures that a root needs (default 1)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_RECOVERY] = {"recovery", "DIRECTORY", "write the second root key there, as a recovery kit", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_ALL] = {"all", NULL, "all images of a repository", MF_OPT_FLAG, 0, 0},
	[MF_OPT_STATE] = {"state", "STATE,...", "only current, withdrawn, expired, foreign, veto", MF_OPT_VALUE, 0, 0},
	[MF_OPT_WARN_WITHIN] = {"warn-within", "DURATION", "report what expires within this time (default 30d)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_WITHIN] = {"within", "DURATION", "re-sign what expires within this time (default 30d)", MF_OPT_VALUE, 0, 0},
	[MF_OPT_FROM_FILE] = {"from-file", "FILE", "read pairs SRC DST from this list, one a line", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
	[MF_OPT_FROM_TRUST_SERVER] = {"from-trust-server", "URL", "where the trust metadata of SRC is kept", MF_OPT_VALUE, 0, 0},
	[MF_OPT_FROM_CACERT] = {"from-cacert", "FILE", "the CAs for the servers of SRC (PEM)", MF_OPT_VALUE, 0, MF_CLI_COMPLETE_FILE},
};
/* clang-format on */

enum mf_cli_opt mf_cli_option_find(const char *name, size_t n)
{
	for (unsigned i = 0; i < MF_OPT_COUNT; i++)
		if (strlen(mf_cli_options[i].name) == n && memcmp(mf_cli_options[i].name, name, n) == 0)
			return (enum mf_cli_opt)i;
	return MF_OPT_COUNT;
}

static enum mf_cli_opt find_short(char letter)
{
	for (unsigned i = 0; i < MF_OPT_COUNT; i++)
		if (mf_cli_options[i].letter == letter)
			return (enum mf_cli_opt)i;
	return MF_OPT_COUNT;
}

static bool takes_value(enum mf_cli_opt o)
{
	return mf_cli_options[o].kind == MF_OPT_VALUE;
}

static const char *option_name(size_t n)
{
	return n < MF_OPT_COUNT ? mf_cli_options[n].name : NULL;
}

/* Where the parser stands. */
struct cursor {
	int argc, at; /* argv[at] is next */
	char **argv;
};

static int set_flag(struct mf_cli_args *a, enum mf_cli_opt o)
{
	a->times[o]++;
	return 0;
}

static int set_value(struct mf_cli_args *a, enum mf_cli_opt o, char *value, struct manifesto_error *err)
{
	if (!a->list[o]) /* room for every word and the end */
		a->list[o] = mf_calloc(a->room, sizeof *a->list[o]);
	if (!a->list[o])
		return mf_cli_nomem(err);
	a->list[o][a->times[o]] = value;
	if (!a->times[o])
		a->value[o] = value;
	return set_flag(a, o);
}

/* The value is the next word, whatever it looks like. */
static int next_value(struct mf_cli_args *a, enum mf_cli_opt o, struct cursor *c, struct manifesto_error *err)
{
	if (c->at >= c->argc) {
		a->pending = o;
		return mf_cli_usage(err, "option '--%s' needs a value: %s", mf_cli_options[o].name,
				    mf_cli_options[o].value);
	}
	return set_value(a, o, c->argv[c->at++], err);
}

static bool is_number(const char *word)
{
	size_t digits = strspn(word, "0123456789");
	return digits && !word[digits];
}

/* --version is two options: alone it prints the program's version; before a number, or with `=`, it selects a
 * version of a record. */
static int parse_long(struct mf_cli_args *a, char *word, struct cursor *c, struct manifesto_error *err)
{
	char *name = word + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	enum mf_cli_opt o = mf_cli_option_find(name, n);
	if (o == MF_OPT_COUNT) {
		struct mf_esc shown;
		char typed[64];
		struct mf_str s = {name, n < sizeof typed - 1 ? n : sizeof typed - 1};
		memcpy(typed, s.p, s.n);
		typed[s.n] = 0;
		const char *near = mf_cli_nearest(typed, option_name);
		return mf_cli_usage(err, "unknown option '--%s'%s%s%s", mf_esc(&shown, s),
				    near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
	}
	if (o == MF_OPT_VERSION && (eq || is_number(c->at < c->argc ? c->argv[c->at] : "")))
		o = MF_OPT_AT_VERSION;
	if (eq && !takes_value(o))
		return mf_cli_usage(err, "option '--%s' takes no value", mf_cli_options[o].name);
	if (!takes_value(o))
		return set_flag(a, o);
	return eq ? set_value(a, o, eq + 1, err) : next_value(a, o, c, err);
}

/* -v, -vv, -vq, -uUSER, -u USER. */
static int parse_short(struct mf_cli_args *a, char *word, struct cursor *c, struct manifesto_error *err)
{
	for (char *p = word + 1; *p; p++) {
		enum mf_cli_opt o = find_short(*p);
		struct mf_esc shown;
		if (o == MF_OPT_COUNT)
			return mf_cli_usage(err, "unknown option '-%s'",
					    mf_esc(&shown, (struct mf_str){p, 1}));
		if (takes_value(o))
			return p[1] ? set_value(a, o, p + 1, err) : next_value(a, o, c, err);
		if (set_flag(a, o) < 0)
			return -1;
	}
	return 0;
}

int mf_cli_args_parse(struct mf_cli_args *out, int argc, char **argv, struct manifesto_error *err)
{
	struct cursor c = {argc, 1, argv};
	*out = (struct mf_cli_args){.room = (size_t)(argc > 0 ? argc : 0) + 1, .pending = MF_OPT_COUNT};
	out->words = mf_calloc(out->room, sizeof *out->words);
	if (!out->words)
		return mf_cli_nomem(err);
	while (c.at < argc) {
		char *word = argv[c.at++];
		int rc = 0;
		if (out->ended || word[0] != '-' || !word[1]) /* a lone "-" is standard input */
			out->words[out->nwords++] = word;
		else if (strcmp(word, "--") == 0)
			out->ended = true;
		else
			rc =
			    word[1] == '-' ? parse_long(out, word, &c, err) : parse_short(out, word, &c, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

void mf_cli_args_clear(struct mf_cli_args *a)
{
	free(a->words);
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		free(a->list[o]);
	*a = (struct mf_cli_args){0};
}

/* ---------------------------------------------------------------- what fits together */

static const struct {
	enum mf_cli_opt a, b;
} excludes[] = {
    {MF_OPT_PLATFORM, MF_OPT_ALL_PLATFORMS},         {MF_OPT_QUIET, MF_OPT_VERBOSE},
    {MF_OPT_PASSPHRASE_FD, MF_OPT_PASSPHRASE_FILE},  {MF_OPT_PASSPHRASE_FD, MF_OPT_PASSPHRASE_CMD},
    {MF_OPT_PASSPHRASE_FILE, MF_OPT_PASSPHRASE_CMD},
};
static const struct {
	enum mf_cli_opt a, needs;
} requirements[] = {
    {MF_OPT_CLIENT_KEY, MF_OPT_CLIENT_CERT},
    {MF_OPT_AT, MF_OPT_BUNDLE},
};

int mf_cli_args_check(const struct mf_cli_args *a, struct manifesto_error *err)
{
	for (size_t i = 0; i < sizeof excludes / sizeof excludes[0]; i++)
		if (mf_cli_args_has(a, excludes[i].a) && mf_cli_args_has(a, excludes[i].b))
			return mf_cli_usage(err, "options '--%s' and '--%s' exclude each other",
					    mf_cli_options[excludes[i].a].name,
					    mf_cli_options[excludes[i].b].name);
	for (size_t i = 0; i < sizeof requirements / sizeof requirements[0]; i++)
		if (mf_cli_args_has(a, requirements[i].a) && !mf_cli_args_has(a, requirements[i].needs))
			return mf_cli_usage(err, "option '--%s' needs '--%s'",
					    mf_cli_options[requirements[i].a].name,
					    mf_cli_options[requirements[i].needs].name);
	/* An empty value is nearly always an unset variable in a script; no option has a meaning for it. */
	for (unsigned o = 0; o < MF_OPT_COUNT; o++)
		if (mf_cli_options[o].kind == MF_OPT_VALUE && a->value[o] && !a->value[o][0])
			return mf_cli_usage(err, "option '--%s' has an empty value", mf_cli_options[o].name);
	return 0;
}

/* ---------------------------------------------------------------- did you mean */

#define WORD_MAX 32

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein distance with transpositions of neighbours; both words are short. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	for (size_t i = 0; i <= na; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++)
		for (size_t j = 1; j <= nb; j++) {
			unsigned swap = UINT32_MAX;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				swap = d[i - 2][j - 2] + 1;
			unsigned best =
			    min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			d[i][j] = best < swap ? best : swap;
		}
	return d[na][nb];
}

const char *mf_cli_nearest(const char *typed, const char *(*names)(size_t n))
{
	size_t nt = strlen(typed);
	const char *best = NULL, *name;
	unsigned best_d = 3; /* up to two mistakes; with more it is another word */
	if (nt < 2 || nt > WORD_MAX)
		return NULL;
	for (size_t i = 0; (name = names(i)); i++) {
		size_t n = strlen(name);
		if (n > WORD_MAX)
			continue;
		unsigned d = distance(typed, nt, name, n);
		if (d < best_d && d * 2 <= n) {
			best_d = d;
			best = name;
		}
	}
	return best;
}

/* ---------------------------------------------------------------- values */

static int parse_digits(const char *p, size_t n, int64_t *out)
{
	int64_t v = 0;
	for (size_t i = 0; i < n; i++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, p[i] - '0', &v))
			return -1;
	*out = v;
	return n ? 0 : -1;
}

int mf_cli_args_number(const struct mf_cli_args *a, enum mf_cli_opt o, int64_t min, int64_t max, int64_t *out,
		       struct manifesto_error *err)
{
	const char *text = a->value[o];
	struct mf_esc shown;
	int64_t v = 0;
	if (!text)
		return 0;
	size_t digits = strspn(text, "0123456789");
	if (text[digits] || parse_digits(text, digits, &v) < 0 || v < min || v > max)
		return mf_cli_usage(err, "--%s '%s' is not a whole number from %lld to %lld",
				    mf_cli_options[o].name, mf_esc(&shown, mf_str_c(text)), (long long)min,
				    (long long)max);
	*out = v;
	return 0;
}

int mf_cli_parse_duration(const char *text, int64_t *seconds)
{
	return mf_duration_parse(mf_str_c(text), seconds);
}

int mf_cli_args_duration(const struct mf_cli_args *a, enum mf_cli_opt o, int64_t *seconds,
			 struct manifesto_error *err)
{
	struct mf_esc shown;
	if (!a->value[o] || mf_cli_parse_duration(a->value[o], seconds) == 0)
		return 0;
	return mf_cli_usage(err, "--%s '%s' is not a duration above zero such as 12h or 30d",
			    mf_cli_options[o].name, mf_esc(&shown, mf_str_c(a->value[o])));
}

int mf_cli_args_items(const struct mf_cli_args *a, enum mf_cli_opt o, char **text, const char ***items,
		      struct manifesto_error *err)
{
	size_t size = 1, n = 0;
	*text = NULL;
	*items = NULL;
	if (!a->list[o])
		return 0;
	for (size_t i = 0; i < a->times[o]; i++)
		size += strlen(a->list[o][i]) + 1;
	char *copy MF_FREE = mf_calloc(size, 1);
	const char **v MF_FREE = mf_calloc(size, sizeof(char *));
	if (!copy || !v)
		return mf_cli_nomem(err);
	char *at = copy;
	for (size_t i = 0; i < a->times[o]; i++) {
		size_t length = strlen(a->list[o][i]) + 1;
		char *next = at + length;
		memcpy(at, a->list[o][i], length);
		for (char *item; (item = strsep(&at, ","));) {
			if (!*item)
				return mf_cli_usage(err, "option '--%s' has an empty value",
						    mf_cli_options[o].name);
			v[n++] = item;
		}
		at = next;
	}
	*text = copy;
	*items = v;
	copy = NULL;
	v = NULL;
	return 0;
}
