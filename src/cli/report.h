/* A report: what was verified of repositories at one time. The page and its data are made from it. */
#ifndef MF_CLI_REPORT_H
#define MF_CLI_REPORT_H

#include "base/arena.h"
#include "cli/show.h"

/* What the gate said of an image: a finding, or a waiver (status 0). */
struct mf_report_finding {
	int status;
	const char *code, *type, *wanted,
	    *found; /* type and wanted may be NULL; of a waiver, found says by whom */
};
struct mf_report_verdict {
	bool accepted;
	const struct mf_report_finding *findings;
	size_t nfindings;
	const char *const *types; /* that are required */
	size_t ntypes;
};

struct mf_report_image {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	bool gone;
	const struct manifesto_record *const *records;
	size_t nrecords;
	struct mf_report_verdict *verdict; /* NULL: none was asked for */
};

struct mf_report_repository {
	const char *name;
	bool whole;                   /* else some images of it */
	struct manifesto_error error; /* why nothing below is known; status MANIFESTO_OK: it is */
	const char **references;      /* that were given */
	const struct manifesto_list_result **lists; /* one of each */
	size_t nlists;
	const struct manifesto_trust_result *trust;
	const struct manifesto_role_list *roles;
	const struct manifesto_history_result *history; /* NULL: */
	struct manifesto_error history_error;
	struct mf_report_image *images; /* by subject */
	size_t nimages;
	const struct mf_report_image **rows; /* as they are shown */
	const char **types;                  /* columns: of records and requirements, sorted */
	size_t ntypes;
};

struct mf_report {
	struct mf_arena a;
	int64_t now, warn_within, limit;
	bool as_of;                      /* now is a time that was given */
	const char *bundle, *policy;     /* files, or NULL */
	const char *const *require;      /* ends with NULL, or NULL */
	const char *policy_name;         /* or NULL */
	const char *const *policy_lines; /* what it requires, in words */
	size_t npolicy_lines;
	struct mf_report_repository **v;
	size_t n, nimages, accepted, refused;
	int status; /* the gravest of what could not be verified or read */
	char *json; /* the data; freed with it */
	size_t json_length;
};

/* Is the event of an image of the report, or of roles and roots? */
bool mf_report_shows(const struct mf_report_repository *r, const struct manifesto_history_event *e);
/* The image with this subject, or NULL. */
const struct mf_report_image *mf_report_find(const struct mf_report_repository *r, const char *subject);
/* When an event was: as the store says, else as its signer says; 0: nobody does. */
int64_t mf_report_event_time(const struct manifesto_history_event *e);

/* report_data.c: the next element of an array */
void mf_report_repository_json(struct mf_json_out *j, const struct mf_report_repository *r);

/* report_page.c */
int mf_report_page(const struct mf_report *r, FILE *f, struct manifesto_error *err) MF_NODISCARD;
/* "alice, 1f2e3d4c5b6a7988" */
void mf_report_signers(const struct manifesto_signer *const *s, size_t n, FILE *f);
extern const char *const mf_report_style[]; /* ends with NULL */
/* report_timeline.c */
int mf_report_timeline(const struct mf_report_repository *r, size_t number, FILE *f,
		       struct manifesto_error *err) MF_NODISCARD;
void mf_report_events(const struct mf_report_repository *r, FILE *f);

#endif
