/* Unlocking keys, and signers that use them: whether unlocking succeeds or fails, no passphrase is
 * requested twice. */
#include <sys/prctl.h>

#include "keys/internal.h"

void mf_key_slot_free(struct mf_key_slot *s)
{
	free(s->name);
	mf_held_clear(&s->held);
	free(s);
}

struct mf_key_slot *mf_key_slot_of(struct mf_keystore *ks, const char *name, struct mf_err *err)
{
	struct mf_key_slot *s = ks->slots;
	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	if (s)
		return s;
	s = mf_calloc(1, sizeof *s);
	if (s)
		s->name = mf_str_dup(mf_str_c(name));
	if (!s || !s->name) {
		free(s);
		(void)mf_fail_nomem(err);
		return NULL;
	}
	s->ks = ks;
	s->next = ks->slots;
	return ks->slots = s;
}

void mf_key_slot_open(struct mf_key_slot *s, const struct mf_held *held)
{
	if (prctl(PR_GET_DUMPABLE) == 1)
		s->ks->undumpable = prctl(PR_SET_DUMPABLE, 0) == 0;
	s->held = *held;
	s->state = MF_KEY_OPEN;
}

struct mf_privkey *mf_keystore_open_file(struct mf_keystore *ks, const struct mf_key_info *k,
					 struct mf_secret *pass, struct mf_err *err)
{
	struct mf_secret file MF_SECRET_CLEANUP = MF_SECRET_INIT;

	if (mf_keystore_read_file(k->path, &file, err) < 0)
		return NULL;
	if (k->encrypted && ks->pass->get(ks->pass->arg, k->name, MF_PASSPHRASE_UNLOCK, pass, err) < 0)
		return NULL;
	return mf_keyfile_decode(mf_secret_bytes(&file), pass, err);
}

static int hold_file(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_held *out,
		     struct mf_err *err)
{
	struct mf_secret pass MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_privkey *key = mf_keystore_open_file(ks, k, &pass, err);

	if (!key)
		return -1;
	mf_held_of(out, key);
	return 0;
}

static int open_key(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_held *out,
		    struct mf_err *err)
{
	struct mf_held held MF_CLEANUP(mf_held_clear) = {.pub = NULL};
	struct mf_esc e;
	const struct mf_source *source = k->source ? mf_source_find(k->source, err) : NULL;

	if (k->source && !source)
		return -1;
	if (source ? source->open(&ks->places, k, &held, err) < 0 : hold_file(ks, k, &held, err) < 0)
		return source ? mf_wrap(err, "key '%s'", k->name) : -1;
	/* The key at that place may have been exchanged since the key was listed. */
	if (!mf_pubkey_eq(held.pub, k->pub))
		return mf_fail(err, MF_E_KEY, 0,
			       "key '%s' was replaced in the meantime: '%s' has another one", k->name,
			       mf_esc(&e, mf_str_c(k->source ? k->source : k->path)));
	*out = held;
	held = (struct mf_held){.pub = NULL};
	return 0;
}

static int open_once(struct mf_key_slot *s, struct mf_err *err)
{
	const struct mf_key_info *k = mf_keystore_by_name(s->ks, s->name);
	struct mf_held held;

	if (s->state == MF_KEY_OPEN)
		return 0;
	if (s->state == MF_KEY_FAILED)
		return mf_fail(err, MF_E_KEY, 0, "key '%s' is locked: an earlier attempt to unlock it failed",
			       s->name);
	if (!k)
		return mf_fail(err, MF_E_KEY, 0, "no key '%s' in '%s'", s->name, s->ks->dir);
	if (open_key(s->ks, k, &held, err) < 0) {
		/* A wrong passphrase or PIN is final for this run: the key is not tried again. Lack of
		 * memory is not. */
		s->state = err->code == MF_E_KEY ? MF_KEY_FAILED : MF_KEY_UNTRIED;
		return -1;
	}
	mf_key_slot_open(s, &held);
	return 0;
}

static int sign(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		struct mf_err *err)
{
	struct mf_key_slot *s = arg;
	if (open_once(s, err) < 0)
		return -1;
	return s->held.sign(s->held.arg, scheme, msg, sig, err) < 0 ? mf_wrap(err, "key '%s'", s->name) : 0;
}

int mf_keystore_signer(struct mf_keystore *ks, const struct mf_key_info *k, struct mf_signer *out,
		       struct mf_err *err)
{
	struct mf_key_slot *s = mf_key_slot_of(ks, k->name, err);
	if (!s)
		return -1;
	*out = (struct mf_signer){k->pub, s->name, sign, s};
	return 0;
}
