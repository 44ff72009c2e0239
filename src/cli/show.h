/* Shows results of the library as text and JSON, as several commands do. */
#ifndef MF_CLI_SHOW_H
#define MF_CLI_SHOW_H

#include "cli/command.h"
#include "cli/output.h"

#define MF_CLI_FINGERPRINT_SHORT 16 /* digits shown in text; JSON has all 64 */
#define MF_CLI_LABEL 72

/* A result of the library, freed at the end of the scope: MF_CLI_RESULT(manifesto_get_result, r); */
static inline void mf_cli_result_cleanup(void *result)
{
	manifesto_result_free(*(const void **)result);
}
#define MF_CLI_RESULT(type, name) const struct type *name MF_CLEANUP(mf_cli_result_cleanup) = NULL

/* Adds the members of a record to an open object. */
void mf_cli_show_record_json(struct mf_json_out *j, const struct manifesto_record *r);
/* Adds several records, as the member "records". */
void mf_cli_show_records_json(struct mf_json_out *j, const struct manifesto_record *const *records, size_t n);
void mf_cli_show_signers_json(struct mf_json_out *j, const char *name,
			      const struct manifesto_signer *const *s, size_t n);
/* Prints messages about a promoted record: who promoted it, from where, and who had signed it there. */
void mf_cli_show_promoted(FILE *f, const struct manifesto_record *r);
/* Adds the member promotedFrom if the record was promoted. */
void mf_cli_show_promoted_json(struct mf_json_out *j, const struct manifesto_record *r);
/* "alice,1f2e3d4c5b6a7988": names where known, otherwise the first digits; NULL when out of memory. Caller
 * frees. */
char *mf_cli_show_signers(const struct manifesto_signer *const *s, size_t n);
/* The name or the first digits of one signer, written to label. */
const char *mf_cli_show_label(const struct manifesto_signer *s, char label[MF_CLI_LABEL]);
/* A command that changes records. */
struct mf_cli_change {
	const char *schema;
	int (*run)(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *err);
	void (*item)(const struct manifesto_change_item *i); /* shows one record, a line or more */
	/* Adds the members for some items of a result to an open object; NULL: the members that most commands
	 * have. */
	void (*members)(struct mf_json_out *j, const struct manifesto_change_result *r,
			const struct manifesto_change_item *const *items, size_t n);
};
/* The options of a change: image, type, and what these commands share. */
struct manifesto_change_options mf_cli_change_options(const struct mf_cli *cli);
/* Does the command take several images? A list counts as several, whatever their number. */
bool mf_cli_change_is_many(const struct mf_cli *cli);
/* Runs the command for one image or for several, and prints text or one JSON document. */
int mf_cli_change(struct mf_cli *cli, const struct mf_cli_change *c, struct manifesto_change_options *o,
		  struct manifesto_error *err) MF_NODISCARD;
/* Adds the members of a list to an open object; all: the list of a repository. */
void mf_cli_show_list_json(struct mf_json_out *j, const struct manifesto_list_result *r, bool all);
/* Adds the members of an event to an open object; image: the value of its member "image". */
void mf_cli_show_event_json(struct mf_json_out *j, const struct manifesto_history_event *e,
			    const char *image);
/* Prints "Signed by alice (ed25519 1f2e...) in targets/qa, version 3; published to URL". */
void mf_cli_show_published(FILE *f, const struct manifesto_change_result *r);
/* The result of --propose: `proposal` and `missing` of the library's result. NULL: nothing was proposed, and
 * nothing is shown. */
struct mf_cli_proposed {
	const char *proposal;
	size_t missing;
};
void mf_cli_show_proposed(FILE *f, const struct mf_cli *cli, const char *image,
			  const struct mf_cli_proposed *p);
void mf_cli_show_proposed_json(struct mf_json_out *j, const char *proposal, size_t missing);
/* Prints everything that the signatures of a record cover, and who has signed it. */
void mf_cli_show_record(FILE *f, const struct manifesto_record *r);
void mf_cli_show_signer_json(struct mf_json_out *j, const char *name, const struct manifesto_signer *s);
void mf_cli_show_warnings(const char *const *warnings, size_t n);
/* Prints "'TYPE' of 'IMAGE'" and the platform. */
void mf_cli_show_record_name(const struct manifesto_record *r);
/* A time of a record, written to out (MF_TIME_LEN); NULL if it has none. */
const char *mf_cli_show_expires(char *out, const struct manifesto_record *r);
const char *mf_cli_show_created(char *out, const struct manifesto_record *r);
/* Adds the time given with --at as member "at"; without --at nothing. */
void mf_cli_show_at_json(const struct mf_cli *cli, struct mf_json_out *j);
/* Writes a time, or "-" for 0, to out (MF_TIME_LEN). */
void mf_cli_show_time(char *out, int64_t seconds);
/* Handles one repository, and returns its exit status; -1: the error in *why. */
typedef int (*mf_cli_one_fn)(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
			     struct manifesto_error *why);
/* Calls `one` for each of the first n arguments, and reports the errors. An error of one does not stop the
 * others; only wrong usage at the first one ends the command. */
int mf_cli_each_repository(struct mf_cli *cli, size_t n, const char *schema, mf_cli_one_fn one,
			   struct manifesto_error *err) MF_NODISCARD;
/* Adds the members of a change of roles to an open object. */
void mf_cli_show_changes_json(struct mf_json_out *j, const struct manifesto_role_result *r);
/* Reports a new trust repository on standard error: its keys, where they are, what was pinned. home:
 * $MANIFESTO_HOME. */
void mf_cli_show_initialised(const char *where, const char *home, const char *const *keys, size_t nkeys,
			     const char *const *pinned, size_t npinned);
/* The directory of keys in the home, as the library names it. */
#define MF_CLI_KEYS_BELOW_HOME "keys"

#endif
