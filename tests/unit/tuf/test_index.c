/* The index of a targets file: what it finds, and what makes it be ignored. */
#include "swizzle.h"

#include "tuf/index.h"

struct fixture {
	struct mf_tuf_file *root, *snapshot, *file;
	struct mf_tuf_meta meta;
	struct mf_tuf_set set;
	struct mf_buf index, text;
	struct mf_index *x;
	size_t read[2];
};

static bool read_at(void *arg, enum mf_index_part part, uint64_t at, void *p, size_t n)
{
	struct fixture *w = arg;
	const struct mf_buf *b = part == MF_INDEX_FILE ? &w->text : &w->index;
	if (at > b->n || n > b->n - at)
		return false;
	memcpy(p, b->p + at, n);
	w->read[part] += n;
	return true;
}

static struct mf_digest subject_of(unsigned i)
{
	struct mf_digest d;
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_sha256((struct mf_bytes){(const uint8_t *)&i, sizeof i}, &d, &err), 0);
	return d;
}

static void put(struct mf_buf *b, const char *text)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_buf_addz(b, text, &err), 0);
}

static struct mf_tuf_file *parse(struct mf_bytes text)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	assert_int_equal(mf_buf_add(&b, text.p, text.n, &err), 0);
	struct mf_tuf_file *f = mf_tuf_parse_unverified(&mf_dialect_notary, MF_TUF_TARGETS, &b, &err);
	if (!f)
		fail_msg("%s", err.msg);
	return f;
}

static const uint8_t machine[MF_MAC] = {1, 2, 3};

static struct mf_index *bind_as(struct fixture *w, const struct mf_tuf_edge *edge)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_index *x = mf_index_new(&(struct mf_index_bound){{machine, MF_MAC}, &w->set, edge}, &err);
	assert_non_null(x);
	return x;
}

static void bind_it(struct fixture *w)
{
	mf_index_free(w->x);
	w->x = bind_as(w, NULL);
}

static void begin(struct fixture *w, unsigned n)
{
	struct mf_err err = MF_ERR_INIT;
	*w = (struct fixture){.index = MF_BUF_INIT(MF_MAX_TARGETS_BYTES),
			      .text = MF_BUF_INIT(MF_MAX_TARGETS_BYTES)};
	put(&w->text,
	    "{\"signed\":{\"_type\":\"Targets\",\"delegations\":{\"keys\":{},\"roles\":[]},\"expires\":"
	    "\"2030-01-01T00:00:00Z\",\"targets\":{");
	char pad[400];
	memset(pad, 'x', sizeof pad - 1);
	pad[sizeof pad - 1] = 0;
	for (unsigned i = 0; i < n; i++) {
		char hex[65];
		struct mf_digest d = subject_of(i);
		mf_digest_hex(hex, &d);
		for (int k = 0; k < (i % 10 ? 1 : 2); k++)
			assert_int_equal(mf_buf_printf(&w->text, &err,
						       "%s\"%s/sha256-%s\":{\"custom\":\"%s\",\"length\":%u}",
						       i || k ? "," : "", k ? "sbom" : "note", hex, pad, i),
					 0);
	}
	put(&w->text, "},\"version\":7},\"signatures\":[]}");
	w->root = calloc(1, sizeof *w->root);
	w->snapshot = calloc(1, sizeof *w->snapshot);
	w->root->bytes = (struct mf_buf)MF_BUF_INIT(64);
	put(&w->root->bytes, "root");
	w->meta = (struct mf_tuf_meta){.name = MF_STR("targets"), .length = w->text.n, .has_sha256 = true};
	w->snapshot->meta = calloc(1, sizeof w->meta);
	w->snapshot->meta[0] = w->meta;
	w->snapshot->nmeta = 1;
	w->set = (struct mf_tuf_set){
	    .d = &mf_dialect_notary, .gun = MF_STR("a/b"), .root = w->root, .snapshot = w->snapshot};
	w->file = parse(mf_buf_bytes(&w->text));
	bind_it(w);
	assert_int_equal(mf_index_write(w->x, w->file, &w->index, &err), MF_FOUND);
}

static void end(struct fixture *w)
{
	mf_tuf_file_free(w->root);
	mf_tuf_file_free(w->snapshot);
	mf_tuf_file_free(w->file);
	mf_buf_clear(&w->index);
	mf_buf_clear(&w->text);
	mf_index_free(w->x);
}

static struct mf_tuf_file *open_partial(struct fixture *w)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf head MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	struct mf_index_source from = {read_at, w};
	struct mf_index *x = w->x;
	enum mf_found found = mf_index_open(x, &from, &head, &err);
	assert_int_not_equal(found, MF_FAILED);
	if (found == MF_ABSENT)
		return NULL;
	struct mf_tuf_file *f = parse(mf_buf_bytes(&head));
	f->index = x;
	w->x = NULL;
	bind_it(w);
	return f;
}

static enum mf_found find_in(struct fixture *w, struct mf_tuf_file *f, const struct mf_digest *d)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_index_source from = {read_at, w};
	return mf_index_find(f, &from, d, &err);
}

static void each_subject_has_the_entries_of_the_file(void **state)
{
	struct fixture w;
	(void)state;
	for (unsigned n = 200; n <= 2000; n += 1800) {
		begin(&w, n);
		struct mf_tuf_file *f = open_partial(&w);
		assert_non_null(f);
		assert_int_equal(f->version, 7);
		for (unsigned i = 0; i < n + 50; i++) {
			struct mf_digest d = subject_of(i);
			size_t from, to;
			assert_int_equal(find_in(&w, f, &d), MF_FOUND);
			mf_tuf_targets_of(f, &d, &from, &to);
			assert_int_equal(to - from, i >= n ? 0 : i % 10 ? 1 : 2);
			for (size_t k = from; k < to; k++) {
				struct mf_str name = mf_tuf_target_name(f, k).raw;
				ptrdiff_t at = mf_tuf_target_find(w.file, name);
				assert_true(at >= 0);
				assert_true(mf_str_eq(mf_tuf_target_value(f, k),
						      mf_tuf_target_value(w.file, (size_t)at)));
				assert_int_equal(mf_tuf_target_find(f, name), k);
			}
		}
		mf_tuf_file_free(f);
		end(&w);
	}
}

static void no_octet_of_it_can_be_changed(void **state)
{
	struct fixture w;
	(void)state;
	begin(&w, 200);
	struct mf_digest d = subject_of(10);
	for (size_t i = 0; i < w.index.n; i++) {
		w.index.p[i] ^= 0x20;
		struct mf_tuf_file *f = open_partial(&w);
		if (f && find_in(&w, f, &d) == MF_FOUND)
			assert_int_equal(f->ntargets, 2);
		mf_tuf_file_free(f);
		w.index.p[i] ^= 0x20;
	}
	for (size_t n = 0; n < w.index.n; n += 17) {
		size_t all = w.index.n;
		w.index.n = n;
		struct mf_tuf_file *f = open_partial(&w);
		if (f && find_in(&w, f, &d) == MF_FOUND)
			assert_int_equal(f->ntargets, 2);
		mf_tuf_file_free(f);
		w.index.n = all;
	}
	end(&w);
}

static void a_changed_entry_is_not_used(void **state)
{
	struct fixture w;
	(void)state;
	begin(&w, 200);
	struct mf_digest d = subject_of(11);
	char hex[65];
	mf_digest_hex(hex, &d);
	char *at = memmem(w.text.p, w.text.n, hex, 64);
	at[100] ^= 1;
	struct mf_tuf_file *f = open_partial(&w);
	assert_int_equal(find_in(&w, f, &d), MF_ABSENT);
	assert_int_equal(f->ntargets, 0);
	assert_null(mf_tuf_part_find(f, &d));
	mf_tuf_file_free(f);
	end(&w);
}

static void it_is_bound_to_what_was_verified(void **state)
{
	struct fixture w;
	(void)state;
	begin(&w, 200);
	bind_it(&w);
	struct mf_tuf_file *f = open_partial(&w);
	assert_non_null(f);
	mf_tuf_file_free(f);
#define OTHER(change, back)                                                                                  \
	do {                                                                                                 \
		change;                                                                                      \
		bind_it(&w);                                                                                 \
		assert_null(open_partial(&w));                                                               \
		back;                                                                                        \
	} while (0)
	OTHER(w.set.d = &mf_dialect_tuf1, w.set.d = &mf_dialect_notary);
	OTHER(w.set.gun = MF_STR("a/c"), w.set.gun = MF_STR("a/b"));
	OTHER(w.root->bytes.p[0] ^= 1, w.root->bytes.p[0] ^= 1);
	OTHER(w.snapshot->meta->version++, w.snapshot->meta->version--);
	OTHER(w.snapshot->meta->length++, w.snapshot->meta->length--);
	OTHER(w.snapshot->meta->sha256.b[31] ^= 1, w.snapshot->meta->sha256.b[31] ^= 1);
	OTHER(w.snapshot->meta->has_sha512 = true, w.snapshot->meta->has_sha512 = false);
	end(&w);
}

/* ---- what somebody who writes to the cache could try */

static void swap_pages(struct fixture *w, size_t a, size_t b)
{
	uint8_t page[MF_INDEX_PAGE];
	size_t from = w->index.n % MF_INDEX_PAGE;
	char *p = w->index.p + from + a * sizeof page, *q = w->index.p + from + b * sizeof page;
	memcpy(page, p, sizeof page);
	memcpy(p, q, sizeof page);
	memcpy(q, page, sizeof page);
}

static void a_page_counts_at_its_place_only(void **state)
{
	struct fixture w;
	unsigned absent = 0;
	(void)state;
	begin(&w, 2000);
	swap_pages(&w, 3, 4);
	struct mf_tuf_file *f = open_partial(&w);
	assert_non_null(f);
	for (unsigned i = 0; i < 2000; i++) {
		struct mf_digest d = subject_of(i);
		size_t from, to;
		if (find_in(&w, f, &d) == MF_ABSENT) {
			absent++;
			continue;
		}
		mf_tuf_targets_of(f, &d, &from, &to);
		assert_int_equal(to - from, i % 10 ? 1 : 2);
	}
	/* Those of the two pages, at least. */
	assert_true(absent > 200);
	mf_tuf_file_free(f);
	end(&w);
}

/* Copies a page to another's place, and counts the subjects whose records are hidden by that. */
static unsigned hidden_by(size_t page, size_t place)
{
	struct fixture w;
	unsigned hidden = 0;
	begin(&w, 2000);
	char *pages = w.index.p + w.index.n % MF_INDEX_PAGE;
	size_t last = w.index.n / MF_INDEX_PAGE - 1;
	page = page < last ? page : last - 1;
	place = place < last ? place : last;
	memcpy(pages + place * MF_INDEX_PAGE, pages + page * MF_INDEX_PAGE, MF_INDEX_PAGE);
	struct mf_tuf_file *f = open_partial(&w);
	assert_non_null(f);
	for (unsigned i = 0; i < 2000; i++) {
		struct mf_digest d = subject_of(i);
		size_t at, to;
		if (find_in(&w, f, &d) == MF_ABSENT)
			continue;
		mf_tuf_targets_of(f, &d, &at, &to);
		hidden += at == to;
	}
	mf_tuf_file_free(f);
	end(&w);
	return hidden;
}

/* Of the first and the last page, one of the two bounds is where the page stands: its number counts. */
static void a_page_that_is_left_out_is_missed(void **state)
{
	(void)state;
	assert_int_equal(hidden_by(3, 4), 0);
	assert_int_equal(hidden_by(1, 0), 0);
	assert_int_equal(hidden_by(SIZE_MAX, SIZE_MAX), 0);
}

static void it_is_bound_to_role_and_delegation(void **state)
{
	struct fixture w;
	struct mf_tuf_key key = {.id = MF_STR("1"), .raw = MF_STR("{}")};
	const struct mf_tuf_key *keys[] = {&key};
	struct mf_str path = MF_STR("a/");
	struct mf_tuf_role up = {
	    .name = "targets/a", .threshold = 1, .keys = keys, .nkeys = 1, .paths = &path, .npaths = 1};
	struct mf_tuf_role role = up;
	struct mf_tuf_loaded top = {.role = "targets"},
			     parent = {.role = "targets/a", .delegation = &up, .parent = &top};
	struct mf_tuf_edge edge = {&parent, &role};
	struct mf_tuf_meta meta[3];
	struct mf_err err = MF_ERR_INIT;
	(void)state;
	begin(&w, 200);
	for (size_t i = 0; i < 3; i++)
		meta[i] = w.meta;
	meta[1].name = MF_STR("targets/a/b");
	meta[2].name = MF_STR("targets/a/c");
	role.name = "targets/a/b";
	free(w.snapshot->meta);
	w.snapshot->meta = calloc(3, sizeof *meta);
	memcpy(w.snapshot->meta, meta, sizeof meta);
	w.snapshot->nmeta = 3;
	struct mf_index *x = bind_as(&w, &edge);
	mf_buf_reset(&w.index);
	assert_int_equal(mf_index_write(x, w.file, &w.index, &err), MF_FOUND);
	mf_index_free(x);
#define AS(change, found)                                                                                    \
	do {                                                                                                 \
		struct mf_buf head MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);                       \
		change;                                                                                      \
		struct mf_index *as = bind_as(&w, &edge);                                                    \
		struct mf_index_source from = {read_at, &w};                                                 \
		assert_int_equal(mf_index_open(as, &from, &head, &err), found);                              \
		mf_index_free(as);                                                                           \
	} while (0)
	AS((void)0, MF_FOUND);
	assert_null(open_partial(&w)); /* as targets */
	AS(role.name = "targets/a/c", MF_ABSENT);
	AS(role.name = "targets/a/b", MF_FOUND);
	AS(role.threshold = 2, MF_ABSENT);
	AS(role.threshold = 1; role.nkeys = 0, MF_ABSENT);
	AS(role.nkeys = 1; role.npaths = 0, MF_ABSENT);
	AS(role.npaths = 1; path = MF_STR("b/"), MF_ABSENT);
	AS(path = MF_STR("a/"); role.hash_prefixes = &path; role.nhash_prefixes = 1, MF_ABSENT);
	AS(role.nhash_prefixes = 0; role.terminating = true, MF_ABSENT);
	AS(role.terminating = false; key.raw = MF_STR("{ }"), MF_ABSENT);
	AS(key.raw = MF_STR("{}"); key.id = MF_STR("2"), MF_ABSENT);
	AS(key.id = MF_STR("1"); up.threshold = 2, MF_ABSENT); /* the delegator's own */
	AS(up.threshold = 1, MF_FOUND);
	end(&w);
}

static void another_machine_makes_another_one(void **state)
{
	struct fixture w;
	struct mf_err err = MF_ERR_INIT;
	static const uint8_t other[MF_MAC] = {1, 2, 4};
	struct mf_buf head MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	(void)state;
	begin(&w, 200);
	struct mf_index *x = mf_index_new(&(struct mf_index_bound){{other, MF_MAC}, &w.set, NULL}, &err);
	struct mf_index_source from = {read_at, &w};
	assert_int_equal(mf_index_open(x, &from, &head, &err), MF_ABSENT);
	mf_index_free(x);
	end(&w);
}

/* A file with these names, and so much more that it is worth an index. */
static enum mf_found write_names(struct fixture *w, const char *const *names, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	begin(w, 200);
	char *targets = strstr(w->text.p, "\"targets\":{") + strlen("\"targets\":{");
	struct mf_buf text = MF_BUF_INIT(MF_MAX_TARGETS_BYTES);
	assert_int_equal(mf_buf_add(&text, w->text.p, (size_t)(targets - w->text.p), &err), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(mf_buf_printf(&text, &err, "\"%s\":{\"length\":%zu},", names[i], i), 0);
	assert_int_equal(mf_buf_addz(&text, targets, &err), 0);
	mf_buf_clear(&w->text);
	w->text = text;
	mf_tuf_file_free(w->file);
	w->file = parse(mf_buf_bytes(&w->text));
	mf_buf_reset(&w->index);
	return mf_index_write(w->x, w->file, &w->index, &err);
}

#define FIRST "0123456789abcdef"
#define REST "0123456789abcdef0123456789abcdef0123456789abcdef"

static void subjects_that_begin_alike_are_two(void **state)
{
	static const char *const names[] = {"note/sha256-" FIRST REST,
					    "sbom/sha256-" FIRST
					    "ffffffff0123456789abcdef0123456789abcdef01234567"};
	struct fixture w;
	struct mf_digest d;
	(void)state;
	assert_int_equal(write_names(&w, names, 2), MF_FOUND);
	struct mf_tuf_file *f = open_partial(&w);
	assert_non_null(f);
	for (size_t i = 0; i < 2; i++) {
		assert_true(mf_tuf_name_subject(mf_str_c(names[i]), &d));
		size_t from, to;
		assert_int_equal(find_in(&w, f, &d), MF_FOUND);
		mf_tuf_targets_of(f, &d, &from, &to);
		assert_int_equal(to - from, 1);
		assert_true(mf_str_eqz(mf_tuf_target_name(f, from).raw, names[i]));
	}
	d.b[31] ^= 1; /* one that has none */
	size_t from, to;
	assert_int_equal(find_in(&w, f, &d), MF_FOUND);
	mf_tuf_targets_of(f, &d, &from, &to);
	assert_int_equal(from, to);
	mf_tuf_file_free(f);
	end(&w);
}

static void a_veto_is_its_subjects(void **state)
{
	static const char *const names[] = {"note/sha256-" FIRST REST, "qa/veto-sha256-" FIRST REST ".note",
					    "qa/veto-sha256-" FIRST REST};
	struct fixture w;
	struct mf_digest d;
	size_t from, to;
	(void)state;
	assert_int_equal(write_names(&w, names, 3), MF_FOUND);
	struct mf_tuf_file *f = open_partial(&w);
	assert_true(mf_tuf_name_subject(mf_str_c(names[0]), &d));
	assert_int_equal(find_in(&w, f, &d), MF_FOUND);
	mf_tuf_targets_of(f, &d, &from, &to);
	assert_int_equal(to - from, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(mf_tuf_target_find(f, mf_str_c(names[i])) >= 0);
	mf_tuf_file_free(f);
	end(&w);
}

static void a_find_that_fails_leaves_nothing(void **state)
{
	struct fixture w;
	(void)state;
	begin(&w, 200);
	struct mf_digest d = subject_of(10), before = subject_of(11);
	char name[80] = "sbom/sha256-";
	mf_digest_hex(name + strlen(name), &d);
	struct mf_tuf_file *f = open_partial(&w);
	assert_int_equal(find_in(&w, f, &before), MF_FOUND);
	char *second = memmem(w.text.p, w.text.n, name, strlen(name));
	second[100] ^= 1;
	assert_int_equal(find_in(&w, f, &d), MF_ABSENT);
	assert_int_equal(f->ntargets, 1);
	assert_int_equal(f->nparts, 1);
	assert_null(mf_tuf_part_find(f, &d));
	mf_tuf_file_free(f);
	end(&w);
}

static void names_with_escapes_have_no_index(void **state)
{
	static const char *const plain[] = {"note/sha256-" FIRST REST};
	static const char *const escaped[] = {"n\\u006fte/sha256-" FIRST REST};
	struct fixture w;
	(void)state;
	assert_int_equal(write_names(&w, plain, 1), MF_FOUND);
	end(&w);
	assert_int_equal(write_names(&w, escaped, 1), MF_ABSENT);
	end(&w);
}

static void an_entry_that_is_too_large_has_none(void **state)
{
	static char name[MF_MAX_INDEX_ENTRY + 100];
	const char *const names[] = {name};
	struct fixture w;
	(void)state;
	memset(name, 'n', sizeof name - 1);
	assert_int_equal(write_names(&w, names, 1), MF_ABSENT);
	end(&w);
	name[MF_MAX_INDEX_ENTRY - 100] = 0;
	assert_int_equal(write_names(&w, names, 1), MF_FOUND);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_subject_has_the_entries_of_the_file),
	    cmocka_unit_test(no_octet_of_it_can_be_changed),
	    cmocka_unit_test(a_changed_entry_is_not_used),
	    cmocka_unit_test(it_is_bound_to_what_was_verified),
	    cmocka_unit_test(it_is_bound_to_role_and_delegation),
	    cmocka_unit_test(another_machine_makes_another_one),
	    cmocka_unit_test(a_page_counts_at_its_place_only),
	    cmocka_unit_test(a_page_that_is_left_out_is_missed),
	    cmocka_unit_test(subjects_that_begin_alike_are_two),
	    cmocka_unit_test(a_veto_is_its_subjects),
	    cmocka_unit_test(a_find_that_fails_leaves_nothing),
	    cmocka_unit_test(names_with_escapes_have_no_index),
	    cmocka_unit_test(an_entry_that_is_too_large_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
