/* Reading tar files that anybody can have made: each row has one thing wrong. */
#include "tmpdir.h"

#include "base/limits.h"
#include "store/archive.h"

/* ---- making them */

struct row {
	const char *name;
	char type;           /* 0: a regular file */
	const char *content; /* or "" */
	const char *size;    /* the field, 12 octets at most; NULL: that of the content */
	const char *prefix;  /* or NULL */
	const char *magic;   /* NULL: ustar */
	bool wrong_sum;
};

static void number(char *p, size_t n, size_t v)
{
	for (p[--n] = 0; n--; v >>= 3)
		p[n] = (char)('0' + (v & 7));
}

static void sum(char h[512])
{
	unsigned v = 0;
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		v += (unsigned char)h[i];
	(void)snprintf(h + 148, 8, "%06o", v);
}

static void put_octets(struct mf_buf *b, const void *p, size_t n)
{
	struct mf_err err = MF_ERR_INIT;
	static const char zeros[512];
	assert_int_equal(mf_buf_add(b, p, n, &err), 0);
	assert_int_equal(mf_buf_add(b, zeros, (512 - n % 512) % 512, &err), 0);
}

static void put_row(struct mf_buf *b, const struct row *r)
{
	char h[512] = {0};
	const char *content = r->content ? r->content : "";
	memcpy(h, r->name, strnlen(r->name, 100));
	number(h + 100, 8, 0644);
	number(h + 124, 12, strlen(content));
	if (r->size)
		memcpy(h + 124, r->size, 12);
	h[156] = r->type ? r->type : '0';
	memcpy(h + 257,
	       r->magic ? r->magic
			: "ustar\0"
			  "00",
	       8);
	if (r->prefix)
		memcpy(h + 345, r->prefix, strlen(r->prefix));
	sum(h);
	h[148] ^= r->wrong_sum;
	put_octets(b, h, 512);
	put_octets(b, content, strlen(content));
}

static void put_end(struct mf_buf *b)
{
	static const char zeros[1024];
	put_octets(b, zeros, sizeof zeros);
}

static void store(void **state, const struct mf_buf *b)
{
	struct mf_err err = MF_ERR_INIT;
	assert_int_equal(mf_file_write(tmpdir_path(state, "a.tar"), mf_buf_bytes(b), 0644, &err), 0);
}

static struct mf_archive *open_stored(void **state, struct mf_err *err)
{
	struct mf_archive *a = NULL;
	return mf_archive_open(tmpdir_path(state, "a.tar"), &a, err) < 0 ? NULL : a;
}

#define MANY ((size_t)4 << 20)

static void stored_is_refused(void **state, const struct mf_buf *b, const char *what)
{
	struct mf_err err = MF_ERR_INIT;
	store(state, b);
	struct mf_archive *a = open_stored(state, &err);
	if (a || err.code != MF_E_FORMAT)
		fail_msg("%s: code %d (%s)", what, err.code, err.msg);
}

/* Good, then these, then good. */
static void rows_are_refused(void **state, const struct row *rows, size_t n)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "first", .content = "1"});
	for (size_t i = 0; i < n; i++)
		put_row(&b, &rows[i]);
	put_row(&b, &(struct row){.name = "last", .content = "2"});
	put_end(&b);
	stored_is_refused(state, &b, rows[0].name);
}

static void each_row_is_refused(void **state, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rows_are_refused(state, &rows[i], 1);
}

static void holds(const struct mf_archive *a, const char *name, const char *content)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	const struct mf_member *m = mf_archive_find(a, name);
	if (!m)
		fail_msg("no member '%s'", name);
	assert_int_equal(mf_archive_read(a, m, MANY, &b, &err), 0);
	assert_int_equal(b.n, strlen(content));
	assert_memory_equal(mf_buf_str(&b).p, content, b.n);
}

/* ---- good ones */

static void members_are_found_by_name_in_any_order(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "./", .type = '5'});
	put_row(&b, &(struct row){.name = "./z/y", .content = "last letter"});
	put_row(&b, &(struct row){.name = "a/", .type = '5'});
	put_row(&b, &(struct row){.name = "a/b", .content = ""});
	put_row(&b, &(struct row){.name = "base", .prefix = "pre/fix", .content = "split"});
	put_row(&b, &(struct row){.name = "gnu", .prefix = "12345", .magic = "ustar  ", .content = "GNU"});
	put_row(&b, &(struct row){.name = "m", .type = 0, .size = "       0002 ", .content = "ok"});
	put_row(&b, &(struct row){.name = "n", .size = "\x80\0\0\0\0\0\0\0\0\0\0\3", .content = "256"});
	put_end(&b);
	put_end(&b);
	store(state, &b);
	struct mf_archive *a MF_ARCHIVE_CLEANUP = open_stored(state, &err);
	assert_non_null(a);
	holds(a, "z/y", "last letter");
	holds(a, "a/b", "");
	holds(a, "pre/fix/base", "split");
	holds(a, "gnu", "GNU");
	holds(a, "m", "ok");
	holds(a, "n", "256");
	assert_null(mf_archive_find(a, "a"));
	assert_null(mf_archive_find(a, ""));
	assert_null(mf_archive_find(a, "./z/y"));
	const struct mf_member *m = mf_archive_find(a, "z/y");
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	assert_int_equal(mf_archive_read(a, m, 3, &out, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

static void extended_headers_give_name_and_size_to_the_next_member(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "g", .type = 'g', .content = "20 comment=whatever\n"});
	put_row(&b,
		&(struct row){.name = "x", .type = 'x', .content = "15 path=pax/on\n9 size=3\n11 mtime=1\n"});
	put_row(&b, &(struct row){.name = "short", .content = "pax"});
	put_row(&b, &(struct row){.name = "././@LongLink", .type = 'L', .content = "gnu/long"});
	put_row(&b, &(struct row){.name = "short", .content = "long"});
	put_row(&b, &(struct row){.name = "short", .content = "neither"});
	put_end(&b);
	store(state, &b);
	struct mf_archive *a MF_ARCHIVE_CLEANUP = open_stored(state, &err);
	assert_non_null(a);
	holds(a, "pax/on", "pax");
	holds(a, "gnu/long", "long");
	holds(a, "short", "neither");
}

static void what_is_written_is_read_and_is_always_the_same(void **state)
{
	char lengths[400];
	struct mf_digest first = {{0}}, d;
	uint64_t n;
	for (int round = 0; round < 2; round++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(MANY, &err);
		for (size_t length = 90; length < sizeof lengths; length++) {
			memset(lengths, 'n', sizeof lengths);
			for (size_t i = 7; i < length; i += 50)
				lengths[i] = '/';
			lengths[length - 1] = 'e';
			assert_int_equal(mf_archive_add(s, (struct mf_str){lengths, length},
							mf_bytes_of(MF_STR("content")), &err),
					 0);
		}
		assert_int_equal(mf_archive_finish(s, &err), 0);
		assert_int_equal(mf_spool_end(s, &d, &n, &err), 0);
		if (round)
			assert_true(mf_digest_eq(&first, &d));
		first = d;
		assert_int_equal(mf_spool_store(s, tmpdir_path(state, "a.tar"), 0644, MF_NO_SYNC, &err), 0);
		struct mf_archive *a MF_ARCHIVE_CLEANUP = open_stored(state, &err);
		if (!a)
			fail_msg("%s", err.msg);
		for (size_t length = 90; length < sizeof lengths; length++) {
			memset(lengths, 'n', sizeof lengths);
			for (size_t i = 7; i < length; i += 50)
				lengths[i] = '/';
			lengths[length - 1] = 'e';
			char *name MF_FREE = mf_str_dup((struct mf_str){lengths, length});
			holds(a, name, "content");
		}
	}
}

static void names_that_no_reader_takes_are_not_written(void **state)
{
	static const char *const names[] = {"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct mf_spool *s MF_SPOOL_CLEANUP = mf_spool_new(MANY, &err);
		assert_int_equal(mf_archive_add(s, mf_str_c(names[i]), mf_bytes_of(MF_STR("x")), &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
	}
}

/* ---- bad ones */

static void members_that_are_no_plain_files_are_refused(void **state)
{
	static const struct row rows[] = {{.name = "hard", .type = '1'},
					  {.name = "soft", .type = '2'},
					  {.name = "char", .type = '3'},
					  {.name = "block", .type = '4'},
					  {.name = "fifo", .type = '6'},
					  {.name = "volume", .type = 'V'},
					  {.name = "link", .type = 'K'},
					  {.name = "sparse", .type = 'S'},
					  {.name = "cont", .type = '7'},
					  {.name = "more", .type = 'M'},
					  {.name = "v7", .magic = "\0\0\0\0\0\0\0"}};
	each_row_is_refused(state, rows, sizeof rows / sizeof rows[0]);
}

static void names_that_lead_out_are_refused(void **state)
{
	static const struct row rows[] = {{.name = "/etc/passwd"},
					  {.name = "../a"},
					  {.name = "a/../../b"},
					  {.name = ".."},
					  {.name = "a/.."},
					  {.name = "."},
					  {.name = "./"},
					  {.name = ""},
					  {.name = "a//b"},
					  {.name = "a/./b"},
					  {.name = "a/"},
					  {.name = ".//a"},
					  {.name = "a", .prefix = "/"},
					  {.name = "a", .prefix = ".."},
					  {.name = "../", .type = '5'},
					  {.name = "/", .type = '5'},
					  {.name = "a/../", .type = '5'}};
	each_row_is_refused(state, rows, sizeof rows / sizeof rows[0]);
	static const struct row pax[] = {{.name = "x", .type = 'x', .content = "13 path=../a\n"},
					 {.name = "ok"}};
	rows_are_refused(state, pax, 2);
	static const struct row gnu[] = {{.name = "L", .type = 'L', .content = "/a"}, {.name = "ok"}};
	rows_are_refused(state, gnu, 2);
}

static void a_name_twice_is_refused(void **state)
{
	static const struct row rows[] = {{.name = "first"}, {.name = "./first"}, {.name = "last"}};
	each_row_is_refused(state, rows, sizeof rows / sizeof rows[0]);
}

static void claims_beyond_the_file_are_refused(void **state)
{
	static const struct row rows[] = {
	    {.name = "10 GiB", .size = "120000000000"},
	    {.name = "8 GiB", .size = "77777777777"},
	    {.name = "a block", .size = "00000010001"},
	    {.name = "8 EiB", .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"},
	    {.name = "16 EiB", .size = "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"},
	    {.name = "more", .size = "\x80\0\0\1\0\0\0\0\0\0\0\0"},
	    {.name = "negative", .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}};
	each_row_is_refused(state, rows, sizeof rows / sizeof rows[0]);
	static const struct row pax[] = {{.name = "x", .type = 'x', .content = "20 size=10737418240\n"},
					 {.name = "ok"}};
	rows_are_refused(state, pax, 2);
}

static void malformed_headers_are_refused(void **state)
{
	static const struct row rows[] = {{.name = "sum", .wrong_sum = true},
					  {.name = "no size", .size = "            "},
					  {.name = "empty size", .size = "\0\0\0\0\0\0\0\0\0\0\0"},
					  {.name = "decimal", .size = "00000000008"},
					  {.name = "sign", .size = "-0000000001"}};
	each_row_is_refused(state, rows, sizeof rows / sizeof rows[0]);
	static const char *const pax[] = {
	    "13 path=a\n", "path=abc\n", "9 path=a",  "10 path=a ",
	    "0 path=a\n",  "x path=a\n", "7 patha\n", "99999999999999999999 path=a\n",
	    "9 size=x\n",  "8 size=\n",  " path=a\n", "22 GNU.sparse.major=1\n",
	    "3 \n"};
	for (size_t i = 0; i < sizeof pax / sizeof pax[0]; i++) {
		const struct row two[] = {{.name = pax[i], .type = 'x', .content = pax[i]}, {.name = "ok"}};
		rows_are_refused(state, two, 2);
	}
	static const char *const global[] = {"10 path=a\n", "9 size=1\n"};
	for (size_t i = 0; i < 2; i++) {
		const struct row two[] = {{.name = global[i], .type = 'g', .content = global[i]},
					  {.name = "ok"}};
		rows_are_refused(state, two, 2);
	}
	static const char nul[] = "12 path=a";
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "x", .type = 'x', .content = "12 path=a_b\n"});
	b.p[512 + (sizeof nul - 1)] = 0;
	put_row(&b, &(struct row){.name = "ok"});
	put_end(&b);
	stored_is_refused(state, &b, "a name with a NUL byte");
}

static void a_name_beyond_the_limit_is_refused(void **state)
{
	char name[MF_MAX_ARCHIVE_NAME + 2];
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = 0;
	const struct row rows[] = {{.name = "L", .type = 'L', .content = name}, {.name = "ok"}};
	rows_are_refused(state, rows, 2);
}

static void more_members_than_the_limit_are_refused(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(((size_t)MF_MAX_ARCHIVE_MEMBERS + 8) * 512);
	for (unsigned i = 0; i < MF_MAX_ARCHIVE_MEMBERS; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "%u", i);
		put_row(&b, &(struct row){.name = name});
	}
	size_t most = b.n;
	put_end(&b);
	store(state, &b);
	struct mf_archive *a MF_ARCHIVE_CLEANUP = open_stored(state, &err);
	assert_non_null(a);
	mf_buf_cut(&b, most);
	put_row(&b, &(struct row){.name = "more"});
	put_end(&b);
	stored_is_refused(state, &b, "one member too many");
}

static void a_file_that_ends_too_early_is_refused(void **state)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	struct mf_err err = MF_ERR_INIT;
	put_row(&b, &(struct row){.name = "first", .content = "1"});
	put_row(&b, &(struct row){.name = "last", .content = "2"});
	put_end(&b);
	size_t whole = b.n;
	store(state, &b);
	struct mf_archive *a = open_stored(state, &err);
	assert_non_null(a);
	mf_archive_free(a);
	for (size_t n = 0; n < whole; n += n < 600 ? 37 : 171) {
		mf_buf_cut(&b, n);
		stored_is_refused(state, &b, "cut");
	}
}

static void what_stands_behind_the_end_is_refused(void **state)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "first", .content = "1"});
	put_end(&b);
	size_t end = b.n;
	put_row(&b, &(struct row){.name = "hidden"});
	put_end(&b);
	stored_is_refused(state, &b, "a member");
	mf_buf_cut(&b, end);
	put_octets(&b, "x", 1);
	stored_is_refused(state, &b, "an octet");
	mf_buf_cut(&b, end + 1);
	b.p[end] = 0;
	stored_is_refused(state, &b, "half a block");
	mf_buf_cut(&b, end);
	while (b.n <= end + MF_MAX_ARCHIVE_PADDING)
		put_end(&b);
	stored_is_refused(state, &b, "endless zeros");
	mf_buf_cut(&b, 1024);
	put_octets(&b, "\0", 1);
	put_row(&b, &(struct row){.name = "hidden"});
	put_end(&b);
	stored_is_refused(state, &b, "one block of zeros");
	mf_buf_reset(&b);
	put_row(&b, &(struct row){.name = "x", .type = 'x', .content = "10 path=a\n"});
	put_end(&b);
	stored_is_refused(state, &b, "a name for nothing");
}

static void compressed_files_are_named(void **state)
{
	static const struct {
		const char *octets, *name;
		size_t n;
	} rows[] = {{"\x1f\x8b\x08", "gzip", 3},
		    {"\x28\xb5\x2f\xfd", "zstd", 4},
		    {"\xfd"
		     "7zXZ",
		     "xz", 5},
		    {"BZh9", "bzip2", 4}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
		struct mf_err err = MF_ERR_INIT;
		put_octets(&b, rows[i].octets, rows[i].n);
		store(state, &b);
		assert_null(open_stored(state, &err));
		assert_int_equal(err.code, MF_E_FORMAT);
		assert_non_null(strstr(err.msg, rows[i].name));
	}
}

static void only_a_regular_file_is_opened(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_archive *a = NULL;
	assert_int_equal(mf_archive_open(tmpdir_path(state, "none"), &a, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	assert_int_equal(mf_archive_open(*state, &a, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	mf_err_clear(&err);
	assert_int_equal(mkfifo(tmpdir_path(state, "fifo"), 0600), 0);
	assert_int_equal(mf_archive_open(tmpdir_path(state, "fifo"), &a, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void a_file_that_shrinks_is_no_whole_member(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MANY), out MF_BUF_CLEANUP = MF_BUF_INIT(MANY);
	put_row(&b, &(struct row){.name = "first", .content = "content"});
	put_end(&b);
	store(state, &b);
	struct mf_archive *a MF_ARCHIVE_CLEANUP = open_stored(state, &err);
	assert_non_null(a);
	assert_int_equal(truncate(tmpdir_path(state, "a.tar"), 515), 0);
	assert_int_equal(mf_archive_read(a, mf_archive_find(a, "first"), MANY, &out, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(members_are_found_by_name_in_any_order),
	    tmpdir_test(extended_headers_give_name_and_size_to_the_next_member),
	    tmpdir_test(what_is_written_is_read_and_is_always_the_same),
	    tmpdir_test(names_that_no_reader_takes_are_not_written),
	    tmpdir_test(members_that_are_no_plain_files_are_refused),
	    tmpdir_test(names_that_lead_out_are_refused),
	    tmpdir_test(a_name_twice_is_refused),
	    tmpdir_test(claims_beyond_the_file_are_refused),
	    tmpdir_test(malformed_headers_are_refused),
	    tmpdir_test(a_name_beyond_the_limit_is_refused),
	    tmpdir_test(more_members_than_the_limit_are_refused),
	    tmpdir_test(a_file_that_ends_too_early_is_refused),
	    tmpdir_test(what_stands_behind_the_end_is_refused),
	    tmpdir_test(compressed_files_are_named),
	    tmpdir_test(only_a_regular_file_is_opened),
	    tmpdir_test(a_file_that_shrinks_is_no_whole_member),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
