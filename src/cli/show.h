/* Results of the library as text and JSON: what several commands show alike. */
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

/* The members of a record, into an open object. */
void mf_cli_show_record_json(struct mf_json_out *j, const struct manifesto_record *r);
/* Several, as the member "records". */
void mf_cli_show_records_json(struct mf_json_out *j, const struct manifesto_record *const *records, size_t n);
void mf_cli_show_signers_json(struct mf_json_out *j, const char *name,
			      const struct manifesto_signer *const *s, size_t n);
/* Messages: of a promoted record, who promoted it, from where, and who had signed it there. */
void mf_cli_show_promoted(const struct manifesto_record *r);
/* The member promotedFrom, if it was promoted. */
void mf_cli_show_promoted_json(struct mf_json_out *j, const struct manifesto_record *r);
/* "alice, 1f2e3d4c5b6a7988": names where known, else the first digits; NULL when out of memory. Caller frees.
 */
char *mf_cli_show_signers(const struct manifesto_signer *const *s, size_t n);
/* One of these, in label. */
const char *mf_cli_show_label(const struct manifesto_signer *s, char label[MF_CLI_LABEL]);
/* A command that changes records. */
struct mf_cli_change {
	const char *schema;
	int (*run)(struct manifesto *m, const struct manifesto_change_options *opt,
		   const struct manifesto_change_result **out, struct manifesto_error *err);
	void (*item)(const struct manifesto_change_item *i); /* shows one record, a line or more */
	/* Members of some items of a result, into an open object; NULL: those of most commands. */
	void (*members)(struct mf_json_out *j, const struct manifesto_change_result *r,
			const struct manifesto_change_item *const *items, size_t n);
};
/* Image and type, and the options that these commands share. */
struct manifesto_change_options mf_cli_change_options(const struct mf_cli *cli);
/* Are the command's images several? Those of a list are, whatever their number. */
bool mf_cli_change_is_many(const struct mf_cli *cli);
/* Changes the records of one image, with one document or lines; or of several, with a line for each. */
int mf_cli_change(struct mf_cli *cli, const struct mf_cli_change *c, struct manifesto_change_options *o,
		  struct manifesto_error *err) MF_NODISCARD;
/* The members of a list, into an open object; all: of a repository. */
void mf_cli_show_list_json(struct mf_json_out *j, const struct manifesto_list_result *r, bool all);
/* The members of an event, into an open object; image: whose records those of one image are. */
void mf_cli_show_event_json(struct mf_json_out *j, const struct manifesto_history_event *e,
			    const char *image);
/* "Signed by alice (ed25519 1f2e...) in targets/qa, version 3; published to URL". */
void mf_cli_show_published(FILE *f, const struct manifesto_change_result *r);
/* What became of --propose: of a result's `proposal` and `missing`. Nothing when the proposal is NULL. */
struct mf_cli_proposed {
	const char *proposal;
	size_t missing;
};
void mf_cli_show_proposed(FILE *f, const struct mf_cli *cli, const char *image,
			  const struct mf_cli_proposed *p);
void mf_cli_show_proposed_json(struct mf_json_out *j, const char *proposal, size_t missing);
/* All that the signatures of a record are over, and who signed it before. */
void mf_cli_show_record(FILE *f, const struct manifesto_record *r);
void mf_cli_show_signer_json(struct mf_json_out *j, const char *name, const struct manifesto_signer *s);
void mf_cli_show_warnings(const char *const *warnings, size_t n);
/* "'TYPE' of 'IMAGE'", with the platform. */
void mf_cli_show_record_name(const struct manifesto_record *r);
/* A time of a record, in out (MF_TIME_LEN); NULL when it has none. */
const char *mf_cli_show_expires(char *out, const struct manifesto_record *r);
const char *mf_cli_show_created(char *out, const struct manifesto_record *r);
/* The time that --at gave, as member "at"; without it nothing. */
void mf_cli_show_at_json(const struct mf_cli *cli, struct mf_json_out *j);
/* A time, or "-" for 0, into out (MF_TIME_LEN). */
void mf_cli_show_time(char *out, int64_t seconds);
/* Does one repository with the command's own function: the status of it, -1 for what ends the program. */
typedef int (*mf_cli_one_fn)(struct mf_cli *cli, const char *repository, struct mf_json_out *j,
			     struct manifesto_error *why);
/* The first n arguments, one after another; a failure of one does not hide the others. */
int mf_cli_each_repository(struct mf_cli *cli, size_t n, const char *schema, mf_cli_one_fn one,
			   struct manifesto_error *err) MF_NODISCARD;
/* The members of a change of roles, into an open object. */
void mf_cli_show_changes_json(struct mf_json_out *j, const struct manifesto_role_result *r);
/* After a trust repository was made, on standard error: keys, where they lie, what was pinned. home:
 * $MANIFESTO_HOME. */
void mf_cli_show_initialised(const char *where, const char *home, const char *const *keys, size_t nkeys,
			     const char *const *pinned, size_t npinned);
/* Where keys lie below home, as the library lays it out. */
#define MF_CLI_KEYS_BELOW_HOME "keys"

#endif
