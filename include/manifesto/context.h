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

/* Exit statuses of the command line, frozen; also `status` of an error. */
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

/* Caller-owned, of fixed size. `code` is a stable word ("not_found", "signature", "pin"): branch on it or on
 * `status`, never on the text. */
struct manifesto_error {
	int status; /* enum manifesto_status */
	char code[32];
	char message[1024]; /* what failed, operands quoted, no secret */
	char endpoint[256]; /* URL or path where it failed, or "" */
	char hint[512];     /* next step, or "" */
};

/* The version of the library, such as "1.0.0". */
MANIFESTO_API const char *manifesto_version(void);
/* Frees a result of any function, with everything that it points to. NULL: nothing. */
MANIFESTO_API void manifesto_result_free(const void *result);
/* Writes a file completely or not at all: a temporary file beside it, which gets its name when it is on disk.
 * What has the name already is replaced, a symbolic link too; its mode is 0644. */
MANIFESTO_API int manifesto_file_write(const char *path, const void *data, size_t length,
				       struct manifesto_error *err);

/* ---------------------------------------------------------------- context */

enum manifesto_log_level { MANIFESTO_LOG_WARNING = 1, MANIFESTO_LOG_INFO = 2, MANIFESTO_LOG_DEBUG = 3 };

enum manifesto_progress_kind {
	MANIFESTO_PROGRESS_UPLOAD,   /* octets of content, all transfers of the moment together */
	MANIFESTO_PROGRESS_DOWNLOAD, /* octets of content */
	MANIFESTO_PROGRESS_IMAGES,   /* images of a run over many */
};
struct manifesto_progress {
	int kind; /* enum manifesto_progress_kind */
	uint64_t done;
	uint64_t total; /* 0: not known */
};

struct manifesto_options {
	size_t size;
	const char *home;          /* keys, pins, floors: required, absolute; made at the first write */
	const char *cache_dir;     /* required, absolute; may be unwritable or missing */
	const char *docker_config; /* directory with Docker's config.json; NULL: no Docker credentials */
	/* More files in that format (containers-auth.json), searched in this order behind it; ends with NULL.
	 * NULL: none. */
	const char *const *auth_files;
	/* https://, http://: Notary; tuf+file://: a directory with a TUF 1.0 repository per GUN;
	 * tuf+https://, tuf+http://: the same on a web server, read-only; tuf+s3://: in an object store.
	 * NULL: an image in a registry is MANIFESTO_USAGE. */
	const char *trust_server;
	int trust_server_for_layouts; /* also for OCI layouts, instead of DIR/trust */
	const char *store;            /* repository for blobs and trust of images that one cannot push to */
	const char *cacert; /* PEM file, for registry and trust server, instead of the system's CAs */
	const char *client_cert, *client_key; /* PEM files */
	/* For the registry of `store`, else that of the first image that the context opens, and for a trust
	 * server on the very same host and port; no other host gets them. NULL: the credentials files, else
	 * none. */
	const char *username, *password;
	const char *credential_source; /* where these come from, for messages: "-u", "REGISTRY_USERNAME" */
	int plain_http;                /* allow plain HTTP to other hosts than loopback */
	int tofu;                      /* trust on first use where there is no pin */
	int ci;                        /* never store what was trusted on first use */
	int no_passphrase;             /* write new keys without a passphrase */
	int64_t timeout_ms;            /* of an operation in all; 0: 120,000 */
	int log_level;                 /* enum manifesto_log_level; 0: warnings */
	void (*log)(void *arg, int level, const char *line); /* NULL: none */
	void *log_arg;
	int (*cancelled)(void *arg); /* non-zero: stop as soon as nothing can be lost; NULL: never */
	void *cancel_arg;
	int64_t (*now)(void *arg); /* NULL: the system's clock */
	void *now_arg;
	/* Writes the passphrase of a key, at most `max` octets, to `out` and its length to *n. confirm: of a
	 * new key (ask twice). Returns 0, or -1 when there is none; `why` (256 octets) then says where it was
	 * sought. NULL: there is never a passphrase. */
	int (*passphrase)(void *arg, const char *key_name, int confirm, char *out, size_t max, size_t *n,
			  char why[256]);
	void *passphrase_arg;
	/* Returns non-zero when a trust repository may be initialised at `where`. NULL: only with `init` of
	 * put. */
	int (*confirm_init)(void *arg, const char *gun, const char *where);
	void *confirm_init_arg;
	/* Name of keys that are made, and the first choice where several fit; usually the user's name.
	 * NULL: "manifesto". */
	const char *default_key_name;
	/* For the trust server, and no other host. NULL: the credentials files, else none. */
	const char *trust_username, *trust_password;
	const char *trust_credential_source; /* for messages: "--trust-user" */
	/* What has been done of how much; called often while something lasts. NULL: none. */
	void (*progress)(void *arg, const struct manifesto_progress *p);
	void *progress_arg;
	/* Socket of an ssh-agent, for keys that it holds; usually $SSH_AUTH_SOCK. NULL: there is none. */
	const char *ssh_agent;
	/* Writes the text of a private key, at most `max` octets, to `out` and its length to *n. source:
	 * where it is, "env:VARIABLE" or "fd:NUMBER". Returns 0, or -1 when there is none, and `why` (256
	 * octets) then says so. Called once for each such key. NULL: there are none. */
	int (*key_text)(void *arg, const char *source, char *out, size_t max, size_t *n, char why[256]);
	void *key_text_arg;
	/* A file made by manifesto_bundle_create: images, content and trust metadata come from it alone,
	 * verified as a server's answers are with the pins and floors of `home`, and no connection is made.
	 * Whatever writes is MANIFESTO_USAGE. NULL: none. */
	const char *bundle;
	/* With `bundle`. at: everything is verified as of this time, and the run leaves pins and floors as
	 * they are; 0: now. bundle_max_age: seconds; the newest record in the trust metadata must be no
	 * older, else MANIFESTO_EXPIRED; 0: any. */
	int64_t at, bundle_max_age;
	/* For trust servers tuf+s3://: what the AWS tools take from the variables of these names; the first
	 * three are secret. NULL: not set. Files are read, and a credential_process is run, when a request is
	 * made. */
	const char *aws_access_key_id, *aws_secret_access_key, *aws_session_token;
	const char *aws_region;
	const char *aws_endpoint_url; /* "https://HOST[:PORT]" of a store that is not Amazon's */
	const char *aws_profile;      /* NULL: "default", if there is one */
	const char *aws_config_file, *aws_shared_credentials_file; /* NULL: none */
	/* What a person types to propose the change that a publish could not sign, for its hint. NULL: not
	 * known. */
	const char *propose_hint;
	/* Octets that the files in cache_dir may take, counted in blocks of 4 KiB: beyond it those that were
	 * not used for the longest time go. At least 1 MiB; 0: 256 MiB. */
	uint64_t cache_limit;
};

struct manifesto;
/* Makes a context. Touches no file and no network. The caller frees it. */
MANIFESTO_API int manifesto_new(const struct manifesto_options *opt, struct manifesto **out,
				struct manifesto_error *err);
/* Frees a context and wipes its secrets. NULL: nothing. Results outlive their context. */
MANIFESTO_API void manifesto_free(struct manifesto *m);

struct manifesto_stats {
	size_t size;
	uint64_t requests, bytes_in, bytes_out; /* of HTTP, since the context was made */
	/* By the thread that asks, since the context was made, whatever contexts it has: octets that went
	 * into digests or were signed or verified; of files that were read; of files that were written. */
	uint64_t bytes_hashed, bytes_read, bytes_written;
};
/* Fills the caller's struct as far as its `size` goes. */
MANIFESTO_API void manifesto_stats(const struct manifesto *m, struct manifesto_stats *out);

#ifdef __cplusplus
}
#endif
#endif
