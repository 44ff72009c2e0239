/* Every limit on untrusted input, with its reason. A size that depends on input is checked against one of
 * these before memory is allocated for it. */
#ifndef MF_BASE_LIMITS_H
#define MF_BASE_LIMITS_H

/* TUF metadata. Root and timestamp hold a handful of keys or one entry; the snapshot
 * holds about 200 bytes a role; targets is Notary's own upload cap. */
#define MF_MAX_ROOT_BYTES ((size_t)512000)
#define MF_MAX_TIMESTAMP_BYTES ((size_t)16384)
#define MF_MAX_SNAPSHOT_BYTES ((size_t)2000000)
#define MF_MAX_TARGETS_BYTES ((size_t)100 << 20)
/* All roles of one load together, because they are held in memory. */
#define MF_MAX_TARGETS_TOTAL ((size_t)256 << 20)
#define MF_MAX_ROOT_STEPS 256        /* root versions walked in one run */
#define MF_MAX_DELEGATIONS_LOOKUP 32 /* roles visited to look one name up */
#define MF_MAX_DELEGATIONS_LIST 8192 /* roles visited to list all names */
/* 4,096 shards of a role, which take 800 kB in the snapshot. */
#define MF_MAX_SHARD_DIGITS 3
/* Records in a file of a role before it is divided: 2.5 MB. */
#define MF_MAX_SHARD_RECORDS 5000
#define MF_MAX_SIGNATURES 64                       /* signatures on one file */
#define MF_MAX_KEYS 1024                           /* keys in one file */
#define MF_MAX_ROLE_NAME 255                       /* Notary: role names are shorter than 256 bytes */
#define MF_MAX_VERSION ((int64_t)9007199254740991) /* 2^53-1: exact in every JSON reader */

/* Octets of cached files that are read to guess whether content is new: enough for one role's file of
 * MF_MAX_SHARD_RECORDS. */
#define MF_MAX_GUESS_BYTES ((size_t)4 << 20)

/* The index of a targets file. A smaller file is read whole, which costs less than an index. An entry of
 * ours has at most MF_MAX_CUSTOM_BYTES; a larger one is no record. For more subjects in one run, reading
 * the whole file costs less than reading their entries one by one. */
#define MF_MIN_INDEXED_BYTES ((size_t)64 << 10)
#define MF_MAX_INDEX_ENTRY ((size_t)256 << 10)
#define MF_MAX_INDEX_SUBJECTS 1024

/* History: old versions of one role that one run reads; roles that are no longer listed; octets of all old
 * versions together (a few dozen files of Notary's maximum size); different key lists of one role; events
 * held in memory. */
#define MF_MAX_HISTORY_VERSIONS 1000
#define MF_MAX_HISTORY_FORMER 256
#define MF_MAX_HISTORY_BYTES ((uint64_t)2 << 30)
#define MF_MAX_HISTORY_AUTHORITIES 256
#define MF_MAX_HISTORY_EVENTS 100000

/* JSON. */
#define MF_MAX_JSON_DEPTH 64

/* Records and references. */
#define MF_MAX_TYPE 128
#define MF_MAX_BLOB_BYTES ((uint64_t)256 << 20)
#define MF_MAX_CUSTOM_BYTES ((size_t)65536) /* custom.manifesto of one record */
/* A promoted record has the entries of which it was made, each of which may have been promoted: limits for
 * the depth and for the number of all originals. (MF_MAX_CUSTOM_BYTES has room for fewer.) */
#define MF_MAX_PROMOTIONS 8
#define MF_MAX_ORIGINALS 64
#define MF_MAX_REFERENCE 2048 /* an image reference as typed */
#define MF_MAX_REPOSITORY 255 /* distribution grammar: name length */
#define MF_MAX_TAG 128        /* distribution grammar: tag length */
#define MF_MAX_GUN 255        /* Notary's SQL columns */

/* Registry documents. 4 MiB is what registries accept for a manifest. */
#define MF_MAX_MANIFEST_BYTES ((size_t)4 << 20)
/* An index may list indexes: limits for the depth, for the number of indexes (each is a request), and for
 * all images. */
#define MF_MAX_INDEX_DEPTH 8
#define MF_MAX_INDEX_INDEXES 256
#define MF_MAX_INDEX_IMAGES 10000
#define MF_MAX_CATALOGUE_RECORDS 4000 /* layers of one catalogue manifest */
/* Tags of one repository that are resolved: each takes 128 octets and a request. */
#define MF_MAX_TAGS 100000
/* A registry that refuses a catalogue may list up to MF_MAX_CATALOGUE_RECORDS missing blobs, with about
 * 150 bytes for each. */
#define MF_MAX_ERROR_BODY ((size_t)1 << 20)
#define MF_MAX_TOKEN_BODY ((size_t)1 << 20)

/* Trust metadata in a registry: a manifest of MF_MAX_MANIFEST_BYTES has no room for more layers, of about
 * 300 octets each. A name is a version and a role's name, percent-encoded. */
#define MF_MAX_OCI_FILES 14000
#define MF_MAX_OCI_FILE_NAME ((size_t)3 * MF_MAX_ROLE_NAME + 32)

/* HTTP. */
#define MF_MAX_REDIRECTS 5
#define MF_CONNECT_TIMEOUT_MS 10000
#define MF_STALL_TIMEOUT_S 30      /* abort when less than 1 byte a second arrives for this time */
#define MF_TOTAL_TIMEOUT_MS 120000 /* --timeout: time spent waiting */
/* A transfer does not count as waiting while it is at least this fast: a server that sends an octet now
 * and then must not stop a run for ever (TUF 1.0, "Slow retrieval attacks"). */
#define MF_MIN_RATE ((uint64_t)10240) /* octets per second */
#define MF_MAX_HEADER_VALUE ((size_t)8192)
/* Presigned URLs with a session token are longer than 2 KiB, and servers accept 8 KiB; the rest is for
 * what we append. */
#define MF_MAX_URL ((size_t)8192 + 512)

/* Files in one trust repository: names of about 200 octets, held in memory. A page of an object store
 * lists 1,000 keys of at most 1,024 octets, three for each when they are encoded. */
#define MF_MAX_STORED_FILES ((size_t)2000000)
#define MF_MAX_LIST_PAGE_BYTES ((size_t)8 << 20)

/* Snapshots that are examined to find the last one signed by keys that remain: enough for publishes within
 * milliseconds. */
#define MF_MAX_HEAL_VERSIONS 100

/* Configuration and key files, ours and Docker's. */
#define MF_MAX_KEYFILE_BYTES ((size_t)65536)
#define MF_MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MF_MAX_MAPS 1000 /* each map is compared with each other one */
/* Rollback floors: MF_MAX_DELEGATIONS_LIST names of MF_MAX_ROLE_NAME octets, of which each may take six in
 * JSON. */
#define MF_MAX_FLOORS_BYTES ((size_t)16 << 20)
#define MF_MAX_PASSPHRASE ((size_t)4096)
#define MF_MAX_HELPER_BYTES ((size_t)1 << 20) /* answer of a credential helper */
#define MF_HELPER_TIMEOUT_MS 20000
/* A message of ssh-agent: the maximum that OpenSSH's agent accepts and sends. */
#define MF_MAX_AGENT_BYTES ((size_t)256 << 10)
/* The answer of a command that signs: a key or a signature as JSON. */
#define MF_MAX_COMMAND_ANSWER ((size_t)65536)
/* Argon2id cost in a key file: at most libsodium's "sensitive" level. */
#define MF_MAX_KDF_OPS ((uint64_t)16)
#define MF_MAX_KDF_MEM ((uint64_t)1 << 30)
/* The same for key files of other programs. Notary writes 2,048 rounds of PBKDF2; a million take a second.
 * OpenSSH writes 16 or 24 rounds of bcrypt and signify 42; users may choose 100; 1,000 take 10 seconds.
 * OpenSSL's scrypt has N * r * p = 2^17 and takes 50 ms. minisign's has libsodium's "sensitive" cost, 1
 * GiB and a few seconds. */
#define MF_MAX_PBKDF2_ROUNDS 1000000
#define MF_MAX_BCRYPT_ROUNDS ((uint32_t)1000)
#define MF_MAX_SCRYPT_COST ((uint64_t)1 << 24)
#define MF_MAX_SCRYPT_OPS ((uint64_t)33554432)
#define MF_MAX_SCRYPT_MEM ((uint64_t)1 << 30)

/* A proposal contains the signed parts of the roles that it changes, in base64, and is held in memory as a
 * tree. */
#define MF_MAX_PROPOSAL_BYTES ((size_t)16 << 20)
#define MF_MAX_PROPOSAL_FILES 256
#define MF_MAX_PROPOSALS 256 /* proposals of one image that are fetched */
/* In seconds; after this time approvals must be requested again. */
#define MF_PROPOSAL_LIFE (30 * INT64_C(86400))

/* Size of an in-toto Statement, made or read. */
#define MF_MAX_ATTESTATION ((size_t)16 << 20)
/* Content in a Statement; the rest is for the description of it. */
#define MF_MAX_ATTESTED ((size_t)15 << 20)
#define MF_MAX_ATTEST_URI ((size_t)1024)

/* A gate: far above any policy that people write, and low enough to compare each requirement with each
 * role. */
#define MF_MAX_POLICY_BYTES ((size_t)65536)
#define MF_MAX_REQUIREMENTS 64
#define MF_MAX_POLICY_ROLES 32
/* Conditions on content: programs of one requirement, octets of one program. */
#define MF_MAX_CONDITIONS 16
#define MF_MAX_CONDITION ((size_t)4096)
/* One evaluation: octets of the document (jq's tree takes some twenty times as much), memory in addition
 * to what the process has, seconds of processor time. A scan report of 32 MiB is read in two seconds. */
#define MF_MAX_CONDITION_CONTENT ((size_t)32 << 20)
#define MF_MAX_CONDITION_MEMORY ((uint64_t)1 << 30)
#define MF_MAX_CONDITION_CPU_S 5
#define MF_MAX_WAIVER_BYTES ((size_t)65536)   /* content of a waiver record */
#define MF_MAX_WAIVER_TEXT ((size_t)1024)     /* its name, and whom it was granted to */
#define MF_MAX_VERIFY_IMAGES ((size_t)100000) /* references of one run, which are held in memory */
/* Images whose records one run changes; all are open at once. */
#define MF_MAX_CHANGE_IMAGES ((size_t)10000)
#define MF_MAX_IMAGE_LIST ((size_t)16 << 20) /* octets of a file that lists references */
#define MF_VERIFY_WINDOW 16                  /* images resolved at once; registries limit requests */
/* Images that a gate has open. There are enough of them to keep the HTTP client busy, which sends at most
 * 32 requests at once, even if each repository has few images: while one image waits for its metadata,
 * tags and metadata of others are requested. */
#define MF_VERIFY_AHEAD 128
/* Shards that are requested together or held loaded, for example for the images that a gate has open: up
 * to 5,000 records, 2.5 MB, each. */
#define MF_SHARDS_AHEAD 16
/* Trust metadata that one run keeps loaded. Beyond it the least recently used repository is dropped. */
#define MF_MAX_VERIFY_HELD ((size_t)32 << 20)

/* Bundles, which are tar files: far above a release of thousands of images. An entry takes 32 bytes and
 * its name in memory; a name is one of our paths or of a repository. tar pads its last record with zeros. */
#define MF_MAX_ARCHIVE_BYTES ((uint64_t)1 << 40)
#define MF_MAX_ARCHIVE_MEMBERS 262144
#define MF_MAX_ARCHIVE_NAME ((size_t)4096)
#define MF_MAX_ARCHIVE_NAMES ((size_t)64 << 20)
#define MF_MAX_ARCHIVE_PADDING ((uint64_t)1 << 20)
#define MF_MAX_PAX_BYTES ((size_t)65536)
/* The index of a bundle has a descriptor of about 350 octets for each image and each record. */
#define MF_MAX_BUNDLE_INDEX_BYTES ((size_t)64 << 20)
#define MF_MAX_BUNDLE_IMAGES 10000

/* A clock may be this far behind the latest time seen: time daemons make small steps. */
#define MF_CLOCK_TOLERANCE_S 300
/* Blobs up to this size are kept in the cache, so that a warm get fetches nothing. */
#define MF_MAX_CACHED_BLOB ((uint64_t)16 << 20)
/* The default limit of the cache, and the smallest limit that can be set: the cache must have room for
 * what one run uses. */
#define MF_CACHE_LIMIT ((uint64_t)256 << 20)
#define MF_MIN_CACHE_LIMIT ((uint64_t)1 << 20)

#endif
