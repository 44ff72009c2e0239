/* clang-format off */
/* prune: finds the files of a TUF 1.0 repository that nothing refers to, and removes them.
 *
 * The current files were verified in this run, and decide which versions are old. Files that were not verified can
 * only be a reason to keep more: a version that is not current may become current at any moment (a publish or a copy
 * is in progress), so the files that it lists are kept.
 *
 *   roots, timestamp, files with other names   are kept
 *   versions from the current one on           are kept: a writer or a copying job may be at work, and a version
 *                                              number that was used once never gets other bytes
 *   older snapshots                            are kept, except those that list a missing or different file: their
 *                                              writer was interrupted before its commit
 *   older versions of roles                    are kept, except those that no snapshot of their time lists
 *   target files                               are kept while a kept version of a role lists them
 *
 * If the list of files lacks a file that was just loaded, the list is incomplete, and nothing is removed.
 *
 * With keep_versions, older snapshots and versions are removed too. Files that changed within min_age_s are always
 * kept: readers may be loading them, and writers store content before they publish it. */
/* clang-format on */
#include "publish/prune.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/load.h"
#include "trust/names.h"
#include "tuf/history.h"

/* Requests in flight together, and the most octets that they may fetch. */
#define WINDOW 8
#define WINDOW_BYTES ((uint64_t)64 << 20)

/* A file with the name N.ROLE.json. */
struct version {
	const struct mf_stored *stored;
	const char *role;
	int64_t version;
	int64_t current; /* of the role; 0: the snapshot does not list it */
	bool listed;     /* a complete snapshot lists it */
	bool kept;       /* a snapshot that is kept lists it */
	bool goes;
	int64_t oldest; /* the oldest version of the role that a snapshot of the current keys lists; 0: none
			   does */
};

struct prune {
	struct mf_trust *t;
	struct mf_prune *p;
	int64_t before;    /* files that changed later are kept */
	struct version *v; /* by role, then newest first */
	size_t n, cap;
	int64_t nsnapshots;               /* how many up to the current one are kept */
	const struct mf_stored **targets; /* those that are old enough to be removed, sorted by name */
	size_t ntargets, targets_cap;
	bool *referred; /* whether a version refers to targets[i] */
	size_t nleft;   /* how many of them no version refers to, as far as versions were read */
};

static void prune_clear(struct prune *w)
{
	free(w->v);
	free(w->targets);
	free(w->referred);
}

void mf_prune_clear(struct mf_prune *p)
{
	mf_listing_clear(&p->listing);
	free(p->v);
	*p = (struct mf_prune){.listing = MF_LISTING_INIT};
}

static int add(struct prune *w, const struct mf_stored *stored, enum mf_prune_kind kind, struct mf_err *err)
{
	struct mf_prune *p = w->p;
	if (mf_grow((void **)&p->v, &p->cap, p->n, sizeof *p->v, err) < 0)
		return -1;
	p->v[p->n++] = (struct mf_prune_file){stored, kind};
	return 0;
}

static bool is_old(const struct prune *w, const struct mf_stored *f)
{
	return f->changed && f->changed <= w->before;
}

/* ---- names */

/* Parses a name of the form N.ROLE.json, encoded as this program writes it. MF_ABSENT: another name. */
static enum mf_found read_version(struct prune *w, const struct mf_stored *f, struct version *out,
				  struct mf_err *err)
{
	struct mf_buf role MF_BUF_CLEANUP = MF_BUF_INIT(2048), again MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	struct mf_err why = MF_ERR_INIT;
	size_t digits = strspn(f->name, "0123456789"), n = strlen(f->name);
	if (!digits || digits > 15 || n < digits + 7 || f->name[digits] != '.' ||
	    strcmp(f->name + n - 5, ".json") != 0)
		return MF_ABSENT;
	out->version = strtoll(f->name, NULL, 10);
	if (mf_pct_decode(&role, (struct mf_str){f->name + digits + 1, n - digits - 6}, &why) < 0 ||
	    mf_trust_name_role(&again, mf_buf_str(&role).p, out->version, &why) < 0 ||
	    !mf_str_eqz(mf_buf_str(&again), f->name))
		return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
	out->role = mf_arena_dup(&w->p->listing.arena, mf_buf_str(&role), err);
	out->stored = f;
	return out->role ? MF_FOUND : MF_FAILED;
}

/* Whether the name is targets/TYPE/<64 digits>.NAME. Deeper paths may belong to another repository, whose
 * name begins with the name of this one and "targets". */
static bool is_target(const char *name)
{
	static const char base[] = "targets/";
	const char *type = name + sizeof base - 1, *slash;
	if (strncmp(name, base, sizeof base - 1) != 0 || !(slash = strchr(type, '/')) || slash == type ||
	    strchr(slash + 1, '/'))
		return false;
	return strspn(slash + 1, "0123456789abcdef") == 64 && slash[65] == '.' && slash[66];
}

static int64_t current_version(const struct prune *w, const char *role)
{
	const struct mf_tuf_meta *m = mf_tuf_meta_find(w->t->set.snapshot, role);
	return strcmp(role, "snapshot") == 0 ? w->t->set.snapshot->version : m ? m->version : 0;
}

static int sort_file(struct prune *w, const struct mf_stored *f, struct mf_err *err)
{
	struct version v = {.stored = f};
	if (mf_is_temp_name(f->name) || (strrchr(f->name, '/') && mf_is_temp_name(strrchr(f->name, '/') + 1)))
		return is_old(w, f) ? add(w, f, MF_PRUNE_TEMPORARY, err) : 0;
	if (is_target(f->name)) {
		if (!is_old(w, f))
			return 0;
		if (mf_grow((void **)&w->targets, &w->targets_cap, w->ntargets, sizeof *w->targets, err) < 0)
			return -1;
		w->targets[w->ntargets++] = f;
		return 0;
	}
	enum mf_found found = read_version(w, f, &v, err);
	if (found != MF_FOUND)
		return found;
	if (strcmp(v.role, "root") == 0 || strcmp(v.role, "timestamp") == 0)
		return 0;
	v.current = current_version(w, v.role);
	if (mf_grow((void **)&w->v, &w->cap, w->n, sizeof *w->v, err) < 0)
		return -1;
	w->v[w->n++] = v;
	return 0;
}

static int by_role(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	int c = strcmp(x->role, y->role);
	return c ? c : (x->version < y->version) - (x->version > y->version);
}

static int sort_files(struct prune *w, struct mf_err *err)
{
	for (size_t i = 0; i < w->p->listing.n; i++)
		if (sort_file(w, &w->p->listing.v[i], err) < 0)
			return -1;
	w->nleft = w->ntargets;
	if (w->n)
		qsort(w->v, w->n, sizeof *w->v, by_role);
	return 0;
}

static struct version *find_version(struct prune *w, const char *role, int64_t version)
{
	const struct version wanted = {.role = role, .version = version};
	return w->n ? bsearch(&wanted, w->v, w->n, sizeof *w->v, by_role) : NULL;
}

/* ---- reading versions, several at once */

struct reader {
	struct prune *w;
	const struct version *const *v;
	size_t n, begun, ended;
	uint64_t bytes; /* in flight */
	struct mf_fetch *fetch[WINDOW];
};

static void reader_clear(struct reader *r)
{
	for (; r->ended < r->begun; r->ended++)
		if (r->fetch[r->ended % WINDOW])
			r->w->t->repo->ops->cancel(r->fetch[r->ended % WINDOW]);
}

static int reader_fill(struct reader *r, struct mf_err *err)
{
	struct mf_trust *t = r->w->t;
	while (r->begun < r->n && r->begun - r->ended < WINDOW &&
	       (r->begun == r->ended || r->bytes + r->v[r->begun]->stored->size <= WINDOW_BYTES)) {
		const struct version *v = r->v[r->begun];
		struct mf_fetch_key key = {
		    .role = v->role, .by = MF_BY_VERSION, .version = v->version, .max = MF_MAX_TARGETS_BYTES};
		struct mf_fetch *f = t->repo->ops->begin(t->repo, &key, err);
		if (!f)
			return -1;
		r->fetch[r->begun++ % WINDOW] = f;
		r->bytes += v->stored->size;
	}
	return 0;
}

static int cannot_read(const struct prune *w, const struct version *v, struct mf_err *err)
{
	(void)mf_wrap(err, "'%s' in '%s' cannot be read, so that it is not known what it refers to",
		      v->stored->name, w->t->repo->where);
	mf_err_set_hint(err,
			"nothing was removed; move the file away if it does not belong to this repository");
	return -1;
}

/* Gets the next version, parsed. MF_ABSENT: the file is no longer there. */
static enum mf_found reader_next(struct reader *r, enum mf_tuf_type type, struct mf_tuf_file **out,
				 struct mf_err *err)
{
	const struct version *v = r->v[r->ended];
	const struct mf_env *env = r->w->t->cfg->env;
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	if (mf_env_cancelled(env))
		return (enum mf_found)mf_fail(err, MF_E_CANCELLED, 0, "interrupted");
	if (reader_fill(r, err) < 0)
		return MF_FAILED;
	struct mf_fetch *f = r->fetch[r->ended % WINDOW];
	r->fetch[r->ended++ % WINDOW] = NULL;
	r->bytes -= v->stored->size;
	enum mf_found found = r->w->t->repo->ops->end(f, &bytes, err);
	if (found != MF_FOUND)
		return found;
	*out = mf_tuf_parse_unverified(r->w->t->set.d, type, &bytes, err);
	if (*out && (*out)->version != v->version) {
		mf_tuf_file_free(*out);
		*out = NULL;
		(void)mf_fail(err, MF_E_FORMAT, 0, "the file has another version");
	}
	return *out ? MF_FOUND : (enum mf_found)(err->code == MF_E_FORMAT ? cannot_read(r->w, v, err) : -1);
}

/* ---- snapshots */

/* Notes the oldest version of each role that a snapshot of the current keys lists. A newer version that no
 * snapshot lists was never in force. An older one may have been in force before the oldest snapshot that is
 * still there. */
static void note_oldest(struct prune *w, const struct mf_tuf_file *snapshot)
{
	for (size_t i = 0; i < w->n; i++) {
		struct version *v = &w->v[i];
		if (i && strcmp(v->role, v[-1].role) == 0) {
			v->oldest = v[-1].oldest;
			continue;
		}
		const struct mf_tuf_meta *m = mf_tuf_meta_find(snapshot, v->role);
		if (m && !m->broken && (!v->oldest || m->version < v->oldest))
			v->oldest = m->version;
	}
}

static char *role_text(const struct mf_tuf_meta *m, struct mf_err *err)
{
	char *role = mf_str_dup(m->name);
	if (!role)
		(void)mf_fail_nomem(err);
	return role;
}

/* Whether every file that the snapshot lists is there. The length is compared too, because another writer may
 * have made a different file with the same name later. */
static enum mf_found is_complete(struct prune *w, const struct mf_tuf_file *snapshot, struct mf_err *err)
{
	for (size_t i = 0; i < snapshot->nmeta; i++) {
		const struct mf_tuf_meta *m = &snapshot->meta[i];
		char *role MF_FREE = role_text(m, err);
		if (!role)
			return MF_FAILED;
		const struct version *v = find_version(w, role, m->version);
		bool same = v && (m->length == UINT64_MAX || m->length == v->stored->size);
		if (strcmp(role, "root") != 0 && !m->broken && !same)
			return MF_ABSENT;
	}
	return MF_FOUND;
}

static int mark_listed(struct prune *w, const struct mf_tuf_file *snapshot, bool stays, struct mf_err *err)
{
	for (size_t i = 0; i < snapshot->nmeta; i++) {
		char *role MF_FREE = role_text(&snapshot->meta[i], err);
		struct version *v = role ? find_version(w, role, snapshot->meta[i].version) : NULL;
		if (!role)
			return -1;
		if (v)
			v->listed = true;
		if (v)
			v->kept |= stays;
	}
	return 0;
}

/* Decides whether a snapshot is kept, and marks what it lists. Called with the newest snapshot first. */
static int take_snapshot(struct prune *w, struct version *s, const struct mf_tuf_file *f, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	bool past = s->version < s->current;
	enum mf_found complete = past ? is_complete(w, f, err) : MF_FOUND;
	if (complete == MF_FAILED)
		return -1;
	bool superfluous = past && w->p->keep_versions && w->nsnapshots >= w->p->keep_versions;
	s->goes = (complete == MF_ABSENT || superfluous) && is_old(w, s->stored);
	w->nsnapshots += s->version <= s->current && !s->goes;
	/* The list of an interrupted writer shows nothing, so it does not keep any file. */
	if (complete == MF_ABSENT && s->goes)
		return 0;
	if (complete == MF_FOUND && s->version <= s->current &&
	    mf_tuf_old_signed(&w->t->set, f, &w->t->set.root->roles[MF_TUF_SNAPSHOT], &why) == 0)
		note_oldest(w, f);
	if (mf_err_pass_ours(err, &why) < 0)
		return -1;
	return mark_listed(w, f, !s->goes, err);
}

static int read_snapshots(struct prune *w, struct mf_err *err)
{
	struct version **v MF_FREE = mf_calloc(w->n, sizeof *v);
	struct reader r MF_CLEANUP(reader_clear) = {.w = w};
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i].role, "snapshot") == 0)
			v[r.n++] = &w->v[i];
	r.v = (const struct version *const *)v;
	for (size_t i = 0; i < r.n; i++) {
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = NULL;
		enum mf_found found = reader_next(&r, MF_TUF_SNAPSHOT, &f, err);
		if (found == MF_FAILED || (found == MF_FOUND && take_snapshot(w, v[i], f, err) < 0))
			return -1;
	}
	return 0;
}

/* ---- versions of roles */

static void choose_versions(struct prune *w)
{
	int64_t kept = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct version *v = &w->v[i];
		if (i == 0 || strcmp(v->role, w->v[i - 1].role) != 0)
			kept = 0;
		if (strcmp(v->role, "snapshot") == 0)
			continue;
		bool past = v->version < v->current;
		bool left = past && !v->listed && v->oldest && v->version > v->oldest;
		bool superfluous = past && !v->kept && w->p->keep_versions && kept >= w->p->keep_versions;
		v->goes = (left || superfluous) && is_old(w, v->stored);
		kept += v->version <= v->current && !left && !v->goes;
	}
}

/* ---- content */

static int by_stored_name(const void *a, const void *b)
{
	return strcmp((*(const struct mf_stored *const *)a)->name,
		      (*(const struct mf_stored *const *)b)->name);
}

static int note_reference(struct prune *w, const struct mf_tuf_file *f, size_t i, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(4096), file MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL);
	struct mf_tuf_target_info info;
	struct mf_err why = MF_ERR_INIT;
	if (mf_tuf_target_info(w->t->set.d, f, i, &info, &why) < 0 ||
	    mf_json_string_decode(mf_tuf_target_name(f, i), &name, &why) < 0 ||
	    mf_trust_name_target(&file, mf_buf_str(&name), info.has_sha256 ? &info.sha256 : NULL, &why) < 0)
		return mf_err_pass_ours(err, &why);
	const struct mf_stored wanted = {.name = mf_buf_str(&file).p}, *key = &wanted;
	const struct mf_stored **at =
	    bsearch(&key, w->targets, w->ntargets, sizeof *w->targets, by_stored_name);
	if (at && !w->referred[at - w->targets]) {
		w->referred[at - w->targets] = true;
		w->nleft--;
	}
	return 0;
}

static int note_references(struct prune *w, const struct mf_tuf_file *f, struct mf_err *err)
{
	for (size_t i = 0; i < mf_tuf_ntargets(f) && w->nleft; i++)
		if (note_reference(w, f, i, err) < 0)
			return -1;
	return 0;
}

static bool is_loaded(const struct prune *w, const struct version *v)
{
	const struct mf_tuf_loaded *l = mf_tuf_set_find_file(&w->t->set, v->role);
	return l && l->file->version == v->version;
}

/* Reads the versions that are kept, and marks the target files to which they refer. Stops when no
 * unreferenced target file is left. */
static int read_references(struct prune *w, struct mf_err *err)
{
	const struct mf_tuf_set *set = &w->t->set;
	const struct version **v MF_FREE = mf_calloc(w->n, sizeof *v);
	struct reader r MF_CLEANUP(reader_clear) = {.w = w, .v = v};
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < set->nroles; i++)
		if (note_references(w, set->roles[i]->file, err) < 0)
			return -1;
	for (size_t i = 0; i < w->n; i++)
		if (!w->v[i].goes && strcmp(w->v[i].role, "snapshot") != 0 && !is_loaded(w, &w->v[i]))
			v[r.n++] = &w->v[i];
	while (r.ended < r.n && w->nleft) {
		struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = NULL;
		enum mf_found found = reader_next(&r, MF_TUF_TARGETS, &f, err);
		if (found == MF_FAILED || (found == MF_FOUND && note_references(w, f, err) < 0))
			return -1;
	}
	return 0;
}

/* ---- the list */

static int find_listed(struct prune *w, const char *role, int64_t version, struct mf_err *err)
{
	struct mf_buf name MF_BUF_CLEANUP = MF_BUF_INIT(2048);
	if (mf_trust_name_role(&name, role, version, err) < 0)
		return -1;
	if (mf_listing_find(&w->p->listing, mf_buf_str(&name).p))
		return 0;
	(void)mf_fail(err, MF_E_REFUSED, 0, "the list of files in '%s' lacks '%s': nothing was removed",
		      w->t->repo->where, mf_buf_str(&name).p);
	mf_err_set_endpoint(err, w->t->repo->where);
	return -1;
}

/* Fails when the list lacks a current file: prune would take all other missing files for removed ones. */
static int check_list(struct prune *w, struct mf_err *err)
{
	const struct mf_tuf_set *set = &w->t->set;
	mf_listing_sort(&w->p->listing);
	if (find_listed(w, "timestamp", 0, err) < 0 ||
	    find_listed(w, "snapshot", set->snapshot->version, err) < 0)
		return -1;
	for (size_t i = 0; i < set->nroles; i++)
		if (find_listed(w, mf_tuf_loaded_name(set->roles[i]), set->roles[i]->file->version, err) < 0)
			return -1;
	return 0;
}

/* ---- the whole */

/* Chooses the files to remove: snapshots before the versions that they list, and these before target files.
 * If the removal is interrupted, nothing that is left refers to a removed file. */
static int choose(struct prune *w, struct mf_err *err)
{
	w->referred = mf_calloc(w->ntargets, sizeof *w->referred);
	if (!w->referred)
		return mf_fail_nomem(err);
	if (read_snapshots(w, err) < 0)
		return -1;
	choose_versions(w);
	if (read_references(w, err) < 0)
		return -1;
	for (int snapshots = 1; snapshots >= 0; snapshots--)
		for (size_t i = 0; i < w->n; i++)
			if (w->v[i].goes && (strcmp(w->v[i].role, "snapshot") == 0) == snapshots &&
			    add(w, w->v[i].stored, MF_PRUNE_METADATA, err) < 0)
				return -1;
	for (size_t i = 0; i < w->ntargets; i++)
		if (!w->referred[i] && add(w, w->targets[i], MF_PRUNE_TARGET, err) < 0)
			return -1;
	return 0;
}

static int check_kind(const struct mf_trust *t, struct mf_err *err)
{
	const struct mf_repo_ops *ops = t->repo->ops;
	if (ops->remove)
		return 0;
	(void)mf_fail(
	    err, MF_E_USAGE, 0, "the files of '%s' at '%s' cannot be pruned: %s", t->pin_name, t->repo->where,
	    ops->read_only ? "they can only be read there" : "a Notary server keeps its versions itself");
	mf_err_set_hint(err, "prune a directory (tuf+file://), a bucket (tuf+s3://) or a layout (oci:DIR)");
	mf_err_set_endpoint(err, t->repo->where);
	return -1;
}

static int remove_all(struct prune *w, struct mf_err *err)
{
	struct mf_prune *p = w->p;
	const struct mf_stored **v MF_FREE = mf_calloc(p->n, sizeof *v);
	if (!v)
		return mf_fail_nomem(err);
	for (size_t i = 0; i < p->n; i++)
		v[i] = p->v[i].stored;
	if (w->t->repo->ops->remove(w->t->repo, v, p->n, w->before, &p->removed, err) == 0)
		return 0;
	mf_err_set_endpoint(err, w->t->repo->where);
	return mf_wrap(err, "%zu of %zu files were removed", p->removed, p->n);
}

int mf_publish_prune(struct mf_trust *t, struct mf_prune *p, struct mf_err *err)
{
	struct prune w MF_CLEANUP(prune_clear) = {.t = t, .p = p};
	if (check_kind(t, err) < 0 || mf_trust_load(t, &(struct mf_load){0}, err) < 0)
		return -1;
	if (!t->set.root->consistent_snapshot)
		return mf_fail(
		    err, MF_E_USAGE, 0,
		    "the files of '%s' have no versions in their names: nothing of it can be pruned",
		    t->pin_name);
	if (t->repo->ops->list(t->repo, MF_STR(""), &p->listing, err) < 0) {
		mf_err_set_endpoint(err, t->repo->where);
		return -1;
	}
	int64_t now = mf_env_now(t->cfg->env);
	if (p->listing.now && p->listing.now < now)
		now = p->listing.now;
	w.before = now - p->min_age_s;
	if (check_list(&w, err) < 0 || sort_files(&w, err) < 0 || choose(&w, err) < 0)
		return -1;
	return p->dry_run ? 0 : remove_all(&w, err);
}
