/* The TUF core: bytes and a clock in, verified objects or an error out. No files, no network, no globals.
 *
 * Specification: The Update Framework 1.0.33, section 4 (document formats) and 5 (client workflow); Notary v1
 * differs in format and in some rules, all of which stand in its dialect table. Whatever has not passed a
 * verifying function is called *_unverified. */
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
	struct mf_str id; /* as filed */
	bool id_fits; /* the dialect accepts the ID: Notary, when it is the hash of the key; TUF 1.0 any (TAP
			 12). Only then can the key verify */
	bool x509;    /* Notary: `certificate` is set, `pub` is the first certificate's key */
	struct mf_pubkey *pub;       /* NULL: unknown type or unusable; cannot verify */
	struct mf_str certificate;   /* PEM text */
	struct mf_root_certs *certs; /* read from it; NULL: they cannot be a root's */
	enum mf_sig_scheme scheme;   /* tuf1: from the key */
	struct mf_str raw;           /* the KEY object's bytes */
};

/* A role: who may sign, for what (4.3, 4.5). */
struct mf_tuf_role {
	const char *name;
	const struct mf_tuf_key **keys; /* each key ID once */
	size_t nkeys;
	int64_t threshold;
	struct mf_str *paths; /* delegations only */
	size_t npaths;
	struct mf_str *hash_prefixes; /* tuf1 path_hash_prefixes, lower-case hex */
	size_t nhash_prefixes;
	bool terminating;
};

/* The key of this fingerprint among those that can verify for a role; NULL: the role does not list it, or
 * there is no role. */
const struct mf_tuf_key *mf_tuf_role_key(const struct mf_tuf_role *role, const struct mf_digest *fingerprint);
bool mf_tuf_role_has_key(const struct mf_tuf_role *role,
			 const struct mf_pubkey *pub); /* the same as yes or no */

/* One entry of "meta" (4.4, 4.6). */
struct mf_tuf_meta {
	struct mf_str name; /* role name, without ".json" */
	bool broken;     /* the entry cannot be read, which matters only to those who need it (`tolerant`) */
	int64_t version; /* 0: not stated (Notary) */
	uint64_t length; /* UINT64_MAX: not stated; an upper bound, as in Notary */
	bool has_sha256, has_sha512;
	struct mf_digest sha256;
	uint8_t sha512[64];
};

/* One entry of "targets" as it stands in the file. */
struct mf_tuf_target {
	const char *name; /* between the quotes */
	uint32_t name_n;
	uint32_t value, value_n; /* counted from `name` */
	bool escaped;
};

struct mf_index;
/* The entries of one subject that were read by an index (tuf/index.h): those of `targets` in [from, to). */
struct mf_tuf_part {
	struct mf_digest subject;
	size_t from, to;
};

struct mf_tuf_signature {
	struct mf_str keyid;
	struct mf_str method; /* Notary's member; tuf1: empty */
	struct mf_bytes sig;
	bool good;                 /* has verified over this file: a root is verified several times */
	struct mf_digest good_for; /* fingerprint of the key that it has verified with */
};

/* A parsed metadata file. It owns its bytes; slices point into them or into the arena. */
struct mf_tuf_file {
	enum mf_tuf_type type;
	struct mf_buf bytes;         /* as received */
	struct mf_buf canonical_buf; /* used when the signed part was not canonical as received */
	struct mf_str canonical;     /* canonical form of "signed": what the signatures are over */
	bool was_canonical;
	struct mf_arena arena;
	struct mf_tuf_signature *signatures;
	size_t nsignatures;
	int64_t version, expires;
	bool consistent_snapshot; /* root */
	struct mf_str copy_of;    /* timestamp: MF_TUF_COPY_OF as it stands; empty: none */
	struct mf_str copied_gun; /* its member "repository" */
	struct mf_str of_role;    /* targets: the role that it was signed for; empty: not stated */
	struct mf_tuf_key *keys;  /* root, or delegations */
	size_t nkeys;
	struct mf_str keys_raw; /* the "keys" object (root) */
	struct mf_tuf_role
	    *roles; /* root: the four in order of enum mf_tuf_type; targets: delegations in listed order */
	size_t nroles;
	struct mf_tuf_meta *meta; /* snapshot, timestamp: sorted by name */
	size_t nmeta;
	struct mf_tuf_target *targets; /* sorted by decoded name; of a partial file, part by part */
	size_t ntargets, targets_cap;
	struct mf_str targets_raw;     /* the "targets" object; empty: null */
	struct mf_str delegations_raw; /* empty when absent */
	/* Of a partial file, which was made from its index: it has the entries of `parts`, and of no other
	 * subject is it known whether there are any. NULL: the file has all. */
	struct mf_index *index;
	struct mf_tuf_part *parts;
	size_t nparts, parts_cap;
	struct mf_buf rest; /* of a file that was partial before: what its slices point into */
};
void mf_tuf_file_free(struct mf_tuf_file *f); /* NULL is fine */
static inline void mf_tuf_file_cleanup(struct mf_tuf_file **f)
{
	mf_tuf_file_free(*f);
}
#define MF_TUF_FILE_CLEANUP MF_CLEANUP(mf_tuf_file_cleanup)

/* Member of the signed part of a targets file: the role that it is signed for. The specification's files do
 * not say it: one that a key has signed for a role is good for every other role that lists the key, and a
 * colleague who has something signed along with our own could show it as a file of a role that is not theirs.
 * Readers that do not know the member pass over it (TUF 1.0.33, section 4.1). */
#define MF_TUF_OF_ROLE "x-manifesto-role"

/* Member of the signed part of a timestamp that a mirror has signed: which state of which repository it is a
 * copy of.
 * {"dialect","repository","root","versions"}: root is the SHA-256 of the newest root file there. */
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
	bool hash_prefixes; /* delegations may have "path_hash_prefixes"; else an unknown member */
	bool hex;           /* hashes and signatures in hex; else base64 */
	bool says_role; /* we write MF_TUF_OF_ROLE: a Notary server lists what it would write itself, without
			   members that it does not know */
	bool unique; /* two signatures of one key ID (4.2.1) and two delegations to one role are malformed */
	/* What is not understood and not needed does not make a file malformed: keys of other kinds,
	 * signatures that cannot be read, key IDs without a key, entries of `meta`. None of them counts for
	 * anything. */
	bool tolerant;
	bool any_size; /* whole numbers of any size are signed as they stand */
	/* Fills pub, scheme, certificate and id_fits from key->raw; an unknown key type is no error. */
	int (*key)(struct mf_tuf_key *key, struct mf_arena *arena, struct mf_err *err);
	/* The scheme of a signature; false: it cannot verify with this key. */
	bool (*scheme)(const struct mf_tuf_key *key, struct mf_str method, enum mf_sig_scheme *out);
	/* Reads "sig" into octets. */
	int (*signature)(struct mf_str text, struct mf_buf *out, struct mf_err *err);
	/* The key that verifies root signatures, a new reference in *out, which is untouched when the key is
	 * not usable as a root key. -1: MF_E_NOMEM, MF_E_INTERNAL. */
	int (*root_key)(const struct mf_tuf_key *key, struct mf_str gun, int64_t now, bool check_expiry,
			struct mf_pubkey **out, struct mf_err *err);
	/* May `parent` delegate to a role of this name? */
	bool (*delegation_name)(struct mf_str parent, struct mf_str name);
	/* Does a delegation's path cover a target name (a literal)? */
	bool (*path_covers)(struct mf_str path, struct mf_str name);
	/* Could it cover some name that starts with `prefix`? For lists. */
	bool (*path_touches)(struct mf_str path, struct mf_str prefix);
	const char *shard_mark;  /* between the name of a role and the digits of its shard */
	const char *prefix_tail; /* makes a path of a prefix: it covers what begins with that */
	/* Appends the KEY object for a public key; certificate not NULL: Notary's x509 form. *id receives the
	 * key ID. */
	int (*key_write)(const struct mf_pubkey *pub, const struct mf_str *certificate, struct mf_buf *out,
			 char id[65], struct mf_err *err);
	/* The scheme we sign with, and what "method" is called (NULL: no such member). */
	enum mf_sig_scheme (*sign_scheme)(const struct mf_pubkey *pub, const char **method);
};
extern const struct mf_dialect mf_dialect_notary;
extern const struct mf_dialect mf_dialect_tuf1;

/* Parses a file of an expected type; structure, key IDs and limits are checked, signatures are not. Takes
 * *bytes (empty afterwards). NULL: MF_E_FORMAT. */
struct mf_tuf_file *mf_tuf_parse_unverified(const struct mf_dialect *d, enum mf_tuf_type type,
					    struct mf_buf *bytes, struct mf_err *err) MF_NODISCARD;

/* ---- the trusted set (5.2 to 5.6) */

/* Lowest acceptable version of a role: the highest one seen. */
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
	const char *role; /* of a shard that of the role whose records it holds: to everybody they are one */
	struct mf_tuf_file *file;
	const struct mf_tuf_role *delegation; /* its entry in the delegator's file; NULL: targets */
	const struct mf_tuf_loaded *parent;
	const char *shard; /* the own name of a shard, whose delegator is its role; NULL: it is none */
};
/* What the file is called in the snapshot. */
static inline const char *mf_tuf_loaded_name(const struct mf_tuf_loaded *l)
{
	return l->shard ? l->shard : l->role;
}
/* Whose keys and paths speak for what it holds. */
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
	unsigned expired_ok;                /* bits of enum mf_tuf_type: expired files of these types pass and
					       set `expired`; a root only where its bit is set: to show or to renew it */
	bool expired;
	bool expired_certificate; /* Notary: none of the root's is valid now, where expired_ok has the root */
	size_t max_total;         /* octets of all targets roles together: MF_MAX_TARGETS_TOTAL */
	/* Of the shards only those that may hold records of these subjects (mf_tuf_shard_wanted) are given
	 * by mf_tuf_set_unloaded; borrowed, ends with NULL. NULL: all. */
	const char *const *subjects;
	const struct mf_names *names; /* what messages call keys; borrowed, may be NULL */
	struct mf_tuf_file *root, *timestamp, *snapshot;
	struct mf_tuf_loaded **roles; /* targets first */
	size_t nroles, cap;
};
void mf_tuf_set_init(struct mf_tuf_set *s, const struct mf_dialect *d, struct mf_str gun, int64_t now,
		     const struct mf_tuf_floors *floors);
void mf_tuf_set_clear(struct mf_tuf_set *s);
/* Forgets timestamp, snapshot and targets, keeps the root. */
void mf_tuf_set_rewind(struct mf_tuf_set *s);

/* The anchor that a root must satisfy. A key counts when it is listed for the role root, signed the file, and
 * its fingerprint is here, or its certificate chains to `ca`. */
struct mf_tuf_anchor {
	const struct mf_digest *fingerprints;
	size_t n;
	struct mf_str ca;  /* PEM, empty: none */
	int64_t threshold; /* at least 1 */
};
/* Is the root well signed by its own keys, and satisfies the anchor (NULL: trust on first use)? 0, or -1:
 * MF_E_SIGNATURE (not signed by itself), MF_E_PIN. */
int mf_tuf_root_check(const struct mf_dialect *d, struct mf_str gun, int64_t now,
		      const struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor,
		      struct mf_err *err) MF_NODISCARD;
/* Makes a checked root the trusted one. Takes the file. */
int mf_tuf_set_root(struct mf_tuf_set *s, struct mf_tuf_file *root, const struct mf_tuf_anchor *anchor,
		    struct mf_err *err) MF_NODISCARD;
/* The next root: version exactly one higher, signed by the old and the new threshold (5.3.4, 5.3.5). Takes
 * the file, also on failure. */
int mf_tuf_set_next_root(struct mf_tuf_set *s, struct mf_tuf_file *root, struct mf_err *err) MF_NODISCARD;
/* 5.3.10: after the last root. Also the floor. */
int mf_tuf_set_root_done(struct mf_tuf_set *s, struct mf_err *err) MF_NODISCARD;
/* 5.4 to 5.6. Each takes the bytes (the buffer is empty afterwards, also on failure). checked: the caller has
 * run mf_tuf_meta_check over these very bytes and the entry that the trusted timestamp or snapshot has for
 * them, so that nothing is hashed twice. */
int mf_tuf_set_timestamp(struct mf_tuf_set *s, struct mf_buf *bytes, struct mf_err *err) MF_NODISCARD;
int mf_tuf_set_snapshot(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked,
			struct mf_err *err) MF_NODISCARD;
int mf_tuf_set_targets(struct mf_tuf_set *s, struct mf_buf *bytes, bool checked,
		       struct mf_err *err) MF_NODISCARD;
/* A delegated role, verified for one delegator. */
struct mf_tuf_edge {
	const struct mf_tuf_loaded *parent;
	const struct mf_tuf_role *role;
};
/* A file that was verified before, by its index: `head` is what mf_index_open gave for this role, what the
 * trusted snapshot lists, and this delegator (NULL: targets). Signatures are not counted, and hashes are not
 * compared again; everything that depends on this run is checked. The role's file is partial. Takes both.
 */
int mf_tuf_set_indexed(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *head,
		       struct mf_index *index, struct mf_err *err) MF_NODISCARD;
/* Gives a partial file all its entries: of these bytes, which have passed mf_tuf_meta_check and are verified
 * as by mf_tuf_set_targets. What points into the file stays valid. Takes the bytes. */
int mf_tuf_set_complete(struct mf_tuf_set *s, const struct mf_tuf_loaded *l, struct mf_buf *bytes,
			struct mf_err *err) MF_NODISCARD;
int mf_tuf_set_delegated(struct mf_tuf_set *s, const struct mf_tuf_edge *w, struct mf_buf *bytes,
			 bool checked, struct mf_err *err) MF_NODISCARD;
/* The roles listed by what is loaded, in the snapshot, not loaded yet, whose path could cover a name that
 * starts with `prefix` (every delegator on the way must allow it), at most `max` in the end and shards
 * besides (MF_E_FORMAT beyond). out has room for all that the loaded roles list, or for
 * MF_MAX_DELEGATIONS_LIST if that is less; returns their number in *n. */
int mf_tuf_set_unloaded(struct mf_tuf_set *s, struct mf_str prefix, size_t max, struct mf_tuf_edge *out,
			size_t *n, struct mf_err *err) MF_NODISCARD;
/* Of the roles that are loaded, the shards that may hold records of these subjects and are not loaded. */
int mf_tuf_set_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects,
			       struct mf_tuf_edge *out, size_t *n, struct mf_err *err) MF_NODISCARD;
/* ---- shards (shard.c): a role that grows large spreads its records over delegated roles of its own, by the
 * first hex digits of the subject: "ROLE", the dialect's mark, 1 to MF_MAX_SHARD_DIGITS digits, with paths of
 * the form TYPE/sha256-DIGITS for each type. Who holds the keys of a role can make one, and gains nothing:
 * its file needs the signatures that the role's own file needs, and covers no name that the role does not. */
/* The digits of a delegation of exactly this form that `role` lists; empty: it is an ordinary role. */
struct mf_str mf_tuf_shard_digits(const struct mf_dialect *d, const char *role,
				  const struct mf_tuf_role *listed);
/* The type that a path of a shard names; empty: the path has another form. */
struct mf_str mf_tuf_shard_type(const struct mf_dialect *d, struct mf_str digits, struct mf_str path);
/* Is it listed without paths: a shard that was divided, whose last file nobody reads? */
bool mf_tuf_shard_divided(const struct mf_dialect *d, const char *role, const struct mf_tuf_role *listed);
/* Is what a loaded role lists one of its shards, or was it one? A shard has none. */
bool mf_tuf_is_shard(const struct mf_dialect *d, const struct mf_tuf_loaded *by,
		     const struct mf_tuf_role *listed);
/* Is it loaded, for this very delegator? */
bool mf_tuf_shard_is_loaded(const struct mf_tuf_set *s, const struct mf_tuf_loaded *by,
			    const struct mf_tuf_role *listed);
/* How many shards that may hold records of these subjects are not. */
size_t mf_tuf_count_unloaded_shards(const struct mf_tuf_set *s, const char *const *subjects);
/* Octets of the shards that are loaded. */
size_t mf_tuf_shard_octets(const struct mf_tuf_set *s);
/* Forgets these shards: nothing of theirs may be in use. They can be loaded again. */
void mf_tuf_set_drop_shards(struct mf_tuf_set *s);
/* Where the subjects begin that have these digits, among all that MF_MAX_SHARD_DIGITS tell apart, and how
 * many those are. 0: there are no digits. */
size_t mf_tuf_shard_range(struct mf_str digits, size_t *first);
/* A loaded role with its loaded shards: how many names they list, and the file that expires first. */
size_t mf_tuf_role_entries(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role);
const struct mf_tuf_file *mf_tuf_role_earliest(const struct mf_tuf_set *s, const struct mf_tuf_loaded *role);
/* May it hold records of one of the subjects: hex digests, or the first digits of some? */
bool mf_tuf_shard_wanted(struct mf_str digits, const char *const *subjects);

/* Do this role and all its delegators allow the name? */
bool mf_tuf_loaded_covers(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str name);
/* Could they allow some name that starts with `prefix`? */
bool mf_tuf_loaded_touches(const struct mf_dialect *d, const struct mf_tuf_loaded *l, struct mf_str prefix);

/* The search for one target (5.6.7): pre-order, depth first, every role name once, terminating delegations.
 * Each role on the way allows the name. */
struct mf_tuf_search {
	struct mf_tuf_set *set;
	struct mf_str name; /* decoded target name, borrowed */
	size_t max;         /* delegated roles visited; one more is MF_E_FORMAT */
	const struct mf_tuf_loaded *at;
	struct mf_tuf_edge pending; /* when `at` is NULL: the role that the caller loads */
	struct mf_tuf_edge *todo;   /* a stack */
	size_t ntodo, cap;
	const char **visited;
	size_t nvisited, visited_cap;
};
/* The set's targets must be loaded. */
void mf_tuf_search_init(struct mf_tuf_search *s, struct mf_tuf_set *set, struct mf_str name, size_t max);
void mf_tuf_search_clear(struct mf_tuf_search *s);
/* MF_FOUND: *w is the next role, to be loaded by mf_tuf_set_delegated before the next call. MF_ABSENT: ended,
 * *index is the target's in s->at->file, or -1: no role has it. MF_E_FORMAT, MF_E_NOMEM. */
enum mf_found mf_tuf_search_next(struct mf_tuf_search *s, struct mf_tuf_edge *w, ptrdiff_t *index,
				 struct mf_err *err) MF_NODISCARD;

/* A file of a top-level role that the trusted root's keys sign; nothing else is checked. For what an earlier
 * run has left: the keys may have changed since (5.3.11). Takes the bytes. NULL: MF_E_FORMAT, MF_E_SIGNATURE.
 */
struct mf_tuf_file *mf_tuf_set_verify(const struct mf_tuf_set *s, enum mf_tuf_type type, struct mf_buf *bytes,
				      struct mf_err *err) MF_NODISCARD;
/* Has the new root taken a key away from a role of the old one? A file that the lost key signed may be an
 * attacker's (5.3.11). */
bool mf_tuf_root_drops_key(const struct mf_tuf_file *old, const struct mf_tuf_file *now,
			   enum mf_tuf_type type);

const struct mf_tuf_meta *mf_tuf_meta_find(const struct mf_tuf_file *f,
					   const char *name); /* NULL: not listed */
const struct mf_tuf_loaded *
mf_tuf_set_find(const struct mf_tuf_set *s,
		const char *role); /* the first, for whichever delegator; NULL: not loaded */
/* The same by the name of the file: that of the role itself, or of a shard. */
const struct mf_tuf_loaded *mf_tuf_set_find_file(const struct mf_tuf_set *s, const char *name);
/* The file of a role, its own or a shard, that has a target, and its place there; NULL: it has none. */
const struct mf_tuf_loaded *mf_tuf_set_find_target(const struct mf_tuf_set *s, const char *role,
						   struct mf_str name, size_t *at);
/* "qa" of Notary's "targets/qa": a delegated role's name without the prefix. */
const char *mf_tuf_role_short(const char *name);
/* Length and hashes of bytes against an entry. MF_E_DIGEST. */
int mf_tuf_meta_check(const struct mf_tuf_meta *m, struct mf_bytes bytes, struct mf_err *err) MF_NODISCARD;

/* ---- targets: entries are counted, found and read by these functions only */
/* How many a file has. Of a partial file nobody may ask: an entry that was not read would seem to be absent.
 */
size_t mf_tuf_ntargets(const struct mf_tuf_file *f);
/* Entries [*from, *to) are all that a subject (NULL: any) can have. Of a partial file only subjects that were
 * read may be asked for. */
void mf_tuf_targets_of(const struct mf_tuf_file *f, const struct mf_digest *subject, size_t *from,
		       size_t *to);
/* The part of a partial file for a subject; NULL: it was not read. */
const struct mf_tuf_part *mf_tuf_part_find(const struct mf_tuf_file *f, const struct mf_digest *subject);
/* Whose entry it is, by the name: the digest that stands in its second part ("T/sha256-<hex>",
 * "T/veto-sha256-<hex>.T"). false: nobody's. */
bool mf_tuf_name_subject(struct mf_str name, struct mf_digest *out);
struct mf_tuf_target_info {
	uint64_t length;
	bool has_sha256, has_sha512; /* one at least */
	struct mf_digest sha256;
	uint8_t sha512[64];
	struct mf_str custom; /* raw JSON, empty: none */
};
/* Index of a name, or -1 (no error) when it is not there. Of a partial file: a name of a subject that was
 * read. */
ptrdiff_t mf_tuf_target_find(const struct mf_tuf_file *f, struct mf_str name);
struct mf_json_string mf_tuf_target_name(const struct mf_tuf_file *f, size_t i);
struct mf_str mf_tuf_target_value(const struct mf_tuf_file *f, size_t i);
/* Parses an entry, or that of a file; a hash that we know is required. MF_E_FORMAT. */
int mf_tuf_entry_info(const struct mf_dialect *d, struct mf_str entry, struct mf_tuf_target_info *out,
		      struct mf_err *err) MF_NODISCARD;
int mf_tuf_target_info(const struct mf_dialect *d, const struct mf_tuf_file *f, size_t i,
		       struct mf_tuf_target_info *out, struct mf_err *err) MF_NODISCARD;

#endif
