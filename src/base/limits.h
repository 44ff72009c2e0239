/* Every bound on untrusted input, with its reason. A size that depends on input is
 * checked against one of these before memory is allocated for it. */
#ifndef MF_BASE_LIMITS_H
#define MF_BASE_LIMITS_H

/* TUF metadata. Root and timestamp hold a handful of keys or one entry; the snapshot
 * holds about 200 bytes a role; targets is Notary's own upload cap. */
#define MF_MAX_ROOT_BYTES ((size_t)512000)
#define MF_MAX_TIMESTAMP_BYTES ((size_t)16384)
#define MF_MAX_SNAPSHOT_BYTES ((size_t)2000000)
#define MF_MAX_TARGETS_BYTES ((size_t)100 << 20)
/* All roles of one load together: they are held in memory. */
#define MF_MAX_TARGETS_TOTAL ((size_t)256 << 20)
#define MF_MAX_ROOT_STEPS 256                      /* root versions walked in one run */
#define MF_MAX_DELEGATIONS_LOOKUP 32               /* roles visited to look one name up */
#define MF_MAX_DELEGATIONS_LIST 8192               /* roles visited to list all names */
#define MF_MAX_SHARD_DIGITS 3                      /* 4,096 shards of a role: 800 kB in the snapshot */
#define MF_MAX_SHARD_RECORDS 5000                  /* in a file of a role, before it is divided: 2.5 MB */
#define MF_MAX_SIGNATURES 64                       /* signatures on one file */
#define MF_MAX_KEYS 1024                           /* keys in one file */
#define MF_MAX_ROLE_NAME 255                       /* Notary: role names are shorter than 256 bytes */
#define MF_MAX_VERSION ((int64_t)9007199254740991) /* 2^53-1: exact in every JSON reader */

/* Of cached files, to guess whether content is new: the file of a role of MF_MAX_SHARD_RECORDS. */
#define MF_MAX_GUESS_BYTES ((size_t)4 << 20)

/* The index of a targets file. A smaller file is read whole: it costs less than an index. An entry has at
 * most MF_MAX_CUSTOM_BYTES of ours; what has more is no record. Beyond so many subjects of one run the whole
 * file costs less than their entries one by one. */
#define MF_MIN_INDEXED_BYTES ((size_t)64 << 10)
#define MF_MAX_INDEX_ENTRY ((size_t)256 << 10)
#define MF_MAX_INDEX_SUBJECTS 1024

/* History: old versions of one role read in a run, octets of all of them (of files at Notary's cap a few
 * dozen), different key lists of one role, events held in memory, roles
 * that are listed no more. */
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
/* A record that was promoted has the entries that it was made of, each of which may have been promoted: so
 * deep, and so many in all, of which MF_MAX_CUSTOM_BYTES leaves room for fewer. */
#define MF_MAX_PROMOTIONS 8
#define MF_MAX_ORIGINALS 64
#define MF_MAX_REFERENCE 2048 /* an image reference as typed */
#define MF_MAX_REPOSITORY 255 /* distribution grammar: name length */
#define MF_MAX_TAG 128        /* distribution grammar: tag length */
#define MF_MAX_GUN 255        /* Notary's SQL columns */

/* Registry documents. 4 MiB is what registries accept for a manifest. */
#define MF_MAX_MANIFEST_BYTES ((size_t)4 << 20)
/* An index may list indexes: so deep, so many of them (each is a request), so many images in all. */
#define MF_MAX_INDEX_DEPTH 8
#define MF_MAX_INDEX_INDEXES 256
#define MF_MAX_INDEX_IMAGES 10000
#define MF_MAX_CATALOGUE_RECORDS 4000 /* layers of one catalogue manifest */
/* Tags of one repository that are resolved: 128 octets each, and a request. */
#define MF_MAX_TAGS 100000
/* A registry that refuses a catalogue names up to MF_MAX_CATALOGUE_RECORDS missing blobs in about 150 bytes
 * each. */
#define MF_MAX_ERROR_BODY ((size_t)1 << 20)
#define MF_MAX_TOKEN_BODY ((size_t)1 << 20)

/* Trust metadata in a registry: a manifest of MF_MAX_MANIFEST_BYTES has no room for more layers of about 300
 * octets; a name is a version and a role's name, percent-encoded. */
#define MF_MAX_OCI_FILES 14000
#define MF_MAX_OCI_FILE_NAME ((size_t)3 * MF_MAX_ROLE_NAME + 32)

/* HTTP. */
#define MF_MAX_REDIRECTS 5
#define MF_CONNECT_TIMEOUT_MS 10000
#define MF_STALL_TIMEOUT_S 30      /* less than 1 byte a second for so long */
#define MF_TOTAL_TIMEOUT_MS 120000 /* --timeout: of waiting */
/* What moves is not waited for, as long as it moves at this rate: a server that sends an octet now and then
 * must not hold us for ever (TUF 1.0, "Slow retrieval attacks"). */
#define MF_MIN_RATE ((uint64_t)10240) /* octets a second */
#define MF_MAX_HEADER_VALUE ((size_t)8192)
/* Presigned URLs that carry a session token are longer than 2 KiB; servers take 8 KiB. And what we add. */
#define MF_MAX_URL ((size_t)8192 + 512)

/* What lies in one trust repository: names of about 200 octets, in memory. A page of an object store lists
 * 1,000 keys of at most 1,024 octets, three each when they are encoded. */
#define MF_MAX_STORED_FILES ((size_t)2000000)
#define MF_MAX_LIST_PAGE_BYTES ((size_t)8 << 20)

/* Snapshots that are looked at to find the last one of remaining keys: publishes within milliseconds. */
#define MF_MAX_HEAL_VERSIONS 100

/* Files of ours and of Docker. */
#define MF_MAX_KEYFILE_BYTES ((size_t)65536)
#define MF_MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MF_MAX_MAPS 1000 /* each is compared with each other */
/* Rollback floors: MF_MAX_DELEGATIONS_LIST names of MF_MAX_ROLE_NAME octets, six each as JSON. */
#define MF_MAX_FLOORS_BYTES ((size_t)16 << 20)
#define MF_MAX_PASSPHRASE ((size_t)4096)
#define MF_MAX_HELPER_BYTES ((size_t)1 << 20) /* answer of a credential helper */
#define MF_HELPER_TIMEOUT_MS 20000
/* A message of ssh-agent: the most that OpenSSH's accepts and sends. */
#define MF_MAX_AGENT_BYTES ((size_t)256 << 10)
#define MF_MAX_COMMAND_ANSWER ((size_t)65536) /* of a command that signs: a key or a signature as JSON */
/* Argon2id cost read from a key file: at most what libsodium calls sensitive. */
#define MF_MAX_KDF_OPS ((uint64_t)16)
#define MF_MAX_KDF_MEM ((uint64_t)1 << 30)
/* The same in other programs' key files. Notary writes 2,048 rounds of PBKDF2; a million take a second.
 * OpenSSH writes 16 or 24 rounds of bcrypt and signify 42, people ask for 100; 1,000 take 10 seconds.
 * OpenSSL's scrypt has N * r * p = 2^17 and takes 50 ms. minisign's has libsodium's sensitive cost, 1 GiB and
 * a few seconds. */
#define MF_MAX_PBKDF2_ROUNDS 1000000
#define MF_MAX_BCRYPT_ROUNDS ((uint32_t)1000)
#define MF_MAX_SCRYPT_COST ((uint64_t)1 << 24)
#define MF_MAX_SCRYPT_OPS ((uint64_t)33554432)
#define MF_MAX_SCRYPT_MEM ((uint64_t)1 << 30)

/* A proposal has the signed parts of the roles that it changes in base64, and is held in memory as a tree. */
#define MF_MAX_PROPOSAL_BYTES ((size_t)16 << 20)
#define MF_MAX_PROPOSAL_FILES 256
#define MF_MAX_PROPOSALS 256                   /* of one image, that are fetched */
#define MF_PROPOSAL_LIFE (30 * INT64_C(86400)) /* seconds: approvals are given soon, or asked for again */

/* An in-toto Statement that is made or read. */
#define MF_MAX_ATTESTATION ((size_t)16 << 20)
#define MF_MAX_ATTESTED ((size_t)15 << 20) /* content in one: the rest is for what is said about it */
#define MF_MAX_ATTEST_URI ((size_t)1024)

/* A gate: far above any policy of people, low enough that a requirement and a role can be compared with each.
 */
#define MF_MAX_POLICY_BYTES ((size_t)65536)
#define MF_MAX_REQUIREMENTS 64
#define MF_MAX_POLICY_ROLES 32
/* Conditions on content: programs of a requirement, octets of one. */
#define MF_MAX_CONDITIONS 16
#define MF_MAX_CONDITION ((size_t)4096)
/* An evaluation: octets of the document (jq holds it as a tree of some twenty times its size), memory beyond
 * what the process has, seconds of processor time. A scan report of 32 MiB is read in two seconds. */
#define MF_MAX_CONDITION_CONTENT ((size_t)32 << 20)
#define MF_MAX_CONDITION_MEMORY ((uint64_t)1 << 30)
#define MF_MAX_CONDITION_CPU_S 5
#define MF_MAX_WAIVER_BYTES ((size_t)65536)   /* content of a waiver record */
#define MF_MAX_WAIVER_TEXT ((size_t)1024)     /* its name, and for whom it is */
#define MF_MAX_VERIFY_IMAGES ((size_t)100000) /* references of one run are held in memory */
#define MF_MAX_CHANGE_IMAGES ((size_t)10000)  /* whose records one run changes; they are all open */
#define MF_MAX_IMAGE_LIST ((size_t)16 << 20)  /* octets of a list of references */
#define MF_VERIFY_WINDOW 16                   /* images resolved at once; registries limit requests */
/* Images that a gate has open. So many that repositories of a few images each keep the HTTP client busy,
 * which sends no more than 32 requests at once: while one waits for its metadata, tags and the metadata of
 * others are on their way. */
#define MF_VERIFY_AHEAD 128
/* Shards that are requested together for the images that a gate has open: of 5,000 records, 2.5 MB each. */
#define MF_SHARDS_AHEAD 16
/* Trust metadata kept loaded in one run; beyond it the repository that was not used for the longest time is
 * dropped. */
#define MF_MAX_VERIFY_HELD ((size_t)32 << 20)

/* Bundles and the tar file that one is: far above a release of thousands of images. An entry in memory is 32
 * bytes and its name; a name is a path of ours or a repository's. Records of a tar file are filled up with
 * zeros. */
#define MF_MAX_ARCHIVE_BYTES ((uint64_t)1 << 40)
#define MF_MAX_ARCHIVE_MEMBERS 262144
#define MF_MAX_ARCHIVE_NAME ((size_t)4096)
#define MF_MAX_ARCHIVE_NAMES ((size_t)64 << 20)
#define MF_MAX_ARCHIVE_PADDING ((uint64_t)1 << 20)
#define MF_MAX_PAX_BYTES ((size_t)65536)
/* A descriptor for each image and each record: about 350 octets. */
#define MF_MAX_BUNDLE_INDEX_BYTES ((size_t)64 << 20)
#define MF_MAX_BUNDLE_IMAGES 10000

/* A clock may lie this far before the latest one seen: small steps by time daemons. */
#define MF_CLOCK_TOLERANCE_S 300
/* Blobs up to this size are kept in the cache, so that a warm get fetches nothing. */
#define MF_MAX_CACHED_BLOB ((uint64_t)16 << 20)
/* What the cache may take, unless somebody says otherwise, and the least that they may say: it must have room
 * for what one run uses. */
#define MF_CACHE_LIMIT ((uint64_t)256 << 20)
#define MF_MIN_CACHE_LIMIT ((uint64_t)1 << 20)

#endif
