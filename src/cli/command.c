#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define B MF_OPT_BIT
#define FROM_BUNDLE (B(MF_OPT_BUNDLE) | B(MF_OPT_AT) | B(MF_OPT_MAX_AGE))
#define BUNDLE_AGE "refuse a bundle whose newest record may be older"

/* Each row reads like a page of help; its lines are not reflowed. */
/* clang-format off */
const struct mf_cli_command mf_cli_commands[] = {
    {.name = "put", .group = MF_CLI_RECORDS, .synopsis = "IMAGE... TYPE FILE", .min = 3, .max = MF_CLI_ANY,
     .summary = "store a file as signed metadata of an image",
     .description =
	"Stores FILE ('-': standard input) as the record TYPE of the image, signs it and\n"
	"publishes it. The record belongs to the digest that the image has now, not to\n"
	"its tag. The first put to a repository creates the keys and the trust\n"
	"repository: on a terminal it asks first, elsewhere it needs --init.\n"
	"Several images, also of several repositories, get the same record: each\n"
	"repository is published to once, and of its images all are changed, or none.\n"
	"With --from-dsse in place of FILE, stores the in-toto Statement of somebody\n"
	"else's attestation: KEY must have signed it, and it must be about the image.",
     .options = B(MF_OPT_FROM_DSSE) | B(MF_OPT_SIGNER) | B(MF_OPT_IMAGES) | B(MF_OPT_PROPOSE) | B(MF_OPT_INIT) | B(MF_OPT_MEDIA_TYPE) | B(MF_OPT_AUTHOR) | B(MF_OPT_REASON) | B(MF_OPT_ANNOTATION) |
		B(MF_OPT_EXPIRES) | B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_FORCE) |
		B(MF_OPT_REINSTATE) | B(MF_OPT_LINK) | B(MF_OPT_KEY),
     .repeats = B(MF_OPT_ANNOTATION),
     .replaces_last = B(MF_OPT_FROM_DSSE),
     .help = {{MF_OPT_FORCE, NULL, "replace the record even if it changed in the meantime or is the same"},
	      {MF_OPT_KEY, NULL, "key to sign with, and the name of a key that is created"}},
     .run = mf_cli_run_put},
    {.name = "sign", .group = MF_CLI_RECORDS, .synopsis = "IMAGE... TYPE", .min = 2, .max = MF_CLI_ANY,
     .summary = "add your signature to a record",
     .description =
	"Shows the current record with its digest and its signers, asks, and adds the\n"
	"signature of your key. Nothing else in the record changes. For several images it\n"
	"asks once.",
     .options = B(MF_OPT_IMAGES) | B(MF_OPT_PROPOSE) | B(MF_OPT_YES) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS),
     .help = {{MF_OPT_ROLE, NULL, "role whose record to sign"}},
     .run = mf_cli_run_sign},
    {.name = "rm", .group = MF_CLI_RECORDS, .synopsis = "IMAGE... TYPE", .min = 2, .max = MF_CLI_ANY,
     .summary = "remove a record",
     .description =
	"Removes the current record of your role, as if it had never been there. To\n"
	"state that a record no longer holds, use 'manifesto withdraw'. With --reinstate,\n"
	"removes your role's withdrawal instead.",
     .options = B(MF_OPT_IMAGES) | B(MF_OPT_PROPOSE) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_FORCE) |
		B(MF_OPT_REINSTATE),
     .help = {{MF_OPT_ROLE, NULL, "role whose record to remove"},
	      {MF_OPT_FORCE, NULL, "remove the record even if it changed in the meantime"},
	      {MF_OPT_REINSTATE, NULL, "remove your role's withdrawal, and nothing else"}},
     .run = mf_cli_run_rm},
    {.name = "withdraw", .group = MF_CLI_RECORDS, .synopsis = "IMAGE... TYPE", .min = 2, .max = MF_CLI_ANY,
     .summary = "state that a record no longer holds",
     .description =
	"Replaces the record by a signed withdrawal with a reason, or adds a withdrawal\n"
	"beside the record of another role. Readers refuse the record with status 9\n"
	"until the same role lifts the withdrawal with 'put --reinstate' or\n"
	"'rm --reinstate'.",
     .options = B(MF_OPT_IMAGES) | B(MF_OPT_PROPOSE) | B(MF_OPT_REASON) | B(MF_OPT_AUTHOR) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_PLATFORM) |
		B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_FORCE),
     .help = {{MF_OPT_REASON, NULL, "why the record no longer holds (required)"},
	      {MF_OPT_FORCE, NULL, "withdraw the record even if it changed in the meantime"}},
     .run = mf_cli_run_withdraw},
    {.name = "veto", .group = MF_CLI_RECORDS, .synopsis = "IMAGE [TYPE]", .min = 1, .max = 2,
     .summary = "stop an image for gates that give your role a veto",
     .description =
	"Says in your role's file, with a reason, that records of TYPE, or without TYPE\n"
	"of all types, must not be accepted for this image. Your role need not sign the\n"
	"type. 'manifesto verify' refuses the image (9) if its policy names your role\n"
	"under \"veto\". Only your role can lift that, with --lift. --images names several\n"
	"images; the only argument is then TYPE.",
     .options = B(MF_OPT_IMAGES) | B(MF_OPT_PROPOSE) | B(MF_OPT_REASON) | B(MF_OPT_AUTHOR) | B(MF_OPT_LIFT) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) |
		B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS),
     .help = {{MF_OPT_REASON, NULL, "why the image must not be used (required, except with --lift)"},
	      {MF_OPT_LIFT, NULL, "remove your role's veto on TYPE, or the one on all types"}},
     .run = mf_cli_run_veto},
    {.name = "proposal list", .group = MF_CLI_RECORDS, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "list the proposals beside an image",
     .description =
	"Lists the changes that were proposed with '--propose @', with their IDs, and how\n"
	"many signatures each of them lacks.",
     .run = mf_cli_run_proposal_list},
    {.name = "proposal show", .group = MF_CLI_RECORDS, .synopsis = "[IMAGE] FILE|ID", .min = 1, .max = 2,
     .summary = "show all that a proposal would change",
     .description =
	"Applies the proposal to the verified trust metadata, and shows everything that\n"
	"its signatures would be over, who has signed it, and who may. A proposal is a\n"
	"FILE, or beside IMAGE one whose ID (or 8 or more digits of it) is given.",
     .run = mf_cli_run_proposal_show},
    {.name = "proposal sign", .group = MF_CLI_RECORDS, .synopsis = "[IMAGE] FILE|ID", .min = 1, .max = 2,
     .summary = "add your signatures to a proposal",
     .description =
	"Shows the proposal, asks, and adds the signatures of your keys. If somebody has\n"
	"published since it was made, it is first applied to what is there now; the\n"
	"signatures over what is changed by that are dropped, and reported.",
     .options = B(MF_OPT_YES) | B(MF_OPT_PUBLISH) | B(MF_OPT_KEY),
     .run = mf_cli_run_proposal_sign},
    {.name = "proposal publish", .group = MF_CLI_RECORDS, .synopsis = "[IMAGE] FILE|ID", .min = 1, .max = 2,
     .summary = "publish a proposal that has all its signatures",
     .description =
	"Publishes the proposal, reads it back, and removes it from beside the image.\n"
	"In a TUF 1.0 repository, keys of snapshot and timestamp must be on this machine;\n"
	"every key of a role is one of them.",
     .run = mf_cli_run_proposal_publish},
    {.name = "proposal drop", .group = MF_CLI_RECORDS, .synopsis = "IMAGE ID", .min = 2, .max = 2,
     .summary = "remove a proposal from beside an image",
     .description = "Removes the proposal with its signatures.\n"
		    "A proposal in a file is dropped by deleting the file.",
     .run = mf_cli_run_proposal_drop},
    {.name = "copy", .group = MF_CLI_RECORDS, .synopsis = "[SRC DST]", .min = 0, .max = 2,
     .summary = "promote the records of an image to another repository",
     .description =
	"Verifies the records of the image SRC as 'manifesto verify' does, copies their\n"
	"content to DST, and publishes them there under your key. Who signed them at SRC\n"
	"stays part of them, and counts at DST for those who know the keys. The image\n"
	"itself must be at DST already ('oras cp', 'skopeo copy'); DST is a repository,\n"
	"or a reference that names the same image.\n"
	"\n"
	"Without a requirement all current records are copied, except waivers. With one,\n"
	"those that are required are; if the image does not meet it, nothing is (9).\n"
	"--types limits what is copied. All images of a DST repository are published\n"
	"together, or none is.\n"
	"\n"
	"SRC has the trust server and the CAs of DST, unless --from-trust-server,\n"
	"--from-cacert or --bundle says otherwise; -u and --trust-user are for DST.",
     .options = B(MF_OPT_FROM_FILE) | B(MF_OPT_TYPES) | B(MF_OPT_REQUIRE) | B(MF_OPT_WHERE) | B(MF_OPT_DISTINCT) | B(MF_OPT_POLICY) | B(MF_OPT_MAX_AGE) |
		B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS) | B(MF_OPT_ROLE) | B(MF_OPT_KEY) | B(MF_OPT_FORCE) |
		B(MF_OPT_FROM_TRUST_SERVER) | B(MF_OPT_FROM_CACERT) | B(MF_OPT_BUNDLE),
     .repeats = B(MF_OPT_REQUIRE) | B(MF_OPT_WHERE) | B(MF_OPT_TYPES),
     .help = {{MF_OPT_TYPES, NULL, "only records of these types; may be repeated"},
	      {MF_OPT_REQUIRE, NULL, "record that SRC must have; may be repeated"},
	      {MF_OPT_BUNDLE, NULL, "read SRC from this bundle"},
	      {MF_OPT_FORCE, NULL, "replace records of other content"}},
     .run = mf_cli_run_copy},
    {.name = "get", .group = MF_CLI_RECORDS, .synopsis = "IMAGE TYPE", .min = 2, .max = 2,
     .summary = "verify a record and write its content",
     .description =
	"Verifies the trust metadata, the record's signatures and the content's digest,\n"
	"then writes the content, byte for byte as it was put. If any check fails,\n"
	"nothing is written. With --json, which requires --output, a description of the\n"
	"record is written to standard output.\n"
	"\n"
	"With --version N, gets the record as an older version of its role's file has\n"
	"it; a note on standard error says how it differs from the current record. Use\n"
	"it to review the past, not to decide.",
     .options = B(MF_OPT_OUTPUT) | B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) | B(MF_OPT_AT_VERSION) | FROM_BUNDLE,
     .help = {{MF_OPT_ROLE, NULL, "accept the record of this role only"}, {MF_OPT_MAX_AGE, NULL, BUNDLE_AGE}},
     .run = mf_cli_run_get},
    {.name = "export", .group = MF_CLI_RECORDS, .synopsis = "IMAGE TYPE", .min = 2, .max = 2,
     .summary = "write a record as an attestation that other tools read",
     .description =
	"Verifies the record and its content as 'manifesto get' does, and writes it as an\n"
	"in-toto Statement about the image: signed with an ed25519 key that has signed\n"
	"the record, in a DSSE envelope or a Sigstore bundle, which cosign verifies. Such\n"
	"readers check the signature; they see neither expiry nor withdrawal.",
     .options = B(MF_OPT_FORMAT) | B(MF_OPT_ATTACH) | B(MF_OPT_PREDICATE_TYPE) | B(MF_OPT_KEY) | B(MF_OPT_OUTPUT) |
		B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM),
     .help = {{MF_OPT_FORMAT, NULL, "bundle (default), dsse, in-toto (not signed)"},
	      {MF_OPT_ROLE, NULL, "the record of this role only"}},
     .run = mf_cli_run_export},
    {.name = "list", .group = MF_CLI_RECORDS, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "verify and list the records of an image",
     .description =
	"Verifies the trust metadata and lists the current records of the image with\n"
	"their signers. With --all, IMAGE is a repository without tag and digest, and\n"
	"the records of all its images are listed with the tags that they have now;\n"
	"(gone) stands for an image that is no longer there. --type, --role and --state\n"
	"take a value or a list with commas, and may be repeated.",
     .options = B(MF_OPT_ALL) | B(MF_OPT_TYPE) | B(MF_OPT_ROLE) | B(MF_OPT_STATE) | B(MF_OPT_PLATFORM) |
		B(MF_OPT_ALL_PLATFORMS) | FROM_BUNDLE,
     .repeats = B(MF_OPT_TYPE) | B(MF_OPT_ROLE) | B(MF_OPT_STATE),
     .help = {{MF_OPT_ALL, NULL, "list the records of all images of a repository"},
	      {MF_OPT_ROLE, NULL, "only records of this role"},
	      {MF_OPT_MAX_AGE, NULL, BUNDLE_AGE}},
     .run = mf_cli_run_list},
    {.name = "history", .group = MF_CLI_RECORDS, .synopsis = "IMAGE [TYPE]", .min = 1, .max = 2,
     .summary = "show what happened to the records of an image",
     .description =
	"Reads the versions of the roles' files that the trust repository keeps, verifies\n"
	"each against the keys that were valid then, and shows what was put, replaced,\n"
	"signed, withdrawn or removed, oldest first; with --json one event a line.\n"
	"Versions that are not kept are named. A version that does not verify is named,\n"
	"too, and the exit status is 6. The times in SEEN are not signed: they come from\n"
	"the store.\n"
	"\n"
	"With --all, IMAGE is a repository without tag and digest: the events of all its\n"
	"images are shown, and without TYPE also what became of its roles, keys and\n"
	"roots.",
     .options = B(MF_OPT_ALL) | B(MF_OPT_ROLE) | B(MF_OPT_PLATFORM) | B(MF_OPT_LIMIT) | FROM_BUNDLE,
     .help = {{MF_OPT_ALL, NULL, "all images of a repository, its roles, keys and roots"},
	      {MF_OPT_ROLE, NULL, "only this role"},
	      {MF_OPT_MAX_AGE, NULL, BUNDLE_AGE}},
     .run = mf_cli_run_history},
    {.name = "verify", .group = MF_CLI_GATE, .synopsis = "IMAGE...", .min = 0, .max = MF_CLI_ANY,
     .summary = "check that images have the records that a policy requires",
     .description =
	"Checks that each image has every record that --require or the policy file asks\n"
	"for:\n"
	"  --require qa-approval=qa         one that role qa has signed\n"
	"  --require 'scan=2 of qa,appsec'  one that two keys of these roles have signed\n"
	"  --require contact                one of any role that may sign the type\n"
	"--where is a condition on the content of the required records, in jq's language:\n"
	"  --where 'qa-approval=.decision == \"approved\"'\n"
	"IMAGE '-' stands for references on standard input, one a line. All images are\n"
	"checked; those that are accepted are written to standard output as\n"
	"REPOSITORY@DIGEST, to be deployed as such. The exit status is that of the\n"
	"gravest finding. Nothing is ever trusted on first use.",
     .options = B(MF_OPT_REQUIRE) | B(MF_OPT_WHERE) | B(MF_OPT_DISTINCT) | B(MF_OPT_POLICY) | FROM_BUNDLE |
		B(MF_OPT_IMAGES) | B(MF_OPT_CONTENT) | B(MF_OPT_PLATFORM) | B(MF_OPT_ALL_PLATFORMS) |
		B(MF_OPT_FORMAT) | B(MF_OPT_VSA) | B(MF_OPT_VERIFIER_ID) | B(MF_OPT_KEY),
     .repeats = B(MF_OPT_REQUIRE) | B(MF_OPT_WHERE),
     .help = {{MF_OPT_FORMAT, NULL, "text (default), json, junit, markdown, github"},
	      {MF_OPT_IMAGES, NULL, "verify the images in this list, too, one a line"},
	      {MF_OPT_KEY, NULL, "key that signs the summaries"}},
     .run = mf_cli_run_verify},
    {.name = "report", .group = MF_CLI_GATE, .synopsis = "REPOSITORY|IMAGE...", .min = 1, .max = MF_CLI_ANY,
     .summary = "write a page about images, their records, roles and history",
     .description =
	"Verifies everything and writes one HTML page for a browser: the images of each\n"
	"REPOSITORY (no tag, no digest) or each IMAGE with who signed which record and\n"
	"when, what expires, was withdrawn, is vetoed or missing; roles and keys; the\n"
	"history. With --policy or --require, also what 'manifesto verify' says of each\n"
	"image: that one is refused is part of the report, and no failure. What could not\n"
	"be verified is in the page, and in the exit status. The page loads nothing and\n"
	"runs nothing; it holds the same data as JSON.",
     .options = B(MF_OPT_OUTPUT) | B(MF_OPT_REQUIRE) | B(MF_OPT_POLICY) | B(MF_OPT_WARN_WITHIN) | B(MF_OPT_LIMIT) | FROM_BUNDLE,
     .repeats = B(MF_OPT_REQUIRE),
     .help = {{MF_OPT_OUTPUT, NULL, "write the page to this file ('-': standard output; required)"},
	      {MF_OPT_MAX_AGE, NULL, BUNDLE_AGE}},
     .run = mf_cli_run_report},
    {.name = "bundle create", .group = MF_CLI_GATE, .synopsis = "IMAGE...", .min = 1, .max = MF_CLI_ANY,
     .summary = "write records, content and trust metadata to one file",
     .description =
	"Verifies the records, the content and the trust metadata of the images and\n"
	"writes them to one file. With --bundle FILE, get, list, history, verify, report\n"
	"and copy read that file without a network, and verify it with the pins of their\n"
	"machine. The file is an OCI image layout in a tar archive; the same state gives\n"
	"the same file. With --bundle, it is made from another bundle.",
     .options = B(MF_OPT_OUTPUT) | B(MF_OPT_BUNDLE),
     .help = {{MF_OPT_OUTPUT, NULL, "write the bundle to this file ('-': standard output; required)"},
	      {MF_OPT_BUNDLE, NULL, "take everything from this bundle; no network"}},
     .run = mf_cli_run_bundle_create},
    {.name = "policy check", .group = MF_CLI_GATE, .synopsis = "FILE", .min = 1, .max = 1, .reach = MF_CLI_ALONE,
     .summary = "check a policy file and show what it requires",
     .description =
	"Reads the policy FILE ('-': standard input) as 'manifesto verify' does, and\n"
	"shows in words what it requires.",
     .run = mf_cli_run_policy_check},
    {.name = "role add", .group = MF_CLI_ROLES, .synopsis = "IMAGE ROLE", .min = 2, .max = 2,
     .summary = "let keys sign record types: create a role, or add to it",
     .description =
	"Creates the role, or adds keys and types to it, in one publish that is read back\n"
	"and verified. From then on only the roles that are given a type sign it, and no\n"
	"longer 'targets'. In a TUF 1.0 directory each key of a role may publish, too,\n"
	"which requires the root key.\n"
	"\n"
	"KEY is a file with a public key (PEM, certificate, OpenSSH, minisign, signify),\n"
	"or the fingerprint or name of a key on this machine or in the repository.",
     .options = B(MF_OPT_PROPOSE) | B(MF_OPT_KEY) | B(MF_OPT_TYPES) | B(MF_OPT_THRESHOLD) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .repeats = B(MF_OPT_KEY) | B(MF_OPT_TYPES),
     .help = {{MF_OPT_KEY, "KEY", "key that may sign for the role; may be repeated"},
	      {MF_OPT_FORCE, NULL, "change the role even if records stop counting"},
	      {MF_OPT_THRESHOLD, NULL, "how many of the role's keys must sign (default 1)"}},
     .run = mf_cli_run_role_add},
    {.name = "role remove", .group = MF_CLI_ROLES, .synopsis = "IMAGE ROLE", .min = 2, .max = 2,
     .summary = "take keys from a role, or remove it",
     .description =
	"With --key, takes these keys from the role; what they have signed is re-signed\n"
	"with a key that stays. If no such key is on this machine, nothing changes and\n"
	"the command for a colleague is printed. Without --key, removes the role; if it\n"
	"holds records, only with --force.",
     .options = B(MF_OPT_PROPOSE) | B(MF_OPT_KEY) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .repeats = B(MF_OPT_KEY),
     .help = {{MF_OPT_KEY, "KEY", "key to take from the role: file, fingerprint or name"},
	      {MF_OPT_FORCE, NULL, "remove the role even if it holds records"}},
     .run = mf_cli_run_role_remove},
    {.name = "role list", .group = MF_CLI_ROLES, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "verify and list the roles of a repository",
     .description = "Shows who may sign which types, and the state of each role.",
     .run = mf_cli_run_role_list},
    {.name = "role keys", .group = MF_CLI_ROLES, .synopsis = "IMAGE ROLE", .min = 2, .max = 2,
     .summary = "list the keys of a role",
     .description = "Shows the fingerprint, type, local name and TUF key ID of each key.",
     .run = mf_cli_run_role_keys},
    {.name = "role mine", .group = MF_CLI_ROLES, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "show which roles you can sign for, and why not",
     .description =
	"Shows for each role whether the keys on this machine are enough to publish for\n"
	"it.",
     .run = mf_cli_run_role_mine},
    {.name = "role sign", .group = MF_CLI_ROLES, .synopsis = "IMAGE ROLE", .min = 2, .max = 2,
     .summary = "re-sign a role's file with a key on this machine",
     .description =
	"Signs the role's file again; its content stays as it is. Use it for a colleague\n"
	"whose key is about to be removed, or before a role expires. With --force, a file\n"
	"that does not verify is replaced by an empty one.",
     .options = B(MF_OPT_PROPOSE) | B(MF_OPT_KEY) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_FORCE, NULL, "replace a file that does not verify by an empty one"}},
     .run = mf_cli_run_role_sign},
    {.name = "role apply", .group = MF_CLI_ROLES, .synopsis = "REPOSITORY...", .min = 1, .max = MF_CLI_ANY,
     .summary = "give repositories the roles that a file declares",
     .description =
	"Afterwards each role in the file has exactly the declared keys, types and\n"
	"threshold. Prints what it changed; a second run changes nothing. Every\n"
	"repository is tried; the exit status is that of the gravest failure. The format\n"
	"of the file is in docs/teams.schema.json.",
     .options = B(MF_OPT_FILE) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_FORCE, NULL, "change the roles even if records stop counting"}},
     .run = mf_cli_run_role_apply},
    {.name = "status", .group = MF_CLI_CARE, .synopsis = "REPOSITORY...", .min = 1, .max = MF_CLI_ANY,
     .summary = "examine repositories: what expires, what is missing",
     .description =
	"Reports when the roles, root certificates and records of each repository expire,\n"
	"which keys are on this machine, which content is missing, and whether catalogue\n"
	"and referrers match the signed records; for each finding also who must act, and\n"
	"the command. Changes nothing. All repositories are examined, even if one fails.\n"
	"The exit status is that of the gravest finding: 14 if something expires soon or\n"
	"needs repair, 0 if all is well. With --quiet only problems are reported, which\n"
	"suits cron.",
     .options = B(MF_OPT_WARN_WITHIN),
     .run = mf_cli_run_status},
    {.name = "repair", .group = MF_CLI_CARE, .synopsis = "REPOSITORY...", .min = 1, .max = MF_CLI_ANY,
     .summary = "rebuild catalogue and referrers from the signed records",
     .description =
	"Compares the catalogue and the referrers of each repository with the signed\n"
	"records and writes what differs; in a directory of trust metadata also target\n"
	"files that are missing. Signed metadata is not changed, except in a bucket whose\n"
	"timestamp the newest root does not accept.",
     .options = B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_DRY_RUN, NULL, "only report what differs"}},
     .run = mf_cli_run_repair},
    {.name = "mirror", .group = MF_CLI_CARE, .synopsis = "REPOSITORY... DESTINATION", .min = 2, .max = MF_CLI_ANY,
     .summary = "copy trust repositories for their readers",
     .description =
	"Verifies the trust repository of each REPOSITORY, as every reader does, and\n"
	"copies it to DESTINATION: a directory, tuf+s3://BUCKET/PREFIX or\n"
	"tuf+oci://REGISTRY/REPOSITORY, where readers read it with --trust-server. A TUF\n"
	"1.0 repository is copied byte for byte, and readers verify it with the pin of\n"
	"the origin. Content is copied too, but not to a registry. Only what has\n"
	"changed is written; if a repository does not verify, its copy stays as it was.\n"
	"One that fails does not stop the others; the exit status is that of the gravest.",
     .run = mf_cli_run_mirror},
    {.name = "prune", .group = MF_CLI_CARE, .synopsis = "REPOSITORY...", .min = 1, .max = MF_CLI_ANY,
     .summary = "remove files that nothing in a trust repository refers to",
     .description =
	"In a directory, a bucket or an image layout, removes what is older than a day:\n"
	"content that no version of the metadata refers to, and files that stopped\n"
	"writers left. All versions stay, for 'manifesto history'. With --keep-versions\n"
	"N, only the newest N of each role stay, and content that only older ones refer\n"
	"to goes, too. Roots always stay. If the repository does not verify, nothing is\n"
	"removed.\n"
	"--older-than with less than a day is safe only while nobody publishes or reads.",
     .options = B(MF_OPT_DRY_RUN) | B(MF_OPT_OLDER_THAN) | B(MF_OPT_KEEP_VERSIONS),
     .help = {{MF_OPT_DRY_RUN, NULL, "report what would be removed, and remove nothing"}},
     .run = mf_cli_run_prune},
    {.name = "cache show", .group = MF_CLI_CARE, .synopsis = "", .min = 0, .max = 0, .reach = MF_CLI_HOME,
     .summary = "show what the cache of this machine holds",
     .description =
	"Shows where the cache is, how many files are in it, how much they take and may\n"
	"take (256 MiB, unless MANIFESTO_CACHE_SIZE says otherwise), and what the trust\n"
	"metadata of each repository takes.",
     .run = mf_cli_run_cache_show},
    {.name = "cache clear", .group = MF_CLI_CARE, .synopsis = "[IMAGE]", .min = 0, .max = 1, .reach = MF_CLI_HOME,
     .summary = "empty the cache of this machine",
     .description =
	"Removes the files of the cache, or with IMAGE the trust metadata of its\n"
	"repository. Nothing is lost: they are fetched again when they are needed. Pins,\n"
	"recorded versions and keys are not in the cache. Other commands may run\n"
	"meanwhile.",
     .run = mf_cli_run_cache_clear},
    {.name = "trust init", .group = MF_CLI_TRUST, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "create the trust repository for an image's repository",
     .description =
	"Creates keys as needed and the first signed metadata, and pins the root keys on\n"
	"this machine. With --recovery, the root has two keys from the start: the second\n"
	"is written to DIRECTORY, always under a passphrase, with a page to print that\n"
	"says what it is for; it is nowhere else. If the first root key is lost, the\n"
	"second puts another one in its place.",
     .options = B(MF_OPT_KEY) | B(MF_OPT_ROOT_KEYS) | B(MF_OPT_ROOT_THRESHOLD) | B(MF_OPT_RECOVERY),
     .help = {{MF_OPT_KEY, NULL, "key to sign with, and the name of a key that is created"}},
     .run = mf_cli_run_trust_init},
    {.name = "trust show", .group = MF_CLI_TRUST, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "verify and show roles, keys and pins",
     .description =
	"Verifies the whole chain of trust metadata and shows its roles with their\n"
	"versions, expiry and keys, and the pins on this machine.",
     .options = B(MF_OPT_BUNDLE) | B(MF_OPT_AT),
     .run = mf_cli_run_trust_show},
    {.name = "trust refresh", .group = MF_CLI_TRUST, .synopsis = "IMAGE...", .min = 1, .max = MF_CLI_ANY,
     .summary = "re-sign what expires soon",
     .description =
	"Re-signs each role that expires soon, with a later expiry and otherwise\n"
	"unchanged: root, targets and delegated roles, snapshot and timestamp, as far as\n"
	"their keys are on this machine. Roles whose keys are elsewhere are reported with\n"
	"their keys; the exit status is then 14, or 7 if one has expired. An expired\n"
	"repository can be re-signed only on a machine that has seen it before. A Notary\n"
	"server signs its own roles.",
     .options = B(MF_OPT_WITHIN) | B(MF_OPT_FORCE) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_FORCE, NULL, "re-sign all roles, whenever they expire"}},
     .run = mf_cli_run_trust_refresh},
    {.name = "trust rotate", .group = MF_CLI_TRUST, .synopsis = "REPOSITORY... ROLE", .min = 2, .max = MF_CLI_ANY,
     .summary = "replace the key of a role, also of root or targets",
     .description =
	"Gives ROLE (root, targets, snapshot, timestamp, or a delegated role) the key NEW\n"
	"in place of its only key, or of several keys those on this machine, in one\n"
	"publish that is read back. What only the old key has signed is re-signed. A new\n"
	"root is signed by the old and the new keys: whoever pinned the old key follows.\n"
	"\n"
	"On a Notary server, root without --key renews the certificate of the root key,\n"
	"and snapshot or timestamp without --key get a new key of the server. NEW is the\n"
	"name of a key on this machine, or a file with the public key (for a Notary root\n"
	"the certificate) of one that is elsewhere, if it is not needed to sign.",
     .options = B(MF_OPT_PROPOSE) | B(MF_OPT_KEY) | B(MF_OPT_KEEP_OLD) | B(MF_OPT_DRY_RUN),
     .repeats = B(MF_OPT_KEY),
     .help = {{MF_OPT_KEY, "NEW", "new key of the role: file, fingerprint or name; may be repeated"}},
     .run = mf_cli_run_trust_rotate},
    {.name = "trust pin", .group = MF_CLI_TRUST, .synopsis = "IMAGE ROOT...", .min = 2, .max = MF_CLI_ANY,
     .summary = "pin the root keys that a repository must have",
     .description =
	"Each ROOT is a root.json file or the fingerprint (64 hexadecimal digits) of a\n"
	"root key. IMAGE may be a prefix of repositories that ends in '*'.",
     .options = B(MF_OPT_THRESHOLD) | B(MF_OPT_BUNDLE),
     .run = mf_cli_run_trust_pin},
    {.name = "trust export", .group = MF_CLI_TRUST, .synopsis = "[PATTERN...]", .min = 0, .max = MF_CLI_ANY,
     .reach = MF_CLI_HOME,
     .summary = "write the pins and maps of this machine, for other machines",
     .description =
	"Writes the names of colleagues' keys, and the pins and maps of these\n"
	"repositories and prefixes, as trust.json names them, or all pins and maps. The\n"
	"result is a file for 'trust import'. It holds no secrets: keep it under version\n"
	"control.",
     .run = mf_cli_run_trust_export},
    {.name = "trust import", .group = MF_CLI_TRUST, .synopsis = "FILE", .min = 1, .max = 1, .reach = MF_CLI_HOME,
     .summary = "take over the pins and maps of another machine",
     .description =
	"Takes over all pins and maps in FILE, or none: if one differs from what decides\n"
	"on this machine, the import is refused, unless --force is given. Get FILE over a\n"
	"channel that you trust: it decides whom you believe.",
     .options = B(MF_OPT_FORCE),
     .help = {{MF_OPT_FORCE, NULL, "replace pins and maps that differ"}},
     .run = mf_cli_run_trust_import},
    {.name = "trust map", .group = MF_CLI_TRUST, .synopsis = "[PATTERN REPOSITORY]", .min = 0, .max = 2, .reach = MF_CLI_HOME,
     .summary = "read a copy by the repository it was copied from",
     .description =
	"From now on the trust repository of REPOSITORY speaks for images whose names fit\n"
	"PATTERN: a repository, or a prefix of repositories that ends in '*'. A '*' at\n"
	"the end of REPOSITORY stands for the same. Tags are resolved in the image's own\n"
	"repository. Content is taken from there first, then from REPOSITORY, whose pin\n"
	"decides. Commands that write refuse mapped names. The longest pattern decides; a\n"
	"map is not followed twice. Without arguments, lists the maps.",
     .options = B(MF_OPT_REMOVE),
     .help = {{MF_OPT_REMOVE, NULL, "remove the map PATTERN"}},
     .run = mf_cli_run_trust_map},
    {.name = "trust clock", .group = MF_CLI_TRUST, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "set the recorded time back to the system clock",
     .description =
	"A run with a clock that was ahead has recorded that time, and every run with a\n"
	"clock before it is refused (8). This command replaces the recorded time by the\n"
	"system clock's; set the clock right first. Recorded versions stay: a repository\n"
	"that was rolled back is still refused. Asks, unless --yes is given.",
     .options = B(MF_OPT_YES),
     .run = mf_cli_run_trust_clock},
    {.name = "trust forget", .group = MF_CLI_TRUST, .synopsis = "IMAGE", .min = 1, .max = 1,
     .summary = "forget what this machine knows of a repository",
     .description =
	"Removes the pin of this repository, its recorded versions and time, and cached\n"
	"metadata. Whatever is at that name afterwards counts as new, so use it only for\n"
	"a repository that you created again yourself. Pins of prefixes and keys stay.\n"
	"The name must be typed, unless --yes is given.",
     .options = B(MF_OPT_YES) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_YES, NULL, "do not ask for the name"}, {MF_OPT_DRY_RUN, NULL, "list what would be forgotten"}},
     .run = mf_cli_run_trust_forget},
    {.name = "key generate", .group = MF_CLI_KEYS, .synopsis = "NAME", .min = 1, .max = 1, .reach = MF_CLI_HOME,
     .summary = "create a signing key",
     .description =
	"Creates a key pair and stores it under NAME, protected by a passphrase unless\n"
	"--no-passphrase is given.",
     .options = B(MF_OPT_TYPE),
     .help = {{MF_OPT_TYPE, NULL, "ed25519 (default) or ecdsa"}},
     .run = mf_cli_run_key_generate},
    {.name = "key list", .group = MF_CLI_KEYS, .synopsis = "", .min = 0, .max = 0, .reach = MF_CLI_HOME,
     .summary = "list the keys on this machine",
     .description = "Lists the names, types, fingerprints and files of the keys. Needs no passphrase.",
     .run = mf_cli_run_key_list},
    {.name = "key show", .group = MF_CLI_KEYS, .synopsis = "NAME", .min = 1, .max = 1, .reach = MF_CLI_HOME,
     .summary = "show a key and its public part",
     .description = "NAME is the name of a key, or at least 8 digits of its fingerprint.",
     .run = mf_cli_run_key_show},
    {.name = "key add", .group = MF_CLI_KEYS, .synopsis = "NAME SOURCE [ARGUMENT...]", .min = 2, .max = MF_CLI_ANY, .reach = MF_CLI_HOME,
     .summary = "use a key that an agent, a token or a program holds",
     .description =
	"Stores a reference to a private key that stays where it is. SOURCE is one of\n"
	"  ssh-agent:FINGERPRINT  as 'ssh-add -l' prints it (ed25519, ECDSA P-256)\n"
	"  pkcs11:ATTRIBUTES      on a token, by its URI (RFC 7512; ed25519, ECDSA)\n"
	"  command:PROGRAM        with its ARGUMENTs; put '--' before those that begin\n"
	"                         with a dash\n"
	"  env:VARIABLE           the text of the key is in the environment\n"
	"  fd:NUMBER              or is read from this descriptor\n"
	"Afterwards NAME is used like any other key.",
     .run = mf_cli_run_key_add},
    {.name = "key import", .group = MF_CLI_KEYS, .synopsis = "NAME FILE", .min = 2, .max = 2, .reach = MF_CLI_HOME,
     .summary = "import a private key of another program",
     .description =
	"Stores the private key in FILE under NAME: of OpenSSL (PKCS #8, SEC1, PKCS #1),\n"
	"OpenSSH, minisign, signify, notary, Docker Content Trust, or a key file of\n"
	"another home.",
     .options = B(MF_OPT_NEW_PASSPHRASE_FILE),
     .run = mf_cli_run_key_import},
    {.name = "key export", .group = MF_CLI_KEYS, .synopsis = "NAME [DIRECTORY]", .min = 1, .max = 2, .reach = MF_CLI_HOME,
     .summary = "export a key for another program",
     .description =
	"Writes the public key (pem, openssh, minisign), or with -o the private key\n"
	"(pkcs8, manifesto) under its own passphrase. With DIRECTORY, writes\n"
	"DIRECTORY/ID.key as the notary program keeps it; --role is then required, and\n"
	"--gun for a targets key.",
     .options = B(MF_OPT_ROLE) | B(MF_OPT_GUN) | B(MF_OPT_FORMAT) | B(MF_OPT_OUTPUT),
     .help = {{MF_OPT_ROLE, NULL, "role of the key: targets, root or delegation"}},
     .run = mf_cli_run_key_export},
    {.name = "key passwd", .group = MF_CLI_KEYS, .synopsis = "NAME", .min = 1, .max = 1, .reach = MF_CLI_HOME,
     .summary = "change, add or remove a key's passphrase",
     .description =
	"Asks for the passphrase, and twice for the new one. With --no-passphrase, the\n"
	"key has none afterwards.",
     .options = B(MF_OPT_NEW_PASSPHRASE_FILE),
     .run = mf_cli_run_key_passwd},
    {.name = "key rename", .group = MF_CLI_KEYS, .synopsis = "NAME NEW", .min = 2, .max = 2, .reach = MF_CLI_HOME,
     .summary = "rename a key on this machine",
     .description =
	"Gives a key another name. Its passphrase is needed: it protects the name, too.",
     .run = mf_cli_run_key_rename},
    {.name = "key remove", .group = MF_CLI_KEYS, .synopsis = "NAME", .min = 1, .max = 1, .reach = MF_CLI_HOME,
     .summary = "remove a key from this machine",
     .description =
	"Shows which roles are known here to list the key, asks for its name, and removes\n"
	"its file. Roles that list the key still list it; 'key revoke' takes it out.",
     .options = B(MF_OPT_YES) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_YES, NULL, "do not ask for the name"}, {MF_OPT_DRY_RUN, NULL, "only show the roles that list the key"}},
     .run = mf_cli_run_key_remove},
    {.name = "key name", .group = MF_CLI_KEYS, .synopsis = "[FINGERPRINT NAME]", .min = 0, .max = 2, .reach = MF_CLI_HOME,
     .summary = "name a colleague's key, or list such names",
     .description =
	"Gives the key of this fingerprint a local name, which is then shown in place of\n"
	"the digits. Names are for reading: they decide nothing. A name that looks like\n"
	"that of another key is refused. Without arguments, lists the names.\n"
	"'trust export' and 'trust import' carry them to other machines.",
     .options = B(MF_OPT_REMOVE),
     .run = mf_cli_run_key_name},
    {.name = "key revoke", .group = MF_CLI_KEYS, .synopsis = "KEY REPOSITORY...", .min = 2, .max = MF_CLI_ANY,
     .summary = "take a key out of every role of repositories",
     .description =
	"Takes KEY (a fingerprint, the name of a key, or a file with it) out of every\n"
	"role that lists it, root included, in each repository. The records that no\n"
	"longer count are listed first. Files that only this key has signed are re-signed\n"
	"with the keys on this machine. Where others must sign, the key stays in that\n"
	"role, and the command for them is printed (11). A role is never left with too\n"
	"few keys (2): --key gives it another one. The exit status is that of the gravest\n"
	"failure.",
     .options = B(MF_OPT_KEY) | B(MF_OPT_DRY_RUN),
     .help = {{MF_OPT_KEY, "NEW", "key that takes its place in each role"}},
     .run = mf_cli_run_key_revoke},
    {.name = "version", .group = MF_CLI_PROGRAM, .synopsis = "", .min = 0, .max = 0, .reach = MF_CLI_ALONE,
     .summary = "print the version",
     .description = "Prints the version of the program.",
     .run = mf_cli_run_version},
    {.name = "completion", .group = MF_CLI_PROGRAM, .synopsis = "SHELL", .min = 1, .max = 1, .reach = MF_CLI_ALONE,
     .summary = "print a completion script for bash, zsh or fish",
     .description =
	"'make install' puts these scripts where the shells find them. Otherwise:\n"
	"  bash:  source <(manifesto completion bash)\n"
	"  zsh:   source <(manifesto completion zsh)\n"
	"  fish:  manifesto completion fish | source",
     .run = mf_cli_run_completion},
    {.name = "help", .group = MF_CLI_PROGRAM, .synopsis = "[COMMAND]", .min = 0, .max = 2, .reach = MF_CLI_ALONE,
     .summary = "print help for the program or a command",
     .description =
	"Prints the same as --help after the command. 'manifesto help options' lists the\n"
	"options that every command takes.",
     .run = mf_cli_run_help},
    {.name = "__complete", .group = MF_CLI_HIDDEN, .synopsis = "WORD...", .min = 1, .max = MF_CLI_ANY,
     .reach = MF_CLI_ALONE,
     .summary = "what the last word of a command line may be, for the scripts of 'completion'",
     .description = "",
     .run = mf_cli_run_complete},
};
/* clang-format on */
const size_t mf_cli_ncommands = sizeof mf_cli_commands / sizeof mf_cli_commands[0];

/* ---------------------------------------------------------------- names */

/* The length of FIRST in the name "FIRST SECOND" or "FIRST". */
static size_t first_word(const char *name)
{
	return strcspn(name, " ");
}

bool mf_cli_command_is_group(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < mf_cli_ncommands; i++)
		if (first_word(mf_cli_commands[i].name) == n && mf_cli_commands[i].name[n] &&
		    memcmp(mf_cli_commands[i].name, word, n) == 0)
			return true;
	return false;
}

const struct mf_cli_command *mf_cli_command_lookup(const char *const *words, size_t nwords, size_t *used)
{
	for (size_t i = 0; nwords && i < mf_cli_ncommands; i++) {
		const char *name = mf_cli_commands[i].name;
		size_t n = first_word(name);
		bool two = name[n] != 0;
		if (strlen(words[0]) != n || memcmp(words[0], name, n) != 0)
			continue;
		if (two && (nwords < 2 || strcmp(words[1], name + n + 1) != 0))
			continue;
		*used = two ? 2 : 1;
		return &mf_cli_commands[i];
	}
	return NULL;
}

/* Candidates for a single mistyped word: groups come first, so that "kye" gives "key". */
static const char *plain_name(size_t n)
{
	static const char *const groups[] = {"trust", "key", "role", "policy", "proposal", "cache"};
	size_t ngroups = sizeof groups / sizeof groups[0];
	if (n < ngroups)
		return groups[n];
	return n - ngroups < mf_cli_ncommands ? mf_cli_commands[n - ngroups].name : NULL;
}

static const char *full_name(size_t n)
{
	return n < mf_cli_ncommands ? mf_cli_commands[n].name : NULL;
}

/* Writes the second words of a group: "init, show, pin". */
static void list_group(const char *group, char *out, size_t size)
{
	size_t n = strlen(group), at = 0;
	for (size_t i = 0; i < mf_cli_ncommands && at < size; i++) {
		const char *name = mf_cli_commands[i].name;
		if (first_word(name) == n && name[n] && memcmp(name, group, n) == 0)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", name + n + 1);
	}
}

static int unknown_second(const char *const *words, size_t nwords, struct manifesto_error *err)
{
	char all[256] = "", typed[64];
	struct mf_esc a;
	list_group(words[0], all, sizeof all);
	if (nwords < 2) {
		(void)mf_cli_usage(err, "'%s' needs a subcommand: %s", words[0], all);
	} else {
		(void)snprintf(typed, sizeof typed, "%s %s", words[0], words[1]);
		const char *near = mf_cli_nearest(typed, full_name);
		(void)mf_cli_usage(err, "unknown command '%s %s'%s%s%s", words[0],
				   mf_esc(&a, mf_str_c(words[1])), near ? "; did you mean '" : "",
				   near ? near : "", near ? "'?" : "");
	}
	mf_err_set_hint(err, "see 'manifesto help %s'", words[0]);
	return -1;
}

static int unknown_first(const char *word, struct manifesto_error *err)
{
	struct mf_esc a;
	const char *near = mf_cli_nearest(word, plain_name);
	(void)mf_cli_usage(err, "unknown command '%s'%s%s%s", mf_esc(&a, mf_str_c(word)),
			   near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	mf_err_set_hint(err, "see 'manifesto help'");
	return -1;
}

int mf_cli_command_find(struct mf_cli *cli, struct manifesto_error *err)
{
	size_t used = 0;
	const char *const *words = cli->args.words;
	if (!cli->args.nwords) {
		(void)mf_cli_usage(err, "no command was given");
		mf_err_set_hint(err,
			    "usage: manifesto [OPTION...] COMMAND [ARGUMENT...]; see 'manifesto --help'");
		return -1;
	}
	cli->command = mf_cli_command_lookup(words, cli->args.nwords, &used);
	if (!cli->command)
		return mf_cli_command_is_group(words[0]) ? unknown_second(words, cli->args.nwords, err)
							 : unknown_first(words[0], err);
	cli->argument = cli->args.words + used;
	cli->nargument = cli->args.nwords - used;
	return 0;
}

/* ---------------------------------------------------------------- what fits the command */

bool mf_cli_command_takes(const struct mf_cli_command *c, enum mf_cli_opt o)
{
	return o < MF_OPT_GLOBAL_END || (c->options & B(o));
}
