#include "store/archive.h"

#include <errno.h>
#include <stdio.h>

#include "base/count.h"
#include "base/limits.h"
#include "store/temp.h"

#define BLOCK 512
#define WINDOW ((size_t)16 << 10)
#define CHUNK ((size_t)64 << 10)

/* POSIX.1-2017, pax, "ustar Interchange Format". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag, linkname[100];
	char magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

struct mf_archive {
	int fd;
	char *path;
	uint64_t length;
	struct entry {
		struct mf_member m;
		size_t name_at; /* offset into `names`, which may move when it grows */
	} *v;                   /* sorted by name */
	size_t n, cap;
	struct mf_buf names;
};

void mf_archive_free(struct mf_archive *a)
{
	if (!a)
		return;
	mf_fd_cleanup(&a->fd);
	mf_buf_clear(&a->names);
	free(a->v);
	free(a->path);
	free(a);
}

const char *mf_archive_path(const struct mf_archive *a)
{
	return a->path;
}

/* ---- reading octets of the file */

static int read_at(const struct mf_archive *a, uint64_t offset, void *p, size_t n, struct mf_err *err)
{
	size_t got = 0;
	while (got < n) {
		ssize_t k = pread(a->fd, (char *)p + got, n - got, (off_t)(offset + got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return mf_fail(err, MF_E_IO, errno, "read '%s'", a->path);
		if (k == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "'%s' became shorter while it was read", a->path);
		got += (size_t)k;
		mf_counts()->read += (uint64_t)k;
	}
	return 0;
}

/* The state of the walk over the headers. */
struct walk {
	struct mf_archive *a;
	uint64_t at;
	/* Octets that were read ahead, because most members are small. */
	uint64_t window_at;
	size_t window_n;
	char window[WINDOW];
	/* Values from extended headers (pax, GNU) for the next header. */
	struct mf_buf name;
	bool has_name, has_size;
	uint64_t size;
};

static int damaged(const struct walk *w, struct mf_err *err, const char *what)
{
	return mf_fail(err, MF_E_FORMAT, 0, "'%s' is not a usable tar file: %s at offset %llu", w->a->path,
		       what, (unsigned long long)w->at);
}

static int read_block(struct walk *w, uint64_t at, char out[BLOCK], struct mf_err *err)
{
	if (at > w->a->length || w->a->length - at < BLOCK)
		return damaged(w, err, "it ends too early");
	if (at < w->window_at || at + BLOCK > w->window_at + w->window_n) {
		uint64_t left = w->a->length - at;
		w->window_n = left < WINDOW ? (size_t)left : WINDOW;
		w->window_at = at;
		if (read_at(w->a, at, w->window, w->window_n, err) < 0)
			return -1;
	}
	memcpy(out, w->window + (at - w->window_at), BLOCK);
	return 0;
}

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* ---- numbers */

/* Reads octal digits that end with a blank or NUL, or GNU's form for large sizes: the highest bit set,
 * then a number in base 256. */
static bool read_number(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	if ((unsigned char)p[0] == 0x80) {
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return false;
			v = v << 8 | (unsigned char)p[i];
		}
		*out = v;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	size_t digits = i;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0'); /* 12 digits at most */
	*out = v;
	return i > digits && (i == n || p[i] == 0 || p[i] == ' ');
}

/* The sum of all octets of the header, with blanks in place of the checksum field. */
static unsigned checksum(const struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= offsetof(struct header, chksum) && i < offsetof(struct header, typeflag) ? ' '
												     : p[i];
	return sum;
}

/* ---- names */

/* Returns whether a name is relative and has no empty, "." or ".." segments. */
static bool is_plain(struct mf_str name)
{
	for (size_t at = 0; at <= name.n;) {
		const char *slash = memchr(name.p + at, '/', name.n - at);
		struct mf_str segment = {name.p + at, (slash ? (size_t)(slash - name.p) : name.n) - at};
		if (!segment.n || mf_str_eq(segment, MF_STR(".")) || mf_str_eq(segment, MF_STR("..")))
			return false;
		at += segment.n + 1;
	}
	return true;
}

static int set_name(struct walk *w, struct mf_str name, struct mf_err *err)
{
	mf_buf_reset(&w->name);
	w->has_name = true;
	if (name.n > MF_MAX_ARCHIVE_NAME || memchr(name.p, 0, name.n))
		return damaged(w, err, "a name is too long, or holds a NUL byte,");
	return mf_buf_add_str(&w->name, name, err);
}

static int own_name(struct walk *w, const struct header *h, struct mf_err *err)
{
	struct mf_str prefix = {h->prefix, strnlen(h->prefix, sizeof h->prefix)},
		      name = {h->name, strnlen(h->name, sizeof h->name)};
	if (w->has_name)
		return 0;
	mf_buf_reset(&w->name);
	/* In GNU's format the prefix field contains something else. */
	if (memcmp(h->magic, "ustar", 6) == 0 && prefix.n &&
	    (mf_buf_add_str(&w->name, prefix, err) < 0 || mf_buf_addc(&w->name, '/', err) < 0))
		return -1;
	return mf_buf_add_str(&w->name, name, err);
}

/* ---- extended headers, which come before the header of a member */

static int read_before(struct walk *w, uint64_t size, size_t max, struct mf_buf *out, struct mf_err *err)
{
	if (size > max)
		return damaged(w, err, "an extended header is too long");
	for (uint64_t at = w->at + BLOCK; size; at += BLOCK) {
		char block[BLOCK];
		size_t n = size < BLOCK ? (size_t)size : BLOCK;
		if (read_block(w, at, block, err) < 0 || mf_buf_add(out, block, n, err) < 0)
			return -1;
		size -= n;
	}
	return 0;
}

static bool read_decimal(struct mf_str s, uint64_t *out)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > MF_MAX_ARCHIVE_BYTES)
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*out = v;
	return s.n > 0;
}

/* Which members a pax header applies to. */
enum scope { THE_NEXT, ALL_MEMBERS };

static int pax_record(struct walk *w, struct mf_str key, struct mf_str value, enum scope scope,
		      struct mf_err *err)
{
	bool path = mf_str_eqz(key, "path"), size = mf_str_eqz(key, "size");
	if (mf_str_starts(key, MF_STR("GNU.sparse.")))
		return damaged(w, err, "a sparse file");
	if (scope == ALL_MEMBERS && (path || size))
		return damaged(w, err, "a name or size for all members");
	if (path)
		return set_name(w, value, err);
	if (!size)
		return 0;
	w->has_size = true;
	return read_decimal(value, &w->size) ? 0 : damaged(w, err, "a malformed size");
}

/* Reads the records of a pax header, "LENGTH KEY=VALUE\n" each; the length is that of the whole record. */
static int read_pax(struct walk *w, uint64_t size, enum scope scope, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PAX_BYTES);
	if (read_before(w, size, MF_MAX_PAX_BYTES, &text, err) < 0)
		return -1;
	for (struct mf_str left = mf_buf_str(&text); left.n;) {
		const char *blank = memchr(left.p, ' ', left.n);
		uint64_t n;
		if (!blank || !read_decimal((struct mf_str){left.p, (size_t)(blank - left.p)}, &n) ||
		    n > left.n || n < (size_t)(blank - left.p) + 4 || left.p[n - 1] != '\n')
			return damaged(w, err, "a malformed extended header");
		const char *key = blank + 1, *end = left.p + n - 1;
		const char *equals = memchr(key, '=', (size_t)(end - key));
		if (!equals)
			return damaged(w, err, "a malformed extended header");
		if (pax_record(w, (struct mf_str){key, (size_t)(equals - key)},
			       (struct mf_str){equals + 1, (size_t)(end - equals - 1)}, scope, err) < 0)
			return -1;
		left = (struct mf_str){left.p + n, left.n - (size_t)n};
	}
	return 0;
}

/* Reads GNU's long name, which ends with NUL. */
static int read_long_name(struct walk *w, uint64_t size, struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_ARCHIVE_NAME + 1);
	if (read_before(w, size, MF_MAX_ARCHIVE_NAME + 1, &text, err) < 0)
		return -1;
	struct mf_str name = mf_buf_str(&text);
	if (name.n && !name.p[name.n - 1])
		name.n--;
	return set_name(w, name, err);
}

/* ---- members */

enum kind { A_FILE, A_DIRECTORY };

/* Removes "./" at the start of a name and, of a directory, "/" at the end. */
static int plain_name(const struct walk *w, enum kind kind, struct mf_str *out, struct mf_err *err)
{
	struct mf_esc e;
	struct mf_str name = mf_buf_str(&w->name);
	while (mf_str_starts(name, MF_STR("./")))
		name = (struct mf_str){name.p + 2, name.n - 2};
	bool top = kind == A_DIRECTORY && (!name.n || mf_str_eq(name, MF_STR(".")));
	if (kind == A_DIRECTORY && mf_str_ends(name, MF_STR("/")))
		name.n--;
	*out = name;
	if (top || is_plain(name))
		return 0;
	return mf_fail(err, MF_E_FORMAT, 0, "'%s' has a member that is named '%s'", w->a->path,
		       mf_esc(&e, mf_buf_str(&w->name)));
}

static int add_member(struct walk *w, uint64_t size, struct mf_err *err)
{
	struct mf_archive *a = w->a;
	struct mf_str name;
	if (plain_name(w, A_FILE, &name, err) < 0)
		return -1;
	if (a->n == MF_MAX_ARCHIVE_MEMBERS)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' has more than %d members", a->path,
			       MF_MAX_ARCHIVE_MEMBERS);
	if (mf_grow((void **)&a->v, &a->cap, a->n, sizeof *a->v, err) < 0)
		return -1;
	a->v[a->n++] = (struct entry){{NULL, w->at + BLOCK, size}, a->names.n};
	return mf_buf_add(&a->names, name.p, name.n, err) < 0 ? -1 : mf_buf_addc(&a->names, 0, err);
}

static int refuse_type(const struct walk *w, const struct header *h, struct mf_err *err)
{
	static const struct {
		char type;
		const char *what;
	} known[] = {{'1', "a hard link"},  {'2', "a symbolic link"}, {'3', "a device"},
		     {'4', "a device"},     {'6', "a named pipe"},    {'K', "a link"},
		     {'S', "a sparse file"}};
	const char *what = "something that is neither a file nor a directory";
	struct mf_esc e;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i].type == h->typeflag)
			what = known[i].what;
	return mf_fail(err, MF_E_FORMAT, 0, "'%s' holds %s: '%s'", w->a->path, what,
		       mf_esc(&e, mf_buf_str(&w->name)));
}

/* Reads an extended header for the next one (returns 1), or a member (returns 0). */
static int read_member(struct walk *w, const struct header *h, uint64_t size, struct mf_err *err)
{
	switch (h->typeflag) {
	case 'x':
		return read_pax(w, size, THE_NEXT, err) < 0 ? -1 : 1;
	case 'g':
		return read_pax(w, size, ALL_MEMBERS, err) < 0 ? -1 : 1;
	case 'L':
		return read_long_name(w, size, err) < 0 ? -1 : 1;
	default:
		break;
	}
	if (own_name(w, h, err) < 0)
		return -1;
	if (h->typeflag == '0' || !h->typeflag)
		return add_member(w, size, err);
	struct mf_str ignored;
	return h->typeflag == '5' ? plain_name(w, A_DIRECTORY, &ignored, err) : refuse_type(w, h, err);
}

static int check_header(const struct walk *w, const struct header *h, uint64_t *size, struct mf_err *err)
{
	uint64_t sum;
	if (memcmp(h->magic, "ustar\0", 6) != 0 && memcmp(h->magic, "ustar ", 6) != 0)
		return damaged(w, err, "no header of a tar file");
	if (!read_number(h->chksum, sizeof h->chksum, &sum) || sum != checksum(h))
		return damaged(w, err, "a header with a wrong checksum");
	return read_number(h->size, sizeof h->size, size) ? 0 : damaged(w, err, "a malformed size");
}

static int next(struct walk *w, const struct header *h, struct mf_err *err)
{
	uint64_t size;
	if (check_header(w, h, &size, err) < 0)
		return -1;
	bool before = h->typeflag == 'x' || h->typeflag == 'g' || h->typeflag == 'L';
	if (w->has_size && !before)
		size = w->size;
	uint64_t room = w->a->length - w->at - BLOCK;
	if (size > room || size + (BLOCK - size % BLOCK) % BLOCK > room)
		return damaged(w, err, "a member that claims more than the file has");
	int rc = read_member(w, h, size, err);
	if (rc < 0)
		return -1;
	w->at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
	if (rc == 0)
		w->has_name = w->has_size = false;
	return 0;
}

/* After the first block of zeros only zeros may follow, with which tar fills its last record. */
static int check_end(struct walk *w, struct mf_err *err)
{
	char block[BLOCK];
	if (w->has_name || w->has_size)
		return damaged(w, err, "an extended header without a member");
	w->at += BLOCK;
	if (w->a->length - w->at > MF_MAX_ARCHIVE_PADDING)
		return damaged(w, err, "more than padding behind the end");
	for (; w->at < w->a->length; w->at += BLOCK) {
		if (read_block(w, w->at, block, err) < 0)
			return -1;
		if (!is_zero(block, BLOCK))
			return damaged(w, err, "octets behind the end");
	}
	return 0;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct entry *)x)->m.name, ((const struct entry *)y)->m.name);
}

static int sort(struct mf_archive *a, struct mf_err *err)
{
	struct mf_esc e;
	for (size_t i = 0; i < a->n; i++)
		a->v[i].m.name = a->names.p + a->v[i].name_at;
	if (a->n)
		qsort(a->v, a->n, sizeof *a->v, by_name);
	for (size_t i = 1; i < a->n; i++)
		if (strcmp(a->v[i - 1].m.name, a->v[i].m.name) == 0)
			return mf_fail(err, MF_E_FORMAT, 0, "'%s' holds '%s' twice", a->path,
				       mf_esc(&e, mf_str_c(a->v[i].m.name)));
	return 0;
}

static void walk_clear(struct walk *w)
{
	mf_buf_clear(&w->name);
}

static int read_headers(struct mf_archive *a, struct mf_err *err)
{
	struct walk w MF_CLEANUP(walk_clear) = {.a = a, .name = MF_BUF_INIT(MF_MAX_ARCHIVE_NAME + 256)};
	char second[BLOCK];
	for (;;) {
		struct header h;
		if (read_block(&w, w.at, (char *)&h, err) < 0)
			return -1;
		if (!is_zero((const char *)&h, BLOCK)) {
			if (next(&w, &h, err) < 0)
				return -1;
			continue;
		}
		/* The second block of zeros, which is mandatory, is also the first block of the padding. */
		if (read_block(&w, w.at + BLOCK, second, err) < 0 || check_end(&w, err) < 0)
			return -1;
		return sort(a, err);
	}
}

/* Members are read in place, so a compressed tar file, which other tools accept, is refused with advice. */
static int refuse_compressed(const struct mf_archive *a, struct mf_err *err)
{
	static const struct {
		const char *magic, *name, *command;
		size_t n;
	} known[] = {{"\x1f\x8b", "gzip", "gunzip", 2},
		     {"\x28\xb5\x2f\xfd", "zstd", "unzstd", 4},
		     {"\xfd\x37zXZ", "xz", "unxz", 5},
		     {"BZh", "bzip2", "bunzip2", 3}};
	char start[8] = "";
	size_t n = a->length < sizeof start ? (size_t)a->length : sizeof start;
	if (read_at(a, 0, start, n, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (memcmp(start, known[i].magic, known[i].n) != 0)
			continue;
		(void)mf_fail(err, MF_E_FORMAT, 0, "'%s' is compressed with %s: expected a plain tar file",
			      a->path, known[i].name);
		mf_err_set_hint(err, "run '%s FILE' first", known[i].command);
		return -1;
	}
	return 0;
}

int mf_archive_open(const char *path, struct mf_archive **out, struct mf_err *err)
{
	struct stat st;
	struct mf_archive *a MF_ARCHIVE_CLEANUP = mf_calloc(1, sizeof *a);
	if (!a)
		return mf_fail_nomem(err);
	mf_buf_init(&a->names, MF_MAX_ARCHIVE_NAMES);
	a->path = mf_str_dup(mf_str_c(path));
	a->fd = mf_fd_open(path, MF_ALLOW_REGULAR, MF_MAX_ARCHIVE_BYTES, &st, err);
	if (a->fd < 0)
		return err->code == MF_E_NOT_FOUND ? mf_recode(err, MF_E_USAGE) : -1;
	if (!a->path)
		return mf_fail_nomem(err);
	a->length = (uint64_t)st.st_size;
	if (refuse_compressed(a, err) < 0 || read_headers(a, err) < 0)
		return -1;
	*out = a;
	a = NULL;
	return 0;
}

/* ---- content */

const struct mf_member *mf_archive_find(const struct mf_archive *a, const char *name)
{
	struct entry key = {.m = {.name = name}};
	const struct entry *found = a->n ? bsearch(&key, a->v, a->n, sizeof *a->v, by_name) : NULL;
	return found ? &found->m : NULL;
}

int mf_archive_read(const struct mf_archive *a, const struct mf_member *m, size_t max, struct mf_buf *out,
		    struct mf_err *err)
{
	if (m->size > max)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' in '%s' is larger than %zu bytes", m->name, a->path,
			       max);
	size_t n = (size_t)m->size;
	if (mf_buf_reserve(out, n, err) < 0 || read_at(a, m->offset, out->p + out->n, n, err) < 0)
		return -1;
	out->n += n;
	out->p[out->n] = 0;
	return 0;
}

int mf_archive_copy(const struct mf_archive *a, const struct mf_member *m, struct mf_spool *out,
		    struct mf_err *err)
{
	char *chunk MF_FREE = malloc(CHUNK);
	if (!chunk)
		return mf_fail_nomem(err);
	for (uint64_t at = 0; at < m->size;) {
		size_t n = m->size - at < CHUNK ? (size_t)(m->size - at) : CHUNK;
		if (read_at(a, m->offset + at, chunk, n, err) < 0 || mf_spool_add(out, chunk, n, err) < 0)
			return -1;
		at += n;
	}
	return 0;
}

/* ---- writing */

static void put_number(char *p, size_t n, uint64_t v)
{
	p[--n] = 0;
	while (n--) {
		p[n] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

/* Splits a name into the two fields of ustar; false: it does not fit. */
static bool put_name(struct header *h, struct mf_str name)
{
	if (name.n <= sizeof h->name) {
		memcpy(h->name, name.p, name.n);
		return true;
	}
	for (size_t i = name.n - sizeof h->name - 1; i < name.n && i <= sizeof h->prefix; i++)
		if (name.p[i] == '/' && i > 0 && i + 1 < name.n) {
			memcpy(h->prefix, name.p, i);
			memcpy(h->name, name.p + i + 1, name.n - i - 1);
			return true;
		}
	return false;
}

static int put_header(struct mf_spool *out, struct header *h, char type, uint64_t size, struct mf_err *err)
{
	put_number(h->mode, sizeof h->mode, 0644);
	put_number(h->uid, sizeof h->uid, 0);
	put_number(h->gid, sizeof h->gid, 0);
	put_number(h->size, sizeof h->size, size);
	put_number(h->mtime, sizeof h->mtime, 0);
	put_number(h->devmajor, sizeof h->devmajor, 0);
	put_number(h->devminor, sizeof h->devminor, 0);
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	h->typeflag = type;
	put_number(h->chksum, sizeof h->chksum - 1, checksum(h));
	h->chksum[sizeof h->chksum - 1] = ' ';
	return mf_spool_add(out, h, sizeof *h, err);
}

int mf_archive_end_member(struct mf_spool *out, uint64_t size, struct mf_err *err)
{
	static const char zeros[BLOCK];
	return mf_spool_add(out, zeros, (BLOCK - size % BLOCK) % BLOCK, err);
}

/* Writes a pax header with a name that is too long for ustar. */
static int put_long_name(struct mf_spool *out, struct mf_str name, struct mf_err *err)
{
	struct header h = {.name = "pax-header"};
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_PAX_BYTES);
	/* The length includes its own digits. */
	size_t n = strlen(" path=\n") + name.n;
	size_t digits = 1;
	for (size_t power = 10; n + digits >= power; power *= 10)
		digits++;
	if (mf_buf_printf(&text, err, "%zu path=%.*s\n", n + digits, MF_STR_ARG(name)) < 0 ||
	    put_header(out, &h, 'x', text.n, err) < 0 || mf_spool_add(out, text.p, text.n, err) < 0)
		return -1;
	return mf_archive_end_member(out, text.n, err);
}

int mf_archive_begin_member(struct mf_spool *out, struct mf_str name, uint64_t size, struct mf_err *err)
{
	struct header h = {.typeflag = '0'};
	struct mf_esc e;
	if (!is_plain(name) || name.n > MF_MAX_ARCHIVE_NAME || size > MF_MAX_BLOB_BYTES)
		return mf_fail(err, MF_E_FORMAT, 0, "'%s' with %llu bytes cannot be written to a tar file",
			       mf_esc(&e, name), (unsigned long long)size);
	if (!put_name(&h, name)) {
		if (put_long_name(out, name, err) < 0)
			return -1;
		memcpy(h.name, name.p, sizeof h.name);
	}
	return put_header(out, &h, '0', size, err);
}

int mf_archive_add(struct mf_spool *out, struct mf_str name, struct mf_bytes bytes, struct mf_err *err)
{
	if (mf_archive_begin_member(out, name, bytes.n, err) < 0 ||
	    mf_spool_add(out, bytes.p, bytes.n, err) < 0)
		return -1;
	return mf_archive_end_member(out, bytes.n, err);
}

int mf_archive_finish(struct mf_spool *out, struct mf_err *err)
{
	static const char zeros[2 * BLOCK];
	return mf_spool_add(out, zeros, sizeof zeros, err);
}
