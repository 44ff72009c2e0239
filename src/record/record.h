/* A record: its name, its signed description (custom.manifesto) and its record signatures. Pure. Format:
 * docs/record-format.md. */
#ifndef MF_RECORD_RECORD_H
#define MF_RECORD_RECORD_H

#include "base/digest.h"
#include "crypto/key.h"
#include "json/json.h"

#define MF_MT_WITHDRAWN "application/vnd.manifesto.withdrawn.v1+json"
#define MF_MT_VETO "application/vnd.manifesto.veto.v1+json"
#define MF_MT_PROPOSAL "application/vnd.manifesto.proposal.v1+json"
/* Stands in place of the type in a veto on all types. */
#define MF_VETO_ALL "*"

/* [a-z0-9]+(?:[._-][a-z0-9]+)*, at most MF_MAX_TYPE octets. MF_E_USAGE. */
int mf_record_type_check(struct mf_str type, struct mf_err *err) MF_NODISCARD;
/* Appends "<type>/sha256-<hex>". */
int mf_record_name(struct mf_buf *out, struct mf_str type, const struct mf_digest *subject,
		   struct mf_err *err) MF_NODISCARD;
/* False: the target name is not that of a record. *type is part of name. */
bool mf_record_name_parse(struct mf_str name, struct mf_str *type, struct mf_digest *subject);
/* Appends the name of a veto: "<own>/veto-sha256-<hex>", and ".<type>" unless the type is MF_VETO_ALL. It
 * begins with a type of the role's own, so that all clients accept the role's file. */
int mf_veto_name(struct mf_buf *out, struct mf_str own, struct mf_str type, const struct mf_digest *subject,
		 struct mf_err *err) MF_NODISCARD;
/* False: the target name is not that of a veto. *own and *type are part of name. */
bool mf_veto_name_parse(struct mf_str name, struct mf_str *own, struct mf_str *type,
			struct mf_digest *subject);

struct mf_record_sig {
	struct mf_digest fingerprint;
	struct mf_bytes sig;
};

/* A parsed description. Text is decoded for display. */
struct mf_record {
	json_t *tree; /* custom.manifesto with all members, including unknown ones */
	int64_t created, expires;
	bool has_created, has_expires;
	char *media_type, *author, *reason; /* NULL: absent */
	bool withdrawn;
	const json_t *withdrew; /* of a tombstone: array of the withdrawn digests in `tree`, or NULL */
	bool has_artifact;
	struct mf_digest artifact; /* of the artifact manifest */
	const char *veto_type;     /* of a veto: the type that it blocks, or MF_VETO_ALL; in `tree` */
	struct mf_digest veto_subject;
	struct mf_record_sig *sigs;
	size_t nsigs;
	struct mf_buf sig_bytes;
};
void mf_record_clear(struct mf_record *r);
#define MF_RECORD_CLEANUP MF_CLEANUP(mf_record_clear)
/* Reads the `custom` of a target entry (raw JSON, may be empty). MF_ABSENT: it has no custom.manifesto: the
 * entry is foreign. MF_E_FORMAT: malformed, `v` is above 1, or `crit` has a name that this version does not
 * know. */
enum mf_found mf_record_parse(struct mf_record *out, struct mf_str custom, struct mf_err *err) MF_NODISCARD;

/* Parses a description, and takes a reference on its tree. sigs_of: the object that has its `sigs`.
 * MF_E_FORMAT. */
int mf_record_from_tree(struct mf_record *out, json_t *tree, const json_t *sigs_of,
			struct mf_err *err) MF_NODISCARD;
/* Encodes text for signed JSON, percent-encoded where needed. NULL on failure; MF_E_USAGE: the text, called
 * `what` in the message, is too long or not UTF-8. The second function decodes it for display, malloc'd;
 * NULL: out of memory. */
json_t *mf_record_text_json(const char *what, struct mf_str s, struct mf_err *err) MF_NODISCARD;
char *mf_record_text_decode(const char *text);

/* The description of a new record. NULL and 0: absent. Strings are plain text; they are percent-encoded where
 * signed JSON needs it. */
struct mf_record_fields {
	int64_t created, expires;
	const char *media_type, *author, *reason;
	const char *const *annotations; /* "key=value", ends with NULL */
	const struct mf_digest *artifact;
	const struct mf_digest *withdrew; /* with `withdrawn`: the digests that are withdrawn */
	size_t nwithdrew;
	bool withdrawn;
	const char *veto_type; /* with veto_subject: a veto, see struct mf_record */
	const struct mf_digest *veto_subject;
};
/* Makes a tree without signatures; NULL on failure. Text over MF_MAX_CUSTOM_BYTES in all, invalid UTF-8, an
 * annotation without '=' or given twice: MF_E_USAGE. */
json_t *mf_record_make(const struct mf_record_fields *f, struct mf_err *err) MF_NODISCARD;

/* The content of a tombstone. Its reason is required: MF_E_USAGE without one. */
struct mf_tombstone {
	const char *type, *role;
	const struct mf_digest *subject, *signer; /* signer: its key's fingerprint */
	const char *reason, *author;              /* author NULL: absent */
	int64_t when;
	const struct mf_digest *withdrew; /* as in struct mf_record_fields */
	size_t nwithdrew;
};
/* Appends the document of type MF_MT_WITHDRAWN, canonical JSON. */
int mf_tombstone_build(struct mf_buf *out, const struct mf_tombstone *t, struct mf_err *err) MF_NODISCARD;

/* The place and content of a record. Record signatures are over this and the tree without `sigs`. */
struct mf_record_binding {
	const char *repository; /* GUN; "oci" in a layout */
	struct mf_str name;     /* target name */
	uint64_t length;
	struct mf_digest sha256;
};
/* Appends "manifesto record v1\n" and the canonical JSON of {hashes,length,manifesto,name,repository}. */
int mf_record_payload(struct mf_buf *out, const struct mf_record_binding *b, json_t *tree,
		      struct mf_err *err) MF_NODISCARD;
/* Adds a signature to tree.sigs, replacing one of the same key. MF_E_USAGE: there are MF_MAX_SIGNATURES of
 * other keys already, and no reader accepts more. */
int mf_record_add_sig(json_t *tree, const struct mf_digest *fingerprint, struct mf_bytes sig,
		      struct mf_err *err) MF_NODISCARD;
/* Appends {"manifesto":TREE} in canonical form. */
int mf_record_custom(struct mf_buf *out, json_t *tree, struct mf_err *err) MF_NODISCARD;
/* The signature scheme of record signatures for a type of key. */
enum mf_sig_scheme mf_record_scheme(const struct mf_pubkey *k);
/* Which of the role's n public keys signed this record: valid[i] is set. A key counts once. NULL keys never
 * count. */
int mf_record_signers(const struct mf_record *r, const struct mf_record_binding *b,
		      struct mf_pubkey *const *keys, size_t n, bool *valid, struct mf_err *err) MF_NODISCARD;

#endif
