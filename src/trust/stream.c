#include "trust/stream.h"

#include "trust/load.h"

#define WINDOW_BYTES ((size_t)64 << 20)

static int check_running(const struct mf_stream *s, struct mf_err *err)
{
	const struct mf_env *env = s->t->cfg->env;
	if (mf_env_cancelled(env))
		return mf_fail(err, MF_E_CANCELLED, 0, "stopped");
	if (mf_env_left_ms(env) == 0)
		return mf_fail(err, MF_E_UNAVAILABLE, 0, "timed out while reading the history");
	return 0;
}

void mf_stream_clear(struct mf_stream *s)
{
	for (; s->ended < s->begun; s->ended++) {
		struct mf_stream_slot *slot = &s->slots[s->ended % MF_STREAM_WINDOW];
		if (slot->fetch)
			s->t->repo->ops->cancel(slot->fetch);
	}
}

size_t mf_stream_window(size_t bytes)
{
	size_t n = bytes ? WINDOW_BYTES / bytes : MF_STREAM_WINDOW;
	return n < 1 ? 1 : n > MF_STREAM_WINDOW ? MF_STREAM_WINDOW : n;
}

struct mf_fetch_key mf_stream_key(const char *role, int64_t version, size_t max, int64_t *seen)
{
	*seen = 0;
	return (struct mf_fetch_key){
	    .role = role, .by = MF_BY_VERSION, .version = version, .max = max, .seen = seen};
}

/* Sends requests until the window is full. */
static int fill(struct mf_stream *s, struct mf_err *err)
{
	while (s->begun - s->ended < s->window && s->next * s->step <= s->last * s->step) {
		struct mf_stream_slot *slot = &s->slots[s->begun % MF_STREAM_WINDOW];
		struct mf_fetch_key key = mf_stream_key(s->role, s->next, s->max, &slot->seen);
		slot->fetch = s->t->repo->ops->begin(s->t->repo, &key, err);
		if (!slot->fetch)
			return -1;
		s->begun++;
		s->next += s->step;
	}
	return 0;
}

enum mf_found mf_stream_next(struct mf_stream *s, int64_t version, struct mf_buf *out, int64_t *seen,
			     struct mf_err *err)
{
	if (check_running(s, err) < 0 || fill(s, err) < 0)
		return MF_FAILED;
	struct mf_stream_slot *slot = &s->slots[s->ended++ % MF_STREAM_WINDOW];
	struct mf_fetch *f = slot->fetch;
	slot->fetch = NULL;
	enum mf_found rc = s->t->repo->ops->end(f, out, err);
	*seen = slot->seen;
	if (rc < 0 && err->code == MF_E_FORMAT && s->max < s->most) { /* try the large limit, alone */
		struct mf_fetch_key key = mf_stream_key(s->role, version, s->most, seen);
		mf_err_clear(err);
		mf_buf_init(out, s->most);
		rc = mf_trust_fetch(s->t, &key, out, err);
	}
	*s->bytes += out->n;
	if (rc <= 0 || *s->bytes <= MF_MAX_HISTORY_BYTES)
		return rc;
	(void)mf_fail(err, MF_E_USAGE, 0, "the old versions together have more than %llu bytes",
		      (unsigned long long)MF_MAX_HISTORY_BYTES);
	mf_err_set_hint(err, "read fewer with --limit");
	return MF_FAILED;
}
