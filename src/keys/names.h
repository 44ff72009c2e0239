/* Names of keys: this machine's keys have the names of their files, colleagues' keys have local names in
 * $MANIFESTO_HOME/trust.json ("names": {"dana": "<fingerprint>"}). Names are for reading: no decision depends
 * on one.
 *
 * Nobody must be taken for somebody else. So a name has the form of a key file's name (ASCII, no blanks); it
 * does not look like the digits that stand for keys without a name; and it does not look like the name of
 * one of our keys or of another colleague, whatever the case, separators and look-alikes (0 o, 1 i l, rn m,
 * vv w). A name that breaks these rules, because somebody edited the file or a key came later, is not shown.
 */
#ifndef MF_KEYS_NAMES_H
#define MF_KEYS_NAMES_H

#include "json/json.h"
#include "keys/keystore.h"

#define MF_MAX_NAMES 1000
#define MF_NAME_LABEL 72 /* a name, or 16 digits, and NUL */

struct mf_name {
	char name[MF_NAME_LABEL], reduced[MF_NAME_LABEL]; /* reduced: what look-alikes have in common */
	struct mf_digest fingerprint;                     /* not of our own: their files are not opened */
	bool own;
};
struct mf_names {
	struct mf_name *v;
	size_t n, cap;
	struct mf_keystore *store; /* ours, borrowed; asked for keys that have no name in `v` */
};
void mf_names_clear(struct mf_names *names);
#define MF_NAMES_CLEANUP MF_CLEANUP(mf_names_clear)

/* From the member "names" of trust.json (NULL: there is none) and the names of our key files, of which none
 * is opened. What may not be shown is left out. */
int mf_names_load(struct mf_names *out, const json_t *names, struct mf_keystore *own,
		  struct mf_err *err) MF_NODISCARD;
/* May the key of this fingerprint have this name? MF_E_USAGE: nobody's can, or the key is ours;
 * MF_E_CONFLICT: it looks like another's. *rival, when not NULL: that other's entry. */
int mf_names_check(const struct mf_names *names, const char *name, const struct mf_digest *fingerprint,
		   const struct mf_name **rival, struct mf_err *err) MF_NODISCARD;

/* The name of a colleague's key, NULL: it has none. */
const char *mf_names_of(const struct mf_names *names, const struct mf_digest *fingerprint);
/* The name, or 16 digits of the fingerprint. names may be NULL. Key files are opened to find the name of a
 * key that is no named colleague's. */
const char *mf_names_label(const struct mf_names *names, const struct mf_pubkey *key,
			   char out[MF_NAME_LABEL]);
/* The colleague's key that has the name; NULL: none has. */
const struct mf_digest *mf_names_find(const struct mf_names *names, const char *name);

#endif
