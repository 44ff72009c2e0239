/* Repairs a repository in a bucket whose timestamp the newest root does not accept.
 *
 * A change that removes a key publishes its timestamp first, and its root after it (s3.c). In between,
 * somebody may publish with the key that is removed; the machine that removes it then re-signs that publish
 * (sign_under in update.c). If it is interrupted before that, nobody can read the repository: the timestamp
 * is signed by a key that the root has removed.
 *
 * It would be wrong to re-sign that state later: by then a thief may have the key, and the time at which the
 * store received a file is not signed. Instead, the last state that the remaining keys have signed is put in
 * force again, and what the removed key has published after it must be published again. */
#include "base/limits.h"
#include "publish/publish.h"
#include "trust/load.h"
#include "tuf/history.h"

struct heal {
	struct mf_trust *t;
	struct mf_tuf_file *root; /* the newest root */
	/* The state that is put in force again. */
	struct mf_tuf_file *snapshot;
	struct mf_publish_resign *again;
};

static void heal_clear(struct heal *h)
{
	mf_tuf_file_free(h->root);
	mf_tuf_file_free(h->snapshot);
	free(h->again);
}

static struct mf_tuf_file *copy_of(const struct mf_trust *t, enum mf_tuf_type type, struct mf_bytes bytes,
				   struct mf_err *err)
{
	struct mf_buf copy MF_BUF_CLEANUP = MF_BUF_INIT(bytes.n + 1);
	return mf_buf_add(&copy, bytes.p, bytes.n, err) < 0
		   ? NULL
		   : mf_tuf_parse_unverified(t->repo->ops->dialect, type, &copy, err);
}

/* Whether this is the case that heal.c repairs: the present state verifies under the root before the newest
 * one. If so, it is loaded afterwards. */
static enum mf_found is_left(struct heal *h, struct mf_err *err)
{
	struct mf_trust *t = h->t;
	struct mf_err why = MF_ERR_INIT;
	if (!t->repo->ops->root_first || !t->repo->ops->list || !t->attempt.root_done || t->set.timestamp ||
	    t->set.root->version < 2)
		return MF_ABSENT;
	h->root = copy_of(t, MF_TUF_ROOT, mf_buf_bytes(&t->set.root->bytes), err);
	if (!h->root)
		return MF_FAILED;
	const struct mf_load before = {.purpose = MF_LOAD_SIGN, .last_root = h->root->version - 1};
	if (mf_trust_load(t, &before, &why) == 0)
		return MF_FOUND;
	return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
}

/* Takes a version of the snapshot if the newest root's keys have signed it and its targets, and it has not
 * expired. */
static enum mf_found take_snapshot(struct heal *h, int64_t version, struct mf_err *err)
{
	struct mf_trust *t = h->t;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_SNAPSHOT_BYTES),
			    targets MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_fetch_key key = {
	    .role = "snapshot", .by = MF_BY_VERSION, .version = version, .max = MF_MAX_SNAPSHOT_BYTES};
	struct mf_err why = MF_ERR_INIT;
	enum mf_found found = mf_trust_fetch(t, &key, &bytes, err);
	if (found != MF_FOUND)
		return found;
	struct mf_tuf_file *s MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_SNAPSHOT, &bytes, &why);
	const struct mf_tuf_meta *m = s ? mf_tuf_meta_find(s, "targets") : NULL;
	if (!m || s->version != version || s->expires <= t->set.now ||
	    mf_tuf_old_signed(&t->set, s, &h->root->roles[MF_TUF_SNAPSHOT], &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	key = (struct mf_fetch_key){
	    .role = "targets", .by = MF_BY_VERSION, .version = m->version, .max = MF_MAX_TARGETS_BYTES};
	found = mf_trust_fetch(t, &key, &targets, err);
	if (found != MF_FOUND || mf_tuf_meta_check(m, mf_buf_bytes(&targets), &why) < 0)
		return found == MF_FAILED ? MF_FAILED : MF_ABSENT;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_parse_unverified(t->repo->ops->dialect, MF_TUF_TARGETS, &targets, &why);
	if (!f || mf_tuf_old_signed(&t->set, f, &h->root->roles[MF_TUF_TARGETS], &why) < 0)
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	h->snapshot = s;
	s = NULL;
	return MF_FOUND;
}

/* Finds the newest such version below the present one. */
static enum mf_found find_snapshot(struct heal *h, struct mf_err *err)
{
	enum mf_found found = MF_ABSENT;
	int64_t lowest = h->t->set.snapshot->version - MF_MAX_HEAL_VERSIONS;
	for (int64_t v = h->t->set.snapshot->version - 1; v >= 1 && v > lowest && found == MF_ABSENT; v--)
		found = take_snapshot(h, v, err);
	return found;
}

/* Publishes a timestamp that lists that snapshot, in place of the present timestamp. */
static int put_in_force(struct heal *h, struct mf_err *err)
{
	struct mf_trust *t = h->t;
	struct mf_buf canonical MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES),
				bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TIMESTAMP_BYTES);
	const struct mf_tuf_listed listed = {"snapshot", h->snapshot->version,
					     mf_buf_bytes(&h->snapshot->bytes)};
	struct mf_tuf_meta_spec spec = {.type = MF_TUF_TIMESTAMP,
					.files = &listed,
					.nfiles = 1,
					.version = t->set.timestamp->version + 1,
					.expires = mf_publish_expiry(t, MF_TUF_TIMESTAMP)};
	struct mf_publish_signing job = {.role = &h->root->roles[MF_TUF_TIMESTAMP]};
	if (mf_tuf_build_meta(t->repo->ops->dialect, &spec, &canonical, err) < 0)
		return -1;
	job.canonical = mf_buf_str(&canonical);
	if (mf_publish_sign_file(t, &job, &bytes, err) < 0)
		return -1;
	const struct mf_publish_file file = {"timestamp", spec.version, mf_buf_bytes(&bytes)};
	const struct mf_bytes base = mf_buf_bytes(&t->set.timestamp->bytes);
	return t->repo->ops->publish(t->repo, &file, 1, &base, err);
}

/* Re-signs all files of `targets`, snapshot and timestamp with higher versions, so that readers who have seen
 * the state of the removed key do not take the repaired one for a rollback. */
static enum mf_found fill(void *arg, struct mf_trust *t, struct mf_publish_change *out, struct mf_err *err)
{
	struct heal *h = arg;
	const struct mf_tuf_set *set = &t->set;
	free(h->again);
	h->again = mf_calloc(set->nroles, sizeof *h->again);
	if (!h->again)
		return (enum mf_found)mf_fail_nomem(err);
	*out = (struct mf_publish_change){.resign = h->again,
					  .meta = 1u << MF_TUF_SNAPSHOT | 1u << MF_TUF_TIMESTAMP};
	for (size_t i = 0; i < set->nroles; i++)
		if (mf_tuf_loaded_owner(set->roles[i]) == set->roles[0])
			h->again[out->nresign++].role = mf_tuf_loaded_name(set->roles[i]);
	return MF_FOUND;
}

enum mf_found mf_publish_heal(struct mf_trust *t, struct mf_err *err)
{
	struct heal h MF_CLEANUP(heal_clear) = {.t = t};
	const struct mf_publish_intent in = {.kind = MF_PUBLISH_CHANGE, .fill = fill, .arg = &h};
	enum mf_found found = is_left(&h, err);
	if (found == MF_FOUND)
		found = find_snapshot(&h, err);
	if (found != MF_FOUND)
		return found;
	int64_t lost = t->set.snapshot->version, version = 0;
	if (put_in_force(&h, err) < 0 || mf_publish_run(t, &in, &version, err) == MF_FAILED)
		return MF_FAILED;
	mf_env_log(t->cfg->env, MF_LOG_WARNING,
		   "'%s': what was published as snapshot version %lld, with a key that root version %lld "
		   "takes away, "
		   "does not count: it must be published again",
		   t->pin_name, (long long)lost, (long long)h.root->version);
	return MF_FOUND;
}
