/* Names of keys: a key of this machine has the name of its file, a colleague's key has a local name in
 * $MANIFESTO_HOME/trust.json ("names": {"dana": "<fingerprint>"}). Names are for display: no decision
 * depends on one.
 *
 * One key must not be mistaken for another. So a name has the form of a key file's name (ASCII, no
 * blanks). It must not look like the digits that stand for keys without a name, nor like the name of
 * another key, own or colleague's. The comparison ignores case, separators and look-alikes (0 o, 1 i l, 5
 * s, 8 b, rn m, vv w, cl d). A name that breaks these rules, because the file was edited or a key was
 * added later, is not shown. */
#ifndef MF_KEYS_NAMES_H
#define MF_KEYS_NAMES_H

#include "json/json.h"
#include "keys/keystore.h"

#define MF_MAX_NAMES 1000
#define MF_NAME_LABEL 72 /* a name, or 16 digits, and NUL */

struct mf_name {
	char name[MF_NAME_LABEL], reduced[MF_NAME_LABEL]; /* reduced: equal for names that look alike */
	/* Unset for our own keys, whose files are not opened. */
	struct mf_digest fingerprint;
	bool own;
};
struct mf_names {
	struct mf_name *v;
	size_t n, cap;
	struct mf_keystore *store; /* our keys, borrowed; searched for keys that have no name in `v` */
};
void mf_names_clear(struct mf_names *names);
#define MF_NAMES_CLEANUP MF_CLEANUP(mf_names_clear)

/* Loads the member "names" of trust.json (NULL: there is none) and the names of our key files, without
 * opening those. Names that may not be shown are left out. */
int mf_names_load(struct mf_names *out, const json_t *names, struct mf_keystore *own,
		  struct mf_err *err) MF_NODISCARD;
/* Checks that the key with this fingerprint may have this name. MF_E_USAGE: no key may have it, or the key
 * is our own; MF_E_CONFLICT: it looks like the name of another key, whose entry *rival then is (rival may
 * be NULL). */
int mf_names_check(const struct mf_names *names, const char *name, const struct mf_digest *fingerprint,
		   const struct mf_name **rival, struct mf_err *err) MF_NODISCARD;

/* Returns the name of a colleague's key; NULL: it has none. */
const char *mf_names_of(const struct mf_names *names, const struct mf_digest *fingerprint);
/* Writes the name of a key, or 16 digits of its fingerprint, and returns `out`. names may be NULL. Key
 * files are opened when the key is not a colleague's that has a name. */
const char *mf_names_label(const struct mf_names *names, const struct mf_pubkey *key,
			   char out[MF_NAME_LABEL]);
/* Returns the fingerprint of the colleague's key with this name; NULL: there is none. */
const struct mf_digest *mf_names_find(const struct mf_names *names, const char *name);

#endif
