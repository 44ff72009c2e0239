/* Listing a bucket: ListObjectsV2, page after page.
 *
 * The next page begins after the last key of the previous one (start-after); the store's continuation token
 * is ignored, because the keys are read here anyway. Keys are requested percent-encoded, so that they contain
 * nothing that XML would escape. */
#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "trust/bucket.h"

/* The text of the first element <tag> in `in`. */
static bool find_element(struct mf_str in, const char *tag, struct mf_str *out, struct mf_str *rest)
{
	char open[32], close[32];
	size_t n_open = (size_t)snprintf(open, sizeof open, "<%s>", tag);
	size_t n_close = (size_t)snprintf(close, sizeof close, "</%s>", tag);
	const char *at = in.n ? memmem(in.p, in.n, open, n_open) : NULL;
	if (!at)
		return false;
	at += n_open;
	size_t left = in.n - (size_t)(at - in.p);
	const char *end = left ? memmem(at, left, close, n_close) : NULL;
	if (!end)
		return false;
	*out = (struct mf_str){at, (size_t)(end - at)};
	if (rest)
		*rest = (struct mf_str){end + n_close, left - out->n - n_close};
	return true;
}

static int bad_page(const char *what, struct mf_err *err)
{
	return mf_fail(err, MF_E_REFUSED, 0, "the object store's list of objects %s", what);
}

static int read_size(struct mf_str text, uint64_t *out)
{
	uint64_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < '0' || text.p[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n))
			return -1;
	*out = n;
	return text.n ? 0 : -1;
}

/* For stores that do not percent-encode keys as requested (versitygw): decodes the entities of XML. */
static int decode_entities(struct mf_buf *out, struct mf_str text, struct mf_err *err)
{
	static const struct {
		struct mf_str entity;
		char c;
	} table[] = {{{"&amp;", 5}, '&'}, {{"&lt;", 4}, '<'},    {{"&gt;", 4}, '>'},  {{"&quot;", 6}, '"'},
		     {{"&#34;", 5}, '"'}, {{"&apos;", 6}, '\''}, {{"&#39;", 5}, '\''}};
	for (size_t i = 0; i < text.n;) {
		struct mf_str rest = {text.p + i, text.n - i};
		size_t k = 0, n = sizeof table / sizeof *table;
		while (*rest.p == '&' && k < n && !mf_str_starts(rest, table[k].entity))
			k++;
		if (k == n)
			return mf_fail(err, MF_E_FORMAT, 0, "an unknown entity");
		if (mf_buf_addc(out, *rest.p == '&' ? table[k].c : *rest.p, err) < 0)
			return -1;
		i += *rest.p == '&' ? table[k].entity.n : 1;
	}
	return 0;
}

struct page {
	struct mf_str base;
	bool percent; /* keys are percent-encoded */
	struct mf_listing *out;
	struct mf_buf *last;
};

/* Adds the object of one <Contents> element. */
static int add_object(const struct page *p, struct mf_str object, struct mf_err *err)
{
	struct mf_str key, size, changed;
	struct mf_stored f = {.name = NULL};
	struct mf_err why = MF_ERR_INIT;
	if (!find_element(object, "Key", &key, NULL) || !find_element(object, "Size", &size, NULL) ||
	    !find_element(object, "LastModified", &changed, NULL) || read_size(size, &f.size) < 0 ||
	    mf_time_parse(changed, &f.changed, &why) < 0)
		return bad_page("has an entry without key, size or time", err);
	mf_buf_reset(p->last);
	if ((p->percent ? mf_pct_decode : decode_entities)(p->last, key, &why) < 0 ||
	    memchr(mf_buf_str(p->last).p, 0, p->last->n))
		return mf_err_pass_ours(err, &why) < 0 ? -1 : bad_page("has a key that cannot be read", err);
	if (!mf_str_starts(mf_buf_str(p->last), p->base))
		return 0;
	f.name = mf_buf_str(p->last).p + p->base.n;
	return mf_listing_add(p->out, &f, err);
}

enum mf_found mf_s3_list_parse(struct mf_str xml, struct mf_str base, struct mf_listing *out,
			       struct mf_buf *last, struct mf_err *err)
{
	struct mf_str text, rest = xml;
	struct page p = {.base = base, .out = out, .last = last};
	if (!find_element(xml, "IsTruncated", &text, NULL))
		return (enum mf_found)bad_page("does not say whether it is complete", err);
	bool more = mf_str_eqz(text, "true");
	p.percent = find_element(xml, "EncodingType", &text, NULL) && mf_str_eqz(text, "url");
	while (find_element(rest, "Contents", &text, &rest))
		if (add_object(&p, text, err) < 0)
			return MF_FAILED;
	return more ? MF_FOUND : MF_ABSENT;
}

/* The form that is signed: parameters in this order, all but unreserved octets encoded. */
static int make_query(struct mf_buf *out, struct mf_str prefix, struct mf_str after, struct mf_err *err)
{
	mf_buf_reset(out);
	if (mf_buf_addz(out, "encoding-type=url&list-type=2&prefix=", err) < 0 ||
	    mf_pct_encode(out, prefix, "", err) < 0)
		return -1;
	if (!after.n)
		return 0;
	return mf_buf_addz(out, "&start-after=", err) < 0 ? -1 : mf_pct_encode(out, after, "", err);
}

static enum mf_found list_page(struct mf_bucket *b, struct mf_str query, struct mf_listing *out,
			       struct mf_buf *last, struct mf_err *err)
{
	struct mf_object_call *call MF_OBJECT_CLEANUP = NULL;
	struct mf_http_response *res;
	const struct mf_object_request get = {.method = "GET", .query = query, .max = MF_MAX_LIST_PAGE_BYTES};
	if (mf_object_begin(b, &get, &call, err) < 0)
		return MF_FAILED;
	enum mf_found found = mf_object_get(call, &res, err);
	if (found != MF_FOUND)
		return found;
	if (!out->now && res->date)
		out->now = res->date;
	return mf_s3_list_parse(mf_buf_str(&res->body), mf_str_c(b->prefix), out, last, err);
}

int mf_bucket_list(struct mf_bucket *b, struct mf_str prefix, struct mf_listing *out, struct mf_err *err)
{
	struct mf_buf query MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_URL), full MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			    last MF_BUF_CLEANUP = MF_BUF_INIT(4096),
			    before MF_BUF_CLEANUP = MF_BUF_INIT(4096);
	if (mf_buf_addz(&full, b->prefix, err) < 0 || mf_buf_add_str(&full, prefix, err) < 0)
		return -1;
	for (;;) {
		mf_buf_reset(&before);
		if (make_query(&query, mf_buf_str(&full), mf_buf_str(&last), err) < 0 ||
		    mf_buf_add_str(&before, mf_buf_str(&last), err) < 0)
			return -1;
		enum mf_found more = list_page(b, mf_buf_str(&query), out, &last, err);
		if (more != MF_FOUND)
			return more;
		if (mf_str_cmp(mf_buf_str(&last), mf_buf_str(&before)) <= 0)
			return bad_page("does not go on", err);
	}
}
