/* The TUF core: it takes bytes and a clock reading, and returns verified objects or an error. No files, no
 * network, no globals.
 *
 * Specification: The Update Framework 1.0.33, section 4 (document formats) and 5 (client workflow). Notary v1
 * differs in format and in some rules; its dialect table has all the differences. Names of data that no
 * function has verified end in _unverified. */
#ifndef MF_TUF_TUF_H
#define MF_TUF_TUF_H

#include "base/arena.h"
#include "base/digest.h"
#include "crypto/key.h"
#include "json/json.h"

enum mf_tuf_type { MF_TUF_ROOT, MF_TUF_TIMESTAMP, MF_TUF_SNAPSHOT, MF_TUF_TARGETS };
#define MF_TUF_TYPES 4

/* A public key as metadata lists it (4.2, "keys"). */
struct mf_tuf_key {
	struct mf_str id; /* the ID under which the metadata lists it */
	bool id_fits; /* the dialect accepts the ID. Notary: if it is the hash of the key; TUF 1.0: any (TAP
			 12). Otherwise no signature of the key counts */
	bool x509;    /* Notary: `certificate` is set, and `pub` is the key of its first certificate */
	struct mf_pubkey *pub;       /* NULL: of unknown type or unusable; it verifies nothing */
	struct mf_str certificate;   /* PEM text */
	struct mf_root_certs *certs; /* the certificates in `certificate`; NULL: unfit for a root key */
	enum mf_sig_scheme scheme;   /* TUF 1.0: the scheme that the key states */
	struct mf_str raw;           /* bytes of the KEY object */
};

/* A role: its keys, and the target names that it may list (4.3, 4.5). */
struct mf_tuf_role {
	const char *name;
	const struct mf_tuf_key **keys; /* each key ID once */
	size_t nkeys;
	int64_t threshold;
	struct mf_str *paths; /* delegations only */
	size_t npaths;
	struct mf_str *hash_prefixes; /* TUF 1.0: path_hash_prefixes, lower-case hex */
	size_t nhash_prefixes;
	bool terminating;
};

/* The role's key with this fingerprint, if signatures of this key can count; NULL: there is none, or `role`
 * is NULL. */
const struct mf_tuf_key *mf_tuf_role_key(const struct mf_tuf_role *role, const struct mf_digest *fingerprint);
bool mf_tuf_role_has_key(const struct mf_tuf_role *role,
			 const struct mf_pubkey *pub); /* does the role have such a key? */

/* One entry of "meta" (4.4, 4.6). */
struct mf_tuf_meta {
	struct mf_str name; /* role name, without ".json" */
	bool broken;     /* the entry is malformed, which is an error only when it is needed (`tolerant`) */
	int64_t version; /* 0: not stated (Notary) */
	uint64_t length; /* the most octets that the file may have; UINT64_MAX: not stated */
	bool has_sha256, has_sha512;
	struct mf_digest sha256;
	uint8_t sha512[64];
};

/* One entry of "targets" as it stands in the file. */
struct mf_tuf_target {
	const char *name; /* the text between its quotes, in the file */
	uint32_t name_n;
	uint32_t value, value_n; /* offset from `name`, and length, in octets */
	bool escaped;
};

struct mf_index;
/* The entries of one subject that were read through an index (tuf/index.h): targets[from] to targets[to - 1].
 */
struct mf_tuf_part {
	struct mf_digest subject;
	size_t from, to;
};

struct mf_tuf_signature {
	struct mf_str keyid;
	struct mf_str method; /* Notary only */
	struct mf_bytes sig;
	bool good; /* it has verified over this file; kept, because a root is verified several times */
	struct mf_digest good_for; /* fingerprint of the key that verified it */
};

/* A parsed metadata file. It owns its bytes; the slices point into them or into the arena. */
struct mf_tuf_file {
	enum mf_tuf_type type;
	struct mf_buf bytes;         /* as received */
	struct mf_buf canonical_buf; /* used if the signed part was not canonical as received */
	struct mf_str canonical;     /* canonical form of "signed", over which signatures are made */
	bool was_canonical;
	struct mf_arena arena;
	struct mf_tuf_signature *signatures;
	size_t nsignatures;
	int64_t version, expires;
	bool consistent_snapshot; /* root */
	struct mf_str copy_of;    /* timestamp: the value of MF_TUF_COPY_OF as received; empty: none */
	struct mf_str copied_gun; /* its member "repository" */
	struct mf_str of_role;    /* targets: the role that it was signed for; empty: not stated */
	struct mf_tuf_key *keys;  /* of a root, or of the delegations */
	size_t nkeys;
	struct mf_str keys_raw; /* the "keys" object (root) */
	struct mf_tuf_role
	    *roles; /* root: the four in order of enum mf_tuf_type; targets: delegations in listed order */
	size_t nroles;
	struct mf_tuf_meta *meta; /* snapshot, timestamp: sorted by name */
	size_t nmeta;
	struct mf_tuf_target *targets; /* sorted by decoded name; in a partial file, within each part */
	size_t ntargets, targets_cap;
	struct mf_str targets_raw;     /* the "targets" object; empty if it was null */
	struct mf_str delegations_raw; /* empty when absent */
	/* Set in a partial file, which was read through its index: `targets` has the entries of the subjects
	 * in `parts` only. Whether other subjects have entries is not known. NULL: `targets` is complete. */
	struct mf_index *index;
	struct mf_tuf_part *parts;
	size_t nparts, parts_cap;
	struct mf_buf rest; /* the earlier bytes of a file that was partial, into which slices point */
};
void mf_tuf_file_free(struct mf_tuf_file *f); /* NULL is fine */
static inline void mf_tuf_file_cleanup(struct mf_tuf_file **f)
{
	mf_tuf_file_free(*f);
}
#define MF_TUF_FILE_CLEANUP MF_CLEANUP(mf_tuf_file_cleanup)

/* Member of the signed part of a targets file: the role that it is signed for. Files of the specification do
 * not state their role: what a key has signed for one role is valid for every other role that lists the key.
 * A colleague whose file we sign together with them could serve it as the file of a role that is not theirs.
 * Readers ignore members that they do not know (TUF 1.0.33, section 4.1). */
#define MF_TUF_OF_ROLE "x-manifesto-role"

/* Member of the signed part of a timestamp that a mirror has signed: the repository that it copies, and the
 * state of that repository.
 * {"dialect","repository","root","versions"}: root is the SHA-256 of the newest root file of that repository.
 */
#define MF_TUF_COPY_OF "x-manifesto-copy-of"

/* What differs between Notary v1 and TUF 1.0. */
struct mf_dialect {
	const char *name;
	const char *type_names[MF_TUF_TYPES];
	bool meta_has_suffix; /* "targets.json" in snapshot and timestamp */
	bool meta_needs_version;
	bool meta_needs_sha256;
	bool snapshot_lists_root;
	bool spec_version;  /* "spec_version" is required */
	bool hash_prefixes; /* delegations may have "path_hash_prefixes"; otherwise it is ignored */
	bool hex;           /* hashes and signatures are in hex; otherwise in base64 */
	bool says_role; /* we write MF_TUF_OF_ROLE. Not for Notary: its server hashes a file as it would write
			   it itself, without members that it does not know */
	bool unique;    /* two signatures with one key ID (4.2.1), or two delegations to one role, make a file
			   malformed */
	/* Parts that are neither understood nor needed do not make a file malformed: keys of unknown types,
	 * unreadable signatures, key IDs without a key, unreadable entries of `meta`. They are ignored. */
	bool tolerant;
	bool any_size; /* integers may have any size, and are canonical as they stand */
	/* Fills the other members from key->id and key->raw. A key type that is not known is no error. */
	int (*key)(struct mf_tuf_key *key, struct mf_arena *arena, struct mf_err *err);
	/* The scheme of a signature; false: the key cannot verify it. */
	bool (*scheme)(const struct mf_tuf_key *key, struct mf_str method, enum mf_sig_scheme *out);
	/* Decodes "sig" to octets. */
	int (*signature)(struct mf_str text, struct mf_buf *out, struct mf_err *err);
	/* Sets *out (NULL before) to a new reference to the key that verifies root signatures; it stays NULL
	 * if the key is not usable as a root key. -1: MF_E_NOMEM, MF_E_INTERNAL. */
	int (*root_key)(const struct mf_tuf_key *key, struct mf_str gun, int64_t now, bool check_expiry,
			struct mf_pubkey **out, struct mf_err *err);
	/* May `parent` delegate to a role of this name? */
	bool (*delegation_name)(struct mf_str parent, struct mf_str name);
	/* Does a delegation's path cover a target name (a literal)? */
	bool (*path_covers)(struct mf_str path, struct mf_str name);
	/* Could a delegation's path cover some name that starts with `prefix`? True in doubt. */
	bool (*path_touches)(struct mf_str path, struct mf_str prefix);
	const char *shard_mark;  /* between the name of a role and the digits of its shard */
	const char *prefix_tail; /* what follows a prefix in a path that covers all names with this prefix */
	/* Appends the KEY object for a public key; certificate not NULL: in Notary's x509 form. id receives
	 * the key ID. */
	int (*key_write)(const struct mf_pubkey *pub, const struct mf_str *certificate, struct mf_buf *out,
			 char id[65], struct mf_err *err);
	/* The scheme that we sign with. *method: the value of the member "method"; NULL: no such member. */
	enum mf_sig_scheme (*sign_scheme)(const struct mf_pubkey *pub, const char **method);
};
extern const struct mf_dialect mf_dialect_notary;
extern const struct mf_dialect mf_dialect_tuf1;

/* Parses a file of an expected type; structure, key IDs and limits are checked, signatures are not. Takes
 * *bytes (empty afterwards). NULL: MF_E_FORMAT. */
struct mf_tuf_file *mf_tuf_parse_unverified(const struct mf_dialect *d, enum mf_tuf_type type,
					    struct mf_buf *bytes, struct mf_err *err) MF_NODISCARD;

/* ---- the trusted set (5.2 to 5.6) */

/* Lowest acceptable version of a role: the highest that was seen. */
struct mf_tuf_floor {
	char *role;
	int64_t version;
};
struct mf_tuf_floors {
	struct mf_tuf_floor *v;
	size_t n, cap;
};
int64_t mf_tuf_floor_get(const struct mf_tuf_floors *f, const char *role); /* 0: none */

struct mf_tuf_loaded {
	const char *role; /* of a shard: the role whose records it holds */
	struct mf_tuf_file *file;
	const struct mf_tuf_role *delegation; /* its entry in the delegator's file; NULL: targets */
	const struct mf_tuf_loaded *parent;
	const char *shard; /* name of the shard, whose parent is its role; NULL: not a shard */
	int64_t until;     /* the first of its shards that were forgotten expires then; INT64_MAX: none was */
};
/* The name of the file in the snapshot. */
static inline const char *mf_tuf_loaded_name(const struct mf_tuf_loaded *l)
{
	return l->shard ? l->shard : l->role;
}
/* The role whose keys and paths govern its entries: of a shard, the role that it belongs to. */
static inline const struct mf_tuf_loaded *mf_tuf_loaded_owner(const struct mf_tuf_loaded *l)
{
	return l->shard ? l->parent : l;
}

struct mf_names;
struct mf_tuf_set {
	const struct mf_dialect *d;
	struct mf_str gun;                  /* borrowed */
	int64_t now;                        /* one clock reading for everything */
	const struct mf_tuf_floors *floors; /* borrowed, may be NULL */
	unsigned expired_ok; /* bits of enum mf_tuf_type: expired files of these types are accepted, and set
				`expired`; the bit of the root is for showing or renewing it */
	bool expired;
	bool expired_certificate; /* Notary: too few certificates of the root are valid now, and expired_ok
				     has the root's bit */
	size_t max_total;         /* limit on the octets of all targets roles together */
	/* mf_tuf_set_unloaded lists only those shards that may hold records of these subjects
	 * (mf_tuf_shard_wanted); borrowed, ends with NULL. NULL: all shards. */
	const char *const *subjects;
	const struct mf_names *names; /* names of keys for messages; borrowed, may be NULL */
	struct mf_tuf_file *root, *timestamp, *snapshot;
	struct mf_tuf_loaded **roles; /* targets first */
	size_t nroles, cap;
};
void mf_tuf_set_init(struct mf_tuf_set *s, const struct mf_dialect *d, struct mf_str gun, int64_t now,
		     const struct mf_tuf_floors *floors);
void mf_tuf_set_clear(struct mf_tuf_set *s);
/* Forgets timestamp, snapshot and targets, keeps the root. */
void mf_tuf_set_rewind(struct mf_tuf_set *s);

/* The anchor that a root must satisfy. A key counts if the role root lists it, it signed the file, and its
 * fingerprint is in the anchor or its certificate chains to `ca`. */
struct mf_tuf_anchor {
	const struct mf_digest *fingerprints;
	size_t n;
	struct mf_str ca;  /* PEM, empty: none */
	int64_t threshold; /* at least 1 */
};
/* Checks that the root is signed by its own keys and satisfies the anchor (NULL: any root does). 0, or -1:
 * MF_E_SIGNATURE (not signed by its own keys), MF_E_PIN. */
int mf_tuf_root_check(const struct mf_dialect *d, struct mf_str gun, int64_t now,
		      const struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor,
		      struct mf_err *err) MF_NODISCARD;
/* Checks a root as mf_tuf_root_check does and makes it the trusted one. Takes the file, also on failure. */
int mf_tuf_set_root(struct mf_tuf_set *s, struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor,
		    struct mf_err *err) MF_NODISCARD;
/* Makes the next root the trusted one: its version is exactly one higher, and the thresholds of the old and
 * of the new root have signed it (5.3.4, 5.3.5). Takes the file, also on failure. */
int mf_tuf_set_next_root(struct mf_tuf_set *s, struct mf_tuf_file *root, struct mf_err *err) MF_NODISCARD;
/* Checks the newest root, once it is trusted: its floor, its expiry (5.3.10), and in Notary the dates of its
 * certificates. */
int mf_tuf_set_root_done(struct mf_tuf_set *s, struct mf_err *err) MF_NODISCARD;
/* Verify and add the timestamp, the snapshot and `targets` (5.4 to 5.6). Each takes the bytes (the buffer is
 * empty afterwards, also on failure). checked: the caller has passed these very bytes to mf_tuf_meta_check,
 * with their entry in the trusted timestamp or snapshot; they are not hashed again. */
int mf_tuf_set_timestamp(struct mf_tuf_set *s, struct mf_buf *bytes, struct mf_err *err) MF_NODISCARD;
int mf_tuf_set_snapshot(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked,
			struct mf_err *err) MF_NODISCARD;
int mf_tuf_set_targets(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked,
		       struct mf_err *err) MF_NODISCARD;
/* A delegation: a role, and the delegator for which it is verified. */
struct mf_tuf_edge {
	const struct mf_tuf_loaded *parent;
	const struct mf_tuf_role *role;
};
/* Adds a file that was verified in an earlier run, through its index. mf_index_open gave `head` for this
 * delegation (NULL: targets) and the entry in the trusted snapshot. Signatures and hashes are not checked
 * again; everything that depends on this run is. The role's file is partial. Takes both, also on failure. */
int mf_tuf_set_indexed(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *head,
		       struct mf_index *index, struct mf_err *err) MF_NODISCARD;
/* Gives a partial file all its entries, from these bytes. The caller has passed them to mf_tuf_meta_check;
 * they are verified as by mf_tuf_set_targets or mf_tuf_set_delegated. Slices of the file stay valid, indices
 * of entries do not. Takes the bytes. */
int mf_tuf_set_complete(struct mf_tuf_set *s, const struct mf_tuf_loaded *l, struct mf_buf *bytes,
			struct mf_err *err) MF_NODISCARD;
/* Verifies and adds a delegated role, as mf_tuf_set_targets does. */
int mf_tuf_set_delegated(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *bytes,
			 bool checked, struct mf_err *err) MF_NODISCARD;
/* Lists the delegations to load next: loaded roles list them, the snapshot has an entry for them, they are
 * not loaded, and they and all their delegators could cover a name that starts with `prefix`. MF_E_FORMAT
 * when there would be more than `max` delegated roles, loaded ones included and shards not counted. out has
 * room for all delegations of the loaded roles, or for MF_MAX_DELEGATIONS_LIST if that is less; *n receives
 * the number. */
int mf_tuf_set_unloaded(struct mf_tuf_set *s, struct mf_str prefix, size_t max, struct mf_tuf_edge *out,
			size_t *n, struct mf_err *err) MF_NODISCARD;
/* Lists the shards of loaded roles that may hold records of these subjects and are not loaded. */
int mf_tuf_set_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects,
			       struct mf_tuf_edge *out, size_t *n, struct mf_err *err) MF_NODISCARD;
/* ---- shards (shard.c): a large role divides its records among delegated roles of its own, by the first hex
 * digits of the subject. A shard is named after the role: "ROLE", the dialect's mark, 1 to
 * MF_MAX_SHARD_DIGITS digits. Its paths cover TYPE/sha256-DIGITS..., one for each type. Whoever holds the
 * keys of a role can make shards of it, and gains nothing: the file of a shard needs the signatures that the
 * role's own file needs, and covers no name that the role does not cover. */
/* The digits of a delegation of `role` that has exactly the form of a shard; empty: it has another form. */
struct mf_str mf_tuf_shard_digits(const struct mf_dialect *d, const char *role,
				  const struct mf_tuf_role *listed);
/* The type that a path of a shard names; empty: the path has another form. */
struct mf_str mf_tuf_shard_type(const struct mf_dialect *d, struct mf_str digits, struct mf_str path);
/* Is the delegation a shard that was divided, which is listed without paths and whose file is no longer read?
 */
bool mf_tuf_shard_divided(const struct mf_dialect *d, const char *role, const struct mf_tuf_role *listed);
/* Is this delegation of a loaded role one of its shards, also one that was divided? A shard has no shards. */
bool mf_tuf_is_shard(const struct mf_dialect *d, const struct mf_tuf_loaded *by,
		     const struct mf_tuf_role *listed);
/* Is this delegation loaded? The same role may be loaded for another delegator. */
bool mf_tuf_shard_is_loaded(const struct mf_tuf_set *s, const struct mf_tuf_loaded *by,
			    const struct mf_tuf_role *listed);
/* The number of shards of loaded roles that may hold records of these subjects and are not loaded. */
size_t mf_tuf_count_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects);
/* Octets of all shards that are loaded. */
size_t mf_tuf_shard_octets(const struct mf_tuf_set *s);
/* Frees all loaded shards; nothing may point into them. They can be loaded again. */
void mf_tuf_set_drop_shards(struct mf_tuf_set *s);
/* Of all prefixes of MF_MAX_SHARD_DIGITS digits, in order: *first is the place of the first one that begins
 * with these digits; returns how many do. 0: `digits` is empty. */
size_t mf_tuf_shard_range(struct mf_str digits, size_t *first);
/* Of a loaded role together with its loaded shards: the number of entries. */
size_t mf_tuf_role_entries(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role);
/* When the first of its files expires, also of shards that were forgotten. */
int64_t mf_tuf_role_expires(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role);
/* May a shard with these digits hold records of one of the subjects? A subject is a hex digest or its first
 * digits. */
bool mf_tuf_shard_wanted(struct mf_str digits, const char *const *subjects);

/* Do this role and all its delegators allow the name? */
bool mf_tuf_loaded_covers(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str name);
/* Could this role and all its delegators allow some name that starts with `prefix`? */
bool mf_tuf_loaded_touches(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str prefix);

/* The search for one target (5.6.7): pre-order, depth first, each role name once. It follows delegations that
 * cover the name, and none behind a terminating one. */
struct mf_tuf_search {
	struct mf_tuf_set *set;
	struct mf_str name; /* decoded target name, borrowed */
	size_t max;         /* limit on the delegated roles visited; beyond it MF_E_FORMAT */
	const struct mf_tuf_loaded *at;
	struct mf_tuf_edge pending; /* if `at` is NULL: the delegation that the caller loads */
	struct mf_tuf_edge *todo;   /* a stack */
	size_t ntodo, cap;
	const char **visited;
	size_t nvisited, visited_cap;
};
/* The set's targets must be loaded. */
void mf_tuf_search_init(struct mf_tuf_search *s, struct mf_tuf_set *set, struct mf_str name, size_t max);
void mf_tuf_search_clear(struct mf_tuf_search *s);
/* MF_FOUND: *w is the next delegation, to be loaded by mf_tuf_set_delegated before the next call. MF_ABSENT:
 * the search is over; *index is the target's index in s->at->file, or -1 if no role lists it. MF_FAILED:
 * MF_E_FORMAT, MF_E_NOMEM. */
enum mf_found mf_tuf_search_next(struct mf_tuf_search *s, struct mf_tuf_edge *w, ptrdiff_t *index,
				 struct mf_err *err) MF_NODISCARD;

/* Parses the file of a top-level role and checks the signatures by the trusted root's keys; nothing else is
 * checked. For files of an earlier run, after which the keys may have changed (5.3.11). Takes the bytes.
 * NULL: MF_E_FORMAT, MF_E_SIGNATURE. */
struct mf_tuf_file *mf_tuf_set_verify(const struct mf_tuf_set *s, enum mf_tuf_type type, struct mf_buf *bytes,
				      struct mf_err *err) MF_NODISCARD;
/* Is there a key that the old root lists for a role and the new root (`now`) does not? An attacker who has
 * that key may have signed files of the role (5.3.11). */
bool mf_tuf_root_drops_key(const struct mf_tuf_file *old, const struct mf_tuf_file *now,
			   enum mf_tuf_type type);

const struct mf_tuf_meta *mf_tuf_meta_find(const struct mf_tuf_file *f,
					   const char *name); /* NULL: not listed */
const struct mf_tuf_loaded *
mf_tuf_set_find(const struct mf_tuf_set *s,
		const char *role); /* the first, whoever its delegator is; NULL: not loaded */
/* The same by the name of the file, which is that of a role or of a shard. */
const struct mf_tuf_loaded *mf_tuf_set_find_file(const struct mf_tuf_set *s, const char *name);
/* The file of a role (its own or that of a shard) that lists a target; *at: the target's index there. NULL:
 * none does. */
const struct mf_tuf_loaded *mf_tuf_set_find_target(const struct mf_tuf_set *s, const char *role,
						   struct mf_str name, size_t *at);
/* "qa" of Notary's "targets/qa": a delegated role's name without the prefix. */
const char *mf_tuf_role_short(const char *name);
/* Checks the length and hashes of bytes against an entry. MF_E_DIGEST; MF_E_FORMAT: the entry is broken. */
int mf_tuf_meta_check(const struct mf_tuf_meta *m, struct mf_bytes bytes, struct mf_err *err) MF_NODISCARD;

/* ---- targets: entries are counted, found and read by these functions only */
/* The number of entries. A partial file must not be passed: entries that were not read would seem to be
 * absent. */
size_t mf_tuf_ntargets(const struct mf_tuf_file *f);
/* Entries *from to *to - 1 are all that a subject (NULL: any) can have. In a partial file, only for a subject
 * that was read. */
void mf_tuf_targets_of(const struct mf_tuf_file *f, const struct mf_digest *subject, size_t *from,
		       size_t *to);
/* The part of a partial file for a subject; NULL: it was not read. */
const struct mf_tuf_part *mf_tuf_part_find(const struct mf_tuf_file *f, const struct mf_digest *subject);
/* The subject of an entry: the digest behind the first "/" of its name ("T/sha256-<hex>",
 * "T/veto-sha256-<hex>.T"). false: the name has none. */
bool mf_tuf_name_subject(struct mf_str name, struct mf_digest *out);
struct mf_tuf_target_info {
	uint64_t length;
	bool has_sha256, has_sha512; /* at least one of them */
	struct mf_digest sha256;
	uint8_t sha512[64];
	struct mf_str custom; /* raw JSON, empty: none */
};
/* Index of a name, or -1 (no error) if it is not there. In a partial file, only for a name of a subject that
 * was read. */
ptrdiff_t mf_tuf_target_find(const struct mf_tuf_file *f, struct mf_str name);
struct mf_json_string mf_tuf_target_name(const struct mf_tuf_file *f, size_t i);
struct mf_str mf_tuf_target_value(const struct mf_tuf_file *f, size_t i);
/* Parse an entry, given as text or by its index in a file. It must have a sha256 or sha512. MF_E_FORMAT. */
int mf_tuf_entry_info(const struct mf_dialect *d, struct mf_str entry, struct mf_tuf_target_info *out,
		      struct mf_err *err) MF_NODISCARD;
int mf_tuf_target_info(const struct mf_dialect *d, const struct mf_tuf_file *f, size_t i,
		       struct mf_tuf_target_info *out, struct mf_err *err) MF_NODISCARD;

#endif
