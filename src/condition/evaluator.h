/* The process that evaluates conditions, and the messages on its socket. Internal to the module condition. */
#ifndef MF_CONDITION_EVALUATOR_H
#define MF_CONDITION_EVALUATOR_H

#include "condition/jq.h"

/* A sanitizer reserves more memory than any limit allows, and excludes it from core dumps. The Makefile
 * defines MF_SANITIZED to 1 for it. */
#ifndef MF_SANITIZED
#define MF_SANITIZED 0
#endif

/* A question: the index of a program, then a document. */
struct mf_question {
	uint32_t program;
	uint32_t length; /* of the document that follows */
};
enum mf_answer_kind {
	MF_ANSWER_TRUE = 1, /* the condition holds; at the start: all programs compile */
	MF_ANSWER_VALUES,   /* the text is the values, each ending with a NUL */
	MF_ANSWER_ERROR,    /* the text says what is wrong */
	MF_ANSWER_MEMORY,
	MF_ANSWER_TIME,
	MF_ANSWER_CRASH,
};
#define MF_MAX_ANSWER ((size_t)2048)
struct mf_answer {
	uint32_t kind;
	uint32_t program; /* at the start: the program that does not compile */
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
/* Is it a well-formed answer of n octets? A process that has evaluated a document is trusted no more than the
 * document. */
bool mf_answer_is_sound(const struct mf_answer *a, size_t n);
/* Compiles the programs and reports the result, then answers questions until the socket is closed. */
_Noreturn void mf_evaluator_run(const struct mf_evaluator *e, int socket);

#endif
