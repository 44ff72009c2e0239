#include "tuf/index.h"

#include <assert.h>
#include <endian.h>

#include "base/limits.h"
#include "crypto/hash.h"
#include "tuf/internal.h"

#define MAGIC "mfindex1"
#define FIXED 16
#define ROW 32
#define ROW_MAC 16
#define PAGE_HEAD 12
#define PAGE_ROWS ((MF_INDEX_PAGE - PAGE_HEAD - MF_MAC) / ROW)

/* ---- numbers, MACs */

static void put32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static uint64_t get_key(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

/* The kind of the part is hashed first, so that the MAC of one kind is not valid for another. */
static int part_mac(const struct mf_index *x, const char *kind, struct mf_bytes part, uint8_t out[MF_MAC],
		    struct mf_err *err)
{
	struct mf_bytes pieces[] = {{(const uint8_t *)kind, 4}, part};
	return mf_mac(mf_secret_bytes(&x->key), pieces, 2, out, err);
}

static int page_mac(const struct mf_index *x, uint32_t number, const uint8_t *page, uint8_t out[MF_MAC],
		    struct mf_err *err)
{
	uint8_t at[4];
	put32(at, number);
	struct mf_bytes pieces[] = {
	    {(const uint8_t *)"page", 4}, {at, sizeof at}, {page, MF_INDEX_PAGE - MF_MAC}};
	return mf_mac(mf_secret_bytes(&x->key), pieces, 3, out, err);
}

/* ---- what an index is bound to */

static int bind(struct mf_buf *b, const void *p, size_t n, struct mf_err *err)
{
	uint8_t length[4];
	put32(length, (uint32_t)n);
	return mf_buf_add(b, length, sizeof length, err) < 0 ? -1 : mf_buf_add(b, p, n, err);
}

static int bind_str(struct mf_buf *b, struct mf_str s, struct mf_err *err)
{
	return bind(b, s.p ? s.p : "", s.n, err);
}

static int bind_number(struct mf_buf *b, uint64_t v, struct mf_err *err)
{
	v = htole64(v);
	return bind(b, &v, sizeof v, err);
}

/* The snapshot's entry, which the file fits. Its sha256 is there: without it no index is made
 * (trust/index.c). */
static int bind_meta(struct mf_buf *b, const struct mf_tuf_meta *m, struct mf_err *err)
{
	return bind_number(b, (uint64_t)m->version, err) < 0 || bind_number(b, m->length, err) < 0 ||
		       bind(b, m->sha256.b, m->has_sha256 ? sizeof m->sha256.b : 0, err) < 0
		   ? -1
		   : bind(b, m->sha512, m->has_sha512 ? sizeof m->sha512 : 0, err);
}

static int bind_strings(struct mf_buf *b, const struct mf_str *v, size_t n, struct mf_err *err)
{
	if (bind_number(b, n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (bind_str(b, v[i], err) < 0)
			return -1;
	return 0;
}

/* A delegation, with its keys as the delegator lists them. `targets` has none: its keys are in the root,
 * which is bound too. */
static int bind_delegation(struct mf_buf *b, const struct mf_tuf_role *r, struct mf_err *err)
{
	if (bind_str(b, mf_str_c(r->name), err) < 0 || bind_number(b, (uint64_t)r->threshold, err) < 0 ||
	    bind_number(b, r->terminating, err) < 0 || bind_strings(b, r->paths, r->npaths, err) < 0 ||
	    bind_strings(b, r->hash_prefixes, r->nhash_prefixes, err) < 0 ||
	    bind_number(b, r->nkeys, err) < 0)
		return -1;
	for (size_t i = 0; i < r->nkeys; i++)
		if (bind_str(b, r->keys[i]->id, err) < 0 || bind_str(b, r->keys[i]->raw, err) < 0)
			return -1;
	return 0;
}

/* All delegations from `targets` to the role, as the delegators list them now. */
static int bind_edge(struct mf_buf *b, const struct mf_tuf_edge *e, struct mf_err *err)
{
	if (!e)
		return 0;
	if (bind_delegation(b, e->role, err) < 0)
		return -1;
	for (const struct mf_tuf_loaded *l = e->parent; l && l->delegation; l = l->parent)
		if (bind_delegation(b, l->delegation, err) < 0)
			return -1;
	return 0;
}

static int bind_all(struct mf_buf *b, const struct mf_index_bound *what, struct mf_err *err)
{
	const struct mf_tuf_set *s = what->set;
	const char *role = what->edge ? what->edge->role->name : "targets";
	struct mf_digest root;
	if (mf_sha256(mf_buf_bytes(&s->root->bytes), &root, err) < 0 || bind_str(b, MF_STR(MAGIC), err) < 0 ||
	    bind_str(b, MF_STR(MF_VERSION), err) < 0 || bind_str(b, mf_str_c(s->d->name), err) < 0 ||
	    bind_str(b, s->gun, err) < 0 || bind(b, root.b, sizeof root.b, err) < 0 ||
	    bind_str(b, mf_str_c(role), err) < 0)
		return -1;
	return bind_meta(b, mf_tuf_meta_find(s->snapshot, role), err) < 0 ? -1
									  : bind_edge(b, what->edge, err);
}

void mf_index_free(struct mf_index *x)
{
	if (!x)
		return;
	mf_secret_clear(&x->key);
	free(x);
}

struct mf_index *mf_index_new(const struct mf_index_bound *b, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_index *x MF_INDEX_CLEANUP = calloc(1, sizeof *x), *out;
	if (!x) {
		(void)mf_fail_nomem(err);
		return NULL;
	}
	if (bind_all(&text, b, err) < 0 || mf_secret_alloc(&x->key, MF_MAC, err) < 0)
		return NULL;
	struct mf_bytes all = mf_buf_bytes(&text);
	if (mf_mac(b->machine, &all, 1, x->key.p, err) < 0)
		return NULL;
	out = x;
	x = NULL;
	return out;
}

/* ---- writing */

/* One entry. Pages have them sorted by key, then in the order of the file. */
struct row {
	uint64_t key;
	uint32_t at; /* index in f->targets */
};

static int row_cmp(const void *a, const void *b)
{
	const struct row *p = a, *q = b;
	return p->key != q->key ? (p->key > q->key) - (p->key < q->key) : (p->at > q->at) - (p->at < q->at);
}

/* The entry as it stands in the file: its quoted name, and its value. */
static struct mf_bytes entry_text(const struct mf_tuf_target *t)
{
	return (struct mf_bytes){(const uint8_t *)t->name - 1, (size_t)t->value + t->value_n + 1};
}

static enum mf_found sort_rows(const struct mf_tuf_file *f, struct row *rows, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < f->ntargets; i++) {
		const struct mf_tuf_target *t = &f->targets[i];
		struct mf_digest subject;
		if (t->escaped || entry_text(t).n > MF_MAX_INDEX_ENTRY)
			return MF_ABSENT;
		if (mf_tuf_name_subject((struct mf_str){t->name, t->name_n}, &subject))
			rows[(*n)++] = (struct row){get_key(subject.b), (uint32_t)i};
	}
	qsort(rows, *n, sizeof *rows, row_cmp);
	return MF_FOUND;
}

static int put_row(const struct mf_index *x, const struct mf_tuf_file *f, const struct row *r, uint8_t *out,
		   struct mf_err *err)
{
	struct mf_bytes text = entry_text(&f->targets[r->at]);
	uint8_t mac[MF_MAC];
	uint64_t big = htobe64(r->key);
	if (part_mac(x, "item", text, mac, err) < 0)
		return -1;
	memcpy(out, &big, sizeof big);
	put32(out + 8, (uint32_t)((const char *)text.p - f->bytes.p));
	put32(out + 12, (uint32_t)text.n);
	memcpy(out + 16, mac, ROW_MAC);
	return 0;
}

static int put_pages(const struct mf_index *x, const struct mf_tuf_file *f, const struct row *rows, size_t n,
		     struct mf_buf *out, struct mf_err *err)
{
	for (size_t i = 0; i < n; i += PAGE_ROWS) {
		uint8_t page[MF_INDEX_PAGE] = {0};
		size_t here = n - i < PAGE_ROWS ? n - i : PAGE_ROWS;
		uint64_t before = htobe64(i ? rows[i - 1].key : 0);
		memcpy(page, &before, sizeof before);
		put32(page + 8, (uint32_t)here);
		for (size_t k = 0; k < here; k++)
			if (put_row(x, f, &rows[i + k], page + PAGE_HEAD + k * ROW, err) < 0)
				return -1;
		if (page_mac(x, (uint32_t)(i / PAGE_ROWS), page, page + MF_INDEX_PAGE - MF_MAC, err) < 0 ||
		    mf_buf_add(out, page, sizeof page, err) < 0)
			return -1;
	}
	return 0;
}

static int put_head(const struct mf_index *x, const struct mf_tuf_file *f, uint32_t npages,
		    struct mf_buf *out, struct mf_err *err)
{
	const struct mf_str raw = f->targets_raw, all = mf_buf_str(&f->bytes);
	const struct mf_str front = {all.p, (size_t)(raw.p - all.p)},
			    back = {raw.p + raw.n, all.n - front.n - raw.n};
	uint8_t fixed[FIXED], mac[MF_MAC];
	memcpy(fixed, MAGIC, 8);
	put32(fixed + 8, (uint32_t)(front.n + 2 + back.n));
	put32(fixed + 12, npages);
	size_t from = out->n;
	if (mf_buf_add(out, fixed, sizeof fixed, err) < 0 || mf_buf_add_str(out, front, err) < 0 ||
	    mf_buf_addz(out, "{}", err) < 0 || mf_buf_add_str(out, back, err) < 0)
		return -1;
	struct mf_bytes head = {(const uint8_t *)out->p + from, out->n - from};
	return part_mac(x, "head", head, mac, err) < 0 ? -1 : mf_buf_add(out, mac, sizeof mac, err);
}

enum mf_found mf_index_write(const struct mf_index *x, const struct mf_tuf_file *f, struct mf_buf *out,
			     struct mf_err *err)
{
	size_t n, others = f->bytes.n - f->targets_raw.n;
	if (f->index || f->bytes.n < MF_MIN_INDEXED_BYTES || others > f->bytes.n / 2)
		return MF_ABSENT;
	struct row *rows MF_FREE = mf_calloc(f->ntargets, sizeof *rows);
	if (!rows)
		return (enum mf_found)mf_fail_nomem(err);
	if (sort_rows(f, rows, &n) != MF_FOUND)
		return MF_ABSENT;
	size_t npages = (n + PAGE_ROWS - 1) / PAGE_ROWS;
	if (mf_buf_reserve(out, FIXED + others + 2 + MF_MAC + npages * MF_INDEX_PAGE, err) < 0 ||
	    put_head(x, f, (uint32_t)npages, out, err) < 0 || put_pages(x, f, rows, n, out, err) < 0)
		return MF_FAILED;
	return MF_FOUND;
}

/* ---- reading */

static bool read_part(const struct mf_index_source *from, enum mf_index_part part, uint64_t at, void *p,
		      size_t n)
{
	return from->read(from->arg, part, at, p, n);
}

enum mf_found mf_index_open(struct mf_index *x, const struct mf_index_source *from, struct mf_buf *head,
			    struct mf_err *err)
{
	uint8_t fixed[FIXED], mac[MF_MAC];
	if (!read_part(from, MF_INDEX_INDEX, 0, fixed, sizeof fixed) || memcmp(fixed, MAGIC, 8) != 0)
		return MF_ABSENT;
	size_t n = get32(fixed + 8);
	if (n > MF_MAX_TARGETS_BYTES)
		return MF_ABSENT;
	struct mf_buf all MF_BUF_CLEANUP = MF_BUF_INIT(FIXED + n + MF_MAC);
	if (mf_buf_reserve(&all, all.max, err) < 0)
		return MF_FAILED;
	if (!read_part(from, MF_INDEX_INDEX, 0, all.p, all.max))
		return MF_ABSENT;
	const uint8_t *p = (const uint8_t *)all.p;
	if (part_mac(x, "head", (struct mf_bytes){p, FIXED + n}, mac, err) < 0)
		return MF_FAILED;
	if (!mf_mac_eq(mac, p + FIXED + n, sizeof mac))
		return MF_ABSENT;
	x->pages = all.max;
	x->npages = get32(p + 12);
	return mf_buf_add(head, p + FIXED, n, err) < 0 ? MF_FAILED : MF_FOUND;
}

/* ---- finding */

struct page {
	uint32_t number, n;
	uint64_t before;
	uint8_t octets[MF_INDEX_PAGE];
};

static const uint8_t *page_row(const struct page *p, size_t i)
{
	return p->octets + PAGE_HEAD + i * ROW;
}

static enum mf_found read_page(const struct mf_index *x, const struct mf_index_source *from, uint32_t number,
			       struct page *out, struct mf_err *err)
{
	uint8_t mac[MF_MAC];
	if (!read_part(from, MF_INDEX_INDEX, x->pages + (uint64_t)number * MF_INDEX_PAGE, out->octets,
		       sizeof out->octets))
		return MF_ABSENT;
	if (page_mac(x, number, out->octets, mac, err) < 0)
		return MF_FAILED;
	out->number = number;
	out->before = get_key(out->octets);
	out->n = get32(out->octets + 8);
	return mf_mac_eq(mac, out->octets + MF_INDEX_PAGE - MF_MAC, sizeof mac) && out->n &&
		       out->n <= PAGE_ROWS
		   ? MF_FOUND
		   : MF_ABSENT;
}

/* Digests are spread evenly, so a key is on the page that its first octets predict, or a few pages beside.
 * After NEAR pages the search halves what is left, in case they are not. */
#define NEAR 4

static uint32_t guess(const struct mf_index *x, uint64_t key)
{
	return (uint32_t)((key >> 32) * x->npages >> 32);
}

/* Reads the first page that can have rows of the key. */
static enum mf_found find_page(const struct mf_index *x, const struct mf_index_source *from, uint64_t key,
			       struct page *out, struct mf_err *err)
{
	uint32_t lo = 0, hi = x->npages - 1, at = guess(x, key);
	for (int tries = 1;; tries++) {
		enum mf_found found = read_page(x, from, at, out, err);
		if (found != MF_FOUND)
			return found;
		bool left = at > 0 && key <= out->before,
		     right = !left && at < x->npages - 1 && get_key(page_row(out, out->n - 1)) < key;
		if (!left && !right)
			return MF_FOUND;
		if (left ? at == lo : at == hi) /* the pages are not in order: not those of one index */
			return MF_ABSENT;
		if (left)
			hi = at - 1;
		else
			lo = at + 1;
		at = tries >= NEAR ? lo + (hi - lo) / 2 : left ? hi : lo;
	}
}

/* Adds the entry `{"name":value}` to the file. MF_ABSENT: it is of another subject, whose digest begins like
 * this one. */
static enum mf_found take_entry(struct mf_tuf_file *f, struct mf_str object, const struct mf_digest *subject,
				struct mf_err *err)
{
	struct mf_json_reader r MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	struct mf_str value;
	struct mf_digest d;
	mf_json_reader_init(&r, mf_bytes_of(object));
	r.any_size = true; /* the file has passed its dialect's reader */
	if (mf_json_object(&r, err) < 0 || mf_json_object_next(&r, &name, err) < 1 ||
	    mf_json_skip(&r, &value, err) < 0)
		return MF_FAILED;
	if (!mf_tuf_name_subject(name.raw, &d) || !mf_digest_eq(&d, subject))
		return MF_ABSENT;
	if (mf_grow((void **)&f->targets, &f->targets_cap, f->ntargets, sizeof *f->targets, err) < 0)
		return MF_FAILED;
	f->targets[f->ntargets++] = mf_tuf_target_at(name, value);
	return MF_FOUND;
}

static enum mf_found read_entry(const struct mf_index *x, const struct mf_index_source *from,
				const uint8_t *row, const struct mf_digest *subject, struct mf_tuf_file *f,
				struct mf_err *err)
{
	const size_t n = get32(row + 12);
	uint8_t mac[MF_MAC];
	char *text = n <= MF_MAX_INDEX_ENTRY ? mf_arena_alloc(&f->arena, n + 3, 1, err) : NULL;
	if (!text)
		return err->code ? MF_FAILED : MF_ABSENT;
	if (!read_part(from, MF_INDEX_FILE, get32(row + 8), text + 1, n))
		return MF_ABSENT;
	if (part_mac(x, "item", (struct mf_bytes){(const uint8_t *)text + 1, n}, mac, err) < 0)
		return MF_FAILED;
	if (!mf_mac_eq(mac, row + 16, ROW_MAC))
		return MF_ABSENT;
	text[0] = '{';
	text[n + 1] = '}';
	return take_entry(f, (struct mf_str){text, n + 2}, subject, err) == MF_FAILED ? MF_FAILED : MF_FOUND;
}

/* Adds all entries of a subject. Its rows may continue on further pages. */
static enum mf_found read_entries(const struct mf_index *x, const struct mf_index_source *from,
				  const struct mf_digest *subject, struct mf_tuf_file *f, struct mf_err *err)
{
	struct page p;
	const uint64_t key = get_key(subject->b);
	enum mf_found found = find_page(x, from, key, &p, err);
	while (found == MF_FOUND) {
		uint64_t last = get_key(page_row(&p, p.n - 1));
		for (uint32_t i = 0; found == MF_FOUND && i < p.n; i++)
			if (get_key(page_row(&p, i)) == key)
				found = read_entry(x, from, page_row(&p, i), subject, f, err);
		if (found != MF_FOUND || last > key || p.number == x->npages - 1)
			return found;
		found = read_page(x, from, p.number + 1, &p, err);
	}
	return found;
}

enum mf_found mf_index_find(struct mf_tuf_file *f, const struct mf_index_source *from,
			    const struct mf_digest *subject, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	const struct mf_index *x = f->index;
	const size_t before = f->ntargets;
	assert(x && !mf_tuf_part_find(f, subject));
	if (mf_grow((void **)&f->parts, &f->parts_cap, f->nparts, sizeof *f->parts, err) < 0)
		return MF_FAILED;
	enum mf_found found = x->npages ? read_entries(x, from, subject, f, &why) : MF_FOUND;
	if (found == MF_FOUND) {
		f->parts[f->nparts++] = (struct mf_tuf_part){*subject, before, f->ntargets};
		return MF_FOUND;
	}
	f->ntargets = before;
	return mf_err_pass_ours(err, &why) < 0 ? MF_FAILED : MF_ABSENT;
}
