/* Where metadata comes from and goes to: one table of operations, a row per URL scheme.
 *
 * A new kind of trust repository is one file that defines a row and its own struct mf_fetch, the row's
 * declaration below, and its place in the table of open.c. The caller verifies everything; a row only moves
 * bytes. */
#ifndef MF_TRUST_REPO_H
#define MF_TRUST_REPO_H

#include "base/arena.h"
#include "trust/config.h"
#include "tuf/tuf.h"

enum mf_fetch_by { MF_BY_NAME, MF_BY_VERSION, MF_BY_SHA256 };
struct mf_fetch_key {
	const char *role;
	enum mf_fetch_by by;
	int64_t version;
	struct mf_digest sha256;
	size_t max;    /* octets */
	int64_t *seen; /* NULL, or receives the time at which the store got the file, 0: unknown. A
			  hint: nobody signs it */
	bool fresh;    /* it may appear or change: no cache on the way may answer for the server */
};

/* A file to publish. */
struct mf_publish_file {
	const char *role;
	int64_t version;
	struct mf_bytes bytes;
};

/* A file that lies there. */
struct mf_stored {
	const char *name; /* below the repository's directory or prefix, as the file is named */
	uint64_t size;
	int64_t changed; /* when it got there, or was written last, by the store's clock */
};
struct mf_listing {
	struct mf_arena arena; /* the names */
	struct mf_stored *v;
	size_t n, cap;
	int64_t now; /* the store's clock */
};
#define MF_LISTING_INIT                                                                                      \
	{                                                                                                    \
		.arena = MF_ARENA_INIT                                                                       \
	}
void mf_listing_clear(struct mf_listing *l);
#define MF_LISTING_CLEANUP MF_CLEANUP(mf_listing_clear)
int mf_listing_add(struct mf_listing *l, const struct mf_stored *file, struct mf_err *err) MF_NODISCARD;
void mf_listing_sort(struct mf_listing *l); /* by name */
/* In a sorted one; NULL. */
const struct mf_stored *mf_listing_find(const struct mf_listing *l, const char *name);

/* The key that the server signs a role with, or a new one, which has no effect until a root lists it. */
enum mf_server_key { MF_SERVER_KEY_NOW, MF_SERVER_KEY_NEW };

struct mf_repo;
struct mf_fetch;
struct mf_repo_ops {
	const char *scheme; /* URL prefix */
	const char
	    *usage; /* "https://HOST for a Notary server", for the hint about an unknown scheme, or NULL */
	const struct mf_dialect *dialect;
	bool local; /* no cache, no speculation; where it can be written to, `where` is a directory */
	bool numbered_roots;   /* there is no newest root by name: N.root.json is requested until it is not
				  there */
	bool root_first;       /* a root without a timestamp is a repository that is not finished */
	const char *read_only; /* not NULL: nothing can be published there; a hint, or "" */
	/* ops: the row itself; rest: the URL without its scheme. */
	struct mf_repo *(*open)(const struct mf_repo_ops *ops, const char *rest, const char *gun,
				const struct mf_trust_config *cfg, struct mf_err *err);
	void (*close)(struct mf_repo *r);
	/* Begins a request. */
	struct mf_fetch *(*begin)(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err);
	/* Waits and frees. MF_FOUND: out filled (it must be initialised). MF_ABSENT: it is not there. */
	enum mf_found (*end)(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err);
	void (*cancel)(struct mf_fetch *f);
	/* The first version from `from` on that this role's next file can have. NULL in the table: any,
	 * nothing is kept under a version that a stopped publish has left. */
	int (*free_version)(struct mf_repo *r, const char *role, int64_t from, int64_t *out,
			    struct mf_err *err);
	/* All or nothing. base: the timestamp file that the change was built on, NULL for a new repository.
	 * MF_E_CONFLICT: somebody was faster. NULL where it is read-only. */
	int (*publish)(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
		       const struct mf_bytes *base, struct mf_err *err);
	/* Public key object of a role that the server signs; NULL in the table: there is no server. */
	int (*server_key)(struct mf_repo *r, const char *role, enum mf_server_key which, struct mf_buf *out,
			  struct mf_err *err);
	/* The file of a target into a spool of its announced length, not compared with its hash. sha256 NULL:
	 * by plain name. MF_ABSENT: it is not there. NULL in the table: targets are no files there that a
	 * client can ask for. */
	enum mf_found (*target)(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
				uint64_t length, struct mf_spool *out, struct mf_err *err);
	/* For a store that keeps the target files as well, and is no directory; NULL elsewhere. Replaces what
	 * is there. */
	int (*put_target)(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
			  struct mf_spool *content, struct mf_err *err);
	/* The files whose names begin with `prefix`, in any order; files of other repositories below may be
	 * among them. NULL in the table: they cannot be listed. */
	int (*list)(struct mf_repo *r, struct mf_str prefix, struct mf_listing *out, struct mf_err *err);
	/* Removes those of them that have not changed since `before`; *removed, in both cases: how many. NULL
	 * with list. */
	int (*remove)(struct mf_repo *r, const struct mf_stored *const *v, size_t n, int64_t before,
		      size_t *removed, struct mf_err *err);
};
struct mf_repo {
	const struct mf_repo_ops *ops;
	char *where; /* for people */
	void *arg;   /* for whoever has brought a row of their own (ops/mirror_registry.c) */
};
extern const struct mf_repo_ops mf_repo_notary_http, mf_repo_notary_https, mf_repo_tuf_file, mf_repo_tuf_http,
    mf_repo_tuf_https, mf_repo_s3, mf_repo_oci, mf_repo_tuf_dir;

/* Does a Notary server's refusal of a publish mean that somebody was faster? 400 VERSION: a version in the
 * upload is not newer than what is stored; 500 UPDATING: a race lost on SQL; INVALID_UPDATE with ErrBadRoot
 * on a first publish: somebody else has initialised the repository. */
bool mf_notary_lost_race(const struct mf_http_response *res, bool first);

#endif
