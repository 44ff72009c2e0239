/* Loads libcurl when it is first needed. libcurl and the thirty libraries that it depends on take longer to
 * load than many commands take to run, so a command that parses no URL does not load it. */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "base/library.h"
#include "net/internal.h"

#define LIBRARY "libcurl.so.4"
#define FUNCTION(name)                                                                                       \
	{                                                                                                    \
		"curl_" #name, offsetof(struct mf_curl, name)                                                \
	}

static const struct mf_library_function functions[] = {
    FUNCTION(global_init),
    FUNCTION(easy_init),
    FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),
    FUNCTION(easy_strerror),
    FUNCTION(easy_cleanup),
    FUNCTION(multi_init),
    FUNCTION(multi_setopt),
    FUNCTION(multi_add_handle),
    FUNCTION(multi_perform),
    FUNCTION(multi_poll),
    FUNCTION(multi_info_read),
    FUNCTION(multi_cleanup),
    FUNCTION(multi_remove_handle),
    FUNCTION(share_init),
    FUNCTION(share_setopt),
    FUNCTION(share_cleanup),
    FUNCTION(slist_append),
    FUNCTION(slist_free_all),
    FUNCTION(mime_init),
    FUNCTION(mime_addpart),
    FUNCTION(mime_name),
    FUNCTION(mime_type),
    FUNCTION(mime_filename),
    FUNCTION(mime_data_cb),
    FUNCTION(mime_free),
    FUNCTION(url),
    FUNCTION(url_set),
    FUNCTION(url_get),
    FUNCTION(url_cleanup),
    FUNCTION(free),
    FUNCTION(getdate),
    FUNCTION(version_info),
};

/* mf_curl_load writes the table once, under the lock. After that it is only read. */
static struct mf_curl table;
static bool loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int load(struct mf_err *err)
{
	if (!mf_library_load(LIBRARY, functions, sizeof functions / sizeof *functions, &table)) {
		(void)mf_fail(err, MF_E_IO, 0,
			      "requests to servers need the library " LIBRARY ", which is not installed");
		mf_err_set_hint(err, "install libcurl, in Debian the package libcurl4");
		return -1;
	}
	CURLcode rc = table.global_init(CURL_GLOBAL_DEFAULT);
	if (rc != CURLE_OK)
		return mf_fail(err, MF_E_INTERNAL, 0, "initialise libcurl: %s", table.easy_strerror(rc));
	loaded = true;
	return 0;
}

int mf_curl_load(struct mf_err *err)
{
	(void)pthread_mutex_lock(&lock);
	int rc = loaded ? 0 : load(err);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

const struct mf_curl *mf_curl(void)
{
	assert(loaded);
	return &table;
}
