/* The open repository, shared by the files of this module. */
#ifndef MF_TRUST_CLIENT_H
#define MF_TRUST_CLIENT_H

#include "trust/repo.h"
#include "trust/state.h"
#include "trust/trust.h"

/* Files asked for before it is known that they are needed. */
enum { EARLY_ROOT, EARLY_NEXT_ROOT, EARLY_TIMESTAMP, EARLY_SNAPSHOT, EARLY_TARGETS, EARLY_COUNT };

struct mf_trust {
	const struct mf_trust_config *cfg;
	struct mf_repo *repo;
	char *gun, *pin_name;
	struct mf_tuf_set set;
	struct mf_pin pin;
	struct mf_floors floors;
	struct mf_fetch *early[EARLY_COUNT];
	int64_t
	    early_root; /* version of EARLY_ROOT where roots are numbered; EARLY_NEXT_ROOT is one higher */
	bool loaded, tofu, told;
	bool use_cache; /* of this try */
	bool adopted;   /* the pin is our own root key, and is not stored yet */
	bool for_signing;
	unsigned expired_ok;      /* types whose expiry this load passes over, besides those for signing */
	bool cached[EARLY_COUNT]; /* which files came from the cache */
	bool cached_step;         /* so did an older root */
	bool root_done;           /* the root chain of this try holds, up to the newest root that was there */
	bool tolerant;
	const char *const *only;        /* see mf_trust_narrow; NULL: all */
	struct mf_trust_broken *broken; /* roles passed over */
	size_t nbroken, broken_cap;
};

/* Fetches one file now: 1, 0 not there, -1. */
int mf_trust_fetch(struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
		   struct mf_err *err) MF_NODISCARD;
/* Where roots are numbered (root.c): begins to ask for what may be newer than the newest root known here, or
 * with an empty cache for the first two. */
int mf_trust_begin_roots(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* The root chain (root.c): from the served or cached root to a trusted one in t->set. */
int mf_trust_load_root(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* The file of a role as the trusted snapshot lists it: length and hashes fit, nothing else is checked. out
 * must be initialised. */
int mf_trust_fetch_role(struct mf_trust *t, const char *role, struct mf_buf *out,
			struct mf_err *err) MF_NODISCARD;

#endif
