#include "trust/history_roots.h"

#include "trust/load.h"
#include "trust/stream.h"
#include "tuf/history.h"

bool mf_history_fatal(const struct mf_err *e)
{
	return e->code != MF_E_FORMAT && e->code != MF_E_SIGNATURE && e->code != MF_E_DIGEST;
}

int mf_history_report_bad(const struct mf_history_query *q, const struct mf_version *at,
			  const struct mf_err *why, struct mf_err *err)
{
	struct mf_version v = *at;
	v.why = why->msg;
	return q->fn(q->arg, &v, err);
}

void mf_old_roots_clear(struct mf_old_roots *r)
{
	for (size_t i = 0; i < r->n; i++)
		mf_tuf_file_free(r->v[i]);
	r->n = 0;
}

static const struct mf_tuf_file *oldest_root(const struct mf_old_roots *r)
{
	return r->n ? r->v[r->n - 1] : r->t->set.root;
}

static int take_root(struct mf_old_roots *r, struct mf_buf *bytes, struct mf_err *err)
{
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(r->t->set.d, MF_TUF_ROOT, bytes, err);
	if (!f || mf_tuf_old_root(&r->t->set, f, oldest_root(r), err) < 0)
		return -1;
	r->v[r->n++] = f;
	f = NULL;
	return 0;
}

/* Asks the store for the trusted root only to learn its time. */
static int see_trusted_root(struct mf_old_roots *r, struct mf_stream *s, struct mf_err *err)
{
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
	struct mf_err why = MF_ERR_INIT;
	if (mf_stream_next(s, s->next, &bytes, &r->seen[0], &why) < 0 && mf_history_fatal(&why))
		return mf_history_pass_on(err, &why);
	if (!mf_str_eq(mf_buf_str(&bytes), mf_buf_str(&r->t->set.root->bytes)))
		r->seen[0] = 0;
	return 0;
}

int mf_old_roots_read(struct mf_old_roots *r, bool *cut, struct mf_err *err)
{
	int64_t newest = r->t->set.root->version;
	struct mf_stream s MF_STREAM_CLEANUP = {.t = r->t,
						.bytes = r->bytes,
						.role = "root",
						.max = MF_MAX_ROOT_BYTES,
						.most = MF_MAX_ROOT_BYTES,
						.next = r->q->roots ? newest : newest - 1,
						.last = 1,
						.step = -1,
						.window = MF_STREAM_WINDOW};
	if (r->q->roots && see_trusted_root(r, &s, err) < 0)
		return -1;
	for (int64_t v = newest - 1; v >= 1; v--) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ROOT_BYTES);
		struct mf_version at = {
		    .state = MF_VERSION_INVALID, .role = "root", .file = "root", .first = v, .last = v};
		struct mf_err why = MF_ERR_INIT;
		int rc = r->n < MF_MAX_ROOT_STEPS ? mf_stream_next(&s, v, &bytes, &at.seen, &why) : 0;
		if (rc == 0) {
			*cut = true;
			at.state = r->n < MF_MAX_ROOT_STEPS ? MF_VERSION_NOT_KEPT : MF_VERSION_NOT_READ;
			at.first = 1;
			return r->q->fn(r->q->arg, &at, err);
		}
		if (rc > 0 && take_root(r, &bytes, &why) == 0) {
			r->seen[r->n] = at.seen;
			continue;
		}
		return mf_history_fatal(&why) ? mf_history_pass_on(err, &why)
					      : mf_history_report_bad(r->q, &at, &why, err);
	}
	return 0;
}

static int report_root(const struct mf_old_roots *r, struct mf_tuf_file *f, int64_t seen, bool oldest,
		       struct mf_err *err)
{
	struct mf_pubkey *keys[MF_MAX_SIGNATURES];
	struct mf_tuf_set view = r->t->set;
	view.root = f;
	view.roles = NULL;
	view.nroles = 0;
	struct mf_version v = {.state = MF_VERSION_VERIFIED,
			       .role = "root",
			       .file = "root",
			       .first = f->version,
			       .last = f->version,
			       .seen = seen,
			       .set = &view,
			       .delegator = "root",
			       .delegator_version = oldest ? f->version : f->version - 1,
			       .signers = keys};
	if (mf_tuf_old_signers(&r->t->set, f, &f->roles[MF_TUF_ROOT], keys, &v.nsigners, err) < 0)
		return -1;
	return r->q->fn(r->q->arg, &v, err);
}

int mf_old_roots_report(const struct mf_old_roots *r, struct mf_err *err)
{
	for (size_t i = r->n + 1; i-- > 0;)
		if (report_root(r, i ? r->v[i - 1] : r->t->set.root, r->seen[i], i == r->n, err) < 0)
			return -1;
	return 0;
}
