/* Private keys that are not in a key file. A source says where the key is: "ssh-agent:FINGERPRINT",
 * "pkcs11:URI", "command:PROGRAM", "env:VARIABLE", "fd:NUMBER". Each kind of source has one row of
 * functions.
 *
 * A reference to such a key is a file in the keys directory:
 *
 *   {"manifesto":"key reference","v":1,"name":NAME,"type":TYPE,"public":SPKI,"fingerprint":HEX,
 *    "source":SOURCE,"arguments":[ARGUMENT...]} */
#ifndef MF_KEYS_SOURCE_H
#define MF_KEYS_SOURCE_H

#include "keys/keystore.h"

struct mf_agent;
struct mf_tokens;

/* What the references of a store share: one connection to the agent, one session with each token. */
struct mf_places {
	const struct mf_env *env;
	const struct mf_passphrase *pass;
	struct mf_key_access access;
	struct mf_agent *agent;   /* NULL until it is needed */
	struct mf_tokens *tokens; /* NULL until they are needed */
};
void mf_places_close(struct mf_places *p);

/* A key that is ready to sign. */
struct mf_held {
	struct mf_pubkey *pub; /* owned */
	int (*sign)(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		    struct mf_err *err);
	void (*close)(void *arg);
	void *arg;
};
void mf_held_clear(struct mf_held *h);
/* Takes ownership of the key. */
void mf_held_of(struct mf_held *out, struct mf_privkey *key);

struct mf_source {
	const char *scheme; /* "ssh-agent:" */
	/* Checks the part of the source after the scheme: it must be well-formed and safe to store.
	 * MF_E_USAGE. */
	int (*check)(const char *where, struct mf_err *err);
	/* Finds the key at k->source. k->pub: its public key; NULL: the key is being added, and its public
	 * key is to be found, too. MF_E_KEY. */
	int (*open)(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
		    struct mf_err *err);
};
/* Finds the row for a source. MF_E_USAGE: there is no such kind, or the source is malformed. */
const struct mf_source *mf_source_find(const char *source, struct mf_err *err) MF_NODISCARD;
/* Returns the part of the source after the scheme. */
const char *mf_source_where(const char *source);

/* ---- the bytes of a reference */
int mf_reference_encode(struct mf_buf *out, const struct mf_key_info *k, struct mf_err *err) MF_NODISCARD;
bool mf_reference_is(struct mf_bytes file);
/* Parses a reference. MF_E_FORMAT. */
int mf_reference_info(struct mf_key_info *out, struct mf_bytes file, struct mf_err *err) MF_NODISCARD;

/* ---- functions of the rows: agent.c, pkcs11.c, command.c */
int mf_agent_check(const char *where, struct mf_err *err) MF_NODISCARD;
int mf_agent_open_key(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
		      struct mf_err *err) MF_NODISCARD;
void mf_agent_free(struct mf_agent *a);
int mf_pkcs11_check(const char *where, struct mf_err *err) MF_NODISCARD;
int mf_pkcs11_open_key(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
		       struct mf_err *err) MF_NODISCARD;
void mf_tokens_free(struct mf_tokens *t);
int mf_command_check(const char *where, struct mf_err *err) MF_NODISCARD;
int mf_command_open_key(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
			struct mf_err *err) MF_NODISCARD;

#endif
