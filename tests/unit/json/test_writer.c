#include "json/writer.h"

#include <setjmp.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "json/json.h"

struct doc {
	struct mf_json_out j;
	struct mf_buf buf;
	struct mf_err err;
};

static void begin(struct doc *d, enum mf_json_style style, size_t max)
{
	*d = (struct doc){.buf = MF_BUF_INIT(max), .err = MF_ERR_INIT};
	mf_json_to_buf(&d->j, style, &d->buf, &d->err);
}

static void end(struct doc *d, const char *expected)
{
	assert_int_equal(mf_json_finish(&d->j), 0);
	assert_string_equal(mf_buf_str(&d->buf).p, expected);
	mf_buf_clear(&d->buf);
}

static void members_and_elements_are_separated_by_commas(void **state)
{
	(void)state;
	static const char *const texts[] = {"a", "b"};
	struct doc d;
	begin(&d, MF_JSON_SHOWN, 1000);
	mf_json_add_object(&d.j, NULL);
	mf_json_add_array(&d.j, "none");
	mf_json_close(&d.j);
	mf_json_add_texts(&d.j, "texts", texts, 2);
	mf_json_add_text(&d.j, "text", NULL);
	mf_json_add_int(&d.j, "int", INT64_MIN);
	mf_json_add_bool(&d.j, "yes", true);
	mf_json_add_bool(&d.j, "no", false);
	mf_json_add_time(&d.j, "time", 1767323045);
	mf_json_add_time(&d.j, "never", 0);
	mf_json_add_array(&d.j, "objects");
	mf_json_add_object(&d.j, NULL);
	mf_json_add_int(&d.j, "int", 1); /* the name of another object's member */
	mf_json_close(&d.j);
	mf_json_add_object(&d.j, NULL);
	mf_json_add_int(&d.j, "int", 2);
	mf_json_close(&d.j);
	mf_json_close(&d.j);
	mf_json_close(&d.j);
	end(&d,
	    "{\"none\":[],\"texts\":[\"a\",\"b\"],\"text\":null,\"int\":-9223372036854775808,\"yes\":true,"
	    "\"no\":false,\"time\":\"2026-01-02T03:04:05Z\",\"never\":null,\"objects\":[{\"int\":1},{\"int\":"
	    "2}]}");
}

static void a_shown_text_escapes_all_that_is_unsafe(void **state)
{
	(void)state;
	struct doc d;
	begin(&d, MF_JSON_SHOWN, 1000);
	mf_json_add_str(&d.j, NULL,
			MF_STR("\"\\/\n\x1b\x7f\xc2\x9b\xc2\xad\xe2\x80\xae\xf3\xa0\x81\x81\xc3\xa9\xff\0."));
	end(&d,
	    "\"\\\"\\\\/\\u000a\\u001b\\u007f\\u009b\\u00ad\\u202e\\udb40\\udc41\xc3\xa9\\ufffd\\u0000.\"");
}

static void a_shown_text_has_no_command_for_a_runner(void **state)
{
	(void)state;
	static const char text[] = "a ##[set-env name=x]y ##vso[ ##";
	struct doc d;
	begin(&d, MF_JSON_SHOWN, 1000);
	mf_json_add_text(&d.j, NULL, text);
	end(&d, "\"a \\u0023#[set-env name=x]y \\u0023#vso[ ##\"");
	begin(&d, MF_JSON_CANONICAL, 1000);
	mf_json_add_text(&d.j, NULL, text);
	end(&d, "\"a ##[set-env name=x]y ##vso[ ##\"");
}

static void the_strict_reader_reads_back_what_was_shown(void **state)
{
	(void)state;
	struct mf_str text = MF_STR("\"\\\n\xc2\xad\xf3\xa0\x81\x81\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
	struct doc d;
	begin(&d, MF_JSON_SHOWN, 1000);
	mf_json_add_str(&d.j, NULL, text);
	assert_int_equal(mf_json_finish(&d.j), 0);
	json_t *j = mf_json_load(mf_buf_bytes(&d.buf), 1000, &d.err);
	assert_non_null(j);
	assert_memory_equal(json_string_value(j), text.p, text.n);
	assert_int_equal(json_string_length(j), text.n);
	json_decref(j);
	mf_buf_clear(&d.buf);
}

static void names_that_are_data_are_escaped_too(void **state)
{
	(void)state;
	struct doc d;
	begin(&d, MF_JSON_SHOWN, 1000);
	mf_json_add_object(&d.j, NULL);
	mf_json_key(&d.j, MF_STR("\x1b"));
	mf_json_add_text(&d.j, NULL, "v");
	mf_json_key(&d.j, MF_STR("b"));
	mf_json_add_array(&d.j, NULL);
	mf_json_add_int(&d.j, NULL, 1);
	mf_json_close(&d.j);
	mf_json_close(&d.j);
	end(&d, "{\"\\u001b\":\"v\",\"b\":[1]}");
}

static void a_canonical_document_is_canonical(void **state)
{
	(void)state;
	struct doc d;
	begin(&d, MF_JSON_CANONICAL, 1000);
	mf_json_add_object(&d.j, NULL);
	mf_json_add_text(&d.j, "a", "\"\\\xe2\x80\xae");
	mf_json_add_object(&d.j, "b");
	mf_json_key(&d.j, MF_STR("Z"));
	mf_json_add_int(&d.j, NULL, 1);
	mf_json_key(&d.j, MF_STR("z"));
	mf_json_add_int(&d.j, NULL, 2);
	mf_json_close(&d.j);
	mf_json_add_int(&d.j, "c", 3);
	mf_json_close(&d.j);
	assert_int_equal(mf_json_finish(&d.j), 0);
	struct mf_buf again = MF_BUF_INIT(1000);
	assert_int_equal(mf_json_canonicalize(mf_buf_str(&d.buf), &again, &d.err), 0);
	assert_string_equal(again.p, d.buf.p);
	mf_buf_clear(&again);
	end(&d, "{\"a\":\"\\\"\\\\\xe2\x80\xae\",\"b\":{\"Z\":1,\"z\":2},\"c\":3}");
}

static void the_first_failure_stays_and_nothing_is_left_in_the_buffer(void **state)
{
	(void)state;
	struct doc d;
	begin(&d, MF_JSON_CANONICAL, 1000);
	assert_int_equal(mf_buf_addz(&d.buf, "before", &d.err), 0);
	mf_json_to_buf(&d.j, MF_JSON_CANONICAL, &d.buf, &d.err);
	mf_json_add_array(&d.j, NULL);
	mf_json_add_text(&d.j, NULL, "a\xff");
	mf_json_add_text(&d.j, NULL, "\xff");
	mf_json_close(&d.j);
	assert_int_equal(mf_json_finish(&d.j), -1);
	assert_int_equal(d.err.code, MF_E_FORMAT);
	assert_string_equal(d.buf.p, "before");
	mf_buf_clear(&d.buf);
	begin(&d, MF_JSON_SHOWN, 10);
	mf_json_add_text(&d.j, NULL, "0123456789");
	assert_int_equal(mf_json_finish(&d.j), -1);
	assert_int_equal(d.err.code, MF_E_FORMAT);
	assert_int_equal(d.buf.n, 0);
	mf_buf_clear(&d.buf);
}

static void a_file_gets_the_same_document(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct mf_json_out j;
	assert_non_null(f);
	mf_json_to_file(&j, f);
	mf_json_add_object(&j, NULL);
	mf_json_add_text(&j, "t", "\xe2\x80\x8b");
	mf_json_close(&j);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "{\"t\":\"\\u200b\"}");
	free(text);
}

/* Does adding these members to one object end the program? */
static bool aborts(enum mf_json_style style, const char *first, const char *second)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct doc d;
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		begin(&d, style, 1000);
		mf_json_add_object(&d.j, NULL);
		mf_json_add_int(&d.j, first, 1);
		mf_json_add_array(&d.j, "m");
		mf_json_close(&d.j);
		mf_json_add_int(&d.j, second, 2);
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void a_name_that_the_object_has_already_is_a_bug(void **state)
{
	(void)state;
	assert_false(aborts(MF_JSON_SHOWN, "x", "a"));
	assert_true(aborts(MF_JSON_SHOWN, "x", "x"));
	assert_true(aborts(MF_JSON_SHOWN, "x", "m"));
	assert_false(aborts(MF_JSON_CANONICAL, "a", "x"));
	assert_true(aborts(MF_JSON_CANONICAL, "a", "m"));
	assert_true(aborts(MF_JSON_CANONICAL, "a", "b")); /* out of order */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_and_elements_are_separated_by_commas),
	    cmocka_unit_test(a_shown_text_escapes_all_that_is_unsafe),
	    cmocka_unit_test(a_shown_text_has_no_command_for_a_runner),
	    cmocka_unit_test(the_strict_reader_reads_back_what_was_shown),
	    cmocka_unit_test(names_that_are_data_are_escaped_too),
	    cmocka_unit_test(a_canonical_document_is_canonical),
	    cmocka_unit_test(the_first_failure_stays_and_nothing_is_left_in_the_buffer),
	    cmocka_unit_test(a_name_that_the_object_has_already_is_a_bug),
	    cmocka_unit_test(a_file_gets_the_same_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
