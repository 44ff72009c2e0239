/* Errors, options and the context: what every function of the library needs. */
#ifndef MANIFESTO_CONTEXT_H
#define MANIFESTO_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MANIFESTO_API __attribute__((visibility("default")))
#define MANIFESTO_INIT(type) ((struct type){.size = sizeof(struct type)})

/* ---------------------------------------------------------------- errors */

/* Exit statuses of the command line, and `status` of an error. Their numbers never change. */
enum manifesto_status {
	MANIFESTO_OK = 0,
	MANIFESTO_UNEXPECTED = 1,
	MANIFESTO_USAGE = 2,          /* usage, ambiguous request */
	MANIFESTO_NOT_FOUND = 3,      /* no such record or image */
	MANIFESTO_UNAVAILABLE = 4,    /* network, TLS, 429, 5xx */
	MANIFESTO_NOT_AUTHORISED = 5, /* 401, 403 */
	MANIFESTO_INVALID = 6,        /* signature, digest or format */
	MANIFESTO_EXPIRED = 7,        /* trust metadata expired */
	MANIFESTO_ROLLBACK = 8,       /* rollback, freeze, collection gone */
	MANIFESTO_POLICY = 9,         /* policy not met; record withdrawn or expired */
	MANIFESTO_PIN = 10,           /* no pin, or the pin does not match */
	MANIFESTO_KEY = 11,           /* key missing or locked */
	MANIFESTO_CONFLICT = 12,      /* publish conflict */
	MANIFESTO_CONTENT_GONE = 13,  /* record valid, content gone */
	MANIFESTO_EXPIRING = 14,
};

/* Owned by the caller, of fixed size. `code` is a stable word ("not_found", "signature", "pin"): a program
 * branches on `code` or on `status`, never on the message. */
struct manifesto_error {
	int status; /* enum manifesto_status */
	char code[32];
	char message[1024]; /* what failed, with quoted operands; contains no secret */
	char endpoint[256]; /* URL or path where it failed, or "" */
	char hint[512];     /* next step, or "" */
};

/* The version of the library, such as "1.0.0". */
MANIFESTO_API const char *manifesto_version(void);
/* Frees a result of any function, with everything that it points to. NULL: does nothing. */
MANIFESTO_API void manifesto_result_free(const void *result);
/* Writes a file completely or not at all: writes a temporary file in the same directory, and renames it to
 * `path` once it is on disk. An existing file or symbolic link of that name is replaced. The mode is 0644. */
MANIFESTO_API int manifesto_file_write(const char *path, const void *data, size_t length,
				       struct manifesto_error *err);

/* ---------------------------------------------------------------- context */

enum manifesto_log_level { MANIFESTO_LOG_WARNING = 1, MANIFESTO_LOG_INFO = 2, MANIFESTO_LOG_DEBUG = 3 };

enum manifesto_progress_kind {
	MANIFESTO_PROGRESS_UPLOAD,   /* octets of content, summed over all running transfers */
	MANIFESTO_PROGRESS_DOWNLOAD, /* octets of content */
	MANIFESTO_PROGRESS_IMAGES,   /* images, when a run handles many */
};
struct manifesto_progress {
	int kind; /* enum manifesto_progress_kind */
	uint64_t done;
	uint64_t total; /* 0: not known */
};

struct manifesto_options {
	size_t size;
	/* Directory of keys, pins and floors: required, absolute; created at the first write. */
	const char *home;
	const char *cache_dir;     /* required, absolute; may be unwritable or missing */
	const char *docker_config; /* directory with Docker's config.json; NULL: no Docker credentials */
	/* More files in that format (containers-auth.json), searched in this order after Docker's; ends
	 * with NULL. NULL: none. */
	const char *const *auth_files;
	/* A URL. https://, http://: a Notary server; tuf+file://: a directory with one TUF 1.0 repository
	 * per GUN; tuf+https://, tuf+http://: such a directory on a web server, read-only; tuf+s3://: a
	 * bucket of an object store. NULL: an operation on an image in a registry fails with
	 * MANIFESTO_USAGE. */
	const char *trust_server;
	int trust_server_for_layouts; /* the trust server also serves OCI layouts, instead of DIR/trust */
	/* Repository that holds content and trust of images to whose repository the user cannot push. */
	const char *store;
	const char *cacert; /* PEM file with CAs for registry and trust server, instead of the system's */
	const char *client_cert, *client_key; /* PEM files */
	/* Credentials for the registry of `store` (without `store`: of the first image that the context
	 * opens), and for a trust server on the same host and port; no other host receives them. NULL:
	 * those of the credentials files, else none. */
	const char *username, *password;
	/* Where username and password come from, for messages: "-u", "REGISTRY_USERNAME". */
	const char *credential_source;
	int plain_http;     /* allow plain HTTP also to hosts other than loopback */
	int tofu;           /* trust on first use where there is no pin */
	int ci;             /* never store what was trusted on first use */
	int no_passphrase;  /* write new keys without a passphrase */
	int64_t timeout_ms; /* time limit of a whole operation; 0: 120,000 */
	int log_level;      /* enum manifesto_log_level; 0: warnings */
	void (*log)(void *arg, int level, const char *line); /* NULL: none */
	void *log_arg;
	/* Returns non-zero to stop the operation as soon as nothing can be lost; NULL: never. */
	int (*cancelled)(void *arg);
	void *cancel_arg;
	int64_t (*now)(void *arg); /* NULL: the system's clock */
	void *now_arg;
	/* Writes the passphrase of a key, at most `max` octets, to `out` and its length to *n. confirm:
	 * the passphrase of a new key, to be asked for twice. Returns 0, or -1 when there is no
	 * passphrase; `why` (256 octets) then says where it was searched for. NULL: there is never a
	 * passphrase. */
	int (*passphrase)(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			  char why[256]);
	void *passphrase_arg;
	/* Returns non-zero to permit that a trust repository is initialised at `where`. NULL: it is
	 * initialised only with `init` of manifesto_put. */
	int (*confirm_init)(void *arg, const char *gun, const char *where);
	void *confirm_init_arg;
	/* Name of the keys that the library makes, and the preferred key where several fit; usually the
	 * user's name. NULL: "manifesto". */
	const char *default_key_name;
	/* Credentials for the trust server; no other host receives them. NULL: those of the credentials
	 * files, else none. */
	const char *trust_username, *trust_password;
	const char *trust_credential_source; /* for messages: "--trust-user" */
	/* Reports progress; called often during a long step. NULL: none. */
	void (*progress)(void *arg, const struct manifesto_progress *p);
	void *progress_arg;
	/* Socket of an ssh-agent, for keys that the agent holds; usually $SSH_AUTH_SOCK. NULL: there is no
	 * agent. */
	const char *ssh_agent;
	/* Writes the text of a private key, at most `max` octets, to `out` and its length to *n. source:
	 * where the key is, "env:VARIABLE" or "fd:NUMBER". Returns 0, or -1 when there is no such key;
	 * `why` (256 octets) then says why. Called once for each such key. NULL: there are no such keys. */
	int (*key_text)(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256]);
	void *key_text_arg;
	/* A file made by manifesto_bundle_create. Images, content and trust metadata come from it alone,
	 * and no connection is made; they are verified with the pins and floors of `home`, as a server's
	 * answers are. Functions that write fail with MANIFESTO_USAGE. NULL: none. */
	const char *bundle;
	/* Both with `bundle` only. at: everything is verified as of this time, and pins and floors are not
	 * changed; 0: now. bundle_max_age: seconds; if the newest record in the trust metadata is older,
	 * MANIFESTO_EXPIRED; 0: no limit. */
	int64_t at, bundle_max_age;
	/* For trust servers tuf+s3://: the values that AWS tools take from the environment variables of
	 * these names; the first three are secret. NULL: not set. The files are read, and a
	 * credential_process is run, when a request is made. */
	const char *aws_access_key_id, *aws_secret_access_key, *aws_session_token;
	const char *aws_region;
	const char *aws_endpoint_url; /* "https://HOST[:PORT]" of a store that is not Amazon's */
	const char *aws_profile;      /* NULL: "default", if there is one */
	const char *aws_config_file, *aws_shared_credentials_file; /* NULL: none */
	/* Command line that proposes a change which this machine cannot sign alone; the hint of a failed
	 * publish shows it. NULL: not known. */
	const char *propose_hint;
	/* Limit for the files in cache_dir, in octets, counted in blocks of 4 KiB. Above it, the least
	 * recently used files are removed. At least 1 MiB; 0: 256 MiB. */
	uint64_t cache_limit;
};

struct manifesto;
/* Makes a context. Accesses no file and no network. The caller frees *out. */
MANIFESTO_API int manifesto_new(const struct manifesto_options *opt, struct manifesto **out,
				struct manifesto_error *err);
/* Frees a context and wipes its secrets. NULL: does nothing. Results remain valid after their context is
 * freed. */
MANIFESTO_API void manifesto_free(struct manifesto *m);

struct manifesto_stats {
	size_t size;
	uint64_t requests, bytes_in, bytes_out; /* of HTTP, since the context was made */
	/* Of the calling thread, in all of its contexts, since this context was made: octets that were
	 * hashed, signed or verified; octets read from files; octets written to files. */
	uint64_t bytes_hashed, bytes_read, bytes_written;
};
/* Fills in the members that the caller's `size` covers. */
MANIFESTO_API void manifesto_stats(const struct manifesto *m, struct manifesto_stats *out);

#ifdef __cplusplus
}
#endif
#endif
