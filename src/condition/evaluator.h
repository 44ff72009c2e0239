/* The process that evaluates conditions, and what goes over its socket. Inside this module only. */
#ifndef MF_CONDITION_EVALUATOR_H
#define MF_CONDITION_EVALUATOR_H

#include "condition/jq.h"

/* A sanitizer reserves more memory than any limit allows, and keeps it out of core dumps. The Makefile
 * defines MF_SANITIZED to 1 for it. */
#ifndef MF_SANITIZED
#define MF_SANITIZED 0
#endif

/* A question is a program and a document. */
struct mf_question {
	uint32_t program;
	uint32_t length; /* of the document that follows */
};
enum mf_answer_kind {
	MF_ANSWER_TRUE = 1, /* of the programs at the start: all compile */
	MF_ANSWER_VALUES,   /* its text is the values, each ending with a NUL */
	MF_ANSWER_ERROR,    /* its text says what is wrong */
	MF_ANSWER_MEMORY,
	MF_ANSWER_TIME,
	MF_ANSWER_CRASH,
};
#define MF_MAX_ANSWER ((size_t)2048)
struct mf_answer {
	uint32_t kind;
	uint32_t program; /* at the start: which one does not compile */
	uint32_t length;
	char text[MF_MAX_ANSWER];
};
#define MF_ANSWER_HEAD offsetof(struct mf_answer, text)

struct mf_evaluator {
	const struct mf_jq *jq;
	const char *const *programs;
	size_t n;
	int64_t now;
};
/* Is it an answer of n octets? What the process of a document wrote is no more to be trusted than the
 * document. */
bool mf_answer_is_sound(const struct mf_answer *a, size_t n);
/* Compiles the programs, answers, and answers questions until the socket is closed. */
_Noreturn void mf_evaluator_run(const struct mf_evaluator *e, int socket);

#endif
