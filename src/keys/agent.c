#include "keys/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/hash.h"

enum { FAILURE = 5, REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13, SIGN_RESPONSE = 14 };

#define ED25519 "ssh-ed25519"
#define P256 "ecdsa-sha2-nistp256"
#define P256_CURVE "nistp256"
#define TICK_MS 100
/* After this time without an answer, the agent is probably asking a person to confirm. */
#define PATIENCE_MS 2000

/* OBJECT IDENTIFIER of prime256v1 */
static const uint8_t p256_id[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

struct mf_agent {
	int fd;
	const struct mf_env *env;
	struct mf_buf answer;
};

/* ---- octets */

static bool take_u32(struct mf_bytes *in, uint32_t *out)
{
	if (in->n < 4)
		return false;
	*out = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 | (uint32_t)in->p[2] << 8 | in->p[3];
	*in = (struct mf_bytes){in->p + 4, in->n - 4};
	return true;
}

static bool take_string(struct mf_bytes *in, struct mf_bytes *out)
{
	uint32_t n;
	struct mf_bytes rest = *in;
	if (!take_u32(&rest, &n) || n > rest.n)
		return false;
	*out = (struct mf_bytes){rest.p, n};
	*in = (struct mf_bytes){rest.p + n, rest.n - n};
	return true;
}

static bool take_type(struct mf_bytes *in, uint8_t type)
{
	if (!in->n || in->p[0] != type)
		return false;
	*in = (struct mf_bytes){in->p + 1, in->n - 1};
	return true;
}

static int put_u32(struct mf_buf *out, size_t n, struct mf_err *err)
{
	const uint8_t b[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	return mf_buf_add(out, b, sizeof b, err);
}

static int put_string(struct mf_buf *out, struct mf_bytes s, struct mf_err *err)
{
	return put_u32(out, s.n, err) < 0 ? -1 : mf_buf_add(out, s.p, s.n, err);
}

static int put_text(struct mf_buf *out, const char *text, struct mf_err *err)
{
	return put_string(out, mf_bytes_of(mf_str_c(text)), err);
}

static bool is(struct mf_bytes b, const char *text)
{
	return mf_str_eqz(mf_str_of(b), text);
}

/* ---- keys */

int mf_agent_put_key(struct mf_buf *out, const struct mf_pubkey *k, struct mf_err *err)
{
	struct mf_bytes spki = mf_pubkey_spki(k);
	if (mf_pubkey_type(k) == MF_KEY_ED25519)
		return put_text(out, ED25519, err) < 0 ? -1 : put_string(out, mf_pubkey_ed25519(k), err);
	if (mf_pubkey_type(k) != MF_KEY_ECDSA || mf_pubkey_bits(k) != 256)
		return mf_fail(err, MF_E_KEY, 0, "expected an ed25519 or ECDSA P-256 key, got %s of %u bits",
			       mf_key_type_name(mf_pubkey_type(k)), mf_pubkey_bits(k));
	if (put_text(out, P256, err) < 0 || put_text(out, P256_CURVE, err) < 0)
		return -1;
	/* The SubjectPublicKeyInfo ends with the point. */
	return put_string(out, (struct mf_bytes){spki.p + spki.n - 65, 65}, err);
}

/* Returns NULL for a key of another type or a malformed one, which are skipped; and on MF_E_NOMEM. */
static struct mf_pubkey *key_of(struct mf_bytes blob, struct mf_err *err)
{
	struct mf_err why = MF_ERR_INIT;
	struct mf_bytes type, curve, key;
	struct mf_pubkey *pub = NULL;
	if (!take_string(&blob, &type))
		return NULL;
	if (is(type, ED25519) && take_string(&blob, &key) && !blob.n)
		pub = mf_pubkey_from_ed25519(key, &why);
	else if (is(type, P256) && take_string(&blob, &curve) && is(curve, P256_CURVE) &&
		 take_string(&blob, &key) && !blob.n)
		pub = mf_pubkey_from_point((struct mf_bytes){p256_id, sizeof p256_id}, key, &why);
	return mf_err_pass_ours(err, &why) < 0 ? NULL : pub;
}

static int malformed(struct mf_err *err)
{
	return mf_fail(err, MF_E_FORMAT, 0, "malformed answer of the ssh-agent");
}

int mf_agent_read_keys(struct mf_bytes answer, bool (*each)(void *arg, const struct mf_agent_listed *key),
		       void *arg, size_t *n, struct mf_err *err)
{
	uint32_t count = 0;
	bool more = true;
	if (!take_type(&answer, IDENTITIES_ANSWER) || !take_u32(&answer, &count))
		return malformed(err);
	for (uint32_t i = 0; i < count; i++) {
		struct mf_bytes blob, comment;
		if (!take_string(&answer, &blob) || !take_string(&answer, &comment))
			return malformed(err);
		struct mf_pubkey *pub MF_PUBKEY_CLEANUP = more ? key_of(blob, err) : NULL;
		if (pub)
			more = each(arg, &(struct mf_agent_listed){pub, blob});
		if (mf_err_is_ours(err))
			return -1;
	}
	*n = count;
	return answer.n ? malformed(err) : 0;
}

/* ---- signatures */

/* Converts an mpint (RFC 4251 section 5) to `width` octets. */
static bool pad_number(struct mf_bytes number, uint8_t *out, size_t width)
{
	while (number.n && !number.p[0])
		number = (struct mf_bytes){number.p + 1, number.n - 1};
	if (number.n > width)
		return false;
	memset(out, 0, width);
	if (number.n)
		memcpy(out + width - number.n, number.p, number.n);
	return true;
}

enum mf_found mf_agent_read_signature(struct mf_bytes answer, const struct mf_pubkey *k,
				      enum mf_sig_scheme scheme, struct mf_buf *sig, struct mf_err *err)
{
	struct mf_bytes whole, type, blob, r, s;
	uint8_t raw[64];
	if (answer.n == 1 && answer.p[0] == FAILURE)
		return MF_ABSENT;
	if (!take_type(&answer, SIGN_RESPONSE) || !take_string(&answer, &whole) || answer.n ||
	    !take_string(&whole, &type) || !take_string(&whole, &blob) || whole.n)
		return malformed(err);
	if (mf_pubkey_type(k) == MF_KEY_ED25519 && is(type, ED25519))
		return mf_buf_add(sig, blob.p, blob.n, err) < 0 ? MF_FAILED : MF_FOUND;
	if (mf_pubkey_type(k) != MF_KEY_ECDSA || !is(type, P256) || !take_string(&blob, &r) ||
	    !take_string(&blob, &s) || blob.n || !pad_number(r, raw, 32) || !pad_number(s, raw + 32, 32))
		return malformed(err);
	return mf_sig_from_raw(k, scheme, (struct mf_bytes){raw, sizeof raw}, sig, err) < 0 ? MF_FAILED
											    : MF_FOUND;
}

/* ---- the connection */

/* Recodes a malformed answer of the agent as MF_E_KEY: it does not mean that a repository is invalid. */
static int of_agent(struct mf_err *err)
{
	return mf_err_is_ours(err) || err->code == MF_E_CANCELLED ? -1 : mf_recode(err, MF_E_KEY);
}

static int gone(struct mf_err *err, int sys)
{
	(void)mf_fail(err, MF_E_KEY, sys, "the ssh-agent closed the connection");
	mf_err_set_hint(err, "'ssh-add -l' shows whether an agent runs and which keys it holds");
	return -1;
}

/* The agent may ask a person to confirm, so a message appears after a while. The deadline of the operation
 * ends the wait. */
static int wait_for(const struct mf_agent *a, short events, struct mf_err *err)
{
	int64_t begin = mf_monotonic_ms();
	bool reported = false;
	for (;;) {
		struct pollfd p = {a->fd, events, 0};
		int64_t left = mf_env_left_ms(a->env);
		if (mf_env_cancelled(a->env))
			return mf_fail(err, MF_E_CANCELLED, 0, "cancelled");
		if (left <= 0)
			return mf_fail(err, MF_E_KEY, 0, "the ssh-agent gave no answer in time (--timeout)");
		int n = poll(&p, 1, left < TICK_MS ? (int)left : TICK_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return mf_fail(err, MF_E_IO, errno, "poll");
		if (!reported && mf_monotonic_ms() - begin > PATIENCE_MS) {
			mf_env_log(a->env, MF_LOG_WARNING,
				   "waiting for the ssh-agent; it may be asking you to confirm");
			reported = true;
		}
	}
}

static int send_all(const struct mf_agent *a, struct mf_bytes data, struct mf_err *err)
{
	while (data.n) {
		if (wait_for(a, POLLOUT, err) < 0)
			return -1;
		ssize_t n = send(a->fd, data.p, data.n, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return gone(err, errno);
		if (n > 0)
			data = (struct mf_bytes){data.p + n, data.n - (size_t)n};
	}
	return 0;
}

static int receive(struct mf_agent *a, size_t n, struct mf_err *err)
{
	mf_buf_reset(&a->answer);
	if (mf_buf_reserve(&a->answer, n, err) < 0)
		return -1;
	while (a->answer.n < n) {
		if (wait_for(a, POLLIN, err) < 0)
			return -1;
		ssize_t got = recv(a->fd, a->answer.p + a->answer.n, n - a->answer.n, 0);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return gone(err, got < 0 ? errno : 0);
		mf_buf_cut(&a->answer, a->answer.n + (size_t)got);
	}
	return 0;
}

static int ask(struct mf_agent *a, const struct mf_buf *request, struct mf_err *err)
{
	struct mf_buf framed MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_AGENT_BYTES + 4);
	uint32_t n = 0;
	if (put_string(&framed, mf_buf_bytes(request), err) < 0 ||
	    send_all(a, mf_buf_bytes(&framed), err) < 0 || receive(a, 4, err) < 0)
		return -1;
	struct mf_bytes head = mf_buf_bytes(&a->answer);
	(void)take_u32(&head, &n);
	if (!n || n > MF_MAX_AGENT_BYTES)
		return malformed(err);
	return receive(a, n, err);
}

/* Sends one request and receives one answer, into a->answer. After a failure the connection is closed: the
 * next answer on it could be the one to this request. */
static int exchange(struct mf_agent *a, const struct mf_buf *request, struct mf_err *err)
{
	if (ask(a, request, err) == 0)
		return 0;
	(void)close(a->fd);
	a->fd = -1;
	return of_agent(err);
}

void mf_agent_free(struct mf_agent *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		(void)close(a->fd);
	mf_buf_clear(&a->answer);
	free(a);
}

static int no_agent(struct mf_err *err, int sys, const char *path)
{
	struct mf_esc e;
	if (path)
		(void)mf_fail(err, MF_E_KEY, sys, "connect to the ssh-agent at '%s'",
			      mf_esc(&e, mf_str_c(path)));
	else
		(void)mf_fail(err, MF_E_KEY, 0, "no ssh-agent: SSH_AUTH_SOCK is not set");
	mf_err_set_hint(err, "start an agent with 'eval $(ssh-agent)', and add the key with 'ssh-add FILE'");
	return -1;
}

static int connect_to(struct mf_agent *a, const char *path, struct mf_err *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (!path)
		return no_agent(err, 0, NULL);
	if (strlen(path) >= sizeof to.sun_path)
		return no_agent(err, ENAMETOOLONG, path);
	memcpy(to.sun_path, path, strlen(path) + 1);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd >= 0 && connect(a->fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return 0;
	int sys = errno;
	if (a->fd >= 0)
		(void)close(a->fd);
	a->fd = -1;
	return no_agent(err, sys, path);
}

/* Returns the one connection of the run, which is opened at first use. */
static struct mf_agent *agent_of(struct mf_places *p, struct mf_err *err)
{
	if (!p->agent) {
		p->agent = mf_calloc(1, sizeof *p->agent);
		if (!p->agent) {
			(void)mf_fail_nomem(err);
			return NULL;
		}
		*p->agent = (struct mf_agent){-1, p->env, MF_BUF_INIT(MF_MAX_AGENT_BYTES)};
	}
	if (p->agent->fd < 0 && connect_to(p->agent, p->access.ssh_agent, err) < 0)
		return NULL;
	return p->agent;
}

/* ---- which key */

/* The fingerprint as `ssh-add -l` prints it: SHA-256 of the key's octets, in base64 without padding. */
static int ssh_fingerprint(struct mf_bytes blob, char out[64], struct mf_err *err)
{
	struct mf_buf text MF_BUF_CLEANUP = MF_BUF_INIT(128);
	struct mf_digest d;
	if (mf_sha256(blob, &d, err) < 0 || mf_b64_encode(&text, (struct mf_bytes){d.b, sizeof d.b}, err) < 0)
		return -1;
	(void)snprintf(out, 64, "SHA256:%.*s", (int)(text.n - 1), text.p);
	return 0;
}

int mf_agent_check(const char *where, struct mf_err *err)
{
	char digits[65];
	struct mf_esc e;
	if ((strncmp(where, "SHA256:", 7) == 0 && strlen(where) == 7 + 43) ||
	    (mf_fingerprint_digits(digits, where) && strlen(digits) >= 16))
		return 0;
	(void)mf_fail(err, MF_E_USAGE, 0, "expected 'ssh-agent:' and the fingerprint of a key, got '%s'",
		      mf_esc(&e, mf_str_c(where)));
	mf_err_set_hint(err, "'ssh-add -l' prints the fingerprints: SHA256: and 43 characters");
	return -1;
}

struct search {
	const char *where;
	const struct mf_pubkey *want; /* or NULL */
	struct mf_pubkey *found;      /* owned */
	struct mf_err *err;
};

static bool match(void *arg, const struct mf_agent_listed *key)
{
	struct search *s = arg;
	char text[65], digits[65];
	bool hit;
	if (s->want) {
		hit = mf_pubkey_eq(s->want, key->pub);
	} else if (mf_fingerprint_digits(digits, s->where)) {
		mf_pubkey_hex(text, key->pub);
		hit = strncmp(text, digits, strlen(digits)) == 0;
	} else {
		hit = ssh_fingerprint(key->blob, text, s->err) == 0 && strcmp(text, s->where) == 0;
	}
	if (hit)
		s->found = mf_pubkey_ref(key->pub);
	return !hit;
}

/* Finds a key of the agent, or reports why it cannot be used. */
static int find(struct mf_agent *a, struct search *s, struct mf_err *err)
{
	struct mf_buf request MF_BUF_CLEANUP = MF_BUF_INIT(1);
	struct mf_esc e;
	size_t n = 0;
	s->err = err;
	if (mf_buf_addc(&request, REQUEST_IDENTITIES, err) < 0 || exchange(a, &request, err) < 0 ||
	    mf_agent_read_keys(mf_buf_bytes(&a->answer), match, s, &n, err) < 0)
		return of_agent(err);
	if (s->found)
		return 0;
	if (!n) {
		(void)mf_fail(err, MF_E_KEY, 0, "the ssh-agent shows no key: it is locked, or holds none");
		mf_err_set_hint(err, "'ssh-add -X' unlocks an agent, 'ssh-add FILE' adds a key to it");
		return -1;
	}
	(void)mf_fail(err, MF_E_KEY, 0, "the ssh-agent does not hold key '%s' (ed25519 or ECDSA P-256)",
		      mf_esc(&e, mf_str_c(s->where)));
	mf_err_set_hint(err, "'ssh-add -l' lists the keys of the agent, 'ssh-add FILE' adds one");
	return -1;
}

/* ---- signing */

struct agent_key {
	struct mf_places *places;
	struct mf_pubkey *pub;
	char *where;
};

static void close_key(void *arg)
{
	struct agent_key *k = arg;
	mf_pubkey_unref(k->pub);
	free(k->where);
	free(k);
}

/* The agent does not say why it refuses: finds out whether it still holds the key, and reports that. */
static int refused(struct mf_agent *a, const struct agent_key *k, struct mf_err *err)
{
	struct search s = {.where = k->where, .want = k->pub};
	if (find(a, &s, err) < 0)
		return -1;
	mf_pubkey_unref(s.found);
	(void)mf_fail(err, MF_E_KEY, 0, "the ssh-agent refuses to sign with the key");
	mf_err_set_hint(
	    err, "the agent asks somebody to confirm each use of a key that was added with 'ssh-add -c', "
		 "and forgets keys of 'ssh-add -t'");
	return -1;
}

static int too_long(struct mf_err *err, size_t n)
{
	(void)mf_fail(err, MF_E_KEY, 0,
		      "%zu bytes are to be signed, and an ssh-agent accepts at most %zu in one request", n,
		      MF_MAX_AGENT_BYTES);
	mf_err_set_hint(err, "give the role a key of another kind, or move some types to roles of their own");
	return -1;
}

static int sign(void *arg, enum mf_sig_scheme scheme, struct mf_bytes msg, struct mf_buf *sig,
		struct mf_err *err)
{
	const struct agent_key *k = arg;
	struct mf_buf blob MF_BUF_CLEANUP = MF_BUF_INIT(256),
			   request MF_BUF_CLEANUP = MF_BUF_INIT(MF_MAX_AGENT_BYTES);
	struct mf_agent *a = agent_of(k->places, err);
	if (!a)
		return -1;
	if (scheme == MF_SIG_ECDSA_DER_SHA384)
		return mf_fail(err, MF_E_KEY, 0, "signing with SHA-384 by an ssh-agent is not supported");
	if (mf_agent_put_key(&blob, k->pub, err) < 0)
		return -1;
	if (msg.n > MF_MAX_AGENT_BYTES - blob.n - 16)
		return too_long(err, msg.n);
	if (mf_buf_addc(&request, SIGN_REQUEST, err) < 0 ||
	    put_string(&request, mf_buf_bytes(&blob), err) < 0 || put_string(&request, msg, err) < 0 ||
	    put_u32(&request, 0, err) < 0 || exchange(a, &request, err) < 0)
		return -1;
	enum mf_found got = mf_agent_read_signature(mf_buf_bytes(&a->answer), k->pub, scheme, sig, err);
	if (got == MF_ABSENT)
		return refused(a, k, err);
	return got == MF_FOUND ? 0 : of_agent(err);
}

int mf_agent_open_key(struct mf_places *p, const struct mf_key_info *k, struct mf_held *out,
		      struct mf_err *err)
{
	struct search s = {.where = mf_source_where(k->source), .want = NULL};
	struct mf_agent *a = agent_of(p, err);
	if (!a)
		return -1;
	/* A key whose public part is known is not searched for: when the agent does not hold it, the
	 * request for a signature fails. */
	if (k->pub)
		s.found = mf_pubkey_ref(k->pub);
	else if (find(a, &s, err) < 0)
		return -1;
	struct mf_pubkey *pub MF_PUBKEY_CLEANUP = s.found;
	struct agent_key *made = mf_calloc(1, sizeof *made);
	if (made)
		made->where = mf_str_dup(mf_str_c(s.where));
	if (!made || !made->where) {
		free(made);
		return mf_fail_nomem(err);
	}
	made->places = p;
	made->pub = mf_pubkey_ref(pub);
	*out = (struct mf_held){mf_pubkey_ref(pub), sign, close_key, made};
	return 0;
}
