#include "oci/reference.h"

#include "base/limits.h"

#define DEFAULT_REGISTRY "docker.io"
#define MAX_REGISTRY 255 /* a DNS name has 253 octets at most; a port is extra */

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool all_of(struct mf_str s, bool (*is)(char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i]))
			return false;
	return true;
}

static struct mf_str head(struct mf_str s, size_t n)
{
	return (struct mf_str){s.p, n};
}

static struct mf_str tail(struct mf_str s, size_t from)
{
	return (struct mf_str){s.p + from, s.n - from};
}

/* Return the index of the first or last c; s.n when there is none. */
static size_t first_of(struct mf_str s, char c)
{
	const char *p = s.n ? memchr(s.p, c, s.n) : NULL;
	return p ? (size_t)(p - s.p) : s.n;
}

static size_t last_of(struct mf_str s, char c)
{
	const char *p = s.n ? memrchr(s.p, c, s.n) : NULL;
	return p ? (size_t)(p - s.p) : s.n;
}

static int refuse(struct mf_err *err, const char *what, struct mf_str part)
{
	struct mf_esc e;
	return mf_fail(err, MF_E_USAGE, 0, "%s '%s'", what, mf_esc(&e, part));
}

bool mf_tag_valid(struct mf_str tag)
{
	if (tag.n == 0 || tag.n > MF_MAX_TAG || tag.p[0] == '.' || tag.p[0] == '-')
		return false;
	for (size_t i = 0; i < tag.n; i++)
		if (!is_alnum(tag.p[i]) && tag.p[i] != '_' && tag.p[i] != '.' && tag.p[i] != '-')
			return false;
	return true;
}

/* Returns the length of one separator of a path component: '.', '_', '__' or any number of '-'; 0 when there
 * is none. */
static size_t separator(struct mf_str s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] == '-')
		n++;
	if (n || s.n == 0)
		return n;
	if (s.p[0] == '.')
		return 1;
	if (s.p[0] != '_')
		return 0;
	return s.n > 1 && s.p[1] == '_' ? 2 : 1;
}

static bool component_valid(struct mf_str s)
{
	for (;;) {
		size_t n = 0;
		while (n < s.n && is_lower_alnum(s.p[n]))
			n++;
		if (n == 0)
			return false;
		s = tail(s, n);
		if (s.n == 0)
			return true;
		n = separator(s);
		if (n == 0)
			return false;
		s = tail(s, n);
	}
}

static bool repository_valid(struct mf_str s)
{
	if (s.n > MF_MAX_REPOSITORY)
		return false;
	for (;;) {
		size_t slash = first_of(s, '/');
		if (!component_valid(head(s, slash)))
			return false;
		if (slash == s.n)
			return true;
		s = tail(s, slash + 1);
	}
}

static bool host_label_valid(struct mf_str s)
{
	if (s.n == 0 || !is_alnum(s.p[0]) || !is_alnum(s.p[s.n - 1]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static bool host_valid(struct mf_str s)
{
	for (;;) {
		size_t dot = first_of(s, '.');
		if (!host_label_valid(head(s, dot)))
			return false;
		if (dot == s.n)
			return true;
		s = tail(s, dot + 1);
	}
}

static bool port_valid(struct mf_str s)
{
	unsigned port = 0;
	if (s.n == 0 || s.n > 5 || !all_of(s, is_digit))
		return false;
	for (size_t i = 0; i < s.n; i++)
		port = port * 10 + (unsigned)(s.p[i] - '0');
	return port > 0 && port < 65536;
}

static bool is_hex_or_colon(char c)
{
	return is_hex(c) || c == ':';
}

static bool registry_valid(struct mf_str s)
{
	if (s.n == 0 || s.n > MAX_REGISTRY)
		return false;
	size_t end;
	if (s.p[0] == '[') {
		end = first_of(s, ']');
		if (end == s.n || end < 3 || !all_of((struct mf_str){s.p + 1, end - 1}, is_hex_or_colon))
			return false;
		end++;
	} else {
		end = first_of(s, ':');
		if (!host_valid(head(s, end)))
			return false;
	}
	return end == s.n || (s.p[end] == ':' && port_valid(tail(s, end + 1)));
}

static bool names_registry(struct mf_str first)
{
	return first_of(first, '.') < first.n || first_of(first, ':') < first.n ||
	       mf_str_eqz(first, "localhost");
}

static int set(char **out, struct mf_str s, struct mf_err *err)
{
	*out = mf_str_dup(s);
	return *out ? 0 : mf_fail_nomem(err);
}

/* Docker Hub keeps its own images below "library/". */
static int set_library(struct mf_ref *r, struct mf_str repository, struct mf_err *err)
{
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_REFERENCE);
	if (mf_buf_addz(&b, "library/", err) < 0 || mf_buf_add_str(&b, repository, err) < 0)
		return -1;
	if (b.n > MF_MAX_REPOSITORY)
		return refuse(err, "repository name is too long:", repository);
	r->repository = mf_buf_take(&b);
	return r->repository ? 0 : mf_fail_nomem(err);
}

/* [REGISTRY/]REPOSITORY */
static int parse_name(struct mf_ref *r, struct mf_str s, struct mf_err *err)
{
	size_t slash = first_of(s, '/');
	struct mf_str registry = MF_STR(DEFAULT_REGISTRY), repository = s;
	if (slash < s.n && names_registry(head(s, slash))) {
		registry = head(s, slash);
		repository = tail(s, slash + 1);
	}
	/* Docker's older name for the same registry: one image must not have two names. */
	if (mf_str_eqz(registry, "index.docker.io"))
		registry = MF_STR(DEFAULT_REGISTRY);
	if (!registry_valid(registry))
		return refuse(err, "invalid registry", registry);
	if (repository.n == 0)
		return refuse(err, "no repository name in", s);
	if (!repository_valid(repository)) {
		(void)refuse(err, "invalid repository", repository);
		mf_err_set_hint(
		    err,
		    "repositories are lower-case words joined by '.', '_', '-' and '/', at most %d bytes",
		    MF_MAX_REPOSITORY);
		return -1;
	}
	/* 64 hexadecimal digits are an image ID, which no registry can look up, and not a repository. */
	if (s.n == 64 && all_of(s, is_hex))
		return refuse(err, "expected an image reference, got an image ID:", s);
	if (set(&r->registry, registry, err) < 0)
		return -1;
	if (!mf_str_eqz(registry, DEFAULT_REGISTRY) || first_of(repository, '/') < repository.n)
		return set(&r->repository, repository, err);
	return set_library(r, repository, err);
}

static int parse_digest(struct mf_ref *r, struct mf_str s, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	if (mf_digest_parse(&r->digest, s, &why) < 0)
		return refuse(err, "expected a digest sha256:HEX, got", s);
	r->has_digest = true;
	return 0;
}

static int parse_tag(struct mf_ref *r, struct mf_str s, struct mf_err *err)
{
	if (!mf_tag_valid(s))
		return refuse(err, "invalid tag", s);
	return set(&r->tag, s, err);
}

/* Returns the index of the ':' before a tag, or s.n when there is none. It is after the last '/', so that the
 * port of a registry is not taken for a tag. */
static size_t tag_colon(struct mf_str s)
{
	size_t colon = last_of(s, ':'), slash = last_of(s, '/');
	return slash < s.n && colon < slash ? s.n : colon;
}

static int parse_registry(struct mf_ref *r, struct mf_str s, struct mf_err *err)
{
	size_t at = first_of(s, '@');
	if (at < s.n && parse_digest(r, tail(s, at + 1), err) < 0)
		return -1;
	s = head(s, at);
	size_t colon = tag_colon(s);
	if (colon < s.n && parse_tag(r, tail(s, colon + 1), err) < 0)
		return -1;
	if (colon == s.n && !r->has_digest && set(&r->tag, MF_STR("latest"), err) < 0)
		return -1;
	return parse_name(r, head(s, colon), err);
}

/* The name of a directory may contain '@'. What follows it counts as a digest when it has the form WORD:TEXT,
 * and WORD begins with "sha" or TEXT is at least 32 hexadecimal digits. */
static bool looks_like_digest(struct mf_str s)
{
	size_t colon = first_of(s, ':');
	if (colon == s.n || first_of(s, '/') < s.n)
		return false;
	struct mf_str encoded = tail(s, colon + 1);
	return mf_str_starts(s, MF_STR("sha")) || (encoded.n >= 32 && all_of(encoded, is_hex));
}

static int parse_layout(struct mf_ref *r, struct mf_str s, struct mf_err *err)
{
	r->transport = MF_TRANSPORT_LAYOUT;
	size_t at = last_of(s, '@');
	if (at < s.n && looks_like_digest(tail(s, at + 1))) {
		if (parse_digest(r, tail(s, at + 1), err) < 0)
			return -1;
		s = head(s, at);
	}
	size_t colon = last_of(s, ':');
	if (colon < s.n && mf_tag_valid(tail(s, colon + 1))) {
		if (set(&r->tag, tail(s, colon + 1), err) < 0)
			return -1;
		s = head(s, colon);
	}
	if (s.n == 0)
		return mf_fail(err, MF_E_USAGE, 0, "no directory in 'oci:' reference");
	return set(&r->dir, s, err);
}

static int check_text(struct mf_str text, struct mf_err *err)
{
	if (text.n == 0)
		return mf_fail(err, MF_E_USAGE, 0, "empty image reference");
	if (text.n > MF_MAX_REFERENCE)
		return mf_fail(err, MF_E_USAGE, 0, "image reference of %zu bytes is too long", text.n);
	if (first_of(text, '\0') < text.n)
		return refuse(err, "zero byte in image reference", text);
	return 0;
}

static struct mf_str without_transport(struct mf_str text)
{
	struct mf_str docker = MF_STR("docker://");
	return mf_str_starts(text, docker) ? tail(text, docker.n) : text;
}

/* Refuses the transports of containers-transports(5) that are not supported. "docker:" is not among them,
 * because it can be an image of Docker Hub with the name "docker". */
static int refuse_transport(struct mf_str text, struct mf_err *err)
{
	static const char *const names[] = {
	    "oci-archive", "docker-archive", "docker-daemon", "containers-storage",
	    "dir",         "ostree",         "sif",           "tarball",
	    "atomic",      "http",           "https"};
	size_t colon = first_of(text, ':');
	if (colon == text.n)
		return 0;
	struct mf_str name = head(text, colon), rest = tail(text, colon + 1);
	size_t slash = first_of(rest, '/');
	/* With a port and a path after it, the word is the name of a registry host. */
	if (slash < rest.n && port_valid(head(rest, slash)))
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!mf_str_eqz(name, names[i]))
			continue;
		(void)mf_fail(err, MF_E_USAGE, 0, "the transport '%s:' is not supported", names[i]);
		mf_err_set_hint(
		    err, strncmp(names[i], "http", 4) == 0
			     ? "a registry is named without it: HOST/REPOSITORY"
			     : "'skopeo copy' brings the image into a registry, or a directory for oci:");
		return -1;
	}
	return 0;
}

static int parse_any(struct mf_ref *r, struct mf_str text, struct mf_err *err)
{
	struct mf_str oci = MF_STR("oci:");
	if (check_text(text, err) < 0)
		return -1;
	if (mf_str_starts(text, oci))
		return parse_layout(r, tail(text, oci.n), err);
	if (refuse_transport(text, err) < 0)
		return -1;
	return parse_registry(r, without_transport(text), err);
}

/* Refuses a user name before the registry. The message does not show it, because it may contain a
 * password. */
static int refuse_user(struct mf_str text, struct mf_err *err)
{
	struct mf_str s = without_transport(text);
	size_t at = first_of(s, '@'), slash = first_of(s, '/');
	if (mf_str_starts(text, MF_STR("oci:")) || at >= slash || slash == s.n)
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "an image reference has no user name before the registry");
	mf_err_set_hint(err, "give the login with -u and --password-stdin, or use 'docker login'");
	return -1;
}

int mf_ref_parse(struct mf_ref *out, struct mf_str text, struct mf_err *err)
{
	struct mf_ref r MF_REF_CLEANUP = {0};
	if (refuse_user(text, err) < 0)
		return -1;
	if (parse_any(&r, text, err) < 0) {
		struct mf_esc e;
		if (!err->hint[0])
			mf_err_set_hint(err, "an image is [REGISTRY/]REPOSITORY[:TAG][@DIGEST], or "
					     "oci:DIRECTORY[:TAG][@DIGEST] in an OCI image layout");
		return mf_wrap(err, "image reference '%s'", mf_esc(&e, text));
	}
	*out = r;
	r = (struct mf_ref){0};
	return 0;
}

int mf_ref_parse_repository(struct mf_ref *out, struct mf_str text, struct mf_err *err)
{
	struct mf_ref r MF_REF_CLEANUP = {0};
	if (check_text(text, err) < 0 || refuse_user(text, err) < 0 || refuse_transport(text, err) < 0)
		return -1;
	struct mf_str name = without_transport(text);
	if (first_of(name, '@') < name.n || tag_colon(name) < name.n)
		return refuse(err, "expected a repository without tag and digest, got", text);
	if (parse_name(&r, name, err) < 0)
		return -1;
	*out = r;
	r = (struct mf_ref){0};
	return 0;
}

void mf_ref_clear(struct mf_ref *r)
{
	free(r->registry);
	free(r->repository);
	free(r->dir);
	free(r->tag);
	*r = (struct mf_ref){0};
}

int mf_ref_gun(const struct mf_ref *r, struct mf_buf *out, struct mf_err *err)
{
	if (r->transport == MF_TRANSPORT_LAYOUT)
		return mf_buf_addz(out, "oci", err);
	if (strlen(r->registry) + 1 + strlen(r->repository) > MF_MAX_GUN)
		return mf_fail(err, MF_E_USAGE, 0, "the name '%s/%s' is longer than %d bytes", r->registry,
			       r->repository, MF_MAX_GUN);
	return mf_buf_printf(out, err, "%s/%s", r->registry, r->repository);
}
