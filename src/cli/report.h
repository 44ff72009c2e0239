/* A report: what was verified about repositories at one time. The page and its data are made from it. */
#ifndef MF_CLI_REPORT_H
#define MF_CLI_REPORT_H

#include "base/arena.h"
#include "cli/show.h"

/* A finding of the gate about an image, or a waiver (status 0). */
struct mf_report_finding {
	int status;
	const char *code, *type, *wanted,
	    *found; /* type and wanted may be NULL; `found` of a waiver: who waived it, and until when */
};
struct mf_report_verdict {
	bool accepted;
	const struct mf_report_finding *findings;
	size_t nfindings;
	const char *const *types; /* of the findings and requirements */
	size_t ntypes;
};

struct mf_report_image {
	const char *image, *subject; /* repository@sha256:..., sha256:... */
	const char *const *tags;
	size_t ntags;
	bool gone;
	const struct manifesto_record *const *records;
	size_t nrecords;
	struct mf_report_verdict *verdict; /* NULL: the image was not evaluated */
};

struct mf_report_repository {
	const char *name;
	bool whole;                                 /* all its images; otherwise some of them */
	struct manifesto_error error;               /* why nothing below is set; MANIFESTO_OK: verified */
	const char **references;                    /* the arguments that name it or its images */
	const struct manifesto_list_result **lists; /* the list for each argument */
	size_t nlists;
	const struct manifesto_trust_result *trust;
	const struct manifesto_role_list *roles;
	const struct manifesto_history_result *history; /* NULL: see history_error */
	struct manifesto_error history_error;
	struct mf_report_image *images; /* sorted by subject */
	size_t nimages;
	const struct mf_report_image **rows; /* the images in the order shown */
	const char **types; /* columns: types of records, findings and requirements, sorted */
	size_t ntypes;
};

struct mf_report {
	struct mf_arena a;
	int64_t now, warn_within, limit;
	bool as_of;                      /* `now` was given with --at */
	const char *bundle, *policy;     /* files, or NULL */
	const char *const *require;      /* ends with NULL, or NULL */
	const char *policy_name;         /* or NULL */
	const char *const *policy_lines; /* what it requires, in words */
	size_t npolicy_lines;
	struct mf_report_repository **v;
	size_t n, nimages, accepted, refused;
	int status; /* exit status: the gravest of what could not be verified or read */
	char *json; /* the data; freed with the report */
	size_t json_length;
};

/* Is the event about an image of the report, or about roles or roots? */
bool mf_report_shows(const struct mf_report_repository *r, const struct manifesto_history_event *e);
/* The image with this subject, or NULL. */
const struct mf_report_image *mf_report_find(const struct mf_report_repository *r, const char *subject);
/* The time of an event: what the store says, otherwise what its signer claims; 0: unknown. */
int64_t mf_report_event_time(const struct manifesto_history_event *e);

/* report_data.c: adds a repository as the next element of an open array */
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
