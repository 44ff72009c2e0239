#include "record/record.h"

#include <strings.h>

#include "base/encode.h"
#include "base/limits.h"

/* ---- names */

static bool alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool type_valid(struct mf_str t)
{
	if (t.n == 0 || t.n > MF_MAX_TYPE || !alnum(t.p[0]) || !alnum(t.p[t.n - 1]))
		return false;
	for (size_t i = 1; i + 1 < t.n; i++) {
		bool sep = t.p[i] == '.' || t.p[i] == '_' || t.p[i] == '-';
		if (!alnum(t.p[i]) && !(sep && alnum(t.p[i - 1])))
			return false;
	}
	return true;
}

int mf_record_type_check(struct mf_str type, struct mf_err *err)
{
	struct mf_esc e;
	if (type_valid(type))
		return 0;
	return mf_fail(err, MF_E_USAGE, 0,
		       "invalid record type '%s': expected lower-case letters and digits, joined by '.', '_' "
		       "or '-', at most %d characters",
		       mf_esc(&e, type), MF_MAX_TYPE);
}

int mf_record_name(struct mf_buf *out, struct mf_str type, const struct mf_digest *subject,
		   struct mf_err *err)
{
	char hex[65];
	mf_digest_hex(hex, subject);
	return mf_buf_printf(out, err, "%.*s/sha256-%s", MF_STR_ARG(type), hex);
}

bool mf_record_name_parse(struct mf_str name, struct mf_str *type, struct mf_digest *subject)
{
	struct mf_str middle = MF_STR("/sha256-");
	size_t tail = middle.n + 64;
	if (name.n <= tail)
		return false;
	struct mf_str t = {name.p, name.n - tail}, m = {name.p + t.n, middle.n}, hex = {m.p + m.n, 64};
	if (!mf_str_eq(m, middle) || !type_valid(t) || mf_hex_decode(subject->b, 32, hex) < 0)
		return false;
	*type = t;
	return true;
}

#define VETO "veto-sha256-"

int mf_veto_name(struct mf_buf *out, struct mf_str own, struct mf_str type, const struct mf_digest *subject,
		 struct mf_err *err)
{
	char hex[65];
	bool all = mf_str_eqz(type, MF_VETO_ALL);
	mf_digest_hex(hex, subject);
	return mf_buf_printf(out, err, "%.*s/" VETO "%s%s%.*s", MF_STR_ARG(own), hex, all ? "" : ".",
			     all ? 0 : (int)type.n, type.p);
}

bool mf_veto_name_parse(struct mf_str name, struct mf_str *own, struct mf_str *type,
			struct mf_digest *subject)
{
	const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	if (!slash)
		return false;
	struct mf_str o = {name.p, (size_t)(slash - name.p)}, rest = {slash + 1, name.n - o.n - 1}, t;
	const size_t fixed = strlen(VETO) + 64;
	if (!type_valid(o) || rest.n < fixed || !mf_str_starts(rest, MF_STR(VETO)) ||
	    mf_hex_decode(subject->b, 32, (struct mf_str){rest.p + strlen(VETO), 64}) < 0)
		return false;
	t = (struct mf_str){rest.p + fixed, rest.n - fixed};
	if (t.n && (t.p[0] != '.' || !type_valid((struct mf_str){t.p + 1, t.n - 1})))
		return false;
	*own = o;
	*type = t.n ? (struct mf_str){t.p + 1, t.n - 1} : MF_STR(MF_VETO_ALL);
	return true;
}

/* ---- free text: percent-encoded where signed JSON must not hold it */

static bool plain_at(struct mf_str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	if (c < 0x20 || c == 0x7f || strchr("<>&%", c))
		return false;
	/* U+2028 and U+2029 (E2 80 A8, E2 80 A9), and the C1 controls (C2 80 to C2 9F) */
	if (c == 0xe2 && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0x80 &&
	    ((unsigned char)s.p[i + 2] | 1) == 0xa9)
		return false;
	if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)
		return false;
	return true;
}

static size_t sequence(unsigned char c)
{
	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static int text_encode(struct mf_buf *out, struct mf_str s, struct mf_err *err)
{
	for (size_t i = 0; i < s.n;) {
		size_t n = sequence((unsigned char)s.p[i]);
		bool plain = plain_at(s, i);
		for (size_t j = 0; j < n && i < s.n; j++, i++)
			if (plain ? mf_buf_addc(out, s.p[i], err) < 0
				  : mf_buf_printf(out, err, "%%%02X", (unsigned)(unsigned char)s.p[i]) < 0)
				return -1;
	}
	return 0;
}

json_t *mf_record_text_json(const char *what, struct mf_str s, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	if (text_encode(&b, s, err) < 0) {
		if (err->code != MF_E_NOMEM) {
			(void)mf_recode(err, MF_E_USAGE);
			(void)mf_wrap(err, "%s is too long", what);
		}
		return NULL;
	}
	json_t *j = json_stringn(mf_buf_str(&b).p, b.n);
	struct mf_buf quoted MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	/* jansson returned no string: out of memory, or not UTF-8, which mf_json_quote reports. */
	if (!j && (mf_json_quote(mf_buf_str(&b), &quoted, err) == 0 || err->code == MF_E_NOMEM)) {
		if (!err->code)
			(void)mf_fail_nomem(err);
	} else if (!j) {
		(void)mf_recode(err, MF_E_USAGE);
		(void)mf_wrap(err, "%s is not UTF-8 text", what);
	}
	return j;
}

/* Text that cannot be decoded is displayed unchanged. */
char *mf_record_text_decode(const char *text)
{
	struct mf_err ignored = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES);
	if (mf_pct_decode(&b, mf_str_c(text), &ignored) < 0 && ignored.code == MF_E_NOMEM)
		return NULL;
	if (ignored.code || memchr(mf_buf_str(&b).p, 0, b.n))
		return mf_str_dup(mf_str_c(text));
	return mf_buf_take(&b);
}

/* ---- parsing */

void mf_record_clear(struct mf_record *r)
{
	json_decref(r->tree);
	free(r->media_type);
	free(r->author);
	free(r->reason);
	free(r->sigs);
	mf_buf_clear(&r->sig_bytes);
	*r = (struct mf_record){0};
}

static int get_time(const json_t *o, const char *name, int64_t *out, bool *has, struct mf_err *err)
{
	const char *text = NULL;
	if (mf_json_get_str(o, name, MF_JSON_OPTIONAL, &text, err) < 0)
		return -1;
	*has = text != NULL;
	return text && mf_time_parse(mf_str_c(text), out, err) < 0 ? mf_wrap(err, "'%s'", name) : 0;
}

static int get_text(const json_t *o, const char *name, char **out, struct mf_err *err)
{
	const char *text = NULL;
	if (mf_json_get_str(o, name, MF_JSON_OPTIONAL, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	*out = mf_record_text_decode(text);
	return *out ? 0 : mf_fail_nomem(err);
}

/* May `crit` list this member? It may list those that this version acts on. */
static bool is_known(const json_t *name)
{
	static const char *const known[] = {"created", "mediaType", "author",   "reason", "annotations",
					    "expires", "withdrawn", "artifact", "sigs"};
	struct mf_str text = {json_string_value(name), json_string_length(name)};
	for (size_t i = 0; text.p && i < sizeof known / sizeof known[0]; i++)
		if (mf_str_eqz(text, known[i]))
			return true;
	return false;
}

static int check_crit(const json_t *tree, struct mf_err *err)
{
	json_t *crit = NULL;
	if (mf_json_get_arr(tree, "crit", MF_JSON_OPTIONAL, &crit, err) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(crit); i++) {
		const json_t *item = json_array_get(crit, i);
		struct mf_str text = json_is_string(item)
					 ? (struct mf_str){json_string_value(item), json_string_length(item)}
					 : MF_STR("?");
		struct mf_esc e;
		if (!is_known(item))
			return mf_fail(err, MF_E_FORMAT, 0,
				       "the record requires '%s', which this version does not support",
				       mf_esc(&e, text));
	}
	return 0;
}

/* `annotations`, if present, must be an object of strings. */
static int check_annotations(const json_t *tree, struct mf_err *err)
{
	json_t *annotations = NULL;
	const char *key, *text;
	json_t *value;
	if (mf_json_get_obj(tree, "annotations", MF_JSON_OPTIONAL, &annotations, err) < 0)
		return -1;
	json_object_foreach(annotations, key, value)
	{
		if (mf_json_get_str(annotations, key, MF_JSON_REQUIRED, &text, err) < 0)
			return mf_wrap(err, "'annotations'");
	}
	return 0;
}

static int parse_sig(struct mf_record *r, const json_t *item, struct mf_err *err)
{
	const char *fp = NULL, *sig = NULL;
	struct mf_record_sig *s = &r->sigs[r->nsigs];
	if (mf_json_get_str(item, "fp", MF_JSON_REQUIRED, &fp, err) < 0 ||
	    mf_json_get_str(item, "sig", MF_JSON_REQUIRED, &sig, err) < 0)
		return -1;
	if (mf_hex_decode(s->fingerprint.b, 32, mf_str_c(fp)) < 0)
		return mf_fail(err, MF_E_FORMAT, 0, "fingerprint of a record signature");
	size_t at = r->sig_bytes.n;
	if (mf_b64_decode(&r->sig_bytes, mf_str_c(sig), err) < 0)
		return -1;
	s->sig = (struct mf_bytes){(const uint8_t *)r->sig_bytes.p + at, r->sig_bytes.n - at};
	r->nsigs++;
	return 0;
}

static int parse_sigs(struct mf_record *r, const json_t *holder, struct mf_err *err)
{
	json_t *sigs = NULL, *item;
	size_t i;
	if (mf_json_get_arr(holder, "sigs", MF_JSON_OPTIONAL, &sigs, err) < 0)
		return -1;
	size_t n = json_array_size(sigs);
	if (n > MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_FORMAT, 0, "more than %d record signatures", MF_MAX_SIGNATURES);
	size_t length = 0;
	json_array_foreach(sigs, i, item) length += json_string_length(json_object_get(item, "sig"));
	r->sigs = mf_calloc(n, sizeof *r->sigs);
	mf_buf_init(&r->sig_bytes, MF_MAX_CUSTOM_BYTES);
	/* Room for all is reserved now, because the slices must not move. Base64 text is longer than what it
	 * encodes. */
	if (!r->sigs || mf_buf_reserve(&r->sig_bytes, length, err) < 0)
		return r->sigs ? -1 : mf_fail_nomem(err);
	json_array_foreach(sigs, i, item) if (parse_sig(r, item, err) <
					      0) return mf_wrap(err, "record signature %zu", i + 1);
	return 0;
}

/* Reads the member `veto`. Only vetoes use it: in a record any value is ignored. */
static void parse_veto(struct mf_record *r)
{
	struct mf_err ignored = MF_ERR_INIT;
	const json_t *veto = json_object_get(r->tree, "veto");
	const char *subject = json_string_value(json_object_get(veto, "subject"));
	const char *type = json_string_value(json_object_get(veto, "type"));
	if (subject && mf_digest_parse(&r->veto_subject, mf_str_c(subject), &ignored) == 0)
		r->veto_type = type;
}

static int parse_tree(struct mf_record *r, const json_t *sigs_of, struct mf_err *err)
{
	int64_t v;
	const char *artifact = NULL;
	if (mf_json_get_int(r->tree, "v", MF_JSON_REQUIRED, 1, MF_MAX_VERSION, &v, err) < 0)
		return -1;
	if (v > 1)
		return mf_fail(err, MF_E_FORMAT, 0, "record format %lld is newer than this program",
			       (long long)v);
	if (check_crit(r->tree, err) < 0 || check_annotations(r->tree, err) < 0 ||
	    get_time(r->tree, "created", &r->created, &r->has_created, err) < 0 ||
	    get_time(r->tree, "expires", &r->expires, &r->has_expires, err) < 0 ||
	    get_text(r->tree, "mediaType", &r->media_type, err) < 0 ||
	    get_text(r->tree, "author", &r->author, err) < 0 ||
	    get_text(r->tree, "reason", &r->reason, err) < 0 ||
	    mf_json_get_str(r->tree, "artifact", MF_JSON_OPTIONAL, &artifact, err) < 0)
		return -1;
	/* Whatever its value is: a record with the member "withdrawn" is not current. */
	r->withdrawn = json_object_get(r->tree, "withdrawn") != NULL ||
		       (r->media_type && strcasecmp(r->media_type, MF_MT_WITHDRAWN) == 0);
	r->withdrew = r->withdrawn ? json_object_get(r->tree, "withdrawn") : NULL;
	if (!json_is_array(r->withdrew))
		r->withdrew = NULL;
	if (artifact && mf_digest_parse(&r->artifact, mf_str_c(artifact), err) < 0)
		return mf_wrap(err, "'artifact'");
	r->has_artifact = artifact != NULL;
	parse_veto(r);
	return parse_sigs(r, sigs_of, err);
}

int mf_record_from_tree(struct mf_record *out, json_t *tree, const json_t *sigs_of, struct mf_err *err)
{
	struct mf_record r MF_RECORD_CLEANUP = {.tree = json_incref(tree)};
	if (parse_tree(&r, sigs_of, err) < 0)
		return -1;
	*out = r;
	r = (struct mf_record){0};
	return 0;
}

enum mf_found mf_record_parse(struct mf_record *out, struct mf_str custom, struct mf_err *err)
{
	struct mf_json_reader rd MF_JSON_READER_CLEANUP;
	struct mf_json_string name;
	enum mf_json_type type;
	struct mf_str ours = {0};
	int more;
	mf_json_reader_init(&rd, mf_bytes_of(custom));
	if (custom.n == 0)
		return MF_ABSENT;
	if (mf_json_peek(&rd, &type, err) < 0)
		return MF_FAILED;
	if (type != MF_JSON_OBJECT)
		return MF_ABSENT;
	if (mf_json_object(&rd, err) < 0)
		return MF_FAILED;
	while ((more = mf_json_object_next(&rd, &name, err)) > 0) {
		struct mf_str value;
		if (mf_json_skip(&rd, &value, err) < 0)
			return MF_FAILED;
		if (mf_json_string_eq(name, "manifesto"))
			ours = value;
	}
	if (more < 0)
		return MF_FAILED;
	if (!ours.n)
		return MF_ABSENT;
	json_t *tree MF_JSON_CLEANUP = mf_json_load(mf_bytes_of(ours), MF_MAX_CUSTOM_BYTES, err);
	if (!tree || mf_record_from_tree(out, tree, tree, err) < 0)
		return mf_wrap(err, "custom.manifesto");
	return MF_FOUND;
}

/* ---- making */

static int put_json(json_t *o, const char *name, json_t *value, struct mf_err *err)
{
	if (!value)
		return err->code ? -1 : mf_fail_nomem(err);
	return json_object_set_new(o, name, value) < 0 ? mf_fail_nomem(err) : 0;
}

static int put_time(json_t *o, const char *name, int64_t t, struct mf_err *err)
{
	char text[MF_TIME_LEN];
	if (!t)
		return 0;
	mf_time_format(text, t);
	return put_json(o, name, json_string(text), err);
}

static int put_text(json_t *o, const char *name, const char *text, struct mf_err *err)
{
	return text ? put_json(o, name, mf_record_text_json(name, mf_str_c(text), err), err) : 0;
}

static int put_annotations(json_t *o, const char *const *list, struct mf_err *err)
{
	if (!list || !list[0])
		return 0;
	json_t *a MF_JSON_CLEANUP = json_object();
	for (; a && *list; list++) {
		const char *eq = strchr(*list, '=');
		struct mf_esc e;
		if (!eq || eq == *list)
			return mf_fail(err, MF_E_USAGE, 0, "annotation '%s' is not KEY=VALUE",
				       mf_esc(&e, mf_str_c(*list)));
		json_t *key MF_JSON_CLEANUP =
		    mf_record_text_json("annotation", (struct mf_str){*list, (size_t)(eq - *list)}, err);
		if (!key)
			return -1;
		if (json_object_get(a, json_string_value(key)))
			return mf_fail(err, MF_E_USAGE, 0, "annotation '%s' is given twice",
				       mf_esc(&e, mf_str_c(*list)));
		if (put_json(a, json_string_value(key),
			     mf_record_text_json("annotation", mf_str_c(eq + 1), err), err) < 0)
			return -1;
	}
	return put_json(o, "annotations", json_incref(a), err);
}

static int put_digest(json_t *o, const char *name, const struct mf_digest *d, struct mf_err *err)
{
	char digest[MF_DIGEST_TEXT];
	mf_digest_format(digest, d);
	return put_json(o, name, json_string(digest), err);
}

static int put_digests(json_t *o, const char *name, const struct mf_digest *d, size_t n, struct mf_err *err)
{
	json_t *a MF_JSON_CLEANUP = json_array();
	for (size_t i = 0; a && i < n; i++) {
		char digest[MF_DIGEST_TEXT];
		mf_digest_format(digest, &d[i]);
		if (json_array_append_new(a, json_string(digest)) < 0)
			return mf_fail_nomem(err);
	}
	return put_json(o, name, json_incref(a), err);
}

static int put_veto(json_t *o, const char *type, const struct mf_digest *subject, struct mf_err *err)
{
	json_t *veto MF_JSON_CLEANUP = json_object();
	if (!veto)
		return mf_fail_nomem(err);
	if (put_json(veto, "type", json_string(type), err) < 0 ||
	    put_digest(veto, "subject", subject, err) < 0)
		return -1;
	return put_json(o, "veto", json_incref(veto), err);
}

json_t *mf_record_make(const struct mf_record_fields *f, struct mf_err *err)
{
	json_t *o MF_JSON_CLEANUP = json_object();
	if (!o || put_json(o, "v", json_integer(1), err) < 0 || put_time(o, "created", f->created, err) < 0 ||
	    put_time(o, "expires", f->expires, err) < 0 || put_text(o, "mediaType", f->media_type, err) < 0 ||
	    put_text(o, "author", f->author, err) < 0 || put_text(o, "reason", f->reason, err) < 0 ||
	    put_annotations(o, f->annotations, err) < 0) {
		if (!err->code)
			(void)mf_fail_nomem(err);
		return NULL;
	}
	if (f->veto_type && put_veto(o, f->veto_type, f->veto_subject, err) < 0)
		return NULL;
	if ((f->artifact && put_digest(o, "artifact", f->artifact, err) < 0) ||
	    (f->withdrawn && put_digests(o, "withdrawn", f->withdrew, f->nwithdrew, err) < 0))
		return NULL;
	struct mf_buf size MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES / 2);
	if (mf_json_dump_canonical(o, &size, err) < 0) {
		if (err->code != MF_E_FORMAT)
			return NULL;
		(void)mf_recode(err, MF_E_USAGE);
		(void)mf_wrap(err, "author, reason and annotations are too long");
		return NULL;
	}
	return json_incref(o);
}

int mf_tombstone_build(struct mf_buf *out, const struct mf_tombstone *t, struct mf_err *err)
{
	char hex[65];
	json_t *o MF_JSON_CLEANUP = json_object();
	if (!t->reason || !t->reason[strspn(t->reason, " \t\r\n")])
		return mf_fail(err, MF_E_USAGE, 0, "a withdrawal requires a reason");
	mf_digest_hex(hex, t->signer);
	if (!o)
		return mf_fail_nomem(err);
	if (put_json(o, "v", json_integer(1), err) < 0 ||
	    put_json(o, "type", json_string(t->type), err) < 0 ||
	    put_json(o, "role", json_string(t->role), err) < 0 ||
	    put_digest(o, "subject", t->subject, err) < 0 ||
	    put_json(o, "signer", json_string(hex), err) < 0 || put_text(o, "reason", t->reason, err) < 0 ||
	    put_text(o, "author", t->author, err) < 0 || put_time(o, "when", t->when, err) < 0 ||
	    put_digests(o, "withdrawn", t->withdrew, t->nwithdrew, err) < 0)
		return -1;
	return mf_json_dump_canonical(o, out, err);
}

int mf_record_payload(struct mf_buf *out, const struct mf_record_binding *b, json_t *tree, struct mf_err *err)
{
	char hex[65];
	json_t *copy MF_JSON_CLEANUP = mf_json_copy(tree, err);
	if (!copy)
		return -1;
	(void)json_object_del(copy, "sigs");
	mf_digest_hex(hex, &b->sha256);
	if (mf_buf_addz(out, "manifesto record v1\n", err) < 0 ||
	    mf_buf_printf(out, err, "{\"hashes\":{\"sha256\":\"%s\"},\"length\":%llu,\"manifesto\":", hex,
			  (unsigned long long)b->length) < 0 ||
	    mf_json_dump_canonical(copy, out, err) < 0 || mf_buf_addz(out, ",\"name\":", err) < 0 ||
	    mf_json_quote(b->name, out, err) < 0 || mf_buf_addz(out, ",\"repository\":", err) < 0 ||
	    mf_json_quote(mf_str_c(b->repository), out, err) < 0)
		return -1;
	return mf_buf_addc(out, '}', err);
}

int mf_record_add_sig(json_t *tree, const struct mf_digest *fingerprint, struct mf_bytes sig,
		      struct mf_err *err)
{
	char hex[65];
	struct mf_buf b64 MF_BUF_CLEANUP = MF_BUF_INIT(8192);
	mf_digest_hex(hex, fingerprint);
	if (mf_b64_encode(&b64, sig, err) < 0)
		return -1;
	json_t *sigs = json_object_get(tree, "sigs");
	if (!sigs) {
		if (put_json(tree, "sigs", json_array(), err) < 0)
			return -1;
		sigs = json_object_get(tree, "sigs");
	}
	for (size_t i = json_array_size(sigs); i-- > 0;) {
		const char *fp = json_string_value(json_object_get(json_array_get(sigs, i), "fp"));
		if (fp && strcmp(fp, hex) == 0)
			(void)json_array_remove(sigs, i);
	}
	if (json_array_size(sigs) >= MF_MAX_SIGNATURES)
		return mf_fail(err, MF_E_USAGE, 0,
			       "the record has %d signatures already, and cannot have more",
			       MF_MAX_SIGNATURES);
	json_t *one = json_pack("{s:s,s:s}", "fp", hex, "sig", b64.p);
	return !one || json_array_append_new(sigs, one) < 0 ? mf_fail_nomem(err) : 0;
}

int mf_record_custom(struct mf_buf *out, json_t *tree, struct mf_err *err)
{
	if (mf_buf_addz(out, "{\"manifesto\":", err) < 0 || mf_json_dump_canonical(tree, out, err) < 0)
		return -1;
	return mf_buf_addc(out, '}', err);
}

/* ---- signatures */

enum mf_sig_scheme mf_record_scheme(const struct mf_pubkey *k)
{
	switch (mf_pubkey_type(k)) {
	case MF_KEY_ECDSA:
		return MF_SIG_ECDSA_RAW_SHA256;
	case MF_KEY_RSA:
		return MF_SIG_RSA_PSS_SHA256;
	case MF_KEY_ED25519:
		break;
	}
	return MF_SIG_ED25519;
}

static enum mf_found signed_by(const struct mf_record *r, struct mf_bytes payload,
			       const struct mf_pubkey *key, struct mf_err *err)
{
	struct mf_digest fp = mf_pubkey_fingerprint(key);
	for (size_t i = 0; i < r->nsigs; i++) {
		struct mf_err why = MF_ERR_INIT;
		if (!mf_digest_eq(&r->sigs[i].fingerprint, &fp))
			continue;
		if (mf_sig_verify(key, mf_record_scheme(key), payload, r->sigs[i].sig, &why) == 0)
			return MF_FOUND;
		if (why.code != MF_E_SIGNATURE) { /* it could not be checked */
			(void)mf_fail(err, why.code, 0, "%s", why.msg);
			return MF_FAILED;
		}
	}
	return MF_ABSENT;
}

int mf_record_signers(const struct mf_record *r, const struct mf_record_binding *b,
		      struct mf_pubkey *const *keys, size_t n, bool *valid, struct mf_err *err)
{
	struct mf_buf payload MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_CUSTOM_BYTES * 2);
	for (size_t i = 0; i < n; i++)
		valid[i] = false;
	if (!r->nsigs)
		return 0;
	if (mf_record_payload(&payload, b, r->tree, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool twice = false;
		for (size_t j = 0; j < i; j++)
			twice |= mf_pubkey_eq(keys[i], keys[j]);
		enum mf_found rc = MF_ABSENT;
		if (keys[i] && !twice)
			rc = signed_by(r, mf_buf_bytes(&payload), keys[i], err);
		if (rc == MF_FAILED)
			return -1;
		valid[i] = rc == MF_FOUND;
	}
	return 0;
}
