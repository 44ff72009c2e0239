/* Loads the shards of large roles that may hold records of the images of a run. */
#include "ops/ops.h"

/* ---- digests */

void mf_wanted_clear(struct mf_wanted *w)
{
	free(w->v);
	mf_arena_clear(&w->texts);
	*w = (struct mf_wanted){.texts = MF_ARENA_INIT};
}

int mf_wanted_add(struct mf_wanted *w, const struct mf_digest *d, struct mf_err *err)
{
	char hex[65];
	mf_digest_hex(hex, d);
	if (mf_grow((void **)&w->v, &w->cap, w->n + 1, sizeof *w->v, err) < 0 ||
	    !(w->v[w->n] = mf_arena_dup(&w->texts, mf_str_c(hex), err)))
		return -1;
	w->v[++w->n] = NULL;
	return 0;
}

int mf_wanted_add_subjects(struct mf_wanted *w, const struct mf_subjects *s, struct mf_err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (mf_wanted_add(w, &s->v[i].digest, err) < 0)
			return -1;
	return 0;
}

static const char *const *wanted(const struct mf_wanted *w)
{
	return w->n ? w->v : mf_no_subjects;
}

/* ---- loading */

const char *const *mf_image_load_hint(const struct mf_image *im, struct mf_image_hint *h)
{
	*h = (struct mf_image_hint){0};
	if (im->ref.has_digest) {
		mf_digest_hex(h->hex, &im->ref.digest);
		h->v[0] = h->hex;
	}
	return h->v;
}

int mf_image_load_shards(struct mf_image *im, const struct mf_subjects *subjects, struct mf_err *err)
{
	struct mf_wanted w MF_WANTED_CLEANUP = {.texts = MF_ARENA_INIT};
	if (mf_wanted_add_subjects(&w, subjects, err) < 0 ||
	    mf_trust_load_shards(im->trust, wanted(&w), err) < 0)
		return -1;
	for (size_t i = 0; i < subjects->n; i++)
		if (mf_trust_read_subject(im->trust, &subjects->v[i].digest, err) < 0)
			return -1;
	/* The index is read, too: if an image has no record, a hint says when the index has one. */
	return mf_trust_read_subject(im->trust, &im->digest, err);
}

bool mf_shards_lack(const struct mf_trust *t, const struct mf_subjects *subjects)
{
	struct mf_err ignored = MF_ERR_INIT; /* out of memory: the load of the shards will report it */
	struct mf_wanted w MF_WANTED_CLEANUP = {.texts = MF_ARENA_INIT};
	return mf_wanted_add_subjects(&w, subjects, &ignored) == 0 &&
	       mf_tuf_count_unloaded_shards(mf_trust_set(t), wanted(&w)) > 0;
}

int mf_shards_load_ahead(struct mf_trust *t, const struct mf_subjects *const *of, size_t n,
			 struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_wanted w MF_WANTED_CLEANUP = {.texts = MF_ARENA_INIT};
	size_t added = 0;
	for (; added < n; added++) {
		size_t before = w.n;
		if (mf_wanted_add_subjects(&w, of[added], err) < 0)
			return -1;
		if (!added || mf_tuf_count_unloaded_shards(mf_trust_set(t), wanted(&w)) <= MF_SHARDS_AHEAD)
			continue;
		if (w.v) /* it is always set here, which the static analyser does not know */
			w.v[before] = NULL;
		break;
	}
	return mf_trust_load_shards(t, w.v ? w.v : mf_no_subjects, &why) < 0 ? mf_err_pass_ours(err, &why)
									     : 0;
}

/* ---- all shards, in steps */

static bool are_few(const struct mf_tuf_set *set, const char *digits)
{
	const char *const of[] = {digits, NULL};
	return mf_tuf_count_unloaded_shards(set, of) <= MF_SHARDS_AHEAD;
}

enum mf_found mf_shards_next(struct mf_shard_steps *s, struct mf_err *err)
{
	static const char *const all[] = {"", NULL};
	const struct mf_tuf_set *set = mf_trust_set(s->t);
	if (s->next == 256)
		return MF_ABSENT;
	if (s->next == 0 && are_few(set, "")) {
		s->next = 256;
		s->given = NULL;
		s->first = set->nroles;
		return mf_trust_load_shards(s->t, all, err) < 0 ? MF_FAILED : MF_FOUND;
	}
	/* Shards are not dropped after each step, since a shard whose prefix is one digit also holds the
	 * subjects of the next bytes. */
	if (s->next % 16 == 0 || mf_tuf_shard_octets(set) > MF_MAX_VERIFY_HELD)
		mf_trust_drop_shards(s->t);
	char digits[3] = {"0123456789abcdef"[s->next / 16], 0, 0};
	if (s->next % 16 || !are_few(set, digits))
		digits[1] = "0123456789abcdef"[s->next % 16];
	const char *const of[] = {digits, NULL};
	memset(s->first_bytes, 0, sizeof s->first_bytes);
	for (unsigned n = digits[1] ? 1 : 16; n; n--)
		s->first_bytes[s->next++] = true;
	s->given = s->first_bytes;
	s->first = set->nroles;
	if (mf_trust_load_shards(s->t, of, err) < 0)
		return MF_FAILED;
	mf_env_log(s->env, MF_LOG_DEBUG, "shards of subjects '%s': %zu octets are loaded", digits,
		   mf_tuf_shard_octets(set));
	return MF_FOUND;
}
