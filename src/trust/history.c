#include "trust/history.h"

#include <assert.h>

#include "trust/history_roots.h"
#include "trust/load.h"
#include "trust/stream.h"
#include "tuf/history.h"

/* The keys that could sign a role's file at some time: one entry of the role in the versions of its
 * delegator's file. */
struct authority {
	int64_t version;                /* the first version of the delegator's file that lists them */
	int64_t seen;                   /* when the store received that version; 0: unknown */
	struct mf_tuf_file *root;       /* only for `targets`: the root that lists them; borrowed */
	struct mf_tuf_file *under;      /* else the root with which the delegator's file was verified */
	struct mf_tuf_role_copy *role;  /* else a copy of the entry */
	struct mf_tuf_loaded delegator; /* else the delegator, without its file */
	const struct authority *above;  /* that of the delegator's file; NULL: unknown */
};

/* A role whose versions are read. */
struct node {
	const struct mf_tuf_loaded *now; /* the loaded role; NULL: a former role, which is no longer listed */
	const char *role;                /* name of its file; of a former role, part of an authority in `v` */
	bool shard;                      /* it is a shard of its delegator */
	bool done;                       /* its versions have been read */
	struct node *parent;             /* its delegator; NULL: `targets` */
	int64_t newest;                  /* newest version; of a former role, 0 until it is found */
	size_t size;                     /* of the newest version, in octets */
	struct authority **v;            /* the keys that could sign it, oldest first */
	size_t n, cap, nkeys;
	int64_t dropped;      /* the first version of its delegator that no longer lists it */
	int64_t dropped_seen; /* when the store received that version */
	bool requested;       /* its versions are reported */
	bool needed;          /* they are read: for a report, or to verify a role below it */
	bool cut;             /* not all versions of the files that list its keys were read */
	/* The version that was reported last, and the index in `v` of the authority that was used. */
	struct mf_tuf_file *last, *owned; /* equal; but `owned` is NULL if the file belongs to the set */
	struct mf_version last_version;
	size_t reported;
};

struct walk {
	struct mf_trust *t;
	const struct mf_history_query *q;
	struct mf_old_roots roots;
	struct node **nodes; /* the set's roles, then former ones; each after its delegator */
	size_t nnodes, cap, nformer;
	uint64_t bytes; /* received so far */
};

static void node_free(struct node *n)
{
	for (size_t k = 0; k < n->n; k++) {
		mf_tuf_role_copy_free(n->v[k]->role);
		free(n->v[k]);
	}
	free(n->v);
	mf_tuf_file_free(n->owned);
	free(n);
}

static void walk_clear(struct walk *w)
{
	for (size_t i = 0; i < w->nnodes; i++)
		node_free(w->nodes[i]);
	free(w->nodes);
	mf_old_roots_clear(&w->roots);
}
#define WALK_CLEANUP MF_CLEANUP(walk_clear)

/* ---- reporting */

static int report(const struct walk *w, const struct node *n, const struct mf_version *v, struct mf_err *err)
{
	return n->requested ? w->q->fn(w->q->arg, v, err) : 0;
}

/* A shard is reported under the name of its role. */
static const char *public_name(const struct node *n)
{
	return n->shard ? n->parent->role : n->role;
}

static struct mf_version version_of(const struct node *n, int64_t first, int64_t last)
{
	return (struct mf_version){.role = public_name(n), .file = n->role, .first = first, .last = last};
}

static int report_gap(const struct walk *w, const struct node *n, enum mf_version_state state, int64_t first,
		      int64_t last, struct mf_err *err)
{
	struct mf_version v = version_of(n, first, last);
	v.state = state;
	return first <= last ? report(w, n, &v, err) : 0;
}

/* ---- authorities */

static int add_authority(struct node *n, struct authority *a, struct mf_err *err)
{
	struct authority *copy = calloc(1, sizeof *copy);
	if (!copy || mf_grow((void **)&n->v, &n->cap, n->n, sizeof(struct authority *), err) < 0) {
		free(copy);
		return err->code ? -1 : mf_fail_nomem(err);
	}
	*copy = *a;
	n->v[n->n++] = copy;
	return 0;
}

static int add_roots(struct walk *w, struct node *targets, struct mf_err *err)
{
	for (size_t i = w->roots.n; i-- > 0;) {
		struct authority a = {.version = w->roots.v[i]->version, .root = w->roots.v[i]};
		if (add_authority(targets, &a, err) < 0)
			return -1;
	}
	struct authority a = {.version = w->t->set.root->version, .root = w->t->set.root};
	return add_authority(targets, &a, err);
}

/* A verified file that lists roles. */
struct lister {
	const struct mf_tuf_loaded *l;
	struct mf_tuf_file *root; /* with which it was verified */
	int64_t seen;
	const struct authority *signers; /* the keys with which it was verified; NULL: unknown */
};

/* Is it the same role with additional paths? */
static bool adds_paths(const struct mf_tuf_role *before, const struct mf_tuf_role *role)
{
	struct mf_tuf_role same = *role;
	size_t found = 0;
	for (size_t i = 0; i < before->npaths; i++)
		for (size_t k = 0; k < role->npaths; k++)
			found += mf_str_eq(before->paths[i], role->paths[k]);
	same.paths = before->paths;
	same.npaths = before->npaths;
	return found >= before->npaths && mf_tuf_role_same(before, &same);
}

/* Extends the paths of a shard's last authority. A shard may hold whatever its role may hold, and its paths
 * name the types that the role has used so far: a new path gives nobody a right that they did not have. */
static int widen(struct node *n, const struct mf_tuf_role *role, struct mf_err *err)
{
	struct authority *last = n->v[n->n - 1];
	struct mf_tuf_role_copy *copy = mf_tuf_role_copy(role, err);
	if (!copy)
		return -1;
	if (n->role == last->role->role.name)
		n->role = copy->role.name;
	mf_tuf_role_copy_free(last->role);
	last->role = copy;
	return 0;
}

/* Adds the authority that a file gives to a role below it, unless it equals the last one. */
static int learn(struct node *n, const struct lister *from, const struct mf_tuf_role *role,
		 struct mf_err *err)
{
	if (n->n && mf_tuf_role_same(&n->v[n->n - 1]->role->role, role))
		return 0;
	if (n->n && n->shard && adds_paths(&n->v[n->n - 1]->role->role, role))
		return widen(n, role, err);
	n->nkeys += role->nkeys;
	if (n->n >= MF_MAX_HISTORY_AUTHORITIES || n->nkeys > MF_MAX_KEYS)
		return mf_fail(err, MF_E_FORMAT, 0, "the keys of role '%s' changed too often", n->role);
	struct authority a = {.version = from->l->file->version,
			      .seen = from->seen,
			      .under = from->root,
			      .delegator = *from->l,
			      .above = from->signers};
	a.delegator.file = NULL;
	a.role = mf_tuf_role_copy(role, err);
	if (a.role && add_authority(n, &a, err) == 0)
		return 0;
	mf_tuf_role_copy_free(a.role);
	return -1;
}

/* The entry of a role in a delegator's file: the first of that name. NULL: there is none, or it is a shard
 * that was divided. */
static const struct mf_tuf_role *listed(const struct walk *w, const struct node *by,
					const struct mf_tuf_file *f, const char *name)
{
	for (size_t i = 0; i < f->nroles; i++)
		if (strcmp(f->roles[i].name, name) == 0)
			return mf_tuf_shard_divided(w->t->set.d, by->role, &f->roles[i]) ? NULL
											 : &f->roles[i];
	return NULL;
}

static struct node *add_node(struct walk *w, struct node *parent, const struct mf_tuf_loaded *now,
			     struct mf_err *err)
{
	if (mf_grow((void **)&w->nodes, &w->cap, w->nnodes, sizeof(struct node *), err) < 0)
		return NULL;
	struct node *n = calloc(1, sizeof *n);
	if (!n) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	n->now = now;
	n->parent = parent;
	if (now) {
		n->role = mf_tuf_loaded_name(now);
		n->shard = now->shard != NULL;
		n->newest = now->file->version;
		n->size = now->file->bytes.n;
	}
	w->nodes[w->nnodes++] = n;
	return n;
}

static bool has_node(const struct walk *w, const struct node *parent, const char *role)
{
	for (size_t i = 0; i < w->nnodes; i++)
		if (w->nodes[i]->parent == parent && w->nodes[i]->role &&
		    strcmp(w->nodes[i]->role, role) == 0)
			return true;
	return false;
}

/* Does the query include this former role, which `from` listed? A shard that was divided counts as part of
 * its role. */
static bool is_asked(const struct walk *w, const struct node *from, const struct mf_tuf_loaded *as)
{
	struct mf_str digits = {NULL, 0};
	if (w->q->version || !mf_tuf_loaded_touches(w->t->set.d, as, w->q->prefix))
		return false;
	if (!mf_tuf_is_shard(w->t->set.d, as->parent, as->delegation))
		return !w->q->role;
	digits = mf_tuf_shard_digits(w->t->set.d, as->parent->role, as->delegation);
	return (!w->q->role || strcmp(w->q->role, from->role) == 0) &&
	       (!w->q->subjects || mf_tuf_shard_wanted(digits, w->q->subjects));
}

/* Adds nodes for former roles: those that this file lists and the newest one does not. Records that they
 * signed belong to the history. */
static int add_formers(struct walk *w, struct node *from, const struct lister *by, struct mf_err *err)
{
	const struct mf_tuf_file *f = by->l->file;
	for (size_t i = 0; i < f->nroles; i++) {
		const struct mf_tuf_role *role = &f->roles[i];
		struct mf_tuf_loaded as = {.role = role->name, .delegation = role, .parent = by->l};
		if (listed(w, from, from->now ? from->now->file : f, role->name) ||
		    has_node(w, from, role->name) || !is_asked(w, from, &as))
			continue;
		if (w->nformer++ == MF_MAX_HISTORY_FORMER)
			return mf_fail(err, MF_E_FORMAT, 0, "more than %d roles were removed",
				       MF_MAX_HISTORY_FORMER);
		struct node *n = add_node(w, from, NULL, err);
		if (!n)
			return -1;
		n->role = role->name;
		n->shard = mf_tuf_is_shard(w->t->set.d, by->l, role);
		if (learn(n, by, role, err) < 0)
			return -1;
		n->role = n->v[0]->role->role.name;
		n->requested = n->needed = true;
	}
	return 0;
}

static int learn_below(struct walk *w, struct node *from, const struct lister *by, struct mf_err *err)
{
	const struct mf_tuf_file *f = by->l->file;
	for (size_t i = 0; i < w->nnodes; i++) {
		struct node *n = w->nodes[i];
		if (!n->needed || n->parent != from)
			continue;
		const struct mf_tuf_role *role = listed(w, from, f, n->role);
		if (role && learn(n, by, role, err) < 0)
			return -1;
		if (role || !n->dropped) {
			n->dropped = role ? 0 : f->version;
			n->dropped_seen = by->seen;
		}
	}
	return add_formers(w, from, by, err);
}

static const struct mf_tuf_role *role_of(const struct authority *a)
{
	return a->root ? &a->root->roles[MF_TUF_TARGETS] : &a->role->role;
}

/* Finds the first authority, from *at on, whose threshold the file's signatures reach. *at is unchanged if
 * there is none. */
static int find_authority(const struct walk *w, const struct node *n, const struct mf_tuf_file *f, size_t *at,
			  struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	for (size_t i = *at; i < n->n; i++) {
		mf_err_clear(&why);
		if (mf_tuf_old_signed(&w->t->set, f, role_of(n->v[i]), &why) == 0) {
			*at = i;
			return 0;
		}
		if (mf_history_fatal(&why))
			return mf_history_pass_on(err, &why);
	}
	return mf_fail(err, MF_E_SIGNATURE, 0, "%s, in any version of '%s'",
		       why.code ? why.msg : "no known version lists keys for it",
		       n->parent ? n->parent->role : "root");
}

/* ---- one version */

/* Reports a verified file under the keys of an authority. The first report of a file also adds the
 * authorities that it gives to the roles that it lists. */
static int report_under(struct walk *w, struct node *n, const struct authority *a, struct mf_tuf_file *f,
			const struct mf_version *version, struct mf_err *err)
{
	struct mf_pubkey *keys[MF_MAX_SIGNATURES];
	struct mf_tuf_loaded l = {.role = public_name(n), .file = f, .shard = n->shard ? n->role : NULL};
	struct mf_tuf_loaded *one = &l;
	struct mf_tuf_set view = w->t->set;
	view.root = a->root ? a->root : a->under;
	if (!a->root) {
		l.delegation = &a->role->role;
		l.parent = &a->delegator;
	}
	view.roles = &one;
	view.nroles = 1;
	struct mf_version v = *version; /* a copy: it receives pointers to local variables */
	if (mf_tuf_old_signers(&w->t->set, f, role_of(a), keys, &v.nsigners, err) < 0)
		return -1;
	v.state = MF_VERSION_VERIFIED;
	v.set = &view;
	v.loaded = &l;
	v.signers = keys;
	const struct authority *of_role = n->shard && a->above ? a->above : a;
	v.delegator = of_role->root ? "root" : of_role->delegator.role;
	v.delegator_version = of_role->version;
	v.authority = a;
	const struct lister by = {&l, view.root, v.seen, a};
	return report(w, n, &v, err) < 0 ? -1 : v.again ? 0 : learn_below(w, n, &by, err);
}

/* Reports the last version again under the later authorities, up to `to`: that the delegator removed a key is
 * an event of its own, and must not be hidden by a later version of the role. */
static int report_later(struct walk *w, struct node *n, size_t to, struct mf_err *err)
{
	for (; n->last && n->reported < to; n->reported++) {
		const struct authority *a = n->v[n->reported + 1];
		if (mf_tuf_role_same(role_of(n->v[n->reported]), role_of(a)))
			continue;
		struct mf_version v = n->last_version;
		v.seen = a->seen ? a->seen : v.seen;
		v.again = true;
		if (report_under(w, n, a, n->last, &v, err) < 0)
			return -1;
	}
	return 0;
}

/* The authority under which a version is reported: the newest one that the store received before the version
 * and whose threshold the version reaches; none before `at`. The store's times are only a hint. */
static size_t authority_for(const struct walk *w, const struct node *n, const struct mf_tuf_file *f,
			    const struct mf_version *v, size_t at)
{
	for (size_t i = n->n; i-- > at + 1;) {
		struct mf_err why = MF_ERR_INIT;
		if (n->v[i]->seen && n->v[i]->seen < v->seen &&
		    mf_tuf_old_signed(&w->t->set, f, role_of(n->v[i]), &why) == 0)
			return i;
	}
	return at;
}

/* Reports a verified version of a role. at: the first authority whose threshold it reaches. owned: f, or NULL
 * if f belongs to the set. */
static int report_verified(struct walk *w, struct node *n, size_t at, struct mf_tuf_file *f,
			   struct mf_tuf_file *owned, const struct mf_version *v, struct mf_err *err)
{
	size_t before = n->reported, under = w->q->version ? at : authority_for(w, n, f, v, at);
	for (size_t i = before + 1; i < n->n; i++)
		if (n->v[i]->seen && n->v[i]->seen <= v->seen)
			before = i;
	if (!w->q->version && report_later(w, n, before, err) < 0) {
		mf_tuf_file_free(owned);
		return -1;
	}
	struct mf_version baseline = n->last_version;
	baseline.baseline = baseline.again = true;
	int rc =
	    n->last && n->reported > under ? report_under(w, n, n->v[under], n->last, &baseline, err) : 0;
	mf_tuf_file_free(n->owned);
	n->last = f;
	n->owned = owned;
	n->last_version = *v;
	n->reported = under;
	return rc < 0 ? -1 : report_under(w, n, n->v[under], f, v, err);
}

static struct mf_tuf_file *parse(const struct walk *w, const struct node *n, int64_t version,
				 struct mf_buf *bytes, struct mf_err *err)
{
	struct mf_tuf_file *f = mf_tuf_parse_unverified(w->t->set.d, MF_TUF_TARGETS, bytes, err);
	if (!f || mf_tuf_old_shape(&w->t->set, n->role, f, version, err) == 0)
		return f;
	mf_tuf_file_free(f);
	return NULL;
}

/* Reports the newest version, which is loaded already. Of the store's file of this version (NULL: there is
 * none) only the time is used. */
static int one_newest(struct walk *w, struct node *n, const struct mf_buf *bytes, size_t at,
		      struct mf_version *v, struct mf_err *err)
{
	struct mf_tuf_file *f = n->now->file;
	struct mf_err why = MF_ERR_INIT;
	assert(n->n); /* its delegator has been loaded too: it lists the role */
	if (bytes && !mf_str_eq(mf_buf_str(bytes), mf_buf_str(&f->bytes))) {
		v->seen = 0;
		(void)mf_fail(
		    &why, MF_E_FORMAT, 0,
		    "the file stored under this version is not the one that the snapshot's hash names");
		v->state = MF_VERSION_INVALID;
		if (mf_history_report_bad(w->q, v, &why, err) < 0)
			return -1;
		mf_err_clear(&why);
	}
	/* The load verified it with the keys that its delegator lists now: the last authority always fits. */
	size_t last = n->n - 1;
	if (find_authority(w, n, f, &at, &why) < 0)
		return mf_history_fatal(&why) ? mf_history_pass_on(err, &why)
					      : report_verified(w, n, last, f, NULL, v, err);
	while (at < last && mf_tuf_role_same(role_of(n->v[at]), role_of(n->v[at + 1])))
		at++;
	return report_verified(w, n, w->q->version ? last : at, f, NULL, v, err);
}

/* Reports an older version that the store has. *at: the authority that the previous version needed; receives
 * that of this one. */
static int one_version(struct walk *w, struct node *n, struct mf_buf *bytes, size_t *at, struct mf_version *v,
		       struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = NULL;
	f = parse(w, n, v->last, bytes, &why);
	if (f && find_authority(w, n, f, at, &why) == 0) {
		struct mf_tuf_file *taken = f;
		f = NULL;
		return report_verified(w, n, *at, taken, taken, v, err);
	}
	if (mf_history_fatal(&why))
		return mf_history_pass_on(err, &why);
	v->state = why.code == MF_E_SIGNATURE && n->cut ? MF_VERSION_UNPROVEN : MF_VERSION_INVALID;
	return mf_history_report_bad(w->q, v, &why, err);
}

/* ---- one role */

/* The versions of a role that are read; those from `requested` on are reported. */
struct range {
	int64_t first, requested, last;
};

static bool helps_others(const struct walk *w, const struct node *n)
{
	for (size_t i = 0; i < w->nnodes; i++)
		if (w->nodes[i]->needed && w->nodes[i]->parent == n)
			return true;
	return false;
}

static int64_t lowest(int64_t newest, int64_t count)
{
	return newest > count ? newest - count + 1 : 1;
}

static struct range range_of(const struct walk *w, const struct node *n)
{
	int64_t newest = n->newest, wanted = w->q->limit, most = MF_MAX_HISTORY_VERSIONS;
	int64_t fit = (int64_t)(MF_MAX_HISTORY_BYTES / 2 / (n->size + 1)) + 1;
	if (w->q->version && n->requested)
		return (struct range){w->q->version, w->q->version, w->q->version};
	if (most > fit)
		most = fit;
	if (wanted > most)
		wanted = most;
	struct range r = {.requested = lowest(newest, wanted), .last = newest};
	/* One version more, to compare the first one with. Of a delegator all versions within the limit are
	 * read: they may list keys that other roles need. */
	r.first = r.requested > 1 ? r.requested - 1 : 1;
	if (helps_others(w, n) && lowest(newest, most) < r.first)
		r.first = lowest(newest, most);
	return r;
}

static int requested_gap(const struct walk *w, const struct node *n, const struct range *r, int64_t first,
			 int64_t last, struct mf_err *err)
{
	return report_gap(w, n, MF_VERSION_NOT_KEPT, first < r->requested ? r->requested : first, last, err);
}

/* Handles the stream's answer for one version. rc: what mf_stream_next returned. */
static int take_version(struct walk *w, struct node *n, int rc, struct mf_buf *bytes, size_t *at,
			struct mf_version *v, struct mf_err *why, struct mf_err *err)
{
	bool newest = n->now && v->last == n->newest;
	if (rc < 0) {
		v->state = MF_VERSION_INVALID;
		if (mf_history_report_bad(w->q, v, why, err) < 0)
			return -1;
		v->seen = 0;
		v->why = NULL;
	}
	if (newest)
		return one_newest(w, n, rc > 0 ? bytes : NULL, *at, v, err);
	return rc > 0 ? one_version(w, n, bytes, at, v, err) : 0;
}

/* Notes for the roles below that some versions of this file, which list their keys, are missing. */
static void cut_below(struct walk *w, const struct node *n)
{
	for (size_t i = 0; i < w->nnodes; i++)
		w->nodes[i]->cut |= w->nodes[i]->parent == n;
}

static int read_range(struct walk *w, struct node *n, const struct range *r, struct mf_err *err)
{
	int64_t gap = r->first;
	size_t at = 0;
	struct mf_stream s MF_STREAM_CLEANUP = {.t = w->t,
						.bytes = &w->bytes,
						.role = n->role,
						.most = MF_MAX_TARGETS_BYTES,
						.next = r->first,
						.last = r->last,
						.step = 1,
						.window = mf_stream_window(n->size)};
	s.max = s.window == 1 ? s.most : MF_MAX_TARGETS_TOTAL / MF_STREAM_WINDOW;
	for (int64_t v = r->first; v <= r->last; v++) {
		struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
		struct mf_version ver = version_of(n, v, v);
		ver.baseline = v < r->requested;
		struct mf_err why = MF_ERR_INIT;
		int rc = mf_stream_next(&s, v, &bytes, &ver.seen, &why);
		if (rc < 0 && mf_history_fatal(&why))
			return mf_history_pass_on(err, &why);
		if (rc == 0 && !(n->now && v == n->newest)) {
			if (gap == r->first) /* the oldest ones may have been pruned */
				cut_below(w, n);
			continue;
		}
		if (requested_gap(w, n, r, gap, v - 1, err) < 0 ||
		    take_version(w, n, rc, &bytes, &at, &ver, &why, err) < 0)
			return -1;
		gap = v + 1;
	}
	if (n->n && !w->q->version && report_later(w, n, n->n - 1, err) < 0)
		return -1;
	return requested_gap(w, n, r, gap, r->last, err);
}

static bool has_current(const struct walk *w, const char *role)
{
	for (size_t i = 0; i < w->nnodes; i++)
		if (w->nodes[i]->now && strcmp(w->nodes[i]->role, role) == 0)
			return true;
	return false;
}

/* Finds the newest file of a former role, if the snapshot still lists it. Only its version and size are
 * used. */
static enum mf_found find_former(struct walk *w, struct node *n, struct mf_err *err)
{
	const struct mf_tuf_meta *m = mf_tuf_meta_find(w->t->set.snapshot, n->role);
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_err why = MF_ERR_INIT;
	if (!m || has_current(w, n->role))
		return MF_ABSENT;
	struct mf_fetch_key key = {.role = n->role,
				   .by = m->version ? MF_BY_VERSION : MF_BY_SHA256,
				   .version = m->version,
				   .sha256 = m->sha256,
				   .max = MF_MAX_TARGETS_BYTES};
	enum mf_found rc = mf_trust_fetch(w->t, &key, &bytes, err);
	if (rc != MF_FOUND)
		return rc;
	n->size = bytes.n;
	n->newest = m->version;
	if (m->version)
		return MF_FOUND;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP =
	    mf_tuf_meta_check(m, mf_buf_bytes(&bytes), &why) < 0
		? NULL
		: mf_tuf_parse_unverified(w->t->set.d, MF_TUF_TARGETS, &bytes, &why);
	if (!f)
		return mf_history_fatal(&why) ? (enum mf_found)mf_history_pass_on(err, &why) : MF_ABSENT;
	n->newest = f->version;
	return MF_FOUND;
}

static int read_role(struct walk *w, struct node *n, struct mf_err *err)
{
	enum mf_found rc = n->now ? MF_FOUND : find_former(w, n, err);
	if (rc != MF_FOUND)
		return rc;
	struct range r = range_of(w, n);
	if (n->cut || r.first > 1)
		cut_below(w, n);
	if (!w->q->version && report_gap(w, n, MF_VERSION_NOT_READ, 1, r.requested - 1, err) < 0)
		return -1;
	if (read_range(w, n, &r, err) < 0)
		return -1;
	if (n->now)
		return 0;
	struct mf_version v = version_of(n, n->newest, n->newest);
	v.state = MF_VERSION_DROPPED;
	v.seen = n->dropped_seen;
	v.delegator = n->parent->role;
	v.delegator_version = n->dropped;
	return report(w, n, &v, err);
}

/* ---- all of it */

/* Has the role a node already? A role that two delegators list is read for the first of them only. */
static bool is_double(const struct walk *w, const char *role)
{
	for (size_t k = 0; k + 1 < w->nnodes; k++)
		if (strcmp(w->nodes[k]->role, role) == 0)
			return true;
	return false;
}

static int choose_nodes(struct walk *w, struct mf_err *err)
{
	const struct mf_tuf_set *set = &w->t->set;
	for (size_t i = 0; i < set->nroles; i++) {
		const struct mf_tuf_loaded *l = set->roles[i];
		struct node *parent = NULL;
		for (size_t k = 0; l->parent && k < w->nnodes && !parent; k++)
			if (w->nodes[k]->now == l->parent)
				parent = w->nodes[k];
		struct node *n = add_node(w, parent, l, err);
		if (!n)
			return -1;
		const char *own = w->q->version ? n->role : l->role;
		n->requested = (!w->q->role || strcmp(w->q->role, own) == 0) && !is_double(w, n->role);
		for (struct node *up = n; n->requested && up; up = up->parent)
			up->needed = true;
	}
	return 0;
}

/* Adds the authority that lists the role's keys now. */
static int authority_now(struct walk *w, struct node *n, struct mf_err *err)
{
	if (!n->now->delegation)
		return add_roots(w, n, err);
	const struct lister by = {n->now->parent, w->t->set.root, 0, NULL};
	return learn(n, &by, n->now->delegation, err);
}

/* Reads one version of one role. Mostly the current keys have signed it, and no other file must be read.
 * MF_FOUND: it was reported. MF_ABSENT: older keys are needed, from all versions of the delegators. */
static enum mf_found try_shortcut(struct walk *w, struct node *n, struct mf_err *err)
{
	struct mf_version v = version_of(n, w->q->version, w->q->version);
	struct mf_fetch_key key = mf_stream_key(n->role, v.last, MF_MAX_TARGETS_BYTES, &v.seen);
	struct mf_buf bytes MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_err why = MF_ERR_INIT;
	size_t at = 0;
	if (authority_now(w, n, err) < 0)
		return MF_FAILED;
	if (v.last == n->newest)
		return one_newest(w, n, NULL, 0, &v, err) < 0 ? MF_FAILED : MF_FOUND;
	enum mf_found rc = mf_trust_fetch(w->t, &key, &bytes, err);
	if (rc == MF_FAILED)
		return MF_FAILED;
	if (rc == MF_ABSENT)
		return report_gap(w, n, MF_VERSION_NOT_KEPT, v.last, v.last, err) < 0 ? MF_FAILED : MF_FOUND;
	struct mf_tuf_file *f MF_TUF_FILE_CLEANUP = parse(w, n, v.last, &bytes, &why);
	if (f && find_authority(w, n, f, &at, &why) == 0) {
		struct mf_tuf_file *taken = f;
		f = NULL;
		return report_verified(w, n, at, taken, taken, &v, err) < 0 ? MF_FAILED : MF_FOUND;
	}
	if (mf_history_fatal(&why))
		return (enum mf_found)mf_history_pass_on(err, &why);
	mf_tuf_role_copy_free(n->v[0]->role);
	free(n->v[0]);
	n->n = n->nkeys = 0;
	return MF_ABSENT;
}

static struct node *only_node(struct walk *w)
{
	for (size_t i = 0; i < w->nnodes; i++)
		if (w->nodes[i]->requested)
			return w->nodes[i];
	return NULL;
}

/* Reads a role, then its shards. A shard that was divided is read before the shards that it was divided into,
 * because their records come from it. */
static int read_in_order(struct walk *w, struct node *n, struct mf_err *err)
{
	for (size_t i = 0; n->shard && i < w->nnodes; i++) {
		struct node *whole = w->nodes[i];
		size_t length = strlen(whole->role);
		if (!whole->shard || whole->done || whole->parent != n->parent || strlen(n->role) <= length ||
		    strncmp(n->role, whole->role, length) != 0)
			continue;
		whole->done = true;
		if (whole->needed && read_role(w, whole, err) < 0)
			return -1;
	}
	if (n->done)
		return 0;
	n->done = true;
	int rc = n->needed ? read_role(w, n, err) : 0;
	for (size_t i = 0; rc == 0 && i < w->nnodes; i++)
		if (w->nodes[i]->shard && w->nodes[i]->parent == n)
			rc = read_in_order(w, w->nodes[i], err);
	return rc;
}

int mf_trust_history(struct mf_trust *t, const struct mf_history_query *q, struct mf_err *err)
{
	struct walk w WALK_CLEANUP = {.t = t, .q = q, .roots = {.t = t, .q = q}};
	w.roots.bytes = &w.bytes;
	bool cut = false;
	assert(t->loaded && q->limit > 0 && (!q->version || q->role));
	if (choose_nodes(&w, err) < 0)
		return -1;
	assert(w.nnodes);
	struct node *only = q->version ? only_node(&w) : NULL;
	int rc = only ? try_shortcut(&w, only, err) : 0;
	if (rc == 0 &&
	    (mf_old_roots_read(&w.roots, &cut, err) < 0 ||
	     (q->roots && mf_old_roots_report(&w.roots, err) < 0) || add_roots(&w, w.nodes[0], err) < 0))
		rc = -1;
	w.nodes[0]->cut = cut;
	for (size_t i = 0; rc == 0 && i < w.nnodes; i++)
		rc = read_in_order(&w, w.nodes[i], err);
	if (rc < 0)
		mf_err_set_endpoint(err, t->repo->where);
	return rc < 0 ? -1 : 0;
}
