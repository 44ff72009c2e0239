/* Internal to this module: the keys of a directory, and the attempts to unlock them. */
#ifndef MF_KEYS_INTERNAL_H
#define MF_KEYS_INTERNAL_H

#include "keys/keystore.h"
#include "keys/source.h"

/* The info of a key that was renamed or removed, kept because callers may have borrowed it. */
struct mf_key_gone {
	struct mf_key_gone *next;
	struct mf_key_info info;
};

/* The state of one key in this run: whether unlocking succeeds or fails, no passphrase is requested twice. */
struct mf_key_slot {
	struct mf_key_slot *next;
	struct mf_keystore *ks;
	char *name;
	enum { MF_KEY_UNTRIED, MF_KEY_OPEN, MF_KEY_FAILED } state;
	struct mf_held held;
};

struct mf_keystore {
	char *dir;
	const struct mf_passphrase *pass;
	const struct mf_env *env;
	bool listed; /* the directory was read */
	/* Names of keys, from the directory, sorted; the files of the first `nread` were opened. */
	char **files;
	size_t nfiles, nread;
	struct mf_key_info *infos; /* sorted by name */
	size_t n, cap;
	struct mf_key_gone *gone;
	struct mf_key_slot *slots;
	struct mf_places places;
	/* This process was made undumpable because a key is unlocked: no core dump, no debugger of the
	 * same user. */
	bool undumpable;
};

/* ---- keystore.c: the list */
/* Reads the directory and each file in it, once. */
int mf_keystore_load(struct mf_keystore *ks, struct mf_err *err) MF_NODISCARD;
/* Returns the index of the name, or the index at which it would be inserted. */
size_t mf_keystore_place(const struct mf_keystore *ks, const char *name, bool *found);
const struct mf_key_info *mf_keystore_by_name(const struct mf_keystore *ks, const char *name);
/* Takes ownership of *info on success. */
int mf_keystore_insert(struct mf_keystore *ks, struct mf_key_info *info, const struct mf_key_info **out,
		       struct mf_err *err) MF_NODISCARD;
/* Returns the path of the key's file; the caller frees it. */
char *mf_keystore_path(const struct mf_keystore *ks, const char *name, struct mf_err *err);
int mf_keystore_read_file(const char *path, struct mf_secret *out, struct mf_err *err) MF_NODISCARD;

/* ---- unlock.c: unlocking, once per key */
/* Reads and decrypts a key file. *pass: receives the passphrase; stays empty if the key has none. */
struct mf_privkey *mf_keystore_open_file(struct mf_keystore *ks, const struct mf_key_info *k,
					 struct mf_secret *pass, struct mf_err *err) MF_NODISCARD;
struct mf_key_slot *mf_key_slot_of(struct mf_keystore *ks, const char *name, struct mf_err *err);
/* Takes ownership of what *held contains. */
void mf_key_slot_open(struct mf_key_slot *s, const struct mf_held *held);
void mf_key_slot_free(struct mf_key_slot *s);

#endif
