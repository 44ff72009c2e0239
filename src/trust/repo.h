/* Kinds of trust repositories: one table of operations, with a row for each URL scheme.
 *
 * A new kind is one file that defines a row and its own struct mf_fetch, the row's declaration below, and its
 * place in the table of open.c. The caller verifies everything; a row only moves bytes. */
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
	int64_t *seen; /* if not NULL, receives the time at which the store received the file; 0: unknown. It
			  is not signed: only a hint */
	bool fresh; /* the file may have appeared or changed: no HTTP cache may answer in place of the server
		     */
};

/* A file to publish. */
struct mf_publish_file {
	const char *role;
	int64_t version;
	struct mf_bytes bytes;
};

/* A file that the store of a repository lists. */
struct mf_stored {
	const char *name; /* path below the repository's directory or prefix */
	uint64_t size;
	int64_t changed; /* when it was created or last written, by the store's clock */
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
/* Searches a sorted listing; NULL: not found. */
const struct mf_stored *mf_listing_find(const struct mf_listing *l, const char *name);

/* The key with which the server signs a role now, or a new one, which has no effect until a root lists it. */
enum mf_server_key { MF_SERVER_KEY_NOW, MF_SERVER_KEY_NEW };

struct mf_repo;
struct mf_fetch;
struct mf_repo_ops {
	const char *scheme; /* URL prefix */
	const char *usage;  /* such as "https://HOST for a Notary server", for a hint; or NULL */
	const struct mf_dialect *dialect;
	bool local; /* on this machine: neither cached nor prefetched; if it is writable, `where` is a
		       directory */
	bool numbered_roots; /* the newest root has no fixed name: N.root.json is requested with rising N
				until one does not exist */
	bool root_first; /* a first publish begins with the root: without a timestamp it was interrupted */
	const char *read_only; /* NULL: writable; else a hint on where to publish instead, or "" */
	/* ops: the row itself; rest: the URL without its scheme. */
	struct mf_repo *(*open)(const struct mf_repo_ops *ops, const char *rest, const char *gun,
				const struct mf_trust_config *cfg, struct mf_err *err);
	void (*close)(struct mf_repo *r);
	/* Sends a request. NULL: it failed. */
	struct mf_fetch *(*begin)(struct mf_repo *r, const struct mf_fetch_key *key, struct mf_err *err);
	/* Waits for the answer, and frees f. MF_FOUND: `out`, which must be initialised, has the file.
	 * MF_ABSENT: there is no such file. */
	enum mf_found (*end)(struct mf_fetch *f, struct mf_buf *out, struct mf_err *err);
	void (*cancel)(struct mf_fetch *f);
	/* The first version, from `from` on, that the role's next file can have. NULL in the table: every
	 * version is free, because a publish that is stopped leaves no files. */
	int (*free_version)(struct mf_repo *r, const char *role, int64_t from, int64_t *out,
			    struct mf_err *err);
	/* Publishes files; readers see all of them or none. base: the timestamp file that the change was
	 * built on, NULL for a new repository. MF_E_CONFLICT: another publisher was faster. NULL in the table
	 * where read_only is set. */
	int (*publish)(struct mf_repo *r, const struct mf_publish_file *files, size_t n,
		       const struct mf_bytes *base, struct mf_err *err);
	/* The public key object of a role that the server signs. NULL in the table: no server signs. */
	int (*server_key)(struct mf_repo *r, const char *role, enum mf_server_key which, struct mf_buf *out,
			  struct mf_err *err);
	/* Fetches a target file of at most `length` octets into a spool; its hash is not checked. sha256
	 * NULL: the file's name has no hash. MF_ABSENT: there is no such file. NULL in the table: target
	 * files cannot be fetched. */
	enum mf_found (*target)(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
				uint64_t length, struct mf_spool *out, struct mf_err *err);
	/* Stores a target file, and replaces one of the same name. NULL in the table where target files are
	 * not stored, and for directories, whose target files the caller writes. */
	int (*put_target)(struct mf_repo *r, struct mf_str name, const struct mf_digest *sha256,
			  struct mf_spool *content, struct mf_err *err);
	/* Lists the files whose names begin with `prefix`, in any order; they may include files of
	 * repositories in subdirectories. NULL in the table: files cannot be listed. */
	int (*list)(struct mf_repo *r, struct mf_str prefix, struct mf_listing *out, struct mf_err *err);
	/* Removes those of the listed files that have not changed since `before`. *removed: how many, also on
	 * failure. NULL in the table where `list` is. */
	int (*remove)(struct mf_repo *r, const struct mf_stored *const *v, size_t n, int64_t before,
		      size_t *removed, struct mf_err *err);
};
struct mf_repo {
	const struct mf_repo_ops *ops;
	char *where; /* for people */
	void *arg;   /* for rows that are defined elsewhere (ops/mirror_registry.c) */
};
extern const struct mf_repo_ops mf_repo_notary_http, mf_repo_notary_https, mf_repo_tuf_file, mf_repo_tuf_http,
    mf_repo_tuf_https, mf_repo_s3, mf_repo_oci, mf_repo_tuf_dir;

/* Does a Notary server's refusal of a publish mean that another publisher was faster? 400 VERSION: a version
 * in the upload is not newer than the stored one; 500 UPDATING: a conflict in the database; 400
 * INVALID_UPDATE: on a first publish with ErrBadRoot, somebody else has initialised the repository; later
 * with "delegation does not exist", a shard was divided. */
bool mf_notary_lost_race(const struct mf_http_response *res, bool first);

#endif
