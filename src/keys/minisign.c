/* Secret keys of minisign and signify, and the detection of a key's format. */
#include <sodium.h>

#include "base/encode.h"
#include "base/limits.h"
#include "crypto/bcrypt.h"
#include "crypto/hash.h"
#include "crypto/internal.h"
#include "keys/formats.h"
#include "keys/keystore.h"
#include "keys/notary_pem.h"

#define COMMENT "untrusted comment:"
#define ALG_N 2
#define SEED_N 32

/* minisign: "Ed", derivation, "B2", salt, cost; then, XORed with a key stream: key number, key, hash. */
#define MINISIGN_N 158
#define MINISIGN_SALT 6
#define MINISIGN_OPS 38
#define MINISIGN_MEM 46
#define MINISIGN_BOX 54
#define MINISIGN_BOX_N 104
#define MINISIGN_KEY 8
#define MINISIGN_HASH 72
/* signify: "Ed", "BK", rounds, salt, the start of a hash, key number; then, XORed with a key stream: the
 * key. */
#define SIGNIFY_N 104
#define SIGNIFY_ROUNDS 4
#define SIGNIFY_SALT 8
#define SIGNIFY_SALT_N 16
#define SIGNIFY_HASH 24
#define SIGNIFY_HASH_N 8
#define SIGNIFY_KEY 40
#define KEY_N 64 /* seed and public key */

static struct mf_privkey *fail_key(struct mf_err *err, const char *program, const char *why)
{
	(void)mf_fail(err, MF_E_FORMAT, 0, "key of %s: %s", program, why);
	return NULL;
}

static struct mf_privkey *from_pair(const uint8_t *pair, const char *program, struct mf_err *err)
{
	struct mf_privkey *k = mf_privkey_from_secret(MF_KEY_ED25519, (struct mf_bytes){pair, SEED_N}, err);
	if (!k || memcmp(mf_pubkey_ed25519(mf_privkey_public(k)).p, pair + SEED_N, SEED_N) == 0)
		return k;
	mf_privkey_free(k);
	return fail_key(err, program, "private and public key do not belong together");
}

static uint64_t number_of(const uint8_t *p, size_t n, bool last_first)
{
	uint64_t out = 0;
	for (size_t i = 0; i < n; i++)
		out = out << 8 | p[last_first ? n - 1 - i : i];
	return out;
}

static void mix(uint8_t *p, const struct mf_secret *stream)
{
	for (size_t i = 0; i < stream->n; i++)
		p[i] ^= stream->p[i];
}

/* ---- minisign */

/* Decrypts the last part of the file in place, by the key stream. */
static int open_minisign(struct mf_secret *file, const struct mf_secret *passphrase, struct mf_err *err)
{
	const bool last_first = true;
	struct mf_secret stream MF_SECRET_CLEANUP = MF_SECRET_INIT;
	uint64_t ops = number_of(file->p + MINISIGN_OPS, 8, last_first),
		 mem = number_of(file->p + MINISIGN_MEM, 8, last_first);
	if (ops < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN || ops > MF_MAX_SCRYPT_OPS ||
	    mem < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN || mem > MF_MAX_SCRYPT_MEM) {
		(void)fail_key(err, "minisign", "the cost of scrypt is out of range");
		return -1;
	}
	if (mf_key_check_passphrase(passphrase, err) < 0 || mf_secret_alloc(&stream, MINISIGN_BOX_N, err) < 0)
		return -1;
	if (crypto_pwhash_scryptsalsa208sha256(stream.p, stream.n, (const char *)passphrase->p, passphrase->n,
					       file->p + MINISIGN_SALT, ops, (size_t)mem) != 0)
		return mf_fail(err, MF_E_NOMEM, 0, "derive a key with %llu bytes of memory",
			       (unsigned long long)mem);
	mix(file->p + MINISIGN_BOX, &stream);
	return 0;
}

static struct mf_privkey *read_minisign(struct mf_secret *file, const struct mf_secret *passphrase,
					struct mf_err *err)
{
	const uint8_t *kdf = file->p + ALG_N, *box = file->p + MINISIGN_BOX;
	const bool plain = !kdf[0] && !kdf[1];
	crypto_generichash_state hash;
	uint8_t sum[32];
	if (memcmp(file->p, "Ed", ALG_N) != 0 || memcmp(kdf + ALG_N, "B2", ALG_N) != 0 ||
	    (!plain && memcmp(kdf, "Sc", ALG_N) != 0))
		return fail_key(err, "minisign", "expected algorithms Ed, Sc and B2");
	if (!plain && open_minisign(file, passphrase, err) < 0)
		return NULL;
	(void)crypto_generichash_init(&hash, NULL, 0, sizeof sum);
	(void)crypto_generichash_update(&hash, file->p, ALG_N);
	(void)crypto_generichash_update(&hash, box, MINISIGN_HASH);
	(void)crypto_generichash_final(&hash, sum, sizeof sum);
	mf_wipe(&hash, sizeof hash);
	/* minisign -W writes zeroes in place of the hash. */
	if (plain && sodium_is_zero(box + MINISIGN_HASH, sizeof sum))
		return from_pair(box + MINISIGN_KEY, "minisign", err);
	if (sodium_memcmp(sum, box + MINISIGN_HASH, sizeof sum) == 0)
		return from_pair(box + MINISIGN_KEY, "minisign", err);
	if (plain)
		return fail_key(err, "minisign", "damaged");
	(void)mf_key_fail_wrong(err);
	return NULL;
}

/* ---- signify */

static int open_signify(struct mf_secret *file, uint32_t rounds, const struct mf_secret *passphrase,
			struct mf_err *err)
{
	struct mf_secret stream MF_SECRET_CLEANUP = MF_SECRET_INIT;
	if (rounds > MF_MAX_BCRYPT_ROUNDS) {
		(void)fail_key(err, "signify", "the number of bcrypt rounds is out of range");
		return -1;
	}
	if (mf_key_check_passphrase(passphrase, err) < 0 || mf_secret_alloc(&stream, KEY_N, err) < 0 ||
	    mf_bcrypt_pbkdf(passphrase, (struct mf_bytes){file->p + SIGNIFY_SALT, SIGNIFY_SALT_N}, rounds,
			    &stream, err) < 0)
		return -1;
	mix(file->p + SIGNIFY_KEY, &stream);
	return 0;
}

static struct mf_privkey *read_signify(struct mf_secret *file, const struct mf_secret *passphrase,
				       struct mf_err *err)
{
	const bool last_first = false;
	const uint8_t *key = file->p + SIGNIFY_KEY;
	uint32_t rounds = (uint32_t)number_of(file->p + SIGNIFY_ROUNDS, 4, last_first);
	uint8_t sum[64];
	if (memcmp(file->p, "EdBK", (size_t)2 * ALG_N) != 0)
		return fail_key(err, "signify", "expected algorithms Ed and BK");
	if (rounds && open_signify(file, rounds, passphrase, err) < 0)
		return NULL;
	if (mf_sha512((struct mf_bytes){key, KEY_N}, sum, err) < 0)
		return NULL;
	if (sodium_memcmp(sum, file->p + SIGNIFY_HASH, SIGNIFY_HASH_N) == 0)
		return from_pair(key, "signify", err);
	if (!rounds)
		return fail_key(err, "signify", "damaged");
	(void)mf_key_fail_wrong(err);
	return NULL;
}

/* ---- both: a comment, and a line of base64 */

static struct mf_str take_line(struct mf_str *in)
{
	struct mf_str line = {in->p, 0};
	while (line.n < in->n && in->p[line.n] != '\n')
		line.n++;
	size_t n = line.n < in->n ? line.n + 1 : line.n;
	*in = (struct mf_str){in->p + n, in->n - n};
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

struct mf_privkey *mf_minisign_key_read(struct mf_str text, const struct mf_secret *passphrase,
					struct mf_err *err)
{
	struct mf_secret file MF_SECRET_CLEANUP = MF_SECRET_INIT;
	struct mf_str comment = take_line(&text), b64 = take_line(&text);
	size_t n = b64.n / 4 * 3;
	if (mf_crypto_ready(err) < 0)
		return NULL;
	if (!mf_str_starts(comment, MF_STR(COMMENT)) || text.n || b64.n % 4)
		return fail_key(err, "minisign or signify", "expected a comment and one line of base64");
	while (n && b64.n && b64.p[b64.n - 1 - (b64.n / 4 * 3 - n)] == '=')
		n--;
	if (n != MINISIGN_N && n != SIGNIFY_N)
		return fail_key(err, "minisign or signify",
				"expected a secret key of 158 or 104 bytes (a public key has 42)");
	if (mf_secret_alloc(&file, n, err) < 0 || mf_b64_decode_exact(file.p, n, b64, err) < 0)
		return NULL;
	return n == MINISIGN_N ? read_minisign(&file, passphrase, err) : read_signify(&file, passphrase, err);
}

/* ---- any format */

static bool is_key_file(struct mf_str text)
{
	size_t at = 0;
	while (at < text.n && text.p[at] && strchr(" \t\r\n", text.p[at]))
		at++;
	return at < text.n && text.p[at] == '{';
}

struct mf_privkey *mf_key_from_text(struct mf_str text, const struct mf_secret *passphrase,
				    struct mf_err *err)
{
	struct mf_notary_key k = {0};
	if (is_key_file(text))
		return mf_keyfile_decode(mf_bytes_of(text), passphrase, err);
	if (mf_str_starts(text, MF_STR(COMMENT)))
		return mf_minisign_key_read(text, passphrase, err);
	return mf_notary_key_read(&k, text, passphrase, err) < 0 ? NULL : k.key;
}
