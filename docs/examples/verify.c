/* An example of libmanifesto: writes one verified record to standard output.
 *
 *	verify IMAGE TYPE
 *
 * MANIFESTO_HOME (required, absolute path) holds the pins. MANIFESTO_CACHE (required, absolute path) may be
 * any directory, even one that does not exist yet. An image in a registry needs MANIFESTO_TRUST_SERVER.
 * The exit status is that of the library: 0 only when everything was verified and written.
 *
 * Outside of this tree:  cc -o verify verify.c $(pkg-config --cflags --libs manifesto) */
#include <manifesto/manifesto.h>

#include <stdio.h>
#include <stdlib.h>

/* The library calls this with pieces of the content, after it has verified all of it. */
static int to_stdout(void *arg, const void *p, size_t n)
{
	(void)arg;
	return fwrite(p, 1, n, stdout) == n ? 0 : -1;
}

static void complain(const struct manifesto_error *err)
{
	fprintf(stderr, "verify: %s", err->message);
	if (err->endpoint[0])
		fprintf(stderr, " (%s)", err->endpoint);
	fprintf(stderr, "\n");
	if (err->hint[0])
		fprintf(stderr, "verify: %s\n", err->hint);
}

static int write_record(struct manifesto *m, const char *image, const char *type, struct manifesto_error *err)
{
	struct manifesto_get_options options = MANIFESTO_INIT(manifesto_get_options);
	const struct manifesto_get_result *result = NULL;
	options.image = image;
	options.type = type;
	options.write = to_stdout;
	if (manifesto_get(m, &options, &result, err) < 0)
		return -1;
	const struct manifesto_record *r = result->record;
	fprintf(stderr, "%s of %s: %s in role %s\n", r->type, r->image, r->state, r->role);
	for (size_t i = 0; i < r->nsigners; i++)
		fprintf(stderr, "signed by %s (%s)\n", r->signers[i]->fingerprint, r->signers[i]->key_type);
	manifesto_result_free(result);
	return 0;
}

int main(int argc, char **argv)
{
	struct manifesto_options options = MANIFESTO_INIT(manifesto_options);
	struct manifesto_error err;
	struct manifesto *m;
	if (argc != 3) {
		fprintf(stderr, "usage: verify IMAGE TYPE\n");
		return MANIFESTO_USAGE;
	}
	options.home = getenv("MANIFESTO_HOME");
	options.cache_dir = getenv("MANIFESTO_CACHE");
	options.trust_server = getenv("MANIFESTO_TRUST_SERVER");
	int rc = manifesto_new(&options, &m, &err);
	if (rc == 0) {
		rc = write_record(m, argv[1], argv[2], &err);
		manifesto_free(m);
	}
	if (rc < 0) {
		complain(&err);
		return err.status;
	}
	/* A full disk may show only when the last bytes are written. */
	if (fclose(stdout) != 0) {
		perror("verify: standard output");
		return MANIFESTO_UNEXPECTED;
	}
	return MANIFESTO_OK;
}
