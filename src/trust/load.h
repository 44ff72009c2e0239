/* An open repository and the steps of a load, shared by the files of this module and the module `publish`. */
#ifndef MF_TRUST_LOAD_H
#define MF_TRUST_LOAD_H

#include "trust/home.h"
#include "trust/repo.h"
#include "trust/trust.h"

/* The state of a repository that a machine keeps from one run to the next, and which part of it is trusted.
 * Two policies (load.c, "Stores"): that of the home, and the metadata directory of manifesto-tuf. */
struct mf_store_ops {
	/* Called before all others: fills t->pin and t->floors. */
	int (*begin)(struct mf_trust *t, struct mf_err *err);
	/* The bytes of a root that an earlier run stored: of this version, or the newest (0). The loader
	 * verifies it like a root from the server. */
	enum mf_found (*root)(struct mf_trust *t, int64_t version, struct mf_buf *out, struct mf_err *err);
	/* Stores t->set.root, which has just been verified and did not come from the store. */
	int (*keep_root)(struct mf_trust *t, struct mf_err *err);
	/* Called when t->set.root is the newest root. Forgets floors that rest on keys which this root no
	 * longer lists (mf_floors_follow). */
	int (*root_done)(struct mf_trust *t, struct mf_err *err);
	/* A file that an earlier run stored and that may be the one that m lists. The loader verifies it, and
	 * fetches the server's file if it is not accepted. *checked: the file has the listed hashes
	 * (mf_tuf_meta_check), so that the server could send no other one. */
	enum mf_found (*role)(struct mf_trust *t, const char *role, const struct mf_tuf_meta *m, size_t max,
			      struct mf_buf *out, bool *checked, struct mf_err *err);
	/* Stores a file from the server that was just verified: timestamp, snapshot, targets or a delegated
	 * role. */
	int (*keep)(struct mf_trust *t, const char *role, const struct mf_tuf_file *f, struct mf_err *err);
};
extern const struct mf_store_ops mf_store_home;

/* Prefetched files: requested before it is known that they are needed. */
enum { EARLY_ROOT, EARLY_NEXT_ROOT, EARLY_TIMESTAMP, EARLY_SNAPSHOT, EARLY_TARGETS, EARLY_COUNT };
struct mf_prefetched {
	struct mf_fetch *v[EARLY_COUNT];
	int64_t root; /* with numbered roots: version of EARLY_ROOT; EARLY_NEXT_ROOT is one higher */
};

/* One try of a load. */
struct mf_attempt {
	bool no_cache;
	bool cached_root;   /* a root came from the store */
	bool cached_newest; /* and this root is the newest one */
	bool root_done;     /* the root chain is verified up to the newest root */
};

/* A wave: files that were requested together and are not verified yet (fetch.c). */
struct mf_wave {
	struct listed *v;
	struct mf_tuf_edge *edges;
	size_t n;
};

struct mf_trust {
	const struct mf_trust_config *cfg;
	const struct mf_store_ops *store;
	void *store_arg;
	struct mf_repo *repo;
	char *gun, *pin_name;
	struct mf_load how; /* of the last load */
	struct mf_tuf_set set;
	struct mf_pin pin;
	struct mf_floors floors;
	struct mf_prefetched early;
	struct mf_attempt attempt;
	int tries; /* tries that failed before this one */
	struct mf_wave wave;
	struct mf_trust_broken *broken; /* roles that the last load skipped */
	size_t nbroken, broken_cap;
	bool loaded;
	bool tofu;    /* trusted on first use */
	bool adopted; /* the pin is our own root key, and is not stored yet */
	bool warned;  /* the user, of trust on first use */
	bool identified;
	char identity[MF_TRUST_IDENTITY]; /* "": unknown */
	bool proposing;  /* the change becomes a proposal, which other machines sign as well */
	bool keeps_copy; /* loaded by `mirror`, to update a copy of another repository */
};

/* Takes ownership of repo, also on failure. gun and pin_name are copied, the rest is borrowed. */
int mf_trust_new(struct mf_repo *repo, const struct mf_store_ops *store, const char *gun,
		 const char *pin_name, const struct mf_trust_config *cfg, struct mf_trust **out,
		 struct mf_err *err) MF_NODISCARD;

/* Root, timestamp, snapshot and targets, once: sections 5.3 to 5.6 of the specification. */
int mf_load_steps(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* The root chain (root.c): from what the store trusts to the newest root, which becomes t->set.root. */
int mf_load_root(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* For a repository whose first publish was interrupted: makes its first root the trusted one, if this machine
 * holds enough of its root keys to have made it. Takes the bytes. MF_ABSENT: it does not. */
enum mf_found mf_load_own_root(struct mf_trust *t, struct mf_buf *bytes, struct mf_err *err) MF_NODISCARD;
/* Loads a delegated role for one delegator. */
int mf_load_delegated(struct mf_trust *t, const struct mf_tuf_edge *edge, struct mf_err *err) MF_NODISCARD;

/* ---- fetching (fetch.c) */
/* Fetches one file now; out must be initialised. */
enum mf_found mf_trust_fetch(struct mf_trust *t, const struct mf_fetch_key *key, struct mf_buf *out,
			     struct mf_err *err) MF_NODISCARD;
/* The request for a file that m lists, of at most max octets. */
struct mf_fetch_key mf_trust_listed_key(const struct mf_trust *t, const char *role,
					const struct mf_tuf_meta *m, size_t max);
/* Ends a prefetch and gives its answer. MF_ABSENT: none was sent, or the file does not exist. */
enum mf_found mf_trust_prefetched(struct mf_trust *t, int which, struct mf_buf *out,
				  struct mf_err *err) MF_NODISCARD;
/* With numbered roots (root.c): prefetches the root after the newest one known here, or with an empty cache
 * the first two that are needed. */
int mf_trust_prefetch_roots(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

/* The file of a role as the trusted snapshot lists it. Only length and hashes are checked. out must be
 * initialised. */
int mf_trust_fetch_role(struct mf_trust *t, const char *role, struct mf_buf *out,
			struct mf_err *err) MF_NODISCARD;

/* Begins a wave: the snapshot, or `targets` when the snapshot is loaded. */
int mf_wave_begin_top(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Begins a wave of these delegated roles. Takes the edges. MF_ABSENT: there are none. */
enum mf_found mf_wave_begin(struct mf_trust *t, struct mf_tuf_edge *edges, size_t n,
			    struct mf_err *err) MF_NODISCARD;
/* Ends the requests of the wave, and verifies the files in the order in which they were given. */
int mf_wave_finish(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
void mf_wave_drop(struct mf_trust *t);
/* Fails with MF_E_GONE for a file that must exist. Returns -1. */
int mf_trust_missing(const struct mf_trust *t, const char *role, struct mf_err *err);
/* Cancels the prefetches that are left. */
void mf_trust_drop_prefetched(struct mf_trust *t);
/* Forgets which roles were skipped. */
void mf_trust_forget_broken(struct mf_trust *t);
/* Cancels prefetches, forgets skipped roles and drops the wave. */
void mf_trust_reset(struct mf_trust *t);

/* ---- indexes of cached targets files (index.c), for loads by subject */
struct mf_index;
/* Opens the index of a role's cached file: gives the head of the file and the index, for mf_tuf_set_indexed.
 * MF_ABSENT: there is no index that may be used. */
enum mf_found mf_trust_index_open(const struct mf_trust *t, const struct mf_tuf_edge *edge,
				  struct mf_buf *head, struct mf_index **out, struct mf_err *err);
/* Reads the entries of a subject into a partial file. MF_ABSENT: the whole file must be read. */
enum mf_found mf_trust_index_find(const struct mf_trust *t, const struct mf_tuf_loaded *l,
				  const struct mf_digest *subject, struct mf_err *err);
/* Writes the index of a cached file that was verified. That it cannot be written is no error. */
int mf_trust_index_write(const struct mf_trust *t, const struct mf_tuf_loaded *l,
			 struct mf_err *err) MF_NODISCARD;

/* MF_E_EXPIRED: the newest signed time of a record in the loaded roles is older than cfg->max_age_s, or no
 * record has a time (bundle.c). */
int mf_trust_check_age(const struct mf_trust *t, struct mf_err *err) MF_NODISCARD;
/* Stores a pin of the loaded root if it was trusted on first use, or adopted as our own. */
int mf_home_pin_first_use(struct mf_trust *t, struct mf_err *err) MF_NODISCARD;

#endif
